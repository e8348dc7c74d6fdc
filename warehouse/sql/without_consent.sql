-- Whoever no longer consents is withdrawn, in an increment as in a snapshot; a row of the same record that does counts.
INSERT INTO difference (record_key, delivery_id, kind)
SELECT DISTINCT p.record_key, p.delivery_id, 'withdrawn'
FROM {part} AS p
JOIN {withdrawn} AS w ON w.record_key = p.record_key AND w.entity = %(entity)s
WHERE NOT EXISTS (SELECT FROM {staged} AS s WHERE s.record_key = p.record_key)
    AND NOT EXISTS (SELECT FROM difference AS d WHERE d.record_key = p.record_key)
