-- Deliveries with the count of the supplier's rows, as published or as refused.
SELECT
    d.source_id, d.delivery_id, d.country, d.sha256, d.files, d.size, d.state, d.refused_rule, d.refused_reason,
    d.received_at, d.changed_at, d.published_at, d.codebook_version, d.crosswalk_version,
    d.header_fingerprint, d.form_version, d.run_id,
    c.rows_in, c.accepted, c.rejected
FROM audit.delivery AS d
LEFT JOIN LATERAL (
    SELECT sum(s.rows_in)::bigint AS rows_in, sum(s.rows_out)::bigint AS accepted, sum(s.rejected)::bigint AS rejected
    FROM audit.stage_count AS s
    WHERE s.source_id = d.source_id AND s.delivery_id = d.delivery_id AND s.kind = 'table'
        AND s.stage = CASE d.state WHEN 'refused' THEN 'refused' ELSE 'published' END
) AS c ON true
WHERE (%(source)s::text IS NULL OR d.source_id = %(source)s)
    AND (%(delivery)s::text IS NULL OR d.delivery_id = %(delivery)s)
    AND (NOT %(unfinished)s OR d.state IN ('received', 'pseudonymized', 'harmonized', 'validated'))
ORDER BY d.sequence DESC
LIMIT %(last)s
