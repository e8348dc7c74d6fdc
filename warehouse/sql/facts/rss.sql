-- Scores one below the other. Answers about an earlier time are never mixed with those about their own.
SELECT
    s.country, s.source_id, s.delivery_id, s.crosswalk_version, extract(year FROM s.interview_date)::text AS year,
    NULL::text AS earlier_delivery_id, NULL::text AS earlier_crosswalk_version,
    s.wave, d.dimension, s.method, d.score, s.low_confidence, s.sex, s.interview_mode
FROM core.rss_score AS s
CROSS JOIN LATERAL (
    VALUES ('economic', s.economic), ('social', s.social), ('psychosocial', s.psychosocial), ('composite', s.composite)
) AS d (dimension, score)
WHERE s.instrument = %(instrument)s
    AND d.score IS NOT NULL
    AND s.recall IS DISTINCT FROM 'retrospective'
