INSERT INTO {part} (
    {columns}, source_id, country, delivery_id, codebook_version, crosswalk_version, valid_from
)
SELECT
    {columns}, %(source_id)s, %(country)s, %(delivery_id)s, %(codebook_version)s, %(crosswalk_version)s, now()
FROM {staged}
WHERE record_key IN (SELECT record_key FROM difference WHERE kind IN ('new', 'changed'))
ORDER BY record_key
