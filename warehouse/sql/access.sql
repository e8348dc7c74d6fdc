-- Countries of the officer who asks, from the roles that he is a member of.
CREATE OR REPLACE FUNCTION core.my_countries() RETURNS text[]
LANGUAGE sql STABLE PARALLEL SAFE
RETURN (
    SELECT coalesce(array_agg(upper(right(rolname, 3))), '{}')
    FROM pg_catalog.pg_roles
    WHERE rolname ~ '^homeward_officer_[a-z]{3}$' AND pg_has_role(current_user, oid, 'USAGE')
);

GRANT USAGE ON SCHEMA core, marts TO homeward_analyst, homeward_officer, homeward_release_officer;
GRANT USAGE ON SCHEMA released TO homeward_analyst, homeward_officer;
GRANT USAGE, CREATE ON SCHEMA released TO homeward_release_officer;
GRANT USAGE ON SCHEMA audit, core TO homeward_auditor;

GRANT SELECT ON ALL TABLES IN SCHEMA marts TO homeward_analyst, homeward_officer, homeward_release_officer;
GRANT SELECT ON ALL TABLES IN SCHEMA released TO homeward_analyst, homeward_officer, homeward_release_officer;
GRANT SELECT ON ALL TABLES IN SCHEMA audit TO homeward_auditor;
