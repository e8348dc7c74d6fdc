"""Staging: one delivery's tables on their way in, loaded from Parquet by binary COPY; loading again starts afresh.

    row       (source_table, source_row, row_key)   every row the supplier delivered: what was received is counted here
    withdrawn (entity, record_key)                  records of rows without consent
    <entity>  harmonized rows, as in Parquet
    finding   what was found, by rule and row       made by whoever judges the delivery, read again by `publish`:
    verdict   (source_table, source_row, rejected)  a verdict table is the sign that it was judged to the end

Tables are permanent, not unlogged: the first delivery's become partitions of core as they are. What is a good row is
not this module's business.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from psycopg import sql
from psycopg.errors import UniqueViolation
from sqlalchemy import Connection

from codebook.loader import Codebook
from codebook.models import Column
from warehouse.copying import copy_in
from warehouse.engine import driver, run
from warehouse.schema import definitions

SCHEMA = "staging"
BATCH_ROWS = 50_000

WITHDRAWN = (
    Column("entity", pa.string(), "text", nullable=False),
    Column("record_key", pa.binary(16), "uuid", nullable=False),
)
ROW = (
    Column("source_table", pa.string(), "text", nullable=False),
    Column("source_row", pa.int64(), "bigint", nullable=False),
    Column("row_key", pa.binary(16), "uuid"),
)


@dataclass(frozen=True)
class Names:
    """The tables of one delivery in schema `staging`, by plain name; `entity(e)` for each entity."""

    prefix: str
    schema: str = SCHEMA

    @property
    def row(self) -> str:
        return f"{self.prefix}_row"

    @property
    def withdrawn(self) -> str:
        return f"{self.prefix}_withdrawn"

    @property
    def finding(self) -> str:
        return f"{self.prefix}_finding"

    @property
    def verdict(self) -> str:
        return f"{self.prefix}_verdict"

    def entity(self, entity: str) -> str:
        return f"{self.prefix}__{entity}"

    def sql(self, table: str) -> sql.Identifier:
        return sql.Identifier(self.schema, table)


def names(source_id: str, delivery_id: str) -> Names:
    """Names of a delivery's staging tables. One file may be a delivery of two sources, so the source is in them."""
    source = hashlib.sha256(source_id.encode()).hexdigest()[:6]
    return Names(f"d{delivery_id.replace('-', '')}_{source}")


def prepare(conn: Connection, source_id: str, delivery_id: str) -> Names:
    """Drop whatever an earlier run of this delivery staged, its verdict too, and make its own tables, empty."""
    drop(conn, source_id, delivery_id)
    tables = names(source_id, delivery_id)
    _create(conn, tables.sql(tables.row), ROW)
    _create(conn, tables.sql(tables.withdrawn), WITHDRAWN)
    return tables


def load_rows(conn: Connection, tables: Names, paths: Iterable[Path]) -> int:
    """Load the row ledger; returns the rows delivered."""
    return _load(conn, tables.sql(tables.row), ROW, paths)


def load_withdrawn(conn: Connection, tables: Names, paths: Iterable[Path]) -> int:
    """Load the keys of the records that rows without consent would make; returns how many."""
    return _load(conn, tables.sql(tables.withdrawn), WITHDRAWN, paths)


def load(conn: Connection, tables: Names, entity: str, paths: Iterable[Path], codebook: Codebook) -> int:
    """Load one entity's harmonized Parquet files into a new `tables.entity(entity)`; returns rows.

    The table is made and filled in the caller's transaction. On a server with wal_level=minimal that needs no WAL.
    """
    table = tables.sql(tables.entity(entity))
    columns = codebook.columns(entity)
    run(conn, "DROP TABLE IF EXISTS {table}", table=table)
    _create(conn, table, columns)
    return _load(conn, table, columns, paths, freeze=True)


def index(conn: Connection, tables: Names, entity: str) -> bool:
    """Make record_key the staged entity's primary key; False where rows share a key and have to be merged first.

    Worth doing while the expectations run: the first delivery then needs no index when it is published.
    """
    table = tables.sql(tables.entity(entity))
    if run(
        conn,
        "SELECT true FROM pg_index WHERE indrelid = to_regclass(%(table)s) AND indisprimary",
        {"table": f'{tables.schema}."{tables.entity(entity)}"'},
    ).fetchone():
        return True
    try:
        with driver(conn).transaction():
            run(conn, "ALTER TABLE {table} ADD PRIMARY KEY (record_key)", table=table)
    except UniqueViolation:
        return False
    return True


def exists(conn: Connection, tables: Names, table: str) -> bool:
    row = run(conn, "SELECT to_regclass(%(table)s)", {"table": f'{tables.schema}."{table}"'}).fetchone()
    return row is not None and row[0] is not None


def entities(conn: Connection, tables: Names) -> list[str]:
    """Entities that this delivery has staged."""
    found = run(
        conn,
        "SELECT tablename FROM pg_tables WHERE schemaname = %(schema)s AND starts_with(tablename, %(prefix)s)"
        " ORDER BY tablename",
        {"schema": tables.schema, "prefix": tables.entity("")},
    )
    return [name.removeprefix(tables.entity("")) for (name,) in found]


def drop(conn: Connection, source_id: str, delivery_id: str) -> None:
    """Drop every staging table of a delivery. A staged table that became a partition has left staging by then."""
    tables = names(source_id, delivery_id)
    for table in (
        tables.row,
        tables.withdrawn,
        tables.finding,
        tables.verdict,
        *map(tables.entity, entities(conn, tables)),
    ):
        run(conn, "DROP TABLE IF EXISTS {table}", table=tables.sql(table))


def _create(conn: Connection, table: sql.Identifier, columns: Iterable[Column]) -> None:
    run(conn, "CREATE TABLE {table} ({columns})", table=table, columns=definitions(columns))


def _load(
    conn: Connection, table: sql.Identifier, columns: Iterable[Column], paths: Iterable[Path], freeze: bool = False
) -> int:
    wanted = [column.name for column in columns]
    return copy_in(driver(conn), table, wanted, _batches(paths, wanted), freeze)


def _batches(paths: Iterable[Path], wanted: list[str]) -> Iterator[pa.RecordBatch]:
    for path in paths:
        with pq.ParquetFile(path) as file:
            yield from file.iter_batches(batch_size=BATCH_ROWS, columns=wanted)
