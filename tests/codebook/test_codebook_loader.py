"""The codebook that ships is whole, and every error in a file of it names file, line and the nearest valid name."""

import re
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from codebook.changes import changes, step_needed
from codebook.errors import BadDefinition
from codebook.loader import HOME, Codebook, load_codebook
from codebook.models import LANGUAGES

BOOK = load_codebook()
COUNTRIES = ("ETH", "CIV", "GTM", "SLV", "HND", "IRQ")
Edit = Callable[[str, str, str], Path]


@pytest.fixture
def edit(tmp_path: Path) -> Edit:
    """A copy of the codebook in which one file has `old` (once, at least) replaced by `new`."""
    root = tmp_path / "codebook"
    shutil.copytree(HOME, root, ignore=shutil.ignore_patterns("*.py", "__pycache__"))

    def edited(file: str, old: str, new: str) -> Path:
        text = (root / file).read_text(encoding="utf-8")
        assert old in text
        (root / file).write_text(text.replace(old, new, 1), encoding="utf-8")
        return root

    return edited


def line_of(file: str, text: str) -> int:
    lines = (HOME / file).read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, start=1) if text in line)


def test_version_entities_and_lists_are_there() -> None:
    assert BOOK.version == "1.1.0"
    assert set(BOOK.entities) == {"person", "household", "return_event", "case", "assistance", "rss_response"}
    assert len(BOOK.indicators) >= 11


@pytest.mark.parametrize("name", sorted(BOOK.codelists))
def test_every_code_has_four_labels_that_are_really_different_languages(name: str) -> None:
    codelist = BOOK.codelists[name]
    for code in (*codelist.codes, *codelist.states):
        assert all(code.label(language).strip() for language in LANGUAGES)
        assert re.search("[\u0600-\u06ff]", code.label_ar)
        assert not re.search("[\u0600-\u06ff]", code.label_en + code.label_fr + code.label_es)


def test_answer_states_belong_to_every_list_and_are_never_merged() -> None:
    states = {"dont_know": -1, "refused": -2, "not_applicable": -3, "skipped_by_logic": -4, "missing_unexpected": -5}
    for codelist in BOOK.codelists.values():
        assert {name: codelist.code(name) for name in states} == states
        assert not set(states) & set(codelist.names)


def test_an_unknown_name_of_a_list_is_an_error_with_the_nearest() -> None:
    with pytest.raises(KeyError, match="did you mean `female`"):
        BOOK.codelists["sex"].code("femal")


def test_countries_are_iso_3166_with_kosovo_and_unknown() -> None:
    country = BOOK.codelists["country"]
    assert len(country.codes) == 249 + 2
    assert country.label(country.code("CIV"), "fr") == "Côte d’Ivoire"
    assert country.label(country.code("SLV"), "ar") == "السلفادور"
    assert (country.code("AFG"), country.code("XKX"), country.code("UNK")) == (4, 983, 999)


def test_assistance_types_carry_their_reporting_dimension() -> None:
    types = BOOK.codelists["assistance_type"].codes
    assert len(types) == 14
    assert {code.name: code.standard for code in types}["security_measures"] == "psychosocial"


def test_physical_columns() -> None:
    columns = {column.name: column for column in BOOK.columns("return_event")}
    assert list(columns)[:6] == [
        "record_key", "person_token", "household_key", "case_key", "source_table", "source_row"
    ]  # fmt: skip
    assert columns["record_key"].arrow_type == pa.binary(16)
    assert columns["record_key"].pg_type == "uuid"
    assert (columns["voluntariness"].arrow_type, columns["voluntariness"].pg_type) == (pa.int16(), "smallint")
    assert columns["unlawful_flag"].pg_type == "smallint[]"
    assert columns["return_date_state"].arrow_type == pa.int16()
    assert "voluntariness_state" not in columns
    assert BOOK.arrow_schema("return_event").field("monthly_income_abroad").type == pa.decimal128(18, 2)


@pytest.mark.parametrize("iso3", COUNTRIES)
def test_places_of_six_countries(iso3: str) -> None:
    places = BOOK.places(iso3)
    assert all(place.parent == iso3 for place in places if place.level == 1)
    assert {place.level for place in places} >= {1, 2}


def test_a_municipio_became_a_district_on_1_may_2024() -> None:
    soyapango = [place for place in BOOK.places("SLV") if place.name == "Soyapango"]
    assert [(p.level, p.parent, p.valid_from, p.valid_to) for p in soyapango] == [
        (2, "SV10", None, date(2024, 4, 30)),
        (3, "SV10002", date(2024, 5, 1), None),
    ]
    assert sum(place.level == 2 and place.valid_to is None for place in BOOK.places("SLV")) == 44


def test_p_codes_are_those_of_the_global_list(corpus: Path) -> None:
    known = (corpus / "registries/iom_dtm_ocha/download-global-pcodes-adm-1-2.csv").read_text(encoding="utf-8")
    for iso3 in COUNTRIES:
        for place in BOOK.places(iso3):
            if re.fullmatch(r"[A-Z]{2,3}[0-9][0-9A-Z]*", place.pcode) and not place.pcode.startswith("SVM"):
                assert re.search(f"^{iso3},{place.level},{place.pcode},", known, re.MULTILINE), place.pcode


# Every error names file, line and the nearest valid name.
ERRORS = [
    ("entities/person.yaml", "    codelist: isced2011", "    codelist: isced2012", "did you mean `isced2011`?"),
    ("entities/person.yaml", "    type: integer", "    type: integr", "did you mean `integer`?"),
    ("entities/person.yaml", "    standard: ISO 5218", "    standart: ISO 5218", "did you mean `standard`?"),
    ("entities/person.yaml", "range: [1900, 2100]", "range: [2100, 1900]", "inverted"),
    ("entities/person.yaml", "range: [1900, 2100]", "range: [1900]", "two bounds"),
    ("entities/person.yaml", "range: [1900, 2100]", "range: [1900-01-01, null]", "are numbers"),
    ("entities/person.yaml", "range: [1900, 2100]", "range: [1900, soon]", "`range` is wrong"),
    ("entities/person.yaml", "unit: person", "unit: [person", "this is not YAML"),
    ("entities/person.yaml", "unit: person", "unit: per\x01son", "a control character stands in it"),
    ("entities/person.yaml", "entity: person\n", "", "`entity` is missing"),
    ("entities/rss_response.yaml", "    range: [0, 120]", "    range: 120", "`range` is wrong"),
    ("entities/person.yaml", "  - name: marital_status", "  - name: education", "use another name"),
    ("entities/person.yaml", "  - name: marital_status", "  - name: birth_year_state", "use another name"),
    ("entities/case.yaml", "variables: [close_date, open_date]", "variables: [close_dat, open_date]", "`close_date`"),
    ("entities/case.yaml", "variables: [close_date, open_date]", "variables: [close_date]", "needs 2 variables"),
    ("entities/case.yaml", "equals: [closed]", "equals: [closd]", "did you mean `closed`?"),
    ("entities/case.yaml", "kind: not_before", "kind: not_befor", "did you mean `not_before`?"),
    ("entities/case.yaml", "entity: case", "entity: cases", "the file's name says `case`"),
    ("entities/case.yaml", "unit: case", "unit: case\nunit: case", "keep one of them"),
    ("codelists/sex.csv", "2,female", "1,female", "use another"),
    ("codelists/sex.csv", "2,female", "2,male", "use another"),
    ("codelists/sex.csv", "3,non_binary", "3,refused", "_states.csv"),
    ("codelists/sex.csv", "3,non_binary", "-9,non_binary", "below 1"),
    ("codelists/sex.csv", "Féminin", "", "`label_fr` is missing"),
    ("codelists/sex.csv", "label_fr", "label_fra", "did you mean `label_fr`?"),
    ("codelists/sex.csv", "Female,", "Female, or so,", "quote commas"),
    ("codelists/sex.csv", "code,name,", "name,", "`code` is missing"),
    ("codelists/sex.csv", "أنثى,,", "أنثى,2024-13-01,", "`valid_from` is wrong"),
    ("codelists/sex.csv", "أنثى,,", "أنثى,2024-02-01,2024-01-01", "valid_to lies before"),
    ("instruments/rss_2018.yaml", "item: econ_can_borrow,", "item: econ_can_borow,", "did you mean `econ_can_borrow`?"),
    ("instruments/rss_2018.yaml", "scale: satisfaction,", "scale: satisfactoin,", "did you mean `satisfaction`?"),
    ("instruments/rss_2018.yaml", "some: .5, ", "", "no points for `some`"),
    ("instruments/rss_2018.yaml", "some: .5, ", "sum: .5, ", "use one of all, some, none"),
    ("instruments/rss_2018.yaml", "dimension_weight: .12", "dimension_weight: .13", "must add up to 1"),
    ("instruments/rss_2018.yaml", "composite_weight: .08}", "composite_weight: .09}", "must add up to 1"),
    ("instruments/rss_2018.yaml", "- soc_water_access\n", "- soc_water_acess\n", "did you mean `soc_water_access`?"),
    ("instruments/rss_2018.yaml", "very_often: 0}\n", "very_oft: 0}\n", "very_often"),
    ("indicators/rss_mean.yaml", "clock: rss_response.interview_date", "clock: rss_response.date", "unknown variable"),
    ("indicators/rss_mean.yaml", "instrument: rss_2018", "instrument: rss_2019", "did you mean `rss_2018`?"),
    ("indicators/rss_mean.yaml", "aggregation: mean", "aggregation: meen", "did you mean `mean`?"),
    ("indicators/cases_closed_by_reason.yaml", "codelist: closure_reason", "codelist: closing", "unknown codelist"),
    ("codebook.yaml", "version: 1.1.0", "version: 1.1", "`version` is wrong"),
]


@pytest.mark.parametrize(("file", "old", "new", "mend"), ERRORS)
def test_an_error_names_file_line_and_the_nearest_name(file: str, old: str, new: str, mend: str, edit: Edit) -> None:
    with pytest.raises(BadDefinition) as caught:
        load_codebook(edit(file, old, new))
    message = str(caught.value)
    assert mend in message
    assert "\n" not in message
    named = re.search(r"codebook/(\S+), line (\d+)", message)
    assert named
    assert named[1] == file


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("entities/person.yaml", "    codelist: isced2011", "    codelist: isced2012"),
        ("entities/case.yaml", "kind: not_before", "kind: not_befor"),
        ("codelists/sex.csv", "Féminin", ""),
        ("instruments/rss_2018.yaml", "scale: satisfaction,", "scale: satisfactoin,"),
        ("indicators/rss_mean.yaml", "clock: rss_response.interview_date", "clock: rss_response.date"),
    ],
)
def test_the_line_is_the_one_to_mend(file: str, old: str, new: str, edit: Edit) -> None:
    line = line_of(file, old)
    with pytest.raises(BadDefinition, match=rf"{file}, line {line}\)"):
        load_codebook(edit(file, old, new))


@pytest.mark.parametrize(
    ("old", "new", "mend"),
    [
        ("SV10002,2,SV10,", "SV10002,2,SV100,", "did you mean `SV10`?"),
        ("SV10002,2,SV10,San Salvador Este,,2024-05-01,", "SV10001,2,SV10,San Salvador Este,,,", "valid twice"),
        ("SV10002,2,", "SV10002,two,", "`level` is wrong"),
    ],
)
def test_errors_in_places(old: str, new: str, mend: str, edit: Edit) -> None:
    book = load_codebook(edit("places/slv.csv", old, new))
    with pytest.raises(BadDefinition, match=re.escape(mend)):
        book.places("SLV")


def test_a_country_without_places_says_which_file_to_write() -> None:
    with pytest.raises(BadDefinition, match=r"places/atl\.csv"):
        BOOK.places("ATL")


def test_yaml_keeps_words_words_and_weights_exact() -> None:
    instrument = BOOK.instruments["rss_2018"]
    assert set(instrument.scales["yes_is_good"]) == {"yes", "no"}
    assert str(instrument.lines[0].dimension_weight) == "0.15"


def changed(old: Codebook, root: Path) -> list[str]:
    return [f"{change.step}: {change}" for change in changes(old, load_codebook(root))]


def test_what_changed_between_two_codebooks_can_be_listed(edit: Edit) -> None:
    edit("codelists/sex.csv", "Non-binary or other", "Non-binary")
    edit("codelists/transport.csv", "sea,Sea", "ship,Sea")
    edit("entities/person.yaml", "range: [1900, 2100]", "range: [1890, 2100]")
    edit("instruments/rss_2018.yaml", "some: .5, ", "some: .25, ")
    root = edit("places/hnd.csv", "HN0501,2,HN05,San Pedro Sula,,,\n", "")
    assert changed(BOOK, root) == [
        "major: removed code transport.sea",
        "major: removed place HN0501",
        "patch: changed code sex.non_binary (label_en)",
        "minor: added code transport.ship",
        "minor: changed variable person.birth_year (range)",
        "major: changed scale rss_2018.children (some)",
    ]
    assert step_needed(changes(BOOK, load_codebook(root))) == "major"


def test_a_codebook_does_not_differ_from_itself(edit: Edit) -> None:
    assert step_needed(changes(BOOK, load_codebook(edit("codebook.yaml", "Homeward", "Homeward")))) is None
