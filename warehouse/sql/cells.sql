-- One indicator's cells: by country and by source, for all time and by year, in total and by each of its breakdowns.
INSERT INTO marts.indicator_value (
    indicator, version, parameters, country, source_id, period, wave, dimension, disaggregation, category,
    value, numerator, denominator, n, n_low_confidence, below_minimum_cell, method,
    codebook_version, crosswalk_versions, delivery_ids
)
SELECT
    %(indicator)s, %(version)s, %(parameters)s, f.country, f.source_id, p.period, f.wave, f.dimension,
    b.disaggregation, b.category,
    {value}, {numerator}, {denominator}, {n}, {n_low_confidence}, {n} < %(minimum_cell)s, f.method,
    %(codebook_version)s,
    {crosswalk_versions}, {delivery_ids}
FROM ({facts}) AS f
CROSS JOIN LATERAL (VALUES ('all'), (extract(year FROM f.clock)::text)) AS p (period)
CROSS JOIN LATERAL (VALUES {breakdowns}) AS b (disaggregation, category)
WHERE p.period IS NOT NULL
GROUP BY GROUPING SETS (
    (f.country, p.period, f.wave, f.dimension, f.method, b.disaggregation, b.category),
    (f.country, f.source_id, p.period, f.wave, f.dimension, f.method, b.disaggregation, b.category)
)
HAVING {n} > 0
