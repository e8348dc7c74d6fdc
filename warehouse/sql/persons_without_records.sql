-- A person of whom this publication withdrew a record, and of whom this source has no other, is withdrawn as well.
CREATE TEMPORARY TABLE difference ON COMMIT DROP AS
SELECT p.record_key, p.delivery_id, 'withdrawn' AS kind
FROM {part} AS p
WHERE p.person_token IN ({gone}) AND p.person_token NOT IN ({present})
