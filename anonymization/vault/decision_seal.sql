-- Keyed digest of what a decision says. Who can write into the database, and has no keys, joins nobody by it.
ALTER TABLE vault.decision ADD COLUMN seal bytea;
