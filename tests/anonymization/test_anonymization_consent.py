"""Guardian's consent: who is under age, by which column, and whose row stays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from anonymization.gate import Gate
from sources.batches import ALONE, TextBatch
from sources.crosswalk import Crosswalk, MapRow
from sources.models import Guardian, Source

FORM = """
  - name: main
    key: [FILE]
    consent:
      column: CONSENT
      accept: ["yes"]
      guardian: {column: GUARDIAN, accept: ["yes"], %s}
    entities: {rss_response: {}}
    columns:
      - {name: FILE, class: technical}
      - {name: CONSENT, class: technical}
      - {name: GUARDIAN, class: technical, optional: true}
      - {name: AGE, class: plain, optional: true}
      - {name: BORN, class: quasi_identifier, keep: year, format: "%%d/%%m/%%Y", optional: true}
      - {name: HELD, class: plain, format: "%%Y-%%m-%%d", optional: true}
"""
BY_AGE, BY_BIRTH = "age: AGE", "born: BORN, day: HELD"
ROW: dict[str, Any] = {"FILE": "F1", "CONSENT": "yes"}

HOUSEHOLD = """
  - name: main
    key: [FILE]
    person: {link: [FILE]}
    consent: {column: CONSENT, accept: ["yes"]}
    entities: {person: {}, rss_response: {}}
    columns:
      - {name: FILE, class: identifier, kind: case_number}
      - {name: CONSENT, class: technical}
  - name: members
    key: [FILE, LINE]
    parent: {table: main, key: [FILE]}
    person: {link: [ID]}
    entities: {person: {}}
    columns:
      - {name: FILE, class: identifier, kind: case_number}
      - {name: LINE, class: technical}
      - {name: ID, class: identifier, kind: document, optional: true}
"""

Rows = Callable[..., TextBatch]


def held_back(source: Source, rows: TextBatch) -> list[tuple[int, str]]:
    safe = Gate(source, None).pass_batch(rows)
    return [(issue["row"], issue["rule"]) for issue in safe.issues.to_pylist()]


@pytest.fixture
def form(make_source: Callable[..., Source]) -> Callable[[str], Source]:
    return lambda by: make_source(tables=FORM % by)


def test_under_18_the_guardian_must_have_agreed(form: Callable[[str], Source], rows: Rows) -> None:
    said = [("17", None), ("17", "no"), ("17", "yes"), ("18", None), ("0", None), (None, None), ("many", None)]
    batch = rows(*({"FILE": f"F{i}", "AGE": age, "GUARDIAN": by} for i, (age, by) in enumerate(said)), blank=ROW)
    rule = "gate.no_guardian_consent"
    assert held_back(form(BY_AGE), batch) == [(2, rule), (3, rule), (6, rule), (8, rule)]


def test_who_may_be_a_child_counts_as_one_until_something_says_otherwise(
    form: Callable[[str], Source], rows: Rows
) -> None:
    held = {"HELD": "2024-03-01"}
    said = [
        {"AGE": "17 ans", **held},
        {"AGE": "many", "BORN": "01/01/1990", **held},
        {"AGE": "40", "BORN": "unknown", **held},
        {"BORN": "unknown", **held},
        {"AGE": "many", "GUARDIAN": "yes"},
        held,
    ]
    batch = rows(*({"FILE": f"F{i}", **row} for i, row in enumerate(said)), blank=ROW)
    found = held_back(form(f"{BY_AGE}, {BY_BIRTH}"), batch)
    assert [row for row, rule in found if rule == "gate.no_guardian_consent"] == [2, 5]


@pytest.mark.parametrize(
    ("said", "stays"),
    [
        ({"BORN": "01/01/2015"}, True),
        ({"BORN": "01/01/2015", "HELD": "soon"}, True),
        ({"BORN": "01/01/2015", "AGE": "40"}, False),
        ({"AGE": "98"}, True),
        ({"AGE": "98.0"}, True),
        ({"AGE": "98", "BORN": "01/01/1980", "HELD": "2024-03-01"}, False),
        ({"AGE": "97"}, False),
        ({"AGE": "999"}, True),
        ({"BORN": "01/01/1815", "HELD": "2024-03-01"}, True),
    ],
)
def test_what_tells_no_age_does_not_speak_for_an_adult(
    form: Callable[[str], Source], rows: Rows, said: dict[str, str], stays: bool
) -> None:
    """A birth date without the day to count to, a code for who does not know, nobody's age."""
    source = form(f"{BY_AGE}, {BY_BIRTH}")
    unknown = {"rule": "number", "table": "main", "column": "AGE", "code": "98", "target": "dont_know"}
    known = MapRow.model_validate(
        {"entity": "person", "variable": "age", "status": "exact", "state": "approved", **unknown}
    )
    source = source.model_copy(update={"crosswalk": Crosswalk((known,))})
    assert (held_back(source, rows(said, blank=ROW)) == [(2, "gate.no_guardian_consent")]) is stays


@pytest.mark.parametrize(
    ("told", "born", "held", "stays"),
    [
        ("year", "2006", "2024-03-01", True),
        ("year", "2005", "2024-03-01", False),
        ("%m/%Y", "03/2006", "2024-03-30", True),
        ("%m/%Y", "03/2006", "2024-03-31", False),
        ("ethiopian:%d/%m/%Y", "01/01/2000", "2025-09-11", True),
        ("ethiopian:%d/%m/%Y", "01/01/2000", "2025-09-12", False),
        ("jalali:%Y/%m/%d", "۱۳۸۵/۰۱/۰۱", "2024-03-20", True),
        ("jalali:%Y/%m/%d", "۱۳۸۵/۰۱/۰۱", "2024-03-21", False),
    ],
)
def test_of_a_birth_date_of_any_calendar_the_latest_day_counts(
    make_source: Callable[..., Source], rows: Rows, told: str, born: str, held: str, stays: bool
) -> None:
    """Of 2006 alone somebody is seventeen until the year is over."""
    source = make_source(tables=(FORM % BY_BIRTH).replace("%d/%m/%Y", told))
    batch = rows({"BORN": born, "HELD": held}, blank=ROW)
    assert ((2, "gate.no_guardian_consent") in held_back(source, batch)) is stays


@pytest.mark.parametrize(
    ("born", "held", "stays"),
    [
        ("02/03/2006", "2024-03-01", True),
        ("01/03/2006", "2024-03-01", False),
        ("29/02/2008", "2026-02-28", True),
        ("29/02/2008", "2026-03-01", False),
        ("31/02/2010", "2024-03-01", True),  # no date, and so perhaps a child's
        (None, "2024-03-01", False),
    ],
)
def test_an_age_is_that_on_the_day_of_the_interview(
    form: Callable[[str], Source], rows: Rows, born: str | None, held: str, stays: bool
) -> None:
    batch = rows({"BORN": born, "HELD": held, "GUARDIAN": None}, blank=ROW)
    assert ((2, "gate.no_guardian_consent") in held_back(form(BY_BIRTH), batch)) is stays


def test_one_sign_of_being_under_age_is_enough(form: Callable[[str], Source], rows: Rows) -> None:
    batch = rows({"AGE": "30", "BORN": "01/01/2015", "HELD": "2024-03-01"}, blank=ROW)
    assert held_back(form(f"{BY_AGE}, {BY_BIRTH}"), batch) == [(2, "gate.no_guardian_consent")]


def test_the_guardian_does_not_speak_for_who_said_no(form: Callable[[str], Source], rows: Rows) -> None:
    batch = rows({"CONSENT": "no", "AGE": "15", "GUARDIAN": "yes"}, blank=ROW)
    assert held_back(form(BY_AGE), batch) == [(2, "gate.no_consent")]


def test_a_guardians_column_that_did_not_come_is_no_consent(form: Callable[[str], Source], rows: Rows) -> None:
    assert held_back(form(BY_AGE), rows({"AGE": "15"}, blank=ROW)) == [(2, "gate.no_guardian_consent")]


@pytest.mark.parametrize("by", [{}, {"born": "BORN"}, {"day": "HELD"}])
def test_a_rule_for_guardians_says_how_the_age_is_known(by: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="birth date"):
        Guardian(column="GUARDIAN", accept=["yes"], **by)


def test_a_row_without_consent_names_the_records_that_it_would_make_and_so_do_those_that_hang_on_it(
    make_source: Callable[..., Source], rows: Rows
) -> None:
    """A person is not among them, who may have other rows; of a row that makes nothing else its own key is told."""
    gate = Gate(make_source(tables=HOUSEHOLD), None)
    main = [{"FILE": "F1"}, {"FILE": "F2", "CONSENT": "no"}]
    members = [{"FILE": file, "LINE": line} for file, line in (("F1", "1"), ("F2", "1"), ("F2", "2"))]
    one, two = gate.pass_batch(rows(*main, blank=ROW)), gate.pass_batch(rows(*members, table="members", blank={}))
    assert one.withdrawn["entity"].to_pylist() == ["rss_response"]
    assert two.withdrawn["entity"].to_pylist() == [ALONE, ALONE]
    assert two.data["_row"].to_pylist() == [2]
    told = {key for batch in (one, two) for key in batch.withdrawn["record_key"].to_pylist()}
    assert len(told) == 3
    assert told.isdisjoint({*one.data["_key_rss_response"].to_pylist(), *two.data["_key"].to_pylist()})
