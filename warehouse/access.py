"""Who may read what: five roles and one per country, row-level security, and a query that runs as one of them.

    homeward_loader            owns everything here; deliveries are published in its name
    homeward_analyst           marts of all countries, without what is restricted; code lists and places
    homeward_officer_<iso3>    core and marts of that country, restricted variables too
    homeward_release_officer   marts of all countries and what is released, without what is restricted
    homeward_auditor           deliveries, counts, findings and quarantine

On a server of your own give people a login that is a member of their role; `query` narrows a stronger login down and
is no wall against somebody who holds that login. What the tables mean is not this module's business.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import psycopg
import pyarrow as pa
from psycopg import sql
from sqlalchemy import Connection

from codebook.errors import HomewardError
from warehouse.engine import run, template, translated
from warehouse.extracts import OF_RECORDS

LOADER = "homeward_loader"
ANALYST = "homeward_analyst"
OFFICER = "homeward_officer"
RELEASE_OFFICER = "homeward_release_officer"
AUDITOR = "homeward_auditor"
ROLES = (LOADER, ANALYST, OFFICER, RELEASE_OFFICER, AUDITOR)
REFERENCE = ("code", "place", "variable")
PER_COUNTRY = (("core", "rss_score"), ("marts", "indicator_value"), ("core", "current_token"), ("core", "token_event"))
"""Tables whose rows an officer sees for his own countries only."""
TOKENS = "current_token"
"""What a token counts as; officers read it, the views of the marts go through it."""

_IS_OFFICER = "SELECT true WHERE pg_has_role(%(role)s, 'homeward_officer', 'MEMBER')"

COUNTRY = re.compile(r"[A-Z]{3}")


def make_roles(conn: Connection, countries: Iterable[str]) -> None:
    """Make the roles that are missing; a role belongs to the whole server, so it may be there already, made for another
    database or by the server's administrator, and be nobody's officer yet."""
    for role in ROLES:
        _make_role(conn, role)
    for country in countries:
        if not COUNTRY.fullmatch(country):
            raise HomewardError("not a country code of three letters", country, "write ISO 3166-1 alpha-3")
        of_country = f"{OFFICER}_{country.lower()}"
        _make_role(conn, of_country)
        if not run(conn, _IS_OFFICER, {"role": of_country}).fetchone():
            run(conn, "GRANT homeward_officer TO {role}", role=sql.Identifier(of_country))
    run(conn, template("loader"))


def _make_role(conn: Connection, role: str) -> None:
    if not run(conn, "SELECT true FROM pg_roles WHERE rolname = %(role)s", {"role": role}).fetchone():
        run(conn, "CREATE ROLE {role} NOLOGIN", role=sql.Identifier(role))


def grant(conn: Connection, of_persons: Iterable[str]) -> None:
    """Grants and row-level security on everything there is; repeatable.

    `of_persons`: the tables of core with rows of persons. Officers read them; analysts read the marts only, since the
    tables keep their rows in one order, by which any two extracts would join.
    """
    run(conn, template("access"))
    for name in (*of_persons, TOKENS):
        run(conn, template("grant_rows"), table=sql.Identifier("core", name))
    for name in of_persons:
        run(conn, template("protect"), table=sql.Identifier("core", name))
    for name in REFERENCE:
        run(conn, template("grant_reference"), table=sql.Identifier("core", name))
    for schema, name in PER_COUNTRY:
        run(conn, template("protect"), table=sql.Identifier(schema, name))


ARROW: dict[int, pa.DataType] = {
    16: pa.bool_(),
    20: pa.int64(),
    21: pa.int16(),
    23: pa.int32(),
    25: pa.string(),
    700: pa.float32(),
    701: pa.float64(),
    1082: pa.date32(),
    1184: pa.timestamp("us", "UTC"),
    1005: pa.list_(pa.int16()),
    1007: pa.list_(pa.int32()),
    1009: pa.list_(pa.string()),
}
"""Arrow types of PostgreSQL's by object id; numeric keeps the digits it has, anything else becomes text."""

_PASSING = ("Limit", "Sort", "Incremental Sort", "Gather", "Gather Merge", "Subquery Scan", "Result", "Materialize")
_TOGETHER = ("Aggregate", "Group", "Unique", "SetOp")
NUMERIC = 1700
DENIED = "42501"


def query(url: str, statement: str, role: str | None = None) -> pa.Table:
    """Answer of one SELECT, run read-only as `role` (`analyst` or `homeward_analyst`; None: as the login itself).

    Raises HomewardError, one line: what PostgreSQL says of the statement, but nothing it says of the rows.
    """
    with psycopg.connect(url.replace("+psycopg", "", 1)) as conn:
        conn.read_only = True
        try:
            if role is not None:
                name = role if role.startswith("homeward_") else f"homeward_{role}"
                conn.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(name)))
            of_records = _of_records(conn, statement)
            # A cursor takes one SELECT and nothing else: no RESET ROLE behind a semicolon.
            with conn.cursor(name="answer") as cursor:
                cursor.execute(statement.encode())
                return _arrow(cursor, of_records)
        except psycopg.Error as error:
            raise _of_statement(error) from None


def _of_statement(error: psycopg.Error) -> HomewardError:
    """Errors of class 42 speak of names in the statement; all others may quote a row."""
    said = error.diag.message_primary
    if error.sqlstate == DENIED and said:
        return HomewardError(said, "query", "read marts.<entity>, which has all that is not restricted")
    if error.sqlstate is not None and error.sqlstate.startswith(("42", "25006", "22023")) and said:
        return HomewardError(said, "query")
    return translated(error, "query")


def _arrow(cursor: psycopg.ServerCursor[Any], of_records: bool) -> pa.Table:
    rows = cursor.fetchall()
    described = cursor.description or []
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(described)
    arrays = [_column(values, part.type_code) for values, part in zip(columns, described, strict=True)]
    fields = [pa.field(part.name, array.type) for part, array in zip(described, arrays, strict=True)]
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields, {OF_RECORDS: b""} if of_records else None))


def _of_records(conn: psycopg.Connection[Any], statement: str) -> bool:
    """Whether rows of the answer are rows of tables: nothing puts several together above all joins."""
    # Prepared, since only then PostgreSQL takes no second statement.
    row = conn.execute(b"EXPLAIN (FORMAT JSON) " + statement.encode(), prepare=True).fetchone()
    plan = row[0][0]["Plan"] if row else {}
    while plan["Node Type"] in _PASSING and len(plan.get("Plans", ())) == 1:
        plan = plan["Plans"][0]
    return plan["Node Type"] not in _TOGETHER


def _column(values: Sequence[Any], oid: int) -> pa.Array:
    if oid in ARROW:
        return pa.array(values, ARROW[oid])
    if oid == NUMERIC:
        return (
            pa.array(values)
            if any(value is not None for value in values)
            else pa.nulls(len(values), pa.decimal128(18, 2))
        )
    return pa.array([None if value is None else _as_text(value) for value in values], pa.string())


def _as_text(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)
