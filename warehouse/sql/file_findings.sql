INSERT INTO audit.finding (
    source_id, delivery_id, source_table, source_row, source_column, variable, rule, rule_version, severity
)
SELECT %(source)s, %(delivery)s, source_table, source_row, source_column, variable, rule, version, severity
FROM {finding}
