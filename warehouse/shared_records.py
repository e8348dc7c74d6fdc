"""Records that rows of several people make, where one of these people is erased: a household is told by the others.

Publishing keeps what the last row of a household says, and whose row that was. Before that person's rows go, a
household to which somebody else belongs is written as the other's row tells it, as if the erased row had never come.
What such a row says stands in the store, not here: it is asked for. Where nobody can tell, the record goes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pyarrow as pa
from psycopg import sql
from sqlalchemy import Connection

from warehouse.copying import copy_in
from warehouse.engine import driver, run
from warehouse.schema import core

REFERENCES = {"household": "household_key", "case": "case_key"}
"""Entities that other entities belong to, and the column that says to which."""


@dataclass(frozen=True)
class Row:
    """A row of a supplier, by its delivery."""

    source: str
    delivery: str
    table: str
    number: int


Tell = Callable[[str, Sequence[Row]], pa.Table]
"""What rows say of an entity, harmonized; of rows that are not kept any more, nothing."""

# `erased_token` and `erased_row` say who is erased (`erasure`). Of several who belong to it the last row tells.
_TOLD_BY = """
    CREATE TEMP TABLE told_by ON COMMIT DROP AS
    SELECT DISTINCT ON (shared.record_key) shared.record_key, r.source_id, r.delivery_id, r.source_table, r.source_row,
        r.codebook_version, r.crosswalk_version
    FROM {shared} AS shared JOIN ({others}) AS r ON r.source_id = shared.source_id AND r.belongs = shared.record_key
    WHERE (shared.person_token IN (SELECT token FROM erased_token)
            OR ({place_of_shared}) IN (SELECT {place} FROM erased_row))
        AND coalesce(r.person_token NOT IN (SELECT token FROM erased_token), true)
        AND ({place_of_other}) NOT IN (SELECT {place} FROM erased_row)
    ORDER BY shared.record_key, r.valid_from DESC, r.delivery_id DESC, r.source_table DESC, r.source_row DESC"""
_BELONGING = """
    SELECT source_id, delivery_id, source_table, source_row, codebook_version, crosswalk_version, valid_from,
        person_token, {reference} AS belongs
    FROM {table} WHERE {reference} IS NOT NULL"""
_WRITE = """
    UPDATE {shared} AS shared SET {columns}, delivery_id = told_by.delivery_id,
        codebook_version = told_by.codebook_version, crosswalk_version = told_by.crosswalk_version
    FROM told_by JOIN told USING (source_table, source_row, record_key) WHERE told_by.record_key = shared.record_key"""
_PLACE = ("source_id", "delivery_id", "source_table", "source_row")


def tell_anew(conn: Connection, entities: Sequence[str], tell: Tell) -> int:
    """Write shared records of who is erased as others tell them; how many. `entities`: all that rows of people make."""
    written = 0
    for entity, reference in REFERENCES.items():
        if entity in entities:
            belonging = [core(one) for one in entities if one != entity and not one.endswith("_history")]
            written += _tell_anew(conn, entity, sql.Identifier(reference), belonging, tell)
    return written


def _tell_anew(
    conn: Connection, entity: str, reference: sql.Identifier, belonging: Sequence[sql.Identifier], tell: Tell
) -> int:
    written = 0
    others = [sql.SQL(_BELONGING).format(reference=reference, table=table) for table in belonging]
    run(
        conn, _TOLD_BY, shared=core(entity), others=sql.SQL(" UNION ALL ").join(others),
        place=_place(), place_of_shared=_place("shared"), place_of_other=_place("r"),
    )  # fmt: skip
    asked = [Row(*place) for place in run(conn, "SELECT {place} FROM told_by", place=_place()).fetchall()]
    if asked:
        told = tell(entity, asked)
        names = [sql.Identifier(name) for name in told.column_names]
        empty = "CREATE TEMP TABLE told ON COMMIT DROP AS SELECT {columns} FROM {shared} WHERE false"
        run(conn, empty, columns=sql.SQL(", ").join(names), shared=core(entity))
        copy_in(driver(conn), sql.Identifier("told"), told.column_names, told.to_batches())
        columns = sql.SQL(", ").join(sql.SQL("{0} = told.{0}").format(name) for name in names)
        written = run(conn, _WRITE, shared=core(entity), columns=columns).rowcount
        run(conn, "DROP TABLE told")
    run(conn, "DROP TABLE told_by")
    return written


def _place(alias: str | None = None) -> sql.Composable:
    names = [sql.Identifier(alias, name) if alias else sql.Identifier(name) for name in _PLACE]
    return sql.SQL(", ").join(names)
