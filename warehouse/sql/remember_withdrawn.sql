-- The latest delivery that has no consent for a record counts.
INSERT INTO core.consent_withdrawn AS c (source_id, entity, record_key, sequence)
SELECT d.source_id, w.entity, w.record_key, d.sequence
FROM withdrawn_record AS w
CROSS JOIN audit.delivery AS d
WHERE d.source_id = %(source)s AND d.delivery_id = %(delivery)s
ON CONFLICT (source_id, entity, record_key) DO UPDATE SET sequence = greatest(c.sequence, excluded.sequence)
