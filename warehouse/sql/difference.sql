-- What this delivery changes, record by record. Rows are compared by a 64-bit hash of all their variables: joined as
-- they are, a million rows of forty columns would not fit in memory. No temporary table is read here, since that would
-- keep PostgreSQL from using its second worker.
CREATE TEMPORARY TABLE difference ON COMMIT DROP AS
SELECT
    coalesce(mine.record_key, present.record_key) AS record_key,
    present.delivery_id,
    CASE
        WHEN present.record_key IS NULL THEN 'new'
        WHEN mine.record_key IS NULL THEN 'withdrawn'
        ELSE 'changed'
    END AS kind
FROM (SELECT record_key, hash_record_extended({row}, 0) AS content FROM {staged}) AS mine
FULL JOIN (SELECT record_key, hash_record_extended({row}, 0) AS content, delivery_id FROM {part}) AS present
    ON present.record_key = mine.record_key
WHERE present.record_key IS NULL
    OR mine.content <> present.content
    OR (mine.record_key IS NULL AND %(snapshot)s)
