"""Erasing a person from the warehouse: current rows, history, staging, and what was told about their tokens.

A row is the person's when it carries one of their tokens, or was made of the same row of a delivery (a household that
only they spoke of). Marts are made anew by whoever asks for this. Counts, findings and row numbers of deliveries stay:
they hold no value, and law 2 is counted on them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from psycopg import sql
from sqlalchemy import Connection, Engine

from warehouse import staging
from warehouse.engine import driver, run, transaction

Rows = Mapping[tuple[str, str], Sequence[tuple[str, int]]]
"""By source and delivery: table and number of the supplier's rows."""

_HOLD_TOKENS = """
    SELECT c.relname FROM pg_class AS c
    JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'person_token' AND NOT a.attisdropped
    JOIN pg_attribute AS r ON r.attrelid = c.oid AND r.attname = 'source_row' AND NOT r.attisdropped
    WHERE c.relnamespace = 'core'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
    ORDER BY c.relname"""
_MAKE_ROWS = """
    CREATE TEMP TABLE erased_row (source_id text, delivery_id text, source_table text, source_row bigint)
    ON COMMIT DROP"""
_FIND_ROWS = """
    INSERT INTO erased_row
    SELECT DISTINCT source_id, delivery_id, source_table, source_row FROM {table}
    WHERE person_token = ANY (%(tokens)s)"""
_DELETE = """
    DELETE FROM {table} AS t
    WHERE t.person_token = ANY (%(tokens)s)
        OR (t.source_id, t.delivery_id, t.source_table, t.source_row) IN (
            SELECT source_id, delivery_id, source_table, source_row FROM erased_row)"""
_UNSTAGE = """
    DELETE FROM {table} AS t
    WHERE t.person_token = ANY (%(tokens)s)
        OR (t.source_table, t.source_row) IN (
            SELECT source_table, source_row FROM erased_row
            WHERE source_id = %(source)s AND delivery_id = %(delivery)s)"""
_UNKEY = """
    UPDATE {table} AS t SET row_key = NULL
    FROM erased_row AS e
    WHERE e.source_id = %(source)s AND e.delivery_id = %(delivery)s
        AND e.source_table = t.source_table AND e.source_row = t.source_row"""
_DELIVERIES = "SELECT source_id, delivery_id FROM audit.delivery WHERE country = %(country)s"

_KEPT_IN = """
    SELECT n.nspname, c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'm') AND (n.nspname IN ('core', 'marts', 'staging') OR c.oid = 'audit.delivery'::regclass)
        AND (NOT c.relispartition OR pg_get_expr(c.relpartbound, c.oid) IN (
            SELECT format('FOR VALUES IN (%%L)', source_id) FROM audit.delivery WHERE country = %(country)s))
    ORDER BY 1, 2"""


def tables(engine: Engine, country: str) -> list[tuple[str, str]]:
    """Schema and name of the tables in which rows of people of a country are or were."""
    with transaction(engine, "erasure") as conn:
        return [(schema, name) for schema, name in run(conn, _KEPT_IN, {"country": country}).fetchall()]


def erase(engine: Engine, country: str, tokens: Sequence[UUID], rows: Rows) -> dict[str, int]:
    """Delete the person's rows everywhere but in marts; how many went, by table. Repeatable."""
    gone: dict[str, int] = {}
    values = {"tokens": list(tokens)}
    with transaction(engine, "erasure") as conn:
        run(conn, "SET LOCAL ROLE homeward_loader")
        _collect(conn, values, rows)
        for table in tables_of_persons(conn):
            gone[f"core.{table}"] = run(conn, _DELETE, values, table=sql.Identifier("core", table)).rowcount
        for name in ("token_event", "current_token"):
            deleted = run(
                conn,
                "DELETE FROM {table} WHERE token = ANY (%(tokens)s) OR current_token = ANY (%(tokens)s)",
                values,
                table=sql.Identifier("core", name),
            )
            gone[f"core.{name}"] = deleted.rowcount
        gone["staging"] = _unstage(conn, country, values)
    return gone


def tables_of_persons(conn: Connection) -> list[str]:
    """Tables of core whose rows are somebody's."""
    return [name for (name,) in run(conn, _HOLD_TOKENS).fetchall()]


def _collect(conn: Connection, values: dict[str, list[UUID]], rows: Rows) -> None:
    """The supplier's rows that spoke of the person: those of the store, and those that core knows."""
    run(conn, _MAKE_ROWS)
    with driver(conn).cursor().copy("COPY erased_row FROM STDIN") as copy:
        for (source, delivery), listed in rows.items():
            for table, row in listed:
                copy.write_row((source, delivery, table, row))
    for table in tables_of_persons(conn):
        run(conn, _FIND_ROWS, values, table=sql.Identifier("core", table))


def _unstage(conn: Connection, country: str, values: dict[str, list[UUID]]) -> int:
    gone = 0
    for source, delivery in run(conn, _DELIVERIES, {"country": country}).fetchall():
        staged = staging.names(source, delivery)
        own = {**values, "source": source, "delivery": delivery}
        for entity in staging.entities(conn, staged):
            gone += run(conn, _UNSTAGE, own, table=staged.sql(staged.entity(entity))).rowcount
        if staging.exists(conn, staged, staged.row):
            run(conn, _UNKEY, own, table=staged.sql(staged.row))
    return gone
