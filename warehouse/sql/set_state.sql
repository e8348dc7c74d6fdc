-- Moves on, or out of a refusal, or into one; says whether the delivery moved (no row: no such delivery).
WITH standing AS (
    SELECT source_id, delivery_id, state AS before
    FROM audit.delivery
    WHERE source_id = %(source)s AND delivery_id = %(delivery)s
    FOR UPDATE
),
judged AS (
    SELECT *,
        CASE
            WHEN %(state)s = 'refused' THEN before IN ('received', 'pseudonymized', 'harmonized', 'validated')
            WHEN before = 'refused' THEN true
            WHEN %(state)s IN ('superseded', 'withdrawn') THEN true
            WHEN before IN ('superseded', 'withdrawn') THEN false
            ELSE array_position(%(way)s::text[], %(state)s) > array_position(%(way)s::text[], before)
        END AS moves
    FROM standing
),
moved AS (
    UPDATE audit.delivery AS d
    SET state = %(state)s,
        changed_at = now(),
        refused_rule = %(rule)s,
        refused_reason = %(reason)s,
        run_id = coalesce(%(run_id)s::text, d.run_id),
        published_at = CASE WHEN %(state)s = 'published' THEN now() ELSE d.published_at END
    FROM judged AS j
    WHERE j.moves AND d.source_id = j.source_id AND d.delivery_id = j.delivery_id
)
SELECT moves FROM judged
