"""Roles on a real server: who sees which rows and columns, and what a query may not do."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text
from warehouse_deliveries import Supplier

from codebook.errors import HomewardError
from codebook.loader import Codebook
from warehouse import access, schema


@pytest.fixture(scope="module")
def url(engine: Engine, codebook: Codebook, warehouse_url: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A warehouse with one return event of El Salvador and two of Honduras."""
    folder: Path = tmp_path_factory.mktemp("access")
    event = {"unlawful_flag": [1], "voluntariness": 1, "host_country": 840, "age_at_return": 30}
    event |= {"return_date_state": -2}
    Supplier(engine, codebook, folder, "slv/a", "SLV").deliver("s", {"return_event": [{"key": "a", "row": 2, **event}]})
    rows = [{"key": "b", "row": 2, **event}, {"key": "c", "row": 3, **event}]
    Supplier(engine, codebook, folder, "hnd/b", "HND").deliver("h", {"return_event": rows})
    child = {"unlawful_flag": [3], "return_date": date(2024, 5, 17), "return_adm1": "SV06", "return_adm2": "SV0614"}
    Supplier(engine, codebook, folder, "slv/c", "SLV").deliver(
        "c",
        {
            "return_event": [
                {"key": "d", "row": 2, **child, "age_at_return": 17},
                {"key": "e", "row": 3, **child, "age_at_return": 18},
                {"key": "f", "row": 4, **child, "age_at_return_state": -1},
            ],
            "assistance": [
                {"key": f"s{type_}", "row": 2 + type_, "type": type_, "assistance_date": date(2024, 6, 3)}
                for type_ in (1, 8, 10, 11)
            ],
            "person": [
                {"key": f"p{year}", "row": year, "person_token": str(year).encode() * 4, "birth_year": year}
                for year in (2000, 2006, 2010)
            ],
            "case": [
                {
                    "key": f"c{year}",
                    "row": year + 100,
                    "person_token": str(year).encode() * 4,
                    "case_members": year % 50,
                }
                | {"open_date": date(2024, 5, 17), "close_date": date(2024, 9, 23)}
                for year in (2000, 2006, 2010, 1999)
            ],
        },
    )
    return warehouse_url


def countries(url: str, role: str, table: str = "marts.return_event") -> list[str]:
    answer = access.query(url, f"SELECT country FROM {table} ORDER BY 1", role)
    return [str(country) for country in answer["country"].to_pylist()]


def test_analyst_sees_all_countries(url: str) -> None:
    assert countries(url, "analyst") == ["HND", "HND", *["SLV"] * 4]


def test_a_role_that_was_there_before_becomes_its_countrys_officer(engine: Engine) -> None:
    with engine.connect() as connection:
        connection.execute(text("CREATE ROLE homeward_officer_xqz NOLOGIN"))
        access.make_roles(connection, ["XQZ"])
        asked = text("SELECT pg_has_role('homeward_officer_xqz', 'homeward_officer', 'MEMBER')")
        assert connection.execute(asked).scalar_one()
        connection.rollback()


def test_officer_sees_his_country_only(url: str) -> None:
    assert countries(url, "officer_slv") == ["SLV"] * 4
    assert countries(url, "officer_slv", "core.return_event") == ["SLV"] * 4
    assert countries(url, "officer_hnd") == ["HND", "HND"]
    assert countries(url, "officer") == []


def test_as_of_keeps_to_the_same_rows(url: str) -> None:
    assert countries(url, "officer_slv", "marts.return_event_as_of(now())") == ["SLV"] * 4


def test_restricted_variable_is_for_officers_only(url: str) -> None:
    assert "unlawful_flag" not in access.query(url, "SELECT * FROM marts.return_event", "analyst").column_names
    with pytest.raises(HomewardError, match="permission denied"):
        access.query(url, "SELECT unlawful_flag FROM core.return_event", "analyst")
    answer = access.query(url, "SELECT unlawful_flag FROM core.return_event WHERE source_id = 'slv/a'", "officer_slv")
    assert answer["unlawful_flag"].to_pylist() == [[1]]


CHILDREN = "SELECT age_at_return, return_date, return_adm1, return_adm2 FROM {} WHERE source_id = 'slv/c' ORDER BY 1"
WHOLE = [(age, date(2024, 5, 17), "SV06", "SV0614") for age in (17, 18, None)]
VEILED = [(17, date(2024, 5, 1), "SV06", None), *WHOLE[1:]]


@pytest.mark.parametrize("table", ["marts.return_event", "marts.return_event_as_of(now())", "marts.return_event_ever"])
def test_of_a_child_analysts_see_the_month_and_the_first_level(url: str, table: str) -> None:
    def seen(role: str) -> list[tuple[Any, ...]]:
        return [tuple(row.values()) for row in access.query(url, CHILDREN.format(table), role).to_pylist()]

    assert seen("analyst") == VEILED
    assert seen("release_officer") == VEILED
    assert seen("officer_slv") == WHOLE
    assert seen("officer_hnd") == []
    assert seen("loader") == WHOLE


@pytest.mark.parametrize("table", ["marts.case", "marts.case_as_of(now())", "marts.case_ever"])
def test_of_a_case_about_a_child_analysts_see_months_though_only_the_person_has_a_birth_year(
    url: str, table: str
) -> None:
    def seen(role: str) -> list[tuple[Any, ...]]:
        answer = access.query(url, f"SELECT case_members, open_date, close_date FROM {table} ORDER BY 1", role)
        return [tuple(row.values()) for row in answer.to_pylist()]

    days, months = (date(2024, 5, 17), date(2024, 9, 23)), (date(2024, 5, 1), date(2024, 9, 1))
    # Born in 2000, in 2006 (perhaps still 17), in 2010, and somebody of whom no source gives a year.
    assert seen("analyst") == [(0, *days), (6, *months), (10, *months), (49, *days)]
    assert seen("officer_slv") == [(0, *days), (6, *days), (10, *days), (49, *days)]
    with pytest.raises(HomewardError, match="permission denied"):
        access.query(url, "SELECT open_date FROM core.case", "analyst")


@pytest.mark.parametrize("column", ["return_date", "return_adm2"])
@pytest.mark.parametrize("table", ["core.return_event", "core.return_event_history", "core.return_event_as_of(now())"])
@pytest.mark.parametrize("role", ["analyst", "release_officer"])
def test_what_is_coarser_in_marts_is_closed_in_core(url: str, role: str, table: str, column: str) -> None:
    with pytest.raises(HomewardError, match="permission denied"):
        access.query(url, f"SELECT {column} FROM {table}", role)


def test_a_condition_finds_no_more_than_the_answer_shows(url: str) -> None:
    days = "SELECT count(*) AS n FROM marts.return_event WHERE return_date = '2024-05-17'"
    assert access.query(url, days, "analyst")["n"].to_pylist() == [2]
    assert access.query(url, days, "officer_slv")["n"].to_pylist() == [3]


def test_a_restricted_code_is_other_for_analysts(url: str) -> None:
    types = "SELECT type FROM marts.assistance ORDER BY type"
    assert access.query(url, types, "analyst")["type"].to_pylist() == ["child_care", "other", "other", "other"]
    assert access.query(url, types, "officer_slv")["type"].to_pylist() == [
        "child_care", "medical_support", "other", "psychosocial_support"
    ]  # fmt: skip
    with pytest.raises(HomewardError, match="permission denied"):
        access.query(url, "SELECT type FROM core.assistance", "analyst")


@pytest.mark.parametrize(
    ("entity", "name"),
    [
        ("person", "vulnerability"), ("case", "vulnerability"), ("person", "disability"),
        ("return_event", "unlawful_flag"), ("return_event", "asylum_status"),
        ("rss_response", "pss_distress"), ("rss_response", "pss_wants_psych_support"),
    ],
)  # fmt: skip
def test_trafficking_pushback_and_health_are_in_no_view_of_analysts(url: str, entity: str, name: str) -> None:
    for view in (f"marts.{entity}", f"marts.{entity}_ever", f"marts.{entity}_as_of(now())"):
        assert name not in access.query(url, f"SELECT * FROM {view}", "analyst").column_names
    with pytest.raises(HomewardError, match="permission denied"):
        access.query(url, f'SELECT "{name}" FROM core."{entity}"', "analyst")


def test_auditor_reads_deliveries_and_no_person(url: str) -> None:
    assert access.query(url, "SELECT count(*) AS n FROM audit.delivery", "auditor")["n"].to_pylist() == [3]
    with pytest.raises(HomewardError, match="permission denied"):
        access.query(url, "SELECT * FROM marts.return_event", "auditor")
    with pytest.raises(HomewardError, match="permission denied"):
        access.query(url, "SELECT * FROM audit.delivery", "analyst")


@pytest.mark.parametrize("table", ["staging.anything", "core.return_event__hnd_b"])
def test_staging_and_partitions_are_closed_to_readers(url: str, table: str) -> None:
    with pytest.raises(HomewardError, match="permission denied"):
        access.query(url, f"SELECT * FROM {table}", "officer_slv")


@pytest.mark.parametrize(
    "statement",
    [
        "RESET ROLE",
        "SELECT 1; RESET ROLE",
        "SELECT set_config('role', 'postgres', true)",
        "DELETE FROM marts.return_event",
        "DO $$ BEGIN RESET ROLE; END $$",
    ],
)
def test_a_query_is_one_select_in_its_role(url: str, statement: str) -> None:
    with pytest.raises(HomewardError):
        access.query(url, statement, "analyst")


def test_what_is_released_is_read_by_all_and_stops_no_later_version(
    engine: Engine, codebook: Codebook, url: str
) -> None:
    for table in ("returns", "later"):
        with engine.begin() as connection:
            connection.execute(text("SET LOCAL ROLE homeward_release_officer"))
            connection.execute(text(f"CREATE TABLE released.{table} AS SELECT count(*) AS n FROM marts.return_event"))
        for reader in ("analyst", "officer_slv"):
            assert access.query(url, f"SELECT n FROM released.{table}", reader)["n"].to_pylist() == [6]
        with engine.begin() as connection:
            connection.execute(text("DELETE FROM audit.migration"))
        schema.migrate(engine, codebook, ["SLV", "HND"])


def test_errors_speak_of_the_statement_and_never_of_rows(url: str) -> None:
    with pytest.raises(HomewardError, match='column "sexx" does not exist'):
        access.query(url, "SELECT sexx FROM marts.person", "analyst")
    with pytest.raises(HomewardError) as caught:
        access.query(url, "SELECT country::int FROM marts.return_event", "analyst")
    assert "SLV" not in str(caught.value)
    assert "HND" not in str(caught.value)
    assert "22P02" in str(caught.value)


def test_names_stand_for_codes(url: str, codebook: Codebook) -> None:
    columns = "host_country, voluntariness, return_date_state, record_key"
    statement = f"SELECT {columns} FROM marts.return_event WHERE source_id = 'slv/a'"
    (row,) = access.query(url, statement, "analyst").to_pylist()
    assert row["voluntariness"] == codebook.codelist_of("return_event", "voluntariness").name(1)
    assert row["host_country"] == codebook.codelist_of("return_event", "host_country").name(840)
    assert row["return_date_state"] == "refused"


def test_columns_have_types_even_without_rows(url: str) -> None:
    answer = access.query(url, "SELECT age_at_return, return_date FROM marts.return_event WHERE false", "analyst")
    assert [str(field.type) for field in answer.schema] == ["int32", "date32[day]"]
