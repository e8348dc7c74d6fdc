"""Consent that was withdrawn: what it once allowed leaves history as well, and no earlier delivery brings it back.

Publishing closes the records of rows without consent like others that are withdrawn; here, in the same transaction,
their closed versions go, with all that was read from the same rows of the supplier. Whose rows lack consent is told by
the gate, in the delivery's staging table `withdrawn`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

from psycopg import sql
from sqlalchemy import Connection, Engine

from warehouse.engine import run, template, transaction
from warehouse.erasure import tables_of_persons
from warehouse.schema import core

_MAKE = "CREATE TEMPORARY TABLE withdrawn_record (entity text, record_key uuid) ON COMMIT DROP"
# A record that another row makes, or a later delivery made again, has its consent.
_FIND = """
    INSERT INTO withdrawn_record
    SELECT DISTINCT w.entity, w.record_key FROM {withdrawn} AS w
    WHERE w.entity = %(entity)s AND NOT EXISTS (SELECT FROM {part} AS p WHERE p.record_key = w.record_key)"""
_MAKE_ROWS = """
    CREATE TEMPORARY TABLE withdrawn_row (
        delivery_id text, source_table text, source_row bigint, person_token uuid
    ) ON COMMIT DROP"""
_FIND_ROWS = """
    INSERT INTO withdrawn_row
    SELECT DISTINCT h.delivery_id, h.source_table, h.source_row, h.person_token
    FROM {history} AS h JOIN withdrawn_record AS w ON w.entity = %(entity)s AND w.record_key = h.record_key
    WHERE h.source_id = %(source)s"""
_FORGET = """
    DELETE FROM {history} AS h
    WHERE h.source_id = %(source)s AND (
        h.record_key IN (SELECT record_key FROM withdrawn_record WHERE entity = %(entity)s)
        OR (h.delivery_id, h.source_table, h.source_row) IN (
            SELECT delivery_id, source_table, source_row FROM withdrawn_row)
        OR %(entity)s = 'person' AND h.person_token IN (SELECT person_token FROM withdrawn_row)
            AND NOT EXISTS (SELECT FROM {part} AS p WHERE p.person_token = h.person_token))"""


_FORGET_PERSONS = """
    DELETE FROM {table} AS p USING (
        SELECT unnest(%(deliveries)s::text[]), unnest(%(tables)s::text[]), unnest(%(rows)s::bigint[])
    ) AS w (delivery_id, source_table, source_row)
    WHERE p.source_id = %(source)s AND p.delivery_id = w.delivery_id AND p.source_table = w.source_table
        AND p.source_row = w.source_row AND ({closed} OR p.person_token = ANY (%(alone)s))"""
_WITH_RECORDS = """
    SELECT DISTINCT person_token FROM {table}
    WHERE source_id = %(source)s AND person_token = ANY (%(tokens)s)"""


def with_records(engine: Engine, source: str, tokens: Collection[bytes]) -> set[bytes]:
    """Those of the persons of whom the source has a record in core or its history."""
    values = {"source": source, "tokens": [UUID(bytes=token) for token in tokens]}
    with transaction(engine, "consent") as conn:
        found = [
            run(conn, _WITH_RECORDS, values, table=sql.Identifier("core", table)).fetchall()
            for table in tables_of_persons(conn)
        ]
    return {token.bytes for rows in found for (token,) in rows}


def forget_persons(
    engine: Engine, source: str, rows: Mapping[str, Collection[tuple[str, int]]], alone: Collection[bytes]
) -> int:
    """Delete what rows without consent said of their persons; how many versions. Repeatable.

    `rows`: by delivery the supplier's tables and row numbers; `alone`: persons of whom the source has no other row,
    whose current version goes as well.
    """
    places = [(delivery, *row) for delivery, listed in rows.items() for row in listed]
    deliveries, tables, numbers = (list(one) for one in zip(*places, strict=True))
    values = {"source": source, "deliveries": deliveries, "tables": tables, "rows": numbers}
    values["alone"] = [UUID(bytes=token) for token in alone]
    with transaction(engine, "consent") as conn:
        return sum(
            run(conn, _FORGET_PERSONS, values, table=core("person", part), closed=sql.Literal(bool(part))).rowcount
            for part in ("", "_history")
        )


def forget(conn: Connection, source: str, delivery: str, withdrawn: sql.Identifier, parts: Mapping[str, str]) -> int:
    """Delete closed versions of what this delivery has no consent for; how many. `parts`: each entity's partition."""
    which = {"source": source, "delivery": delivery}
    run(conn, _MAKE)
    for entity, part in parts.items():
        run(conn, _FIND, {"entity": entity}, withdrawn=withdrawn, part=core(part))
    run(conn, template("remember_withdrawn"), which)
    run(conn, _MAKE_ROWS)
    for entity in parts:
        run(conn, _FIND_ROWS, which | {"entity": entity}, history=core(entity, "_history"))
    return sum(
        run(conn, _FORGET, which | {"entity": entity}, history=core(entity, "_history"), part=core(part)).rowcount
        for entity, part in parts.items()
    )
