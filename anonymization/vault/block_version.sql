-- Which model a country's persons are found by: keys of two versions never meet, so that another version makes all anew.
CREATE TABLE vault.block_version (
    country char(3) PRIMARY KEY,
    version text NOT NULL
);
