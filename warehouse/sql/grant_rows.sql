REVOKE ALL ON {table} FROM homeward_analyst, homeward_release_officer;
GRANT SELECT ON {table} TO homeward_officer
