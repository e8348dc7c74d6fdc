INSERT INTO audit.stage_count AS c (
    source_id, delivery_id, stage, kind, name, rows_in, rows_out, rejected,
    merged, inserted, superseded, unchanged, outdated, withdrawn
)
VALUES (
    %(source)s, %(delivery)s, %(stage)s, %(kind)s, %(name)s, %(rows_in)s, %(rows_out)s, %(rejected)s,
    %(merged)s, %(inserted)s, %(superseded)s, %(unchanged)s, %(outdated)s, %(withdrawn)s
)
ON CONFLICT (source_id, delivery_id, stage, kind, name) DO UPDATE
SET rows_in = excluded.rows_in, rows_out = excluded.rows_out, rejected = excluded.rejected, merged = excluded.merged,
    inserted = excluded.inserted, superseded = excluded.superseded, unchanged = excluded.unchanged,
    outdated = excluded.outdated, withdrawn = excluded.withdrawn
