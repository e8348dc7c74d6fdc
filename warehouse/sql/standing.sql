-- How the delivery stands, and whether a delivery that came after it has been published already.
SELECT
    d.state, d.refused_rule, d.refused_reason, d.codebook_version, d.crosswalk_version,
    EXISTS (
        SELECT FROM audit.delivery AS later
        WHERE later.source_id = d.source_id AND later.sequence > d.sequence AND later.state = 'published'
    )
FROM audit.delivery AS d
WHERE d.source_id = %(source)s AND d.delivery_id = %(delivery)s
FOR UPDATE OF d
