"""The Kobo samples are what their manifests say, and the three Kobo sources map answers as the domain asks."""

import csv
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest
from kept_rows import read_back

from anonymization.gate import Gate
from codebook.loader import load_codebook
from connectors import Opened, open_delivery
from examples import kobo_civ, kobo_eth
from examples.manifest import Manifest
from harmonization.harmonizer import Harmonizer
from sources.batches import PlainFile
from sources.loader import load_source

MAKERS = {kobo_eth.SOURCE: kobo_eth.make_eth, kobo_civ.SOURCE: kobo_civ.make_civ}
IRAQ = "irq/reach_mcna"


@pytest.fixture(scope="module", params=list(MAKERS))
def sample(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Manifest, Path]:
    folder = tmp_path_factory.mktemp("kobo")
    return MAKERS[request.param](folder), folder


def opened(source: str, files: list[Path]) -> Opened:
    return open_delivery([PlainFile(path) for path in files], load_source(source))


def through_the_rooms(delivery: Opened, source_id: str) -> tuple[dict[tuple[str, int], set[str]], dict[str, pa.Table]]:
    """Rules found on each row by reading, gate and crosswalk; and the entities that came of it."""
    source = load_source(source_id)
    gate, harmonizer = Gate(source, None), Harmonizer(source, load_codebook())
    found: dict[tuple[str, int], set[str]] = {}
    issues: list[pa.Table] = []
    made: dict[str, list[pa.Table]] = {}
    for table in delivery.tables:
        for batch in delivery.batches(table):
            found.update({(table, row): set() for row in batch.rows.to_pylist()})
            safe = gate.pass_batch(batch)
            harmonized = harmonizer.apply(safe)
            issues += [safe.issues, harmonized.issues]
            for entity, records in harmonized.entities.items():
                made.setdefault(entity, []).append(records)
    for issue in pa.concat_tables([delivery.issues(), *issues]).to_pylist():
        if issue["row"] is not None:
            found[issue["table"], issue["row"]].add(issue["rule"])
    return found, {entity: pa.concat_tables(tables) for entity, tables in made.items()}


def test_reading_gate_and_crosswalk_find_in_each_row_what_its_manifest_says(sample: tuple[Manifest, Path]) -> None:
    manifest, folder = sample
    found, _ = through_the_rooms(opened(manifest.source, [folder / name for name in manifest.files]), manifest.source)
    expected = {
        (row.table, row.row): {rule for rule in row.rules if rule.startswith(("read.", "gate.", "map."))}
        for row in manifest.rows
    }
    assert found == expected


def test_every_outcome_is_planted(sample: tuple[Manifest, Path]) -> None:
    manifest, _ = sample
    assert {row.outcome for row in manifest.rows} == {"accepted", "flagged", "rejected"}
    assert {"national_id", "name", "phone", "gps", "device", "free_text"} <= {one.kind for one in manifest.planted}


def test_planted_values_are_written_in_the_files(tmp_path: Path) -> None:
    manifest = kobo_civ.make_civ(tmp_path)
    text = (tmp_path / kobo_civ.EXPORT).read_text(encoding="utf-8")
    for kind in ("national_id", "phone", "birth_date", "case_number", "gps", "free_text"):
        values = [one.value for one in manifest.planted if one.kind == kind]
        assert sum(value in text for value in values) > 0.7 * len(values)


def test_the_labelled_export_is_what_kobo_writes(tmp_path: Path) -> None:
    kobo_civ.make_civ(tmp_path)
    written = (tmp_path / kobo_civ.EXPORT).read_bytes()
    assert not written.startswith(b"\xef\xbb\xbf")
    assert b'";"' in written
    assert written.endswith(b'"\r\n')
    header, *rows = csv.reader(written.decode("utf-8").splitlines(), delimiter=";")
    assert header.count("Veuillez préciser") == 3
    assert "same_community" in header  # no French label: the name of the question
    assert any("Machine à coudre" in cell for row in rows for cell in row)


def test_shifted_french_labels_are_read_as_they_were_meant(tmp_path: Path) -> None:
    manifest = kobo_civ.make_civ(tmp_path)
    delivery = opened(kobo_civ.SOURCE, [tmp_path / name for name in manifest.files])
    _, made = through_the_rooms(delivery, kobo_civ.SOURCE)
    with (tmp_path / kobo_civ.EXPORT).open(encoding="utf-8", newline="") as file:
        picked = dict(enumerate(csv.DictReader(file, delimiter=";"), start=2))
    response, codebook = made["rss_response"].to_pylist(), load_codebook()
    meant = {
        "soc_children_in_school": (
            "Les enfants du ménage vont-ils à l'école ?",
            {"Oui": "all", "Non - quelques uns mais pas tous": "some", "Aucun": "none"},
        ),
        "pss_belonging": (
            "Je me sens membre de cette communauté",
            {
                "Je suis d'accord": "agree",
                "Ni d'accord ni pas d'accord": "neither",
                "Je ne suis pas du tout d'accord": "strongly_disagree",
                "Je souhaite ne pas répondre": "refused",
            },
        ),
    }
    for variable, (question, labels) in meant.items():
        names = codebook.codelist_of("rss_response", variable)
        seen = Counter()
        for answer in response:
            label = picked[answer["source_row"]][question]
            if label in labels:
                assert names.name(answer[variable]) == labels[label]
                seen[label] += 1
        assert set(seen) == set(labels)


def ethiopian(entity: str, **cells: str | None) -> dict[str, object]:
    """What Ethiopia's crosswalk makes of one row with these cells: names in place of codes."""
    return mapped(kobo_eth.SOURCE, entity, **cells)


def mapped(source_id: str, entity: str, **cells: str | None) -> dict[str, object]:
    source, codebook = load_source(source_id), load_codebook()
    keys = {f"_key_{made}": pa.array([bytes(16)], pa.binary(16)) for made in source.table("main").entities}
    answers = {name.replace("__", "."): pa.array([cell], pa.string()) for name, cell in cells.items()}
    row = pa.table({"_row": pa.array([2], pa.int64()), **keys, **answers})
    (record,) = Harmonizer(source, codebook).apply(read_back(row, source)).entities[entity].to_pylist()
    for name in [one.name for one in codebook.entities[entity].variables if one.coded and record[one.name] is not None]:
        listed, codes = codebook.codelist_of(entity, name), record[name]
        record[name] = [listed.name(code) for code in codes] if isinstance(codes, list) else listed.name(codes)
    return dict(record)


@pytest.mark.parametrize(
    ("has_debt", "size", "answer"),
    [
        ("no", None, "no_debt"),
        ("no", "spending_is_larger", "no_debt"),  # 666 respondents answered all the same (domain.md 1.3)
        ("yes", "debt_is_larger", "debt_is_larger"),
        ("yes", "n_a_debt", "not_applicable"),
        ("yes", "dont_wish_to_answer", "refused"),
        ("dont_know", "spending_is_larger", "spending_is_larger"),
        ("yes", None, "missing_unexpected"),
    ],
)
def test_who_has_no_debt_has_the_best_answer_and_not_a_missing_one(
    has_debt: str, size: str | None, answer: str
) -> None:
    made = ethiopian("rss_response", Rs_econ_4b=has_debt, Rs_econ_5=size)
    assert made["econ_debt_vs_spending"] == answer


@pytest.mark.parametrize(
    ("able", "reason", "answer"),
    [
        ("yes", None, "skipped_by_logic"),
        ("dont_wish_to_answer", None, "skipped_by_logic"),
        ("no", "need", "need"),
        ("dont_know", "wish", "wish"),
        ("no", None, "missing_unexpected"),
        (None, None, "missing_unexpected"),
    ],
)
def test_the_reason_to_leave_is_skipped_only_where_the_form_skips_it(
    able: str | None, reason: str | None, answer: str
) -> None:
    assert ethiopian("rss_response", Rs_pss_30=able, Rs_pss_31=reason)["pss_remigration_reason"] == answer


@pytest.mark.parametrize(
    ("children", "attending", "answer"),
    [("2", "no", "some"), ("2", "none", "none"), ("0", None, "skipped_by_logic"), ("2", None, "missing_unexpected")],
)
def test_some_children_in_school_is_not_none(children: str, attending: str | None, answer: str) -> None:
    made = ethiopian("rss_response", hh_school_age=children, Rs_soc_14=attending)
    assert made["soc_children_in_school"] == answer


@pytest.mark.parametrize(
    ("ticked", "answer"),
    [
        ("no_assets", "no"),
        ("livestock tools", "yes"),
        ("no_assets livestock", "yes"),
        ("dont_wish_to_answer", "refused"),
    ],
)
def test_an_asset_wins_over_no_assets(ticked: str, answer: str) -> None:
    assert ethiopian("rss_response", Rs_econ_8=ticked)["econ_has_productive_assets"] == answer


def test_answers_are_stored_as_asked_whatever_their_polarity() -> None:
    made = ethiopian("rss_response", Rs_econ_9="yes", Rs_pss_29="no", Rs_econ_7="n_a")
    assert made["econ_searching_job"] == "yes"
    assert made["pss_wants_psych_support"] == "no"
    assert made["econ_currently_working"] == "not_applicable"


def test_two_form_versions_spell_one_country_alike_in_the_warehouse() -> None:
    hosts = {code: ethiopian("return_event", host_country=code)["host_country"] for code in ("tchad", "chad")}
    assert set(hosts.values()) == {"TCD"}


def test_guardians_are_asked_for_minors_only() -> None:
    assert ethiopian("rss_response", age="16", guardian_consent=None)["guardian_consent"] == "missing_unexpected"
    assert ethiopian("rss_response", age="34", guardian_consent=None)["guardian_consent"] == "skipped_by_logic"


def iraqi(**cells: str | None) -> dict[str, object]:
    """A household of the REACH survey; a double underscore stands for the dot of `question.choice`."""
    return mapped(IRAQ, "household", **cells)


def test_the_head_is_as_old_as_the_respondent_only_if_that_is_the_respondent() -> None:
    assert iraqi(hhh_r="yes", age_respondent_r="41", age_hoh=None)["head_age"] == 41
    assert iraqi(hhh_r="no", age_respondent_r="22", age_hoh="65")["head_age"] == 65
    assert iraqi(hhh_r="no", age_respondent_r="22", age_hoh=None)["head_age"] is None


def test_tenure_and_its_document_follow_the_skips_of_the_form() -> None:
    owner = iraqi(hh_hosted="no", shelter_occupation="owned", property_title="no", rental_contract=None)
    assert (owner["tenure"], owner["tenure_document"]) == ("owned", "no")
    tenant = iraqi(hh_hosted="no", shelter_occupation="renting", property_title=None, rental_contract="dont_know")
    assert (tenant["tenure"], tenant["tenure_document"]) == ("rented", "dont_know")
    hosted = iraqi(hh_hosted="yes", shelter_occupation=None, property_title=None, rental_contract=None)
    assert (hosted["tenure"], hosted["tenure_document"]) == ("hosted", "skipped_by_logic")
    hosting = iraqi(hh_hosted=None, shelter_occupation="squatted", property_title=None, rental_contract=None)
    assert (hosting["tenure"], hosting["tenure_document"]) == ("informal", "skipped_by_logic")


def test_work_is_asked_of_those_who_live_on_it() -> None:
    pensioner = iraqi(
        type_employment=None, primary_livelihood="retirement_fund", primary_livelihood__employment="False"
    )
    assert (pensioner["income_sources"], pensioner["employment_type"]) == (["pension"], "skipped_by_logic")


@pytest.mark.corpus
def test_every_column_of_the_real_survey_is_declared_and_has_a_place_or_a_reason(corpus: Path) -> None:
    folder = corpus / "kobo" / "reach_iraq_returnees"
    delivery = opened(IRAQ, [folder / "raw_data.csv", folder / "xlsform.xlsx"])
    assert delivery.undeclared == {"main": []}
    source = load_source(IRAQ)
    spoken_of = set(source.crosswalk.columns("main"))
    with (folder / "raw_data.csv").open(encoding="utf-8-sig", newline="") as file:
        header = next(csv.reader(file))
    assert len(header) == 348
    silent = [name for name in header if name not in spoken_of and "." not in name]
    classes = {name: source.column("main", name) for name in silent}
    # Neither mapped nor recorded: free text, the natural key, and what the device and the server write.
    assert {column.class_ for column in classes.values() if column} == {"free_text", "identifier", "ignore"}
    ignored = [name for name, column in classes.items() if column and column.class_ == "ignore"]
    server = {"X_uuid", "X_submission_time", "X_notes", "X_status", "X_submitted_by", "X_index"}
    assert set(ignored) == {"end", "deviceid", "enumerator_num"} | server


@pytest.mark.corpus
def test_the_real_households_are_harmonized_without_an_issue(corpus: Path) -> None:
    folder = corpus / "kobo" / "reach_iraq_returnees"
    delivery = opened(IRAQ, [folder / "raw_data.csv", folder / "xlsform.xlsx"])
    found, made = through_the_rooms(delivery, IRAQ)
    assert not any(found.values())
    households, codebook = made["household"], load_codebook()
    assert list(made) == ["household"]
    assert households.num_rows == 632

    def count(variable: str) -> dict[str | None, int]:
        names = codebook.codelist_of("household", variable)
        return {names.name(code): n for code, n in Counter(households[variable].to_pylist()).items()}

    skipped = codebook.state("skipped_by_logic")
    assert Counter(households["return_date_state"].to_pylist()) == {None: 619, skipped: 13}
    assert count("displacement_status") == {"returnee": 619, "skipped_by_logic": 13}
    assert count("displaced") == {"yes": 619, "skipped_by_logic": 13}
    assert count("head_sex") == {"male": 594, "female": 38}
    assert count("tenure") == {"owned": 464, "rented": 94, "hosted": 53, "informal": 14, "provided": 6, "other": 1}
    assert count("tenure_document") == {"yes": 438, "no": 120, "skipped_by_logic": 74}
    assert count("drinking_water") == {
        "piped_into_dwelling": 558,
        "tanker_truck": 60,
        "public_tap": 8,
        "bottled_water": 6,
    }
    assert count("water_sufficient") == {"yes": 415, "no": 217}
    for variable in ("size", "head_age", "monthly_income", "monthly_expenditure", "interview_date"):
        assert households[variable].null_count == 0
