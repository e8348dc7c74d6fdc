-- The same person under several tokens: what persons are compared by, what was decided, and what follows from it.

-- Names in comparable form, birth date, phone and place, sealed under the person's own key: shredded with it.
CREATE TABLE vault.likeness (
    person_id bigint PRIMARY KEY,
    country   char(3) NOT NULL,
    pending   boolean NOT NULL,
    sealed    bytea NOT NULL
);
CREATE INDEX likeness_pending ON vault.likeness (country, person_id) WHERE pending;

-- Keyed hashes under which persons are looked for: a name with a date or phone, or two names with a year; never a name
-- alone, since the most frequent hash would then be the most frequent name.
CREATE TABLE vault.block (
    key       uuid NOT NULL,
    person_id bigint NOT NULL,
    PRIMARY KEY (key, person_id)
);

-- How often names and places occur in a country: counts in buckets of hashes, sealed under the country's key.
CREATE TABLE vault.frequency (
    country char(3) PRIMARY KEY,
    sealed  bytea NOT NULL
);

-- A pair of persons that the model found alike. `one` < `other`.
CREATE TABLE vault.decision (
    decision_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    country     char(3) NOT NULL,
    one         bigint NOT NULL,
    other       bigint NOT NULL,
    weight      real NOT NULL,
    model       text NOT NULL,
    state       text NOT NULL CHECK (state IN ('merged', 'waiting', 'accepted', 'rejected', 'undone')),
    UNIQUE (one, other)
);
CREATE INDEX decision_other ON vault.decision (other);
CREATE INDEX decision_waiting ON vault.decision (country, weight DESC) WHERE state = 'waiting';

-- Every state a decision has had: who brought it there, and when. Rows are added and never changed.
CREATE TABLE vault.decision_event (
    decision_id bigint NOT NULL REFERENCES vault.decision,
    state       text NOT NULL,
    who         text NOT NULL,
    at          timestamptz NOT NULL DEFAULT now()
);

-- Persons that are one: all with the same head. A person that stands alone has no row.
CREATE TABLE vault.same_person (
    person_id bigint PRIMARY KEY,
    head      bigint NOT NULL
);
CREATE INDEX same_person_head ON vault.same_person (head);

-- What the warehouse follows: from now on `token` counts as `current_token`. Rows are added and never changed.
CREATE TABLE vault.token_event (
    event_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    country       char(3) NOT NULL,
    kind          text NOT NULL CHECK (kind IN ('merge', 'split')),
    token         uuid NOT NULL,
    current_token uuid NOT NULL,
    at            timestamptz NOT NULL DEFAULT now()
);
