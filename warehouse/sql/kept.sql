-- Records that rejected rows would have brought: what was published of them before stays.
CREATE TEMPORARY TABLE kept ON COMMIT DROP AS
SELECT s.record_key
FROM {staged} AS s
JOIN rejected USING (source_table, source_row)
UNION ALL
SELECT r.row_key
FROM {row} AS r
JOIN rejected USING (source_table, source_row)
WHERE r.row_key IS NOT NULL
