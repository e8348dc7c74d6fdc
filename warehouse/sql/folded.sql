-- Rows that another row of the same record comes after.
CREATE TEMPORARY TABLE folded ON COMMIT DROP AS
SELECT place, last_place
FROM (
    SELECT
        ctid AS place,
        last_value(ctid) OVER record AS last_place
    FROM {staged}
    WHERE record_key IN (SELECT record_key FROM {staged} GROUP BY record_key HAVING count(*) > 1)
    WINDOW record AS (
        PARTITION BY record_key ORDER BY source_table, source_row
        ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    )
) AS shared
WHERE place <> last_place
