-- What a look-up asks for stands in the index itself. Of fifty thousand people among ten million nearly every row lies on
-- a page of its own: looking into the tables as well made an answer three times as dear.

ALTER TABLE vault.blind_index DROP CONSTRAINT blind_index_pkey,
    ADD CONSTRAINT blind_index_covering PRIMARY KEY (field, idx) INCLUDE (person_id);
ALTER TABLE vault.identity DROP CONSTRAINT identity_pkey,
    ADD CONSTRAINT identity_covering PRIMARY KEY (person_id, origin) INCLUDE (digest);
