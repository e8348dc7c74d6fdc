ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS all_countries ON {table};
CREATE POLICY all_countries ON {table} FOR SELECT TO homeward_analyst, homeward_release_officer USING (true);
DROP POLICY IF EXISTS own_countries ON {table};
-- The subquery is evaluated once a statement, not once a row.
CREATE POLICY own_countries ON {table} FOR SELECT TO homeward_officer
    USING (country = ANY ((SELECT core.my_countries())::text[]))
