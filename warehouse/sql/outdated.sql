-- A record that came again in a delivery received later is not touched.
UPDATE difference AS c
SET kind = 'outdated'
FROM audit.delivery AS d
JOIN audit.delivery AS later ON later.source_id = d.source_id AND later.sequence > d.sequence
WHERE d.source_id = %(source)s AND d.delivery_id = %(delivery)s
    AND c.kind = 'changed' AND c.delivery_id = later.delivery_id
