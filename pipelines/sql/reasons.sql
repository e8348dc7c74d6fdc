-- Rejected rows by rule and source, most frequent first. Counts of rows, not of cells.
SELECT rule, source_id AS source, count(DISTINCT (source_table, source_row))::float8 AS rows
FROM audit.finding
WHERE severity = 'error' AND source_row IS NOT NULL
GROUP BY rule, source_id
ORDER BY rows DESC, rule, source
