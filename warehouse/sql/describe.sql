UPDATE audit.delivery
SET codebook_version = coalesce(%(codebook_version)s::text, codebook_version),
    crosswalk_version = coalesce(%(crosswalk_version)s::text, crosswalk_version),
    header_fingerprint = coalesce(%(header_fingerprint)s::text, header_fingerprint),
    form_version = coalesce(%(form_version)s::text, form_version),
    run_id = coalesce(%(run_id)s::text, run_id)
WHERE source_id = %(source)s AND delivery_id = %(delivery)s
