-- Whoever no longer consents is withdrawn, in an increment as in a snapshot; a row of the same record that does counts,
-- and so does a delivery that was received later.
INSERT INTO difference (record_key, delivery_id, kind)
SELECT DISTINCT p.record_key, p.delivery_id, 'withdrawn'
FROM {part} AS p
JOIN {withdrawn} AS w ON w.record_key = p.record_key AND w.entity = %(entity)s
JOIN audit.delivery AS d ON d.source_id = %(source)s AND d.delivery_id = %(delivery)s
JOIN audit.delivery AS last ON last.source_id = d.source_id AND last.delivery_id = p.delivery_id
WHERE last.sequence <= d.sequence
    AND NOT EXISTS (SELECT FROM {staged} AS s WHERE s.record_key = p.record_key)
    AND NOT EXISTS (SELECT FROM difference AS d WHERE d.record_key = p.record_key)
