ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS all_countries ON {table};
-- QZZ is nobody's country: the made-up people of `homeward leakcheck`, while it runs.
CREATE POLICY all_countries ON {table} FOR SELECT TO homeward_analyst, homeward_release_officer
    USING (country <> 'QZZ');
DROP POLICY IF EXISTS own_countries ON {table};
-- The subquery is evaluated once a statement, not once a row.
CREATE POLICY own_countries ON {table} FOR SELECT TO homeward_officer
    USING (country = ANY ((SELECT core.my_countries())::text[]))
