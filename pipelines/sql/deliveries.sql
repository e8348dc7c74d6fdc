-- The latest delivery of every source, with the supplier's rows by verdict.
SELECT DISTINCT ON (d.source_id)
    d.country,
    d.source_id AS source,
    d.delivery_id AS delivery,
    d.state,
    coalesce(sum(c.rows_in), 0)::float8 AS rows_in,
    coalesce(sum(c.rows_out), 0)::float8 AS accepted,
    coalesce(sum(c.rejected), 0)::float8 AS rejected
FROM audit.delivery AS d
LEFT JOIN audit.stage_count AS c
    ON c.source_id = d.source_id AND c.delivery_id = d.delivery_id AND c.stage = 'published' AND c.kind = 'table'
GROUP BY d.country, d.source_id, d.delivery_id, d.state, d.sequence
ORDER BY d.source_id, d.sequence DESC
