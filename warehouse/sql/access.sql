GRANT USAGE ON SCHEMA core, marts TO homeward_analyst, homeward_officer, homeward_release_officer;
GRANT USAGE ON SCHEMA released TO homeward_analyst, homeward_officer;
GRANT USAGE, CREATE ON SCHEMA released TO homeward_release_officer;
GRANT USAGE ON SCHEMA audit, core TO homeward_auditor;

GRANT SELECT ON ALL TABLES IN SCHEMA marts TO homeward_analyst, homeward_officer, homeward_release_officer;
GRANT SELECT ON ALL TABLES IN SCHEMA released TO homeward_analyst, homeward_officer, homeward_release_officer;
GRANT SELECT ON ALL TABLES IN SCHEMA audit TO homeward_auditor;
