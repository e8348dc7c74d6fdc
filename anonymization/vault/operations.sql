-- What is done with the vault: who opened it and for what, requests to name a person, and who must not come back.

-- One line for everything that is done with the vault. Each line's digest is keyed and covers the line before it, so
-- that what was changed or taken out is noticed. It holds counts and names of sources and officers, and no value.
CREATE TABLE vault.audit (
    entry    bigint PRIMARY KEY,
    at       timestamptz NOT NULL,
    login    text NOT NULL,
    officer  text,
    action   text NOT NULL,
    country  char(3),
    facts    jsonb NOT NULL,
    digest   bytea NOT NULL
);

CREATE FUNCTION vault.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'vault.audit is only added to' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER audit_is_only_added_to BEFORE UPDATE OR DELETE OR TRUNCATE ON vault.audit
    FOR EACH STATEMENT EXECUTE FUNCTION vault.refuse_change();

-- A request to name the person behind a token. One officer asks, another approves, the first one sees.
CREATE TABLE vault.request (
    request_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    country     char(3) NOT NULL,
    token       uuid NOT NULL,
    purpose     text NOT NULL,
    asked_by    text NOT NULL,
    asked_at    timestamptz NOT NULL DEFAULT now(),
    expires_at  timestamptz NOT NULL,
    approved_by text,
    approved_at timestamptz,
    CHECK (approved_by <> asked_by)
);

-- Persons who were erased: keyed hashes of their identifiers and row keys, by which a row that brings them again is
-- held back. Nothing else about them is left, and nobody can be found by these but by who holds the keys.
CREATE TABLE vault.erased (
    country char(3) NOT NULL,
    marker  uuid NOT NULL,
    PRIMARY KEY (country, marker)
);
