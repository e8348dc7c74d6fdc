-- A record whose row is rejected now is not withdrawn.
DELETE FROM difference
WHERE kind = 'withdrawn' AND record_key IN (SELECT record_key FROM kept)
