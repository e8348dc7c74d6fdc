SELECT
    r.country, r.source_id, r.delivery_id, r.crosswalk_version, extract(year FROM r.return_date)::text AS year,
    NULL::text AS wave, NULL::text AS dimension, NULL::text AS method,
    r.person_token AS person, coalesce(r.person_token, r.record_key) AS who,
    md5(coalesce(r.person_token, r.record_key)::text || coalesce(r.return_date::text, ''))::uuid AS event,
    r.country_of_return, r.host_country, r.voluntariness, r.return_adm1, person.sex
FROM core.return_event_named AS r
LEFT JOIN (
    SELECT DISTINCT ON (source_id, person_token) source_id, person_token, sex
    FROM core.person_named
    WHERE person_token IS NOT NULL
    ORDER BY source_id, person_token, valid_from DESC, record_key
) AS person ON person.source_id = r.source_id AND person.person_token = r.person_token
