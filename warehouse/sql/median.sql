-- Exact medians without sorting every score for every cell: first the strip of the scale that holds the middle of a
-- cell, by counts alone; then the one or two middle scores among those of that strip.
-- In: `cell`, whose value is the list of the groups of interviews that it is made of.
WITH goal AS MATERIALIZED (SELECT row_number() OVER () AS goal, * FROM cell),
part AS MATERIALIZED (SELECT goal, unnest(value) AS part FROM goal),
strip AS MATERIALIZED (
    SELECT g.part, floor(score * 40)::int AS strip, count(*) AS n, array_agg(score) AS scores
    FROM {grouped} AS g
    CROSS JOIN LATERAL unnest(g.scores) AS score
    WHERE g.dimension = ANY (%(scores)s)
    GROUP BY g.part, strip
),
counted AS (
    SELECT goal, strip, sum(strip.n) AS n
    FROM part
    JOIN strip USING (part)
    GROUP BY goal, strip
),
placed AS (
    SELECT goal, strip, sum(n) OVER (PARTITION BY goal ORDER BY strip) - n AS before, n FROM counted
),
middle AS MATERIALIZED (
    SELECT goal, strip, part, placed.before
    FROM placed
    JOIN goal USING (goal)
    JOIN part USING (goal)
    WHERE placed.before < goal.n / 2 + 1 AND placed.before + placed.n >= (goal.n + 1) / 2
),
near AS (
    SELECT goal, min(middle.before)::int AS before, array_agg(score ORDER BY score) AS scores
    FROM middle
    JOIN strip USING (part, strip)
    CROSS JOIN LATERAL unnest(strip.scores) AS score
    GROUP BY goal
)
SELECT
    country, source_id, period, wave, dimension, method, disaggregation, category,
    round((near.scores[(n + 1) / 2 - near.before] + near.scores[n / 2 + 1 - near.before]) / 2, 6) AS value,
    numerator, denominator, n, n_low_confidence
FROM goal
JOIN near USING (goal)
