DELETE FROM {staged} AS s
USING rejected AS r
WHERE s.source_table = r.source_table AND s.source_row = r.source_row
