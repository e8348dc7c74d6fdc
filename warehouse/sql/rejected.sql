-- The verdict, read again: rows judged rejected, and rows with an error that nobody judged.
CREATE TEMPORARY TABLE rejected ON COMMIT DROP AS
SELECT source_table, source_row FROM {verdict} WHERE rejected
UNION
SELECT source_table, source_row FROM {finding} WHERE severity = 'error' AND source_row IS NOT NULL
