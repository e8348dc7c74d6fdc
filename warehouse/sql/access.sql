GRANT USAGE ON SCHEMA core, marts TO homeward_analyst, homeward_officer, homeward_release_officer;
GRANT USAGE ON SCHEMA released TO homeward_analyst, homeward_officer;
GRANT USAGE, CREATE ON SCHEMA released TO homeward_release_officer;
GRANT USAGE ON SCHEMA audit, core TO homeward_auditor;

GRANT SELECT ON ALL TABLES IN SCHEMA marts TO homeward_analyst, homeward_officer, homeward_release_officer;
GRANT SELECT ON ALL TABLES IN SCHEMA audit TO homeward_auditor;

-- What release officers write is theirs: whoever has a role reads it from its making on. What a login of its own wrote,
-- without taking the role first, only that login can grant.
DO $$
DECLARE
    ours regclass;
BEGIN
    IF pg_has_role('homeward_release_officer', 'SET') THEN
        ALTER DEFAULT PRIVILEGES FOR ROLE homeward_release_officer IN SCHEMA released
            GRANT SELECT ON TABLES TO homeward_analyst, homeward_officer;
    END IF;
    FOR ours IN
        SELECT oid FROM pg_class
        WHERE relnamespace = 'released'::regnamespace AND relkind IN ('r', 'p', 'v', 'm')
            AND pg_has_role(relowner, 'USAGE')
    LOOP
        EXECUTE format('GRANT SELECT ON %s TO homeward_analyst, homeward_officer, homeward_release_officer', ours);
    END LOOP;
END
$$
