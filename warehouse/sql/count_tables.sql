SELECT row.source_table, count(*), count(rejected.source_row)
FROM {row} AS row
LEFT JOIN rejected USING (source_table, source_row)
GROUP BY row.source_table
ORDER BY row.source_table
