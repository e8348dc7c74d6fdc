-- Interviews that no indicator of scores tells apart, as one row with all their scores: computed once for all of them.
CREATE TEMP TABLE {grouped} ON COMMIT DROP AS
SELECT
    row_number() OVER () AS part, country, source_id, year, wave, dimension, method, sex, interview_mode,
    count(*) AS n, count(*) FILTER (WHERE low_confidence) AS n_low, array_agg(score) AS scores
FROM ({facts}) AS f
GROUP BY country, source_id, year, wave, dimension, method, sex, interview_mode
