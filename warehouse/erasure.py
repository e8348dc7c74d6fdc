"""Erasing people from the warehouse: current rows, history, staging, and what was told about their tokens.

A row is a person's when it carries one of their tokens, or was made of the same row of a delivery (a household that
only they spoke of; of others see `shared_records`). Marts are made anew by whoever asks for this. Counts, findings and
row numbers of deliveries stay: they hold no value, and law 2 is counted on them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import sql
from sqlalchemy import Connection, Engine

from warehouse import staging
from warehouse.engine import driver, run, transaction
from warehouse.shared_records import Tell, tell_anew

Rows = Mapping[tuple[str, str], Sequence[tuple[str, int]]]
"""By source and delivery: table and number of the supplier's rows."""

_HOLD_TOKENS = """
    SELECT c.relname FROM pg_class AS c
    JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'person_token' AND NOT a.attisdropped
    JOIN pg_attribute AS r ON r.attrelid = c.oid AND r.attname = 'source_row' AND NOT r.attisdropped
    WHERE c.relnamespace = 'core'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
    ORDER BY c.relname"""
# Each person by their place among those who are erased; a row is one person's.
_MAKE_LISTS = """
    CREATE TEMP TABLE erased_token (token uuid PRIMARY KEY, place int NOT NULL) ON COMMIT DROP;
    CREATE TEMP TABLE erased_row (
        source_id text, delivery_id text, source_table text, source_row bigint, place int NOT NULL,
        PRIMARY KEY (source_id, delivery_id, source_table, source_row)
    ) ON COMMIT DROP"""
_LIST_ROW = "INSERT INTO erased_row VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING"
_FIND_ROWS = """
    INSERT INTO erased_row
    SELECT DISTINCT ON (t.source_id, t.delivery_id, t.source_table, t.source_row)
        t.source_id, t.delivery_id, t.source_table, t.source_row, e.place
    FROM {table} AS t JOIN erased_token AS e ON e.token = t.person_token
    ON CONFLICT DO NOTHING"""
_ANALYZE = "ANALYZE erased_token; ANALYZE erased_row"
_DELETE = """
    WITH gone AS (
        DELETE FROM {table} AS t
        WHERE t.person_token IN (SELECT token FROM erased_token)
            OR (t.source_id, t.delivery_id, t.source_table, t.source_row) IN (
                SELECT source_id, delivery_id, source_table, source_row FROM erased_row)
        RETURNING t.person_token, t.source_id, t.delivery_id, t.source_table, t.source_row
    )
    SELECT coalesce(e.place, r.place), count(*)
    FROM gone AS g
    LEFT JOIN erased_token AS e ON e.token = g.person_token
    LEFT JOIN erased_row AS r USING (source_id, delivery_id, source_table, source_row)
    GROUP BY 1
    UNION ALL
    SELECT -1, count(*) FROM gone
    WHERE person_token IS NOT NULL AND person_token NOT IN (SELECT token FROM erased_token)"""
_OTHERS = -1
_DELETE_TOLD = """
    WITH gone AS (
        DELETE FROM {table} AS t
        WHERE t.token IN (SELECT token FROM erased_token) OR t.current_token IN (SELECT token FROM erased_token)
        RETURNING t.token, t.current_token
    )
    SELECT coalesce(e.place, c.place), count(*)
    FROM gone AS g
    LEFT JOIN erased_token AS e ON e.token = g.token
    LEFT JOIN erased_token AS c ON c.token = g.current_token
    GROUP BY 1"""
_UNSTAGE = """
    WITH gone AS (
        DELETE FROM {table} AS t
        WHERE t.person_token IN (SELECT token FROM erased_token)
            OR (t.source_table, t.source_row) IN (
                SELECT source_table, source_row FROM erased_row
                WHERE source_id = %(source)s AND delivery_id = %(delivery)s)
        RETURNING t.person_token, t.source_table, t.source_row
    )
    SELECT coalesce(e.place, r.place), count(*)
    FROM gone AS g
    LEFT JOIN erased_token AS e ON e.token = g.person_token
    LEFT JOIN erased_row AS r ON r.source_id = %(source)s AND r.delivery_id = %(delivery)s
        AND r.source_table = g.source_table AND r.source_row = g.source_row
    GROUP BY 1"""
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


@dataclass(frozen=True)
class Person:
    """Who is erased: all tokens that are one person, and the rows in which the store knows them."""

    tokens: Sequence[UUID]
    rows: Rows


def tables(engine: Engine, country: str) -> list[tuple[str, str]]:
    """Schema and name of the tables in which rows of people of a country are or were."""
    with transaction(engine, "erasure") as conn:
        return [(schema, name) for schema, name in run(conn, _KEPT_IN, {"country": country}).fetchall()]


@dataclass(frozen=True)
class Gone:
    """What was deleted: for each person rows by table; `others`: whether rows went that are about somebody else too,
    for they hung on theirs, or are told by somebody else now."""

    rows: list[dict[str, int]]
    others: bool


def erase(engine: Engine, country: str, people: Sequence[Person], tell: Tell) -> Gone:
    """Delete these people's rows everywhere but in marts; what others belong to, they `tell`. Repeatable."""
    gone: dict[str, Counter[int]] = {}
    with transaction(engine, "erasure") as conn:
        run(conn, "SET LOCAL ROLE homeward_loader")
        _collect(conn, people)
        told = tell_anew(conn, tables_of_persons(conn), tell)
        for table in tables_of_persons(conn):
            gone[f"core.{table}"] = _counted(conn, _DELETE, table=sql.Identifier("core", table))
        for name in ("token_event", "current_token"):
            gone[f"core.{name}"] = _counted(conn, _DELETE_TOLD, table=sql.Identifier("core", name))
        gone["staging"] = _unstage(conn, country)
    others = told > 0 or any(counts[_OTHERS] for counts in gone.values())
    rows = [{table: counts[place] for table, counts in gone.items()} for place in range(len(people))]
    return Gone(rows, others)


def tables_of_persons(conn: Connection) -> list[str]:
    """Tables of core whose rows are somebody's."""
    return [name for (name,) in run(conn, _HOLD_TOKENS).fetchall()]


def _collect(conn: Connection, people: Sequence[Person]) -> None:
    """Their tokens, and the supplier's rows that spoke of them: those of the store, and those that core knows."""
    run(conn, _MAKE_LISTS)
    cursor = driver(conn).cursor()
    with cursor.copy("COPY erased_token FROM STDIN") as copy:
        for place, person in enumerate(people):
            for token in person.tokens:
                copy.write_row((token, place))
    for place, person in enumerate(people):
        listed = [(*where, *row, place) for where, rows in person.rows.items() for row in rows]
        cursor.executemany(_LIST_ROW, listed)
    for table in tables_of_persons(conn):
        run(conn, _FIND_ROWS, table=sql.Identifier("core", table))
    run(conn, _ANALYZE)


def _counted(
    conn: Connection, statement: str, values: dict[str, Any] | None = None, **names: sql.Composable
) -> Counter[int]:
    """Rows that a statement deleted, by the person's place."""
    return Counter[int](dict(run(conn, statement, values, **names).fetchall()))


def _unstage(conn: Connection, country: str) -> Counter[int]:
    """Rows of deliveries that wait to be published: what is staged is the login's, and not the loader's."""
    run(conn, "SET LOCAL ROLE NONE")
    gone = Counter[int]()
    for source, delivery in run(conn, _DELIVERIES, {"country": country}).fetchall():
        staged = staging.names(source, delivery)
        own = {"source": source, "delivery": delivery}
        for entity in staging.entities(conn, staged):
            gone += _counted(conn, _UNSTAGE, own, table=staged.sql(staged.entity(entity)))
        if staging.exists(conn, staged, staged.row):
            run(conn, _UNKEY, own, table=staged.sql(staged.row))
    return gone
