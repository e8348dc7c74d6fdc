INSERT INTO audit.finding (source_id, delivery_id, source_table, source_row, source_column, variable, rule, severity)
SELECT %(source)s, %(delivery)s, mine.source_table, mine.source_row, NULL, NULL, 'key.conflicting_attributes', 'query'
FROM folded
JOIN {staged} AS mine ON mine.ctid = folded.place
JOIN {staged} AS last ON last.ctid = folded.last_place
WHERE {mine} IS DISTINCT FROM {last}
