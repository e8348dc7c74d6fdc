INSERT INTO kept
SELECT s.record_key
FROM {staged} AS s
JOIN rejected USING (source_table, source_row)
