SELECT
    c.country, c.source_id, c.delivery_id, c.crosswalk_version, extract(year FROM c.close_date)::text AS year,
    NULL::text AS wave, NULL::text AS dimension, NULL::text AS method,
    c.person_token AS person, c.record_key AS who,
    c.closure_reason, c.closure_initiator, c.target_group
FROM core.case_named AS c
WHERE c.status = 'closed'
