-- The last word on each token; one that stands for itself again has no row.
WITH last AS (
    SELECT DISTINCT ON (token) token, country, current_token
    FROM core.token_event
    WHERE country = %(country)s AND event_id > %(after)s
    ORDER BY token, event_id DESC
),
gone AS (
    DELETE FROM core.current_token AS c USING last WHERE last.token = c.token AND last.current_token = last.token
)
INSERT INTO core.current_token (token, country, current_token)
SELECT token, country, current_token FROM last WHERE token <> current_token
ON CONFLICT (token) DO UPDATE SET current_token = excluded.current_token
