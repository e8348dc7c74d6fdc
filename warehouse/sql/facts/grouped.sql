-- Groups of interviews with what this indicator needs of their scores.
SELECT
    g.part, g.country, g.source_id, g.year, g.wave, g.dimension, g.method, g.sex, g.interview_mode,
    g.n, g.n_low,
    (SELECT {total} FROM unnest(g.scores) AS score) AS total
FROM {grouped} AS g
WHERE g.dimension = ANY (%(scores)s)
