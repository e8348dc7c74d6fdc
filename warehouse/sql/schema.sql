-- Schemas and the tables that do not depend on the codebook. Run at every start; every statement may be repeated.
CREATE SCHEMA IF NOT EXISTS staging;
CREATE SCHEMA IF NOT EXISTS core;
CREATE SCHEMA IF NOT EXISTS marts;
CREATE SCHEMA IF NOT EXISTS released;
CREATE SCHEMA IF NOT EXISTS audit;

COMMENT ON SCHEMA staging IS 'One delivery at a time, on its way in: not for queries';
COMMENT ON SCHEMA core IS 'Harmonized rows of every source: what is current, and its history';
COMMENT ON SCHEMA marts IS 'For analysts: entities with names for codes, scores, indicator values, comparability';
COMMENT ON SCHEMA released IS 'What has passed disclosure control';
COMMENT ON SCHEMA audit IS 'Deliveries, their states and counts, findings, quarantine';

CREATE TABLE IF NOT EXISTS audit.migration (
    fingerprint text NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE audit.migration IS 'What the schema was last made from';

-- Deliveries -----------------------------------------------------------------------------------------------------
CREATE TABLE IF NOT EXISTS audit.delivery (
    source_id text NOT NULL,
    delivery_id text NOT NULL CHECK (delivery_id ~ '^\d{4}-\d{2}-\d{2}-[0-9a-f]{8}$'),
    country text NOT NULL,
    sequence bigint GENERATED ALWAYS AS IDENTITY,
    sha256 text NOT NULL,
    files jsonb NOT NULL,
    size bigint NOT NULL,
    state text NOT NULL DEFAULT 'received'
        CHECK (state IN ('received', 'pseudonymized', 'harmonized', 'validated', 'published',
                         'refused', 'superseded', 'withdrawn')),
    refused_rule text,
    refused_reason text,
    received_at timestamptz NOT NULL DEFAULT now(),
    changed_at timestamptz NOT NULL DEFAULT now(),
    published_at timestamptz,
    codebook_version text,
    crosswalk_version text,
    header_fingerprint text,
    form_version text,
    run_id text,
    PRIMARY KEY (source_id, delivery_id),
    UNIQUE (source_id, sha256)
);
COMMENT ON TABLE audit.delivery IS 'One row per delivery: what came, when, and how far it got';
COMMENT ON COLUMN audit.delivery.sequence IS 'Order of receipt: a later delivery''s rows win over an earlier one''s';

CREATE TABLE IF NOT EXISTS audit.delivery_event (
    event_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source_id text NOT NULL,
    delivery_id text NOT NULL,
    event text NOT NULL,
    rule text,
    run_id text,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    FOREIGN KEY (source_id, delivery_id) REFERENCES audit.delivery
);
CREATE INDEX IF NOT EXISTS delivery_event_delivery ON audit.delivery_event (source_id, delivery_id);
COMMENT ON TABLE audit.delivery_event IS 'Every state a delivery passed, every run again, every file that was received already';

CREATE TABLE IF NOT EXISTS audit.stage_count (
    source_id text NOT NULL,
    delivery_id text NOT NULL,
    stage text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('delivery', 'table', 'entity')),
    name text NOT NULL,
    rows_in bigint NOT NULL,
    rows_out bigint NOT NULL,
    rejected bigint NOT NULL,
    merged bigint NOT NULL DEFAULT 0,
    inserted bigint,
    superseded bigint,
    unchanged bigint,
    outdated bigint,
    withdrawn bigint,
    PRIMARY KEY (source_id, delivery_id, stage, kind, name),
    FOREIGN KEY (source_id, delivery_id) REFERENCES audit.delivery
);
COMMENT ON TABLE audit.stage_count IS 'Rows in, rows out and rows rejected by stage, for the whole delivery, a table or an entity';
COMMENT ON COLUMN audit.stage_count.merged IS 'Rows folded into another row of the same key (persons and households)';
COMMENT ON COLUMN audit.stage_count.outdated IS 'Rows of a late delivery whose record came again in a later one';

-- Findings and quarantine ----------------------------------------------------------------------------------------
CREATE TABLE IF NOT EXISTS audit.finding (
    source_id text NOT NULL,
    delivery_id text NOT NULL,
    source_table text,
    source_row bigint,
    source_column text,
    variable text,
    rule text NOT NULL,
    rule_version text NOT NULL DEFAULT '1',
    severity text NOT NULL CHECK (severity IN ('error', 'query', 'note'))
);
-- No foreign key: it is checked row by row, and findings come by the hundred thousand, from `publish` only.
CREATE INDEX IF NOT EXISTS finding_delivery ON audit.finding (source_id, delivery_id, source_table, source_row);
COMMENT ON TABLE audit.finding IS 'What was found, by rule and by the supplier''s own table, row and column; never a value';
COMMENT ON COLUMN audit.finding.source_row IS 'The supplier''s row number; null: a whole column, table or delivery';

CREATE OR REPLACE VIEW audit.quarantine AS
SELECT
    f.source_id, d.country, f.delivery_id, f.source_table, f.source_row,
    array_agg(DISTINCT f.rule ORDER BY f.rule) AS reasons,
    array_agg(DISTINCT f.source_column ORDER BY f.source_column) FILTER (WHERE f.source_column IS NOT NULL) AS source_columns
FROM audit.finding AS f
JOIN audit.delivery AS d USING (source_id, delivery_id)
WHERE f.severity = 'error' AND f.source_row IS NOT NULL
GROUP BY f.source_id, d.country, f.delivery_id, f.source_table, f.source_row;
COMMENT ON VIEW audit.quarantine IS 'The rejected rows of every delivery, each with all its reasons';

CREATE OR REPLACE VIEW audit.count_mismatch AS
SELECT source_id, delivery_id, stage, kind, name, 'rows in are not rows out, rejected and merged' AS problem
FROM audit.stage_count
WHERE rows_in <> rows_out + rejected + merged
UNION ALL
SELECT source_id, delivery_id, stage, kind, name, 'rows out are not new, changed, unchanged and outdated'
FROM audit.stage_count
WHERE inserted IS NOT NULL AND rows_out <> inserted + superseded + unchanged + outdated
UNION ALL
SELECT later.source_id, later.delivery_id, later.stage, later.kind, later.name, 'rows in are not the rows delivered'
FROM audit.stage_count AS later
JOIN audit.stage_count AS first USING (source_id, delivery_id, kind, name)
WHERE later.kind <> 'entity' AND first.stage = 'pseudonymized' AND later.stage = 'published'
    AND later.rows_in <> first.rows_in
UNION ALL
SELECT c.source_id, c.delivery_id, c.stage, c.kind, c.name, 'rejected rows are not the rows with a reason'
FROM audit.stage_count AS c
CROSS JOIN LATERAL (
    SELECT count(DISTINCT f.source_row) AS explained
    FROM audit.finding AS f
    WHERE f.source_id = c.source_id AND f.delivery_id = c.delivery_id AND f.source_table = c.name
        AND f.severity = 'error' AND f.source_row IS NOT NULL
) AS reasons
WHERE c.kind = 'table' AND c.stage = 'published' AND c.rejected <> reasons.explained;
COMMENT ON VIEW audit.count_mismatch IS 'Law 2: empty, or rows were lost or counted twice';

CREATE TABLE IF NOT EXISTS audit.vault_head (
    entry bigint PRIMARY KEY,
    digest text NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE audit.vault_head IS 'How far the vault''s own audit had come: a chain whose end was cut off is noticed';

CREATE TABLE IF NOT EXISTS audit.erasure (
    certificate text PRIMARY KEY,
    said jsonb NOT NULL
);
COMMENT ON TABLE audit.erasure IS 'Copies of certificates: a vault from an older backup is told whom it must not know';

CREATE TABLE IF NOT EXISTS audit.marts_refresh (
    at timestamptz NOT NULL
);
COMMENT ON TABLE audit.marts_refresh IS 'When the marts were last made: what was published later is not in them yet';

-- Reference ------------------------------------------------------------------------------------------------------
CREATE TABLE IF NOT EXISTS core.code (
    codelist text NOT NULL,
    code smallint NOT NULL,
    name text NOT NULL,
    label_en text NOT NULL,
    label_fr text NOT NULL,
    label_es text NOT NULL,
    label_ar text NOT NULL,
    valid_from date,
    valid_to date,
    standard text,
    PRIMARY KEY (codelist, code)
);
COMMENT ON TABLE core.code IS 'Code lists of the codebook; the five answer states (-1 to -5) are in every list';

CREATE TABLE IF NOT EXISTS core.place (
    country text NOT NULL,
    pcode text NOT NULL,
    level smallint NOT NULL,
    parent text,
    name text NOT NULL,
    valid_from date,
    valid_to date
);
CREATE INDEX IF NOT EXISTS place_pcode ON core.place (pcode);
COMMENT ON TABLE core.place IS 'Administrative units by P-code; a unit has one row per period in which it was so';

CREATE TABLE IF NOT EXISTS core.variable (
    entity text NOT NULL,
    variable text NOT NULL,
    type text NOT NULL,
    codelist text,
    unit text,
    role text NOT NULL,
    restricted boolean NOT NULL,
    standard text,
    label_en text NOT NULL,
    label_fr text NOT NULL,
    label_es text NOT NULL,
    label_ar text NOT NULL,
    description text NOT NULL,
    PRIMARY KEY (entity, variable)
);
COMMENT ON TABLE core.variable IS 'What each column means: the codebook, readable in SQL';

-- Names of an array of codes, in its order.
CREATE OR REPLACE FUNCTION core.code_names(list text, codes smallint[]) RETURNS text[]
LANGUAGE sql STABLE PARALLEL SAFE
RETURN (
    SELECT array_agg(c.name ORDER BY given.place)
    FROM unnest(codes) WITH ORDINALITY AS given (code, place)
    LEFT JOIN core.code AS c ON c.codelist = list AND c.code = given.code
);

-- The same person under several tokens ---------------------------------------------------------------------------
CREATE TABLE IF NOT EXISTS core.token_event (
    country text NOT NULL,
    event_id bigint NOT NULL,
    kind text NOT NULL CHECK (kind IN ('merge', 'split')),
    token uuid NOT NULL,
    current_token uuid NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (country, event_id)
);
COMMENT ON TABLE core.token_event IS 'What the vault has said of persons known under several tokens: merged, and split again';

CREATE TABLE IF NOT EXISTS core.current_token (
    token uuid PRIMARY KEY,
    country text NOT NULL,
    current_token uuid NOT NULL
);
COMMENT ON TABLE core.current_token IS 'Tokens that count as another one. Rows of core keep the token they came with; marts show the current one';

CREATE TABLE IF NOT EXISTS core.consent_withdrawn (
    source_id text NOT NULL,
    entity text NOT NULL,
    record_key uuid NOT NULL,
    sequence bigint NOT NULL,
    PRIMARY KEY (source_id, entity, record_key)
);
COMMENT ON TABLE core.consent_withdrawn IS 'Records without consent, by the latest delivery that says so: an earlier one does not bring them back';

-- Marts ----------------------------------------------------------------------------------------------------------
-- Scores were a table of marts, where readers met the warehouse's own keys.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_class WHERE oid = to_regclass('marts.rss_score') AND relkind = 'r') THEN
        ALTER TABLE marts.rss_score SET SCHEMA core;
        REVOKE ALL ON core.rss_score FROM homeward_analyst, homeward_officer, homeward_release_officer;
    END IF;
END
$$;
CREATE TABLE IF NOT EXISTS core.rss_score (
    source_id text NOT NULL,
    country text NOT NULL,
    record_key uuid NOT NULL,
    person_token uuid,
    delivery_id text NOT NULL,
    instrument text NOT NULL,
    method text NOT NULL,
    wave text,
    recall text,
    interview_mode text,
    interview_date date,
    sex text,
    economic numeric,
    social numeric,
    psychosocial numeric,
    composite numeric,
    band text,
    special_answers smallint NOT NULL,
    low_confidence boolean NOT NULL,
    missing_items text[] NOT NULL,
    reason text,
    codebook_version text NOT NULL,
    crosswalk_version text NOT NULL,
    PRIMARY KEY (method, source_id, record_key)
);
COMMENT ON TABLE core.rss_score IS 'Reintegration scores, one row per interview and scoring method';

CREATE TABLE IF NOT EXISTS marts.indicator_value (
    indicator text NOT NULL,
    version text NOT NULL,
    parameters jsonb NOT NULL,
    country text NOT NULL,
    source_id text,
    period text,
    wave text,
    dimension text,
    disaggregation text NOT NULL,
    category text,
    value numeric,
    numerator numeric,
    denominator numeric,
    n bigint NOT NULL,
    n_low_confidence bigint,
    below_minimum_cell boolean NOT NULL,
    method text,
    codebook_version text NOT NULL,
    crosswalk_versions text[] NOT NULL,
    delivery_ids text[] NOT NULL,
    computed_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE marts.indicator_value IS 'Indicators of the codebook with everything that a figure needs beside it';
COMMENT ON COLUMN marts.indicator_value.below_minimum_cell IS 'Fewer persons than the indicator''s minimum cell: not for release';
COMMENT ON COLUMN marts.indicator_value.delivery_ids IS 'Deliveries of the country or source that the indicator is computed from';
COMMENT ON COLUMN marts.indicator_value.disaggregation IS 'total, or the variable that it is broken down by';

CREATE TABLE IF NOT EXISTS marts.comparability (
    source_id text NOT NULL,
    country text NOT NULL,
    entity text NOT NULL,
    variable text NOT NULL,
    status text NOT NULL,
    note text
);
COMMENT ON TABLE marts.comparability IS 'Which source collects which variable, and how close its question comes to it';
