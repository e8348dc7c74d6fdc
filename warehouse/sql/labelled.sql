-- For analysts: names where core has codes. The reader's own rights and row-level security apply.
DROP FUNCTION IF EXISTS {function}(timestamptz);
DROP VIEW IF EXISTS {view};
CREATE VIEW {view} WITH (security_invoker = true) AS
SELECT {shown} FROM {core} AS t {joins};
COMMENT ON VIEW {view} IS {label};

CREATE FUNCTION {function}(moment timestamptz) RETURNS SETOF {view}
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT {shown}
    FROM (
        SELECT {columns} FROM {core} WHERE valid_from <= moment
        UNION ALL
        SELECT {columns} FROM {history} WHERE valid_from <= moment AND valid_to > moment
    ) AS t {joins}
$$
