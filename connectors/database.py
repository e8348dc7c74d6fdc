"""A supplier's database: a consistent snapshot as one CSV per table, and those CSVs read again as a delivery.

The snapshot makes a database delivery a set of files like any other: it can be hashed, sealed and read again. Columns
that the source does not declare are named in the header and left empty: their values never leave the supplier's server.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.exc import DataError, DBAPIError, NoSuchTableError, SQLAlchemyError

from codebook.errors import BadDefinition, HomewardError, Refused, Unavailable
from connectors.database_cells import as_stored, take_dates_as_written, text
from connectors.shapes import Grid, Heading, Piece
from connectors.text.delimited import open_grid
from connectors.text.dialects import Layout
from sources.batches import DeliveredFile
from sources.models import Join, Source, Table

_ROWS_AT_A_TIME = 5_000
_CONSISTENT = {"postgresql": "REPEATABLE READ", "mysql": "REPEATABLE READ", "mariadb": "REPEATABLE READ"}
"""Isolation in which all tables of a snapshot show the same moment; SQLite has it inside any transaction."""
_ORDINAL = "ordinal of the row"


def snapshot(
    source: Source, url: str, may_read: Callable[[], None] = lambda: None
) -> list[tuple[str, Iterator[bytes]]]:
    """File names and CSV bytes of every table the source names, in key order.

    Read them all, one after the other; one that is closed early, or fails, ends the whole snapshot. `may_read` is asked
    before rows are fetched and after; what it raises ends the snapshot too.

    Refused if a table or a declared column is missing, Unavailable if the server does not serve.
    """
    connection = _connect(source, url)
    driver = connection.connection.driver_connection
    try:
        selects = {name: _select(connection, name, source) for name in _tables(source)}
    except BaseException as error:
        _hang_up(connection, driver)
        raise _explained(error, source) from None
    left = set(selects)

    def stream(name: str) -> Iterator[bytes]:
        whole = False
        try:
            yield from _csv(connection, selects[name], may_read)
            left.discard(name)
            whole = True
        except BaseException as error:
            # Also where the reader stops early: no transaction is left open on the supplier's server.
            left.clear()
            raise _explained(error, source) from None
        finally:
            if not left:
                _hang_up(connection, driver, whole)

    return [(f"{name}.csv", stream(name)) for name in selects]


def _connect(source: Source, url: str) -> sa.Connection:
    try:
        engine = sa.create_engine(url, poolclass=sa.NullPool, hide_parameters=True)
    except (SQLAlchemyError, ValueError, ImportError):
        raise BadDefinition(
            "the database URL cannot be used", _env(source), "write it as dialect+driver://user@host/database"
        ) from None
    dialect = engine.dialect.name
    try:
        if dialect == "sqlite" and not _exists(engine.url.database):
            # SQLite would make an empty database where there is none.
            raise Unavailable("there is no such database file", _env(source), "is the path right?")
        if dialect in _CONSISTENT:
            engine = engine.execution_options(isolation_level=_CONSISTENT[dialect], postgresql_readonly=True)
        connection = engine.connect()
        take_dates_as_written(connection)
        if dialect == "sqlite":
            connection.exec_driver_sql("BEGIN")
        return connection
    except Exception as error:
        raise _explained(error, source) from None


def _exists(database: str | None) -> bool:
    path = (database or "").removeprefix("file:").partition("?")[0]
    return path not in ("", ":memory:") and Path(path).is_file()


def _hang_up(connection: sa.Connection, driver: object, whole: bool = False) -> None:
    """End the session; one that stopped half way is cut, or its driver would fetch all rows that are left."""
    with suppress(Exception):
        if not whole:
            # PyMySQL's unread result would go on reading from the closed socket when it is collected.
            unread: Any = getattr(driver, "_result", None)
            if unread is not None:
                unread.unbuffered_active = False
            connection.invalidate()
        connection.close()
    connection.engine.dispose()


def _env(source: Source) -> str:
    return source.format.url_env if source.format.kind == "database" else ""


def _explained(error: BaseException, source: Source) -> BaseException:
    """The error as a user may see it: neither the driver's text nor the URL, which can hold values and passwords."""
    if isinstance(error, HomewardError) or not isinstance(error, Exception):
        return error
    original = getattr(error, "orig", None) or error
    state = getattr(original, "sqlstate", None)
    if isinstance(error, DataError) or (isinstance(error, ValueError) and not isinstance(error, UnicodeError)):
        return Refused(
            "delivery.unreadable",
            "a value cannot be read: a date beyond the year 9999?",
            _env(source),
            "mend it",
        )
    if isinstance(error, UnicodeError):
        return Refused("delivery.wrong_encoding", "a text is not in the database's encoding", _env(source), "mend it")
    # Drivers let through errors of their own when the server goes away: of sockets, of structures.
    told = f" (SQLSTATE {state})" if state else "" if isinstance(error, DBAPIError) else f" ({type(original).__name__})"
    return Unavailable("the supplier's database does not serve" + told, _env(source), "run again later")


def _tables(source: Source) -> list[str]:
    """The source's tables and those that are only joined to them."""
    names = [table.name for table in source.tables]
    return list(dict.fromkeys([*names, *(join.table for table in source.tables for join in table.joins)]))


def _select(connection: sa.Connection, name: str, source: Source) -> sa.Select[tuple[object, ...]]:
    """The table's declared columns in key order; undeclared ones as NULL, so that their names are known."""
    schema, _, bare = name.rpartition(".")
    try:
        table = sa.Table(bare, sa.MetaData(), schema=schema or None, autoload_with=connection, resolve_fks=False)
    except NoSuchTableError:
        raise Refused(
            "delivery.wrong_source", f"there is no table {name} in the database", source.source, "is the URL right?"
        ) from None
    wanted, required, order = _declared(name, source)
    missing = [column for column in dict.fromkeys([*required, *order]) if column not in table.c]
    if missing:
        raise Refused("delivery.missing_column", f"missing: {', '.join(missing)}", f"table {name}", "ask the supplier")
    exact = {column for column in wanted if not column.endswith("*")}
    families = tuple(column[:-1] for column in wanted if column.endswith("*"))
    columns = [
        as_stored(column, connection)
        if column.name in exact or (families and column.name.startswith(families))
        else sa.null().label(column.name)
        for column in table.columns
    ]
    by_key = [table.c[column] for column in dict.fromkeys([*order, *(key.name for key in table.primary_key)])]
    return sa.select(*columns).order_by(*by_key)


def _declared(name: str, source: Source) -> tuple[set[str], list[str], list[str]]:
    """Columns of a table whose values are taken (families with their `*`), that must be there, and its order."""
    wanted: set[str] = set()
    required: list[str] = []
    order: list[str] = []
    for table in source.tables:
        own = table.name == name
        joins = [join for join in table.joins if join.table == name]
        if own:
            order[:0] = table.key
        for join in [*joins, *(table.joins if own else [])]:
            wanted.update(join.on)
            order.extend(join.on if not own else [])
        for column in table.columns:
            prefix, inner = f"{name}.", column.name
            if joins and inner.startswith(prefix):
                inner = inner.removeprefix(prefix)
            elif not own or any(column.name.startswith(f"{join.table}.") for join in table.joins):
                continue
            wanted.add(inner)
            if not column.optional and not column.family:
                required.append(inner)
    wanted.update(order)
    return wanted, required, order


def _csv(
    connection: sa.Connection, select: sa.Select[tuple[object, ...]], may_read: Callable[[], None]
) -> Iterator[bytes]:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    may_read()
    result = connection.execution_options(stream_results=True, yield_per=_ROWS_AT_A_TIME).execute(select)
    writer.writerow(result.keys())
    for rows in result.partitions():
        may_read()
        writer.writerows([[text(value) for value in row] for row in rows])
        yield buffer.getvalue().encode("utf-8")
        buffer.seek(0)
        buffer.truncate()
        may_read()
    if buffer.tell():
        yield buffer.getvalue().encode("utf-8")


@dataclass(frozen=True)
class JoinedGrid:
    """A table with the columns of other tables of the snapshot beside it (left join); row numbers stay the table's."""

    inner: Grid
    headings: tuple[Heading, ...]
    others: tuple[tuple[Join, Grid], ...]
    sheet: str | None = None

    def pieces(self, positions: Sequence[int], size: int) -> Iterator[Piece]:
        width = len(self.inner.headings)
        at = {heading.names[0]: heading.position for heading in self.inner.headings}
        own = [position for position in positions if position < width]
        keys = [at[column] for join, _ in self.others for column in join.on]
        needed = list(dict.fromkeys([*own, *keys]))
        beside = [self._other(join, grid, positions) for join, grid in self.others]
        for piece in self.inner.pieces(needed, size):
            table = pa.table([pa.array(piece.rows), *piece.cells], names=[_ORDINAL, *map(str, needed)])
            for (join, _), other in zip(self.others, beside, strict=True):
                on = [str(at[column]) for column in join.on]
                table = table.join(other, keys=on, right_keys=list(join.on), join_type="left outer")
            table = table.sort_by(_ORDINAL)
            rows = table[_ORDINAL].to_numpy().astype(np.int64)
            yield Piece(rows, [table[str(position)] for position in positions], piece.findings)

    def split(self, n: int) -> list[Grid]:
        return [replace(self, inner=grid) for grid in self.inner.split(n)]

    def _other(self, join: Join, grid: Grid, positions: Sequence[int]) -> pa.Table:
        """The joined table's wanted columns, named by their position beside the table, and its `on` columns."""
        asked = set(positions)
        at = {heading.names[0]: heading.position for heading in grid.headings}
        wanted = {
            heading.position: at[heading.header.removeprefix(f"{join.table}.")]
            for heading in self.headings[len(self.inner.headings) :]
            if heading.position in asked and heading.header.startswith(f"{join.table}.")
        }
        inner = [*(at[column] for column in join.on), *wanted.values()]
        names = [*join.on, *map(str, wanted)]
        schema = pa.schema([(name, pa.string()) for name in names])
        tables = [
            pa.table([column.cast(pa.string()) for column in piece.cells], schema=schema)
            for piece in grid.pieces(inner, 1 << 20)
        ]
        return pa.concat_tables([schema.empty_table(), *tables])


def open_grids(files: Sequence[DeliveredFile], source: Source) -> tuple[dict[str, Grid], dict[str, object]]:
    """The tables of a snapshot, joins included. The rows of a table are numbered from 1 in key order."""
    layout = Layout(encoding="utf-8", delimiter=",", first_row=1, needs_rows=False, hashtags=False)
    by_name = {file.name.removesuffix(".csv"): file for file in files}
    absent = [name for name in _tables(source) if name not in by_name]
    if absent:
        raise Refused(
            "delivery.wrong_source",
            f"the snapshot has no table {', '.join(absent)}",
            source.source,
            "take the snapshot again",
        )
    opened = {name: open_grid(by_name[name], layout) for name in _tables(source)}
    if not any(facts["records"] for _, facts in opened.values()):
        raise Refused("delivery.empty", "no table of the snapshot has a row", source.source, "ask the supplier")
    plain = {name: grid for name, (grid, _) in opened.items()}
    records = {name: facts["records"] for name, (_, facts) in opened.items()}
    grids = {table.name: _joined(table, plain) for table in source.tables}
    return grids, {"encoding": "utf-8", "records": records}


def _joined(table: Table, plain: Mapping[str, Grid]) -> Grid:
    inner = plain[table.name]
    if not table.joins:
        return inner
    headings = list(inner.headings)
    for join in table.joins:
        for heading in plain[join.table].headings:
            if heading.names[0] not in join.on:
                name = f"{join.table}.{heading.names[0]}"
                headings.append(Heading(name, len(headings), (name,)))
    return JoinedGrid(inner, tuple(headings), tuple((join, plain[join.table]) for join in table.joins))
