WITH gone AS (
    DELETE FROM {part} AS p
    USING difference AS d
    WHERE d.record_key = p.record_key AND d.kind IN ('changed', 'withdrawn')
    RETURNING p.*, d.kind
)
INSERT INTO {history} ({columns}, valid_to, closed_reason)
SELECT {columns}, now(), CASE kind WHEN 'changed' THEN 'superseded' ELSE 'withdrawn' END
FROM gone
