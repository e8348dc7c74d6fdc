"""Roles on a real server: who sees which rows and columns, and what a query may not do."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine
from warehouse_deliveries import Supplier

from codebook.errors import HomewardError
from codebook.loader import Codebook
from warehouse import access


@pytest.fixture(scope="module")
def url(engine: Engine, codebook: Codebook, warehouse_url: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A warehouse with one return event of El Salvador and two of Honduras."""
    folder: Path = tmp_path_factory.mktemp("access")
    event = {"unlawful_flag": [1], "voluntariness": 1, "host_country": 840, "age_at_return": 30}
    event |= {"return_date_state": -2}
    Supplier(engine, codebook, folder, "slv/a", "SLV").deliver("s", {"return_event": [{"key": "a", "row": 2, **event}]})
    rows = [{"key": "b", "row": 2, **event}, {"key": "c", "row": 3, **event}]
    Supplier(engine, codebook, folder, "hnd/b", "HND").deliver("h", {"return_event": rows})
    return warehouse_url


def countries(url: str, role: str, table: str = "marts.return_event") -> list[str]:
    answer = access.query(url, f"SELECT country FROM {table} ORDER BY 1", role)
    return [str(country) for country in answer["country"].to_pylist()]


def test_analyst_sees_all_countries(url: str) -> None:
    assert countries(url, "analyst") == ["HND", "HND", "SLV"]


def test_officer_sees_his_country_only(url: str) -> None:
    assert countries(url, "officer_slv") == ["SLV"]
    assert countries(url, "officer_slv", "core.return_event") == ["SLV"]
    assert countries(url, "officer_hnd") == ["HND", "HND"]
    assert countries(url, "officer") == []


def test_as_of_keeps_to_the_same_rows(url: str) -> None:
    assert countries(url, "officer_slv", "marts.return_event_as_of(now())") == ["SLV"]


def test_restricted_variable_is_for_officers_only(url: str) -> None:
    assert "unlawful_flag" not in access.query(url, "SELECT * FROM marts.return_event", "analyst").column_names
    with pytest.raises(HomewardError, match="permission denied"):
        access.query(url, "SELECT unlawful_flag FROM core.return_event", "analyst")
    answer = access.query(url, "SELECT unlawful_flag FROM core.return_event", "officer_slv")
    assert answer["unlawful_flag"].to_pylist() == [[1]]


def test_auditor_reads_deliveries_and_no_person(url: str) -> None:
    assert access.query(url, "SELECT count(*) AS n FROM audit.delivery", "auditor")["n"].to_pylist() == [2]
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


def test_errors_speak_of_the_statement_and_never_of_rows(url: str) -> None:
    with pytest.raises(HomewardError, match='column "sexx" does not exist'):
        access.query(url, "SELECT sexx FROM marts.person", "analyst")
    with pytest.raises(HomewardError) as caught:
        access.query(url, "SELECT country::int FROM marts.return_event", "analyst")
    assert "SLV" not in str(caught.value)
    assert "HND" not in str(caught.value)
    assert "22P02" in str(caught.value)


def test_names_stand_for_codes(url: str, codebook: Codebook) -> None:
    statement = "SELECT host_country, voluntariness, return_date_state, record_key FROM marts.return_event LIMIT 1"
    (row,) = access.query(url, statement, "analyst").to_pylist()
    assert row["voluntariness"] == codebook.codelist_of("return_event", "voluntariness").name(1)
    assert row["host_country"] == codebook.codelist_of("return_event", "host_country").name(840)
    assert row["return_date_state"] == "refused"


def test_columns_have_types_even_without_rows(url: str) -> None:
    answer = access.query(url, "SELECT age_at_return, return_date FROM marts.return_event WHERE false", "analyst")
    assert [str(field.type) for field in answer.schema] == ["int32", "date32[day]"]
