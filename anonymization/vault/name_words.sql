-- Words of names of a country's people, as keyed hashes: what notes must not say. Apart from persons on purpose: a word
-- belongs to many people, and this table alone tells nothing about any of them.
CREATE TABLE vault.name_word (
    country char(3) NOT NULL,
    idx     uuid NOT NULL,
    PRIMARY KEY (country, idx)
);
