-- Scores as readers see them, with ids of the extract.
DROP VIEW IF EXISTS marts.rss_score;
CREATE VIEW marts.rss_score WITH (security_barrier = true) AS
SELECT
    t.source_id, t.country, {record_key} AS record_key, {person_token} AS person_token, t.delivery_id, t.instrument, t.method,
    t.wave, t.recall, t.interview_mode, t.interview_date, t.sex,
    t.economic, t.social, t.psychosocial, t.composite, t.band,
    t.special_answers, t.low_confidence, t.missing_items, t.reason, t.codebook_version, t.crosswalk_version
FROM core.rss_score AS t
-- QZZ: the made-up people of `homeward leakcheck` are in nobody's figures.
WHERE ((SELECT core.reads_all()) AND t.country <> 'QZZ') OR t.country = ANY ((SELECT core.my_countries())::text[])
-- As in the views of entities: two extracts must not join line by line.
ORDER BY record_key;
COMMENT ON VIEW marts.rss_score IS 'Reintegration scores, one row per interview and scoring method';
COMMENT ON COLUMN marts.rss_score.low_confidence IS 'More than 7 answers were dont_know, refused or not_applicable';
COMMENT ON COLUMN marts.rss_score.band IS 'Of the composite: low below 0.33, high above 0.66, else middle';
COMMENT ON COLUMN marts.rss_score.reason IS 'Why there is no score: under_age, no_consent, not_completed or missing_items'
