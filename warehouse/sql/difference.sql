-- What this delivery changes, record by record. Rows are compared by a 64-bit hash of all their variables: joined as
-- they are, a million rows of forty columns would not fit in memory. `outdated`: the record came again in a delivery received later.
CREATE TEMPORARY TABLE difference ON COMMIT DROP AS
WITH later AS (
    SELECT l.delivery_id
    FROM audit.delivery AS l
    JOIN audit.delivery AS d USING (source_id)
    WHERE d.source_id = %(source)s AND d.delivery_id = %(delivery)s AND l.sequence > d.sequence
)
SELECT
    coalesce(mine.record_key, present.record_key) AS record_key,
    CASE
        WHEN present.record_key IS NULL THEN 'new'
        WHEN mine.record_key IS NULL THEN 'withdrawn'
        WHEN present.delivery_id IN (SELECT delivery_id FROM later) THEN 'outdated'
        ELSE 'changed'
    END AS kind
FROM (SELECT record_key, hash_record_extended({row}, 0) AS content FROM {staged}) AS mine
FULL JOIN (SELECT record_key, hash_record_extended({row}, 0) AS content, delivery_id FROM {part}) AS present
    ON present.record_key = mine.record_key
WHERE present.record_key IS NULL
    OR mine.content <> present.content
    OR (mine.record_key IS NULL AND %(snapshot)s AND present.record_key NOT IN (SELECT record_key FROM kept))
