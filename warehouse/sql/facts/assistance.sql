-- Assistance goes to a person, or to a case, which has a person.
SELECT
    a.country, a.source_id, a.delivery_id, a.crosswalk_version, extract(year FROM a.assistance_date)::text AS year,
    NULL::text AS wave, NULL::text AS dimension, NULL::text AS method,
    coalesce(a.person_token, c.person_token) AS person,
    coalesce(a.person_token, c.person_token, a.case_key, a.record_key) AS who,
    a.type, a.modality, a.level, a.delivered_by, a.timing, person.sex
FROM core.assistance_named AS a
LEFT JOIN core.case_named AS c ON c.source_id = a.source_id AND c.record_key = a.case_key
LEFT JOIN (
    SELECT DISTINCT ON (source_id, person_token) source_id, person_token, sex
    FROM core.person_named
    WHERE person_token IS NOT NULL
    ORDER BY source_id, person_token, valid_from DESC, record_key
) AS person ON person.source_id = a.source_id AND person.person_token = coalesce(a.person_token, c.person_token)
