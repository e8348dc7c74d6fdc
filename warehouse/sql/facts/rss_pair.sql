-- Baseline and endline of one person by one method; of a wave answered twice the last interview counts.
WITH own_time AS (
    SELECT DISTINCT ON (country, person_token, instrument, method, wave) *
    FROM core.rss_score
    WHERE instrument = %(instrument)s
        AND person_token IS NOT NULL
        AND recall IS DISTINCT FROM 'retrospective'
    ORDER BY country, person_token, instrument, method, wave, interview_date DESC NULLS LAST, record_key,
        source_id
)
SELECT
    after.country, after.source_id, extract(year FROM after.interview_date)::text AS year,
    after.delivery_id, after.crosswalk_version,
    before.delivery_id AS earlier_delivery_id, before.crosswalk_version AS earlier_crosswalk_version,
    'baseline to endline' AS wave, d.dimension, after.method, d.score,
    before.low_confidence OR after.low_confidence AS low_confidence, after.sex, after.interview_mode
FROM own_time AS after
JOIN own_time AS before USING (country, person_token, instrument, method)
CROSS JOIN LATERAL (
    VALUES
        ('economic', after.economic - before.economic),
        ('social', after.social - before.social),
        ('psychosocial', after.psychosocial - before.psychosocial),
        ('composite', after.composite - before.composite)
) AS d (dimension, score)
WHERE before.wave = 'baseline'
    AND after.wave = 'endline'
    AND d.score IS NOT NULL
