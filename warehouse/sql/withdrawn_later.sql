-- A record whose consent was withdrawn in a delivery received later does not come back.
UPDATE difference AS c
SET kind = 'outdated'
FROM core.consent_withdrawn AS w
JOIN audit.delivery AS d ON d.source_id = w.source_id AND d.sequence < w.sequence
WHERE w.source_id = %(source)s AND w.entity = %(entity)s AND d.delivery_id = %(delivery)s
    AND w.record_key = c.record_key AND c.kind IN ('new', 'changed')
