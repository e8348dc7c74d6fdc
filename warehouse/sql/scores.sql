-- Scores of one method for every interview. The points of an answer, and the sums, are whole numbers; the division by
-- the common denominator comes last. -1 is an answer without points. A variable that is null was not collected.
-- OFFSET 0 keeps the planner from writing every expression out again in each place that uses it.
-- Rows come in the order of the key, which then grows at its end instead of everywhere.
INSERT INTO core.rss_score (
    source_id, country, record_key, person_token, delivery_id, instrument, method,
    wave, recall, interview_mode, interview_date, sex,
    economic, social, psychosocial, composite, band,
    special_answers, low_confidence, missing_items, reason, codebook_version, crosswalk_version
)
SELECT
    t.source_id, t.country, t.record_key, named.person_token, t.delivery_id, %(instrument)s, %(method)s,
    named.wave, named.recall, named.interview_mode, {interview_date}, person.sex,
    CASE WHEN gate.reason IS NULL THEN total.economic::numeric / %(denominator)s END,
    CASE WHEN gate.reason IS NULL THEN total.social::numeric / %(denominator)s END,
    CASE WHEN gate.reason IS NULL THEN total.psychosocial::numeric / %(denominator)s END,
    CASE WHEN gate.reason IS NULL THEN total.composite::numeric / %(denominator)s END,
    CASE
        WHEN gate.reason IS NOT NULL OR total.composite IS NULL THEN NULL
        WHEN total.composite < %(low_below)s THEN 'low'
        WHEN total.composite > %(high_above)s THEN 'high'
        ELSE 'middle'
    END,
    answer.special,
    answer.special > %(low_confidence_above)s,
    answer.missing,
    coalesce(gate.reason, CASE WHEN total.composite IS NULL THEN 'missing_items' END),
    t.codebook_version, t.crosswalk_version
FROM {entity} AS t
JOIN {labelled} AS named ON named.source_id = t.source_id AND named.record_key = t.record_key
LEFT JOIN (
    SELECT DISTINCT ON (source_id, person_token) source_id, person_token, sex
    FROM core.person_named
    WHERE person_token IS NOT NULL
    ORDER BY source_id, person_token, valid_from DESC, record_key
) AS person ON person.source_id = t.source_id AND person.person_token = named.person_token
{births}
CROSS JOIN LATERAL (SELECT {points} OFFSET 0) AS point
CROSS JOIN LATERAL (SELECT {totals} OFFSET 0) AS total
CROSS JOIN LATERAL (
    SELECT
        ({special})::smallint AS special,
        CASE WHEN total.composite IS NULL THEN array_remove(ARRAY[{missing}]::text[], NULL) ELSE '{{}}' END AS missing
    OFFSET 0
) AS answer
CROSS JOIN LATERAL (SELECT CASE {gates} END AS reason OFFSET 0) AS gate
ORDER BY t.source_id, t.record_key
