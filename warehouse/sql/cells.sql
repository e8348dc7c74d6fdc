-- One indicator's cells: by country and by source, for all time and by year, in total and by each of its breakdowns.
INSERT INTO marts.indicator_value (
    indicator, version, parameters, country, source_id, period, wave, dimension, disaggregation, category,
    value, numerator, denominator, n, n_low_confidence, below_minimum_cell, method,
    codebook_version, crosswalk_versions, delivery_ids
)
WITH facts AS MATERIALIZED ({facts}),
lineage AS (
    SELECT
        country, source_id,
        array_agg(DISTINCT crosswalk_version ORDER BY crosswalk_version) AS crosswalk_versions,
        array_agg(DISTINCT delivery_id ORDER BY delivery_id) AS delivery_ids
    FROM (SELECT DISTINCT country, source_id, delivery_id, crosswalk_version FROM {origin}) AS origin
    GROUP BY GROUPING SETS ((country), (country, source_id))
),
cell AS (
    SELECT
        f.country, f.source_id, p.period, f.wave, f.dimension, f.method, b.disaggregation, b.category,
        {value} AS value, {numerator} AS numerator, {denominator} AS denominator,
        {n} AS n, {n_low_confidence} AS n_low_confidence
    FROM facts AS f
    CROSS JOIN LATERAL (VALUES ('all'), (f.year)) AS p (period)
    CROSS JOIN LATERAL (VALUES {breakdowns}) AS b (disaggregation, category)
    WHERE p.period IS NOT NULL
    GROUP BY GROUPING SETS (
        (f.country, p.period, f.wave, f.dimension, f.method, b.disaggregation, b.category),
        (f.country, f.source_id, p.period, f.wave, f.dimension, f.method, b.disaggregation, b.category)
    )
),
valued AS ({valued})
SELECT
    %(indicator)s, %(version)s, %(parameters)s, c.country, c.source_id, c.period, c.wave, c.dimension,
    c.disaggregation, c.category, c.value, c.numerator, c.denominator, c.n, c.n_low_confidence,
    c.n < %(minimum_cell)s, c.method, %(codebook_version)s, l.crosswalk_versions, l.delivery_ids
FROM valued AS c
JOIN lineage AS l ON l.country = c.country AND l.source_id IS NOT DISTINCT FROM c.source_id
WHERE c.n > 0
