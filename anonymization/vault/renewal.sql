-- Countries whose keys were rotated and whose people's own keys are still those of before: of the persons up to `upto`
-- those up to `done` have a new one. A row goes when all have.
CREATE TABLE vault.renewal (
    country char(3) PRIMARY KEY REFERENCES vault.country,
    done    bigint NOT NULL,
    upto    bigint NOT NULL
);
