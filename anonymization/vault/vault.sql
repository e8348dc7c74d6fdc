-- The vault: who is who. A database of its own; nothing in it names a person without the keys, which lie elsewhere.

CREATE SCHEMA vault;

-- A country's key wraps the keys of its people; it is itself wrapped by the root key.
CREATE TABLE vault.country (
    country     char(3) PRIMARY KEY,
    wrapped_key bytea NOT NULL,
    epoch       smallint NOT NULL DEFAULT 1,
    made_at     timestamptz NOT NULL DEFAULT now()
);

-- What identifiers are compared under, e.g. slv_dui, within one country.
CREATE TABLE vault.field (
    field   smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    country char(3) NOT NULL REFERENCES vault.country,
    name    text NOT NULL,
    UNIQUE (country, name)
);

-- A table of a source, as far as it says who people are.
CREATE TABLE vault.origin (
    origin smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name   text NOT NULL UNIQUE
);

-- The tables below take rows by the hundred thousand in one transaction; the code that writes them keeps their
-- references, since foreign keys would double the time.
CREATE TABLE vault.person (
    person_id   bigint PRIMARY KEY,
    country     char(3) NOT NULL,
    token       uuid NOT NULL UNIQUE,
    wrapped_key bytea NOT NULL
);

-- Ids are given out in blocks, one nextval for a batch.
CREATE SEQUENCE vault.person_block;

-- Keyed hash of a normalised identifier, or of a source's own row key. Its primary key is the arbiter between two
-- processes that meet the same new person at once. `field` is negative where the identifier came since the index was
-- put in order.
CREATE TABLE vault.blind_index (
    field     smallint NOT NULL,
    idx       uuid NOT NULL,
    person_id bigint NOT NULL,
    PRIMARY KEY (field, idx)
);

-- What a table of a source last said about a person's identity, sealed under the person's own key. The digest is keyed
-- too: it tells whether the table says something new.
CREATE TABLE vault.identity (
    person_id bigint NOT NULL,
    origin    smallint NOT NULL,
    digest    bigint NOT NULL,
    sealed    bytea NOT NULL,
    PRIMARY KEY (person_id, origin)
);
