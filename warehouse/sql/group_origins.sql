-- The deliveries behind the groups of scores; of a pair, those of both interviews.
CREATE TEMP TABLE {origin} ON COMMIT DROP AS
SELECT DISTINCT f.country, f.source_id, f.dimension, o.delivery_id, o.crosswalk_version
FROM ({facts}) AS f
CROSS JOIN LATERAL (
    VALUES (f.delivery_id, f.crosswalk_version), (f.earlier_delivery_id, f.earlier_crosswalk_version)
) AS o (delivery_id, crosswalk_version)
WHERE o.delivery_id IS NOT NULL
