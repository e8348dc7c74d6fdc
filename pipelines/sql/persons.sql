SELECT count(DISTINCT person_token) AS persons FROM marts.person
