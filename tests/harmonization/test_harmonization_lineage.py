"""Where a variable comes from, as the Dagster UI and `homeward explain` say it."""

from __future__ import annotations

import pytest

from harmonization.lineage import Lineage, lineage
from sources.crosswalk import Crosswalk, MapRow
from sources.models import Source


def row(**cells: str) -> MapRow:
    return MapRow.model_validate({"table": "main", "status": "exact", "state": "approved"} | cells)


@pytest.fixture
def lineage_of(write_source):
    source: Source = write_source("person.sex | recode | SEX | 1 | | male |", ["SEX"])

    def of(*rows: MapRow) -> list[Lineage]:
        return lineage(source.model_copy(update={"crosswalk": Crosswalk(rows)}))

    return of


def test_an_entry_names_each_column_once_and_the_weakest_status(lineage_of):
    sex = {"entity": "person", "variable": "sex", "rule": "recode", "column": "SEX"}
    (entry,) = lineage_of(
        row(**sex, code="1", when="FORM=a", target="male"),
        row(**sex, code="2", target="female", status="broader", note="two codes in one"),
    )
    assert (entry.entity, entry.variable, entry.tables, entry.columns) == ("person", "sex", ("main",), ("SEX", "FORM"))
    assert str(entry) == "from SEX, FORM, recode, broader"


def test_a_variable_of_two_tables_is_one_entry(lineage_of):
    sex = {"entity": "person", "variable": "sex", "rule": "recode", "code": "1", "target": "male"}
    (entry,) = lineage_of(row(**sex, column="SEX"), row(**sex, column="member_sex", table="members"))
    assert (entry.tables, entry.columns) == (("main", "members"), ("SEX", "member_sex"))


def test_a_code_without_a_place_makes_its_variable_partial(lineage_of):
    ticked = {"entity": "person", "variable": "vulnerability", "rule": "select_multiple", "column": "V"}
    (entry,) = lineage_of(row(**ticked, code="a", target="elderly"), row(**ticked, code="b", status="impossible"))
    assert entry.status == "partial"


def test_a_constant_comes_from_no_column(lineage_of):
    (entry,) = lineage_of(row(entity="return_event", variable="country_of_return", rule="constant", target="SLV"))
    assert str(entry) == "constant, exact"


def test_what_is_not_collected_and_what_has_no_place_is_said(lineage_of):
    education, reception = lineage_of(
        row(entity="person", variable="education", status="impossible", note="not asked"),
        row(column="RECEPTION", status="impossible", note="no place for it"),
    )
    assert (education.variable, str(education)) == ("education", "not collected: not asked")
    assert (reception.variable, reception.columns, reception.note) == ("", ("RECEPTION",), "no place for it")
