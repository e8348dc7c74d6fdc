INSERT INTO audit.delivery (source_id, delivery_id, country, sha256, files, size)
VALUES (%(source)s, %(delivery)s, %(country)s, %(sha256)s, %(files)s, %(size)s)
ON CONFLICT DO NOTHING
RETURNING delivery_id
