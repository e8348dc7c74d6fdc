"""What goes in by binary COPY comes out of a real PostgreSQL as it was, for every type of the codebook."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from warehouse.copying import copy_in

TYPES: dict[str, tuple[pa.DataType, str, st.SearchStrategy[Any]]] = {
    "code": (pa.int16(), "smallint", st.integers(-(2**15), 2**15 - 1)),
    "whole": (pa.int32(), "integer", st.integers(-(2**31), 2**31 - 1)),
    "row": (pa.int64(), "bigint", st.integers(-(2**63), 2**63 - 1)),
    "flag": (pa.bool_(), "boolean", st.booleans()),
    "day": (pa.date32(), "date", st.dates()),
    "money": (
        pa.decimal128(18, 2),
        "numeric(18,2)",
        st.integers(-(10**18) + 1, 10**18 - 1).map(lambda cents: Decimal(cents).scaleb(-2)),
    ),
    "key": (pa.binary(16), "uuid", st.binary(min_size=16, max_size=16)),
    "word": (pa.string(), "text", st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=12)),
    "codes": (pa.list_(pa.int16()), "smallint[]", st.lists(st.integers(-5, 999), max_size=5)),
}
ROWS = st.lists(st.fixed_dictionaries({name: st.none() | kind[2] for name, kind in TYPES.items()}), max_size=20)
SCHEMA = pa.schema([(name, kind[0]) for name, kind in TYPES.items()])
TABLE = sql.Identifier("copied")


@pytest.fixture(scope="module")
def conn(postgres_url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(postgres_url.replace("+psycopg", "")) as opened:
        columns = ", ".join(f"{name} {kind[1]}" for name, kind in TYPES.items())
        opened.execute(f"CREATE TEMPORARY TABLE copied ({columns})".encode())
        yield opened


def copied(conn: psycopg.Connection[Any], batches: list[pa.RecordBatch]) -> list[dict[str, Any]]:
    conn.execute("TRUNCATE copied")
    copy_in(conn, TABLE, list(TYPES), batches)
    rows = [dict(zip(TYPES, row, strict=True)) for row in conn.execute("SELECT * FROM copied")]
    return [row | {"key": row["key"].bytes if isinstance(row["key"], UUID) else None} for row in rows]


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(rows=ROWS)
def test_every_value_and_every_null_arrives(conn: psycopg.Connection[Any], rows: list[dict[str, Any]]) -> None:
    batch = pa.RecordBatch.from_pylist(rows, schema=SCHEMA)
    assert copied(conn, [batch]) == rows
    assert copied(conn, [batch.slice(len(rows) // 2)]) == rows[len(rows) // 2 :], "a slice begins in mid-buffer"


def test_dictionary_encoded_text_arrives_as_text(conn: psycopg.Connection[Any]) -> None:
    conn.execute("CREATE TEMPORARY TABLE word (w text)")
    words = pa.array(["adm1", None, "ñandú", "adm1"]).dictionary_encode()
    copy_in(conn, sql.Identifier("word"), ["w"], [pa.RecordBatch.from_pydict({"w": words})])
    assert [w for (w,) in conn.execute("SELECT w FROM word")] == ["adm1", None, "ñandú", "adm1"]


def test_dates_before_2000_are_negative_days(conn: psycopg.Connection[Any]) -> None:
    row = dict.fromkeys(TYPES) | {"day": dt.date(1950, 1, 31)}
    (back,) = copied(conn, [pa.RecordBatch.from_pylist([row], schema=SCHEMA)])
    assert back["day"] == dt.date(1950, 1, 31)
