"""Two extracts of one warehouse share no id by which they could be joined; inside one, ids mean what they meant."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pyarrow as pa
import pytest
from sqlalchemy import Engine
from warehouse_deliveries import Supplier

from codebook.errors import HomewardError
from codebook.loader import Codebook
from warehouse import access, extracts

RECORDS = 40


@pytest.fixture(scope="module")
def url(engine: Engine, codebook: Codebook, warehouse_url: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    folder: Path = tmp_path_factory.mktemp("extracts")
    rows = [{"key": f"extract {n}", "row": n, "age_at_return": n} for n in range(2, RECORDS + 2)]
    Supplier(engine, codebook, folder, "slv/extracts", "SLV").deliver("x", {"return_event": rows})
    return warehouse_url


def extract(url: str, columns: str, role: str = "analyst") -> pa.Table:
    asked = f"SELECT {columns} FROM marts.return_event WHERE source_id = 'slv/extracts' ORDER BY age_at_return"
    answer = access.query(url, asked, role)
    return extracts.rekeyed(answer, shuffle=True) if extracts.rekeyed_for(role) else answer


@pytest.mark.parametrize(
    "column",
    [
        "record_key",
        "record_key::text",
        "'id ' || record_key",
        "md5(record_key::text)",
        "uuid_send(record_key)",
        "ARRAY[record_key]::text[]",
        "jsonb_build_object('key', record_key)",
    ],
)
def test_two_extracts_cannot_be_joined(url: str, column: str) -> None:
    one, other = (extract(url, f"{column} AS id") for _ in range(2))
    values = [{str(value) for value in answer["id"].to_pylist()} for answer in (one, other)]
    assert len(values[0]) == len(values[1]) == RECORDS
    assert not values[0] & values[1]
    true = {
        str(value) for value in access.query(url, f"SELECT {column} AS id FROM marts.return_event")["id"].to_pylist()
    }
    assert not values[0] & true


def test_inside_one_extract_an_id_stays_one_id(url: str) -> None:
    answer = extract(url, "record_key AS a, record_key::text AS b, age_at_return")
    assert answer["a"].to_pylist() == answer["b"].to_pylist()
    assert len(set(answer["a"].to_pylist())) == RECORDS


def test_row_numbers_of_the_supplier_are_for_officers(url: str) -> None:
    assert extract(url, "source_row AS x")["x"].null_count == RECORDS
    assert extract(url, "source_row AS x", "officer_slv")["x"].to_pylist() == list(range(2, RECORDS + 2))


def test_the_order_of_rows_joins_nothing(url: str) -> None:
    ages = [extract(url, "record_key, age_at_return")["age_at_return"].to_pylist() for _ in range(2)]
    assert sorted(ages[0]) == sorted(ages[1])
    assert ages[0] != ages[1]


def test_rows_without_ids_come_in_no_order_either(url: str) -> None:
    """Two columns of the same rows, each taken alone, would else be put side by side."""
    assert extract(url, "age_at_return")["age_at_return"].to_pylist() != list(range(2, RECORDS + 2))


@pytest.mark.parametrize(
    "asked",
    [
        "SELECT age_at_return AS a, count(*) FROM marts.return_event WHERE source_id = 'slv/extracts' GROUP BY a"
        " ORDER BY a",
        "SELECT DISTINCT age_at_return AS a FROM marts.return_event WHERE source_id = 'slv/extracts' ORDER BY 1",
    ],
)
def test_aggregates_come_in_the_order_that_was_asked_for(url: str, asked: str) -> None:
    answer = extracts.rekeyed(access.query(url, asked, "analyst"), shuffle=True)
    assert answer["a"].to_pylist() == list(range(2, RECORDS + 2))


@pytest.mark.parametrize(
    "column",
    [
        "hashtext(record_key::text)",
        "left(record_key::text, 8)",
        "encode(uuid_send(record_key), 'base64')",
        "reverse(record_key::text)",
        "('x' || left(md5(record_key::text), 16))::bit(64)::bigint",
        "translate(record_key::text, '0123456789abcdef-', 'ghijklmnopqrstuv')",
    ],
)
@pytest.mark.parametrize("table", ["return_event", "return_event_ever", "return_event_as_of(now())"])
def test_whatever_is_made_of_a_key_joins_nothing(url: str, column: str, table: str) -> None:
    asked = f"SELECT {column} AS id FROM marts.{table} WHERE source_id = 'slv/extracts'"
    one, other = (set(access.query(url, asked, "analyst")["id"].to_pylist()) for _ in range(2))
    assert len(one) == len(other) == RECORDS
    assert not one & other


def test_core_is_closed_to_analysts(url: str) -> None:
    """Its tables keep their rows in one order: two columns, each taken alone, would be one table again."""
    for column in ("record_key", "person_token", "source_row", "age_at_return", "ctid"):
        for role in ("analyst", "release_officer"):
            with pytest.raises(HomewardError, match="permission denied"):
                access.query(url, f"SELECT {column} FROM core.return_event", role)
    tables = ("current_token", "return_event_named", "rss_score", "consent_withdrawn", "return_event_history")
    for table in (*tables, "return_event_as_of(now())"):
        with pytest.raises(HomewardError, match="permission denied"):
            access.query(url, f"SELECT * FROM core.{table}", "analyst")


def taken(url: str, statement: str, before: str = "") -> list[str]:
    """Lines that an analyst's own login gets, without `homeward query` between: a transaction of its own."""
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute("SET LOCAL ROLE homeward_analyst")
        if before:
            connection.execute(before.encode())
        with connection.cursor() as cursor, cursor.copy(f"COPY ({statement}) TO STDOUT".encode()) as copy:
            return b"".join(bytes(block) for block in copy).decode().splitlines()


OURS = "WHERE source_id = 'slv/extracts'"


@pytest.mark.parametrize("view", ["return_event", "return_event_ever", "return_event_as_of(now())"])
@pytest.mark.parametrize("before", ["", "SELECT setseed(0.5)", "SET LOCAL enable_sort = off; SET LOCAL jit = off"])
@pytest.mark.parametrize(
    "attack",
    [
        "SELECT age_at_return FROM marts.{view} {ours}",
        "SELECT age_at_return FROM marts.{view} {ours} OFFSET 0",
        "SELECT age_at_return FROM (SELECT age_at_return, row_number() OVER () AS n FROM marts.{view} {ours}) AS t"
        " ORDER BY n",
        "SELECT age_at_return FROM (SELECT age_at_return, rank() OVER (ORDER BY valid_from, country) AS n"
        " FROM marts.{view} {ours}) AS t ORDER BY n",
        "SELECT unnest(array_agg(age_at_return)) FROM marts.{view} {ours}",
        "SELECT regexp_split_to_table(string_agg(age_at_return::text, ','), ',') FROM marts.{view} {ours}",
        "SELECT a.age_at_return FROM marts.{view} AS a JOIN marts.return_event AS b USING (record_key)"
        " WHERE a.source_id = 'slv/extracts'",
        "SELECT age_at_return FROM marts.{view} {ours} ORDER BY source_id, valid_from, delivery_id",
        "SELECT age_at_return FROM marts.{view} {ours} ORDER BY record_key",
    ],
)
def test_what_two_analysts_take_does_not_join_line_by_line(url: str, attack: str, before: str, view: str) -> None:
    statement = attack.format(view=view, ours=OURS)
    one, other = (taken(url, statement, before) for _ in range(2))
    assert sorted(one) == sorted(other) == sorted(str(age) for age in range(2, RECORDS + 2))
    # Of two random orders of forty about one place agrees; twelve do once in a thousand million.
    assert sum(a == b for a, b in zip(one, other, strict=True)) < 12
    assert sum(a == str(age) for age, a in enumerate(one, start=2)) < 12, (
        "nor by the order in which they were delivered"
    )


@pytest.mark.parametrize("hidden", ["ctid", "xmin", "tableoid", "t.*::text", "to_jsonb(t)", "hashtext(t::text)"])
def test_a_row_as_a_whole_joins_no_other_extract(url: str, hidden: str) -> None:
    statement = f"SELECT {hidden} FROM marts.return_event AS t {OURS}"
    try:
        one, other = (set(taken(url, statement)) for _ in range(2))
    except psycopg.errors.UndefinedColumn:
        return  # a view has no place of its rows
    assert len(one) == RECORDS
    assert not one & other


def test_inside_a_statement_tables_join(url: str) -> None:
    asked = (
        "SELECT count(*) AS n FROM marts.return_event AS m JOIN marts.return_event_ever AS c USING (record_key)"
        " WHERE m.source_id = 'slv/extracts'"
    )
    assert extracts.rekeyed(access.query(url, asked, "analyst"), shuffle=True)["n"].to_pylist() == [RECORDS]


def test_an_officer_sees_the_keys_that_he_acts_on(url: str) -> None:
    one, other = (extract(url, "record_key", "officer_slv")["record_key"].to_pylist() for _ in range(2))
    assert one == other


@pytest.mark.parametrize(
    ("role", "own"),
    [
        ("analyst", True),
        ("homeward_analyst", True),
        ("release_officer", True),
        ("officer_slv", False),
        ("auditor", False),
    ],
)
def test_who_gets_ids_of_the_extract(role: str, own: bool) -> None:
    assert extracts.rekeyed_for(role) is own


def test_nulls_and_words_are_left_alone() -> None:
    answer = pa.table({"a": pa.array([None, "2026-11-22-1a2b3c4d", "female"]), "b": pa.array([[None, "x"], None, []])})
    assert extracts.rekeyed(answer, shuffle=True).to_pydict() == answer.to_pydict()
