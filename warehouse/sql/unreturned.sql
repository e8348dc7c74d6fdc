-- Deliveries whose way has ended, without a return that was written after the end.
SELECT d.delivery_id
FROM audit.delivery AS d
WHERE d.source_id = %(source)s
    AND d.state IN ('published', 'refused', 'superseded')
    AND NOT EXISTS (
        SELECT
        FROM audit.delivery_event AS r
        WHERE r.source_id = d.source_id AND r.delivery_id = d.delivery_id AND r.event = %(returned)s
            AND r.event_id > (
                SELECT max(e.event_id)
                FROM audit.delivery_event AS e
                WHERE e.source_id = d.source_id AND e.delivery_id = d.delivery_id AND e.event = d.state
            )
    )
ORDER BY d.sequence
