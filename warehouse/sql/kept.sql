-- Records of rejected rows: what was published of them before stays.
CREATE TEMPORARY TABLE kept ON COMMIT DROP AS
SELECT r.row_key AS record_key
FROM {row} AS r
JOIN rejected USING (source_table, source_row)
WHERE r.row_key IS NOT NULL
