-- Erasures that were begun and have no certificate yet: what is to be done, and what was. Tokens, row keys and row
-- numbers go in the transaction that shreds the person; no value of a delivery ever stands here.
CREATE TABLE vault.unfinished_erasure (
    certificate text PRIMARY KEY,
    country     char(3) NOT NULL,
    begun_at    timestamptz NOT NULL DEFAULT now(),
    tokens      uuid[] NOT NULL,
    row_keys    uuid[] NOT NULL,
    rows        jsonb NOT NULL,
    asked       jsonb NOT NULL,
    done        jsonb NOT NULL
);
