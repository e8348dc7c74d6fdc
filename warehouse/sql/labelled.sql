-- For analysts: names where core has codes, and nothing restricted. The views run as their owner, since analysts may
-- not read in core what is hidden or coarsened here; so they tell by themselves whose rows the reader may see.
DROP FUNCTION IF EXISTS {function}(timestamptz);
DROP VIEW IF EXISTS {ever};
DROP VIEW IF EXISTS {view};
DROP VIEW IF EXISTS {named};
-- For scores and indicators, which the loader computes: the same names, everything whole, and the keys as they are.
CREATE VIEW {named} AS SELECT {whole} FROM {core} AS t {joins};

CREATE VIEW {view} WITH (security_barrier = true) AS
SELECT {shown} FROM {core} AS t {joins}
-- QZZ: the made-up people of `homeward leakcheck` are in nobody's figures.
WHERE ((SELECT core.reads_all()) AND t.country <> 'QZZ') OR t.country = ANY ((SELECT core.my_countries())::text[])
-- By the key that is another in each transaction: as the table has them, rows of two extracts would join line by line.
ORDER BY record_key;
COMMENT ON VIEW {view} IS {label};

CREATE VIEW {ever} WITH (security_barrier = true) AS
SELECT {shown}, t.valid_to, t.closed_reason
FROM (
    SELECT {columns}, NULL::timestamptz AS valid_to, NULL::text AS closed_reason FROM {core}
    UNION ALL
    SELECT {columns}, valid_to, closed_reason FROM {history}
) AS t {joins}
-- QZZ: the made-up people of `homeward leakcheck` are in nobody's figures.
WHERE ((SELECT core.reads_all()) AND t.country <> 'QZZ') OR t.country = ANY ((SELECT core.my_countries())::text[])
ORDER BY record_key;
COMMENT ON VIEW {ever} IS 'Current and closed rows, from valid_from until valid_to';

CREATE FUNCTION {function}(moment timestamptz) RETURNS SETOF {view}
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT {columns} FROM {ever} WHERE valid_from <= moment AND (valid_to IS NULL OR valid_to > moment)
$$
