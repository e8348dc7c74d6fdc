-- The entity as it stood at a moment: rows current since then, and rows closed after it.
CREATE OR REPLACE FUNCTION {function}(moment timestamptz) RETURNS SETOF {core}
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT {columns} FROM {core} WHERE valid_from <= moment
    UNION ALL
    SELECT {columns} FROM {history} WHERE valid_from <= moment AND valid_to > moment
$$;
