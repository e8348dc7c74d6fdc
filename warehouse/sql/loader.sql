-- What the loader needs before it can own the schemas, granted only where it is missing (a DBA may have done it).
DO $$
BEGIN
    IF NOT has_database_privilege('homeward_loader', current_database(), 'CREATE') THEN
        EXECUTE format('GRANT CREATE ON DATABASE %I TO homeward_loader', current_database());
    END IF;
    IF NOT pg_has_role(current_user, 'homeward_loader', 'SET') THEN
        EXECUTE format('GRANT homeward_loader TO %I WITH INHERIT TRUE, SET TRUE', current_user);
    END IF;
    -- Else the loader lets nobody read what is released. Where a DBA made the roles, the DBA grants this one as well.
    IF NOT pg_has_role('homeward_loader', 'homeward_release_officer', 'USAGE')
        AND pg_has_role(current_user, 'homeward_release_officer', 'MEMBER WITH ADMIN OPTION') THEN
        GRANT homeward_release_officer TO homeward_loader WITH INHERIT TRUE, SET TRUE;
    END IF;
    -- set_config('role', ...) inside a SELECT would undo SET LOCAL ROLE; only a superuser can take it away.
    IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
        AND has_function_privilege('homeward_analyst', 'pg_catalog.set_config(text, text, boolean)', 'EXECUTE') THEN
        REVOKE EXECUTE ON FUNCTION pg_catalog.set_config(text, text, boolean) FROM PUBLIC;
    END IF;
END
$$
