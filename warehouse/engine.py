"""Connections to the warehouse, and database errors turned into one line that holds no value.

PostgreSQL's messages quote rows (`Key (x)=(...)`), and so do the drivers': only the SQLSTATE and the names of the
constraint, table and column go on. What is asked of the database is not this module's business.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, cast

import psycopg
from psycopg import sql
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from codebook.errors import HomewardError, Unavailable
from codebook.servers import in_utf8

SQL_FOLDER = Path(__file__).parent / "sql"

PASSING = ("08", "40", "53", "55P03", "57P", "58")
"""SQLSTATE classes that another try can cure: connection, deadlock, resources (53100: disk full), locks, shutdown."""


def connect(url: str) -> Engine:
    """Engine for a `postgresql://` or `postgresql+psycopg://` URL; parameters never appear in errors or logs."""
    if url.startswith("postgresql://"):
        url = url.replace("postgresql://", "postgresql+psycopg://", 1)
    engine = create_engine(
        url, hide_parameters=True, pool_pre_ping=True, pool_size=4, connect_args={"connect_timeout": 10}
    )
    return in_utf8(engine, "warehouse")


@contextmanager
def plain_errors(where: str) -> Iterator[None]:
    """Turn every database error inside into `Unavailable` or `HomewardError`, without its text."""
    try:
        yield
    except (SQLAlchemyError, psycopg.Error) as error:
        raise translated(error, where) from None


@contextmanager
def transaction(engine: Engine, where: str) -> Iterator[Connection]:
    """One transaction: committed at the end, rolled back on any error; errors as of `plain_errors`."""
    with plain_errors(where), engine.begin() as conn:
        yield conn


def translated(error: BaseException, where: str) -> HomewardError:
    """The one-line error for a driver's error: SQLSTATE, constraint, table and column, nothing else of its text."""
    original = error.orig if isinstance(error, DBAPIError) else error
    state = getattr(original, "sqlstate", None)
    if state is None and isinstance(original, psycopg.OperationalError):
        return Unavailable("the database cannot be reached", where, "run again when it is back; nothing is lost")
    if state is None:
        return HomewardError("the database could not be used", f"{where}, {type(original).__name__}")
    names = [f"SQLSTATE {state} {type(original).__name__}"]
    diag = getattr(original, "diag", None)
    for label in ("constraint", "table", "column"):
        name = getattr(diag, f"{label}_name", None)
        if name:
            names.append(f"{label} {name}")
    place = ", ".join([where, *names])
    if state.startswith(PASSING):
        mend = "free some disk space and run again" if state == "53100" else "run again when it is back"
        return Unavailable("the database did not serve", place, f"{mend}; nothing is lost")
    return HomewardError("the database refused a statement", place)


def driver(conn: Connection) -> psycopg.Connection[Any]:
    """The psycopg connection under a SQLAlchemy one, for COPY and for statements composed of identifiers."""
    return cast("psycopg.Connection[Any]", conn.connection.driver_connection)


@cache
def template(name: str) -> str:
    """Text of `sql/<name>.sql`; `{identifiers}` in it are filled in by `run`, values are bound as `%(name)s`."""
    return (SQL_FOLDER / f"{name}.sql").read_text(encoding="utf-8")


def run(
    conn: Connection, text: str, params: dict[str, Any] | None = None, /, **names: sql.Composable
) -> psycopg.Cursor[Any]:
    """Execute `text` with identifiers filled in by `psycopg.sql` and values bound."""
    statement = sql.SQL(cast("Any", text)).format(**names) if names else sql.SQL(cast("Any", text))
    return driver(conn).execute(statement, params)
