-- Countries of the officer who asks, from the roles that he is a member of.
CREATE OR REPLACE FUNCTION core.my_countries() RETURNS text[]
LANGUAGE sql STABLE PARALLEL SAFE
RETURN (
    SELECT coalesce(array_agg(upper(right(rolname, 3))), '{}')
    FROM pg_catalog.pg_roles
    WHERE rolname ~ '^homeward_officer_[a-z]{3}$' AND pg_has_role(current_user, oid, 'USAGE')
);

-- Whether who asks reads the rows of all countries: in whole (the loader), or without what is restricted.
CREATE OR REPLACE FUNCTION core.reads_whole() RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
RETURN pg_has_role(current_user, 'homeward_loader', 'USAGE');

CREATE OR REPLACE FUNCTION core.reads_all() RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
RETURN pg_has_role(current_user, 'homeward_loader', 'USAGE')
    OR pg_has_role(current_user, 'homeward_analyst', 'USAGE')
    OR pg_has_role(current_user, 'homeward_release_officer', 'USAGE');

-- What keys are hashed with for readers who may not see them: another one in each transaction of each session. Not for
-- parallel workers, which have a process of their own.
CREATE OR REPLACE FUNCTION core.extract_salt() RETURNS bytea
LANGUAGE sql STABLE PARALLEL RESTRICTED
RETURN sha256(convert_to(pg_backend_pid()::text || ' ' || extract(epoch FROM now())::text, 'UTF8'));
