-- Tokens are random too: a batch of new people fell on nearly every page of their index. Those of who came are apart in
-- it until it is put in order. Who looks for a token names both parts, since a server before 18 skips none.
ALTER TABLE vault.person DROP CONSTRAINT person_token_key, ADD COLUMN came boolean NOT NULL DEFAULT false;
ALTER TABLE vault.person ALTER COLUMN came SET DEFAULT true;
CREATE UNIQUE INDEX person_token ON vault.person (came, token);
