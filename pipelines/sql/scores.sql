-- Mean and median scores by country, dimension and wave; nothing below the minimum cell.
SELECT
    m.country,
    m.dimension,
    m.wave,
    m.value::float8 AS mean,
    d.value::float8 AS median,
    m.n::float8 AS n,
    m.n_low_confidence::float8 AS low_confidence
FROM marts.indicator_value AS m
JOIN marts.indicator_value AS d
    ON d.indicator = 'rss_median'
    AND (d.method, d.country, d.dimension, d.period, d.disaggregation)
        = (m.method, m.country, m.dimension, m.period, m.disaggregation)
    AND d.wave IS NOT DISTINCT FROM m.wave AND d.source_id IS NULL
WHERE m.indicator = 'rss_mean' AND m.method = :method AND m.disaggregation = 'total' AND m.period = 'all'
    AND m.source_id IS NULL AND NOT m.below_minimum_cell
ORDER BY m.country, array_position(ARRAY['economic', 'social', 'psychosocial', 'composite'], m.dimension), m.wave
