GRANT SELECT ON {table} TO homeward_analyst, homeward_officer, homeward_release_officer
