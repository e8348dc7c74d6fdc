-- Share of interviews in each band of the composite score, by country and wave; nothing below the minimum cell.
SELECT country, wave, parameters ->> 'band' AS band, value::float8 AS share, n::float8 AS n
FROM marts.indicator_value
WHERE indicator = 'rss_band_share' AND method = :method AND dimension = 'composite' AND disaggregation = 'total'
    AND period = 'all' AND source_id IS NULL AND NOT below_minimum_cell
ORDER BY country, wave, array_position(ARRAY['low', 'middle', 'high'], parameters ->> 'band')
