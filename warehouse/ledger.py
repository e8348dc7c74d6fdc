"""The ledger of deliveries: what came, how far it got, what was counted and found on the way.

`audit.delivery` holds a delivery's present state, `audit.delivery_event` all it went through. A state never goes back:
a delivery that is run again keeps the furthest it reached, except that a refused one may be mended and move on.
Counts, rule ids and names only. What a state means for rows is the business of `publish`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa
from psycopg.rows import class_row, dict_row
from psycopg.types.json import Jsonb
from sqlalchemy import Connection, Engine

from codebook.errors import HomewardError
from sources.batches import ISSUES
from warehouse import staging
from warehouse.engine import driver, run, template, transaction

WAY = ("received", "pseudonymized", "harmonized", "validated", "published")
FINAL = ("published", "refused", "superseded", "withdrawn")
RETURNED = "returned"
"""Event: the marked return lies in the outbox."""
FINDINGS_AT_ONCE = 20_000
NO_CONSENT = ("gate.no_consent", "gate.no_guardian_consent")
_REFUSED_BEFORE = """
    DELETE FROM audit.finding
    WHERE source_id = %(source)s AND delivery_id = %(delivery)s AND source_table IS NULL AND rule LIKE 'delivery.%%'"""
_ABOUT_COLUMNS = """
    INSERT INTO audit.finding (source_id, delivery_id, source_column, rule, severity)
    SELECT %(source)s, %(delivery)s, unnest(%(columns)s::text[]), %(rule)s, 'error'"""
WHOLE = "*"
"""Name under which a stage's counts of the whole delivery stand."""


@dataclass(frozen=True)
class Entry:
    """One delivery as the ledger knows it. Counts are of the supplier's rows; None where they are not known yet."""

    source_id: str
    delivery_id: str
    country: str
    sha256: str
    files: tuple[tuple[str, int], ...]
    size: int
    state: str
    refused_rule: str | None
    refused_reason: str | None
    received_at: datetime
    changed_at: datetime
    published_at: datetime | None
    codebook_version: str | None
    crosswalk_version: str | None
    header_fingerprint: str | None
    form_version: str | None
    run_id: str | None
    rows_in: int | None
    accepted: int | None
    rejected: int | None

    def __post_init__(self) -> None:
        object.__setattr__(self, "files", tuple((sha256, size) for sha256, size in self.files))


@dataclass(frozen=True)
class Count:
    """Rows of one stage, for the whole delivery, one of the supplier's tables, or one entity."""

    stage: str
    kind: str
    name: str
    rows_in: int
    rows_out: int
    rejected: int
    merged: int
    inserted: int | None
    superseded: int | None
    unchanged: int | None
    outdated: int | None
    withdrawn: int | None


def known(engine: Engine, source: str, sha256: str) -> str | None:
    """Delivery id under which these very bytes came from this source before, or None."""
    with transaction(engine, "ledger") as conn:
        row = run(
            conn,
            "SELECT delivery_id FROM audit.delivery WHERE source_id = %(source)s AND sha256 = %(sha256)s",
            {"source": source, "sha256": sha256},
        ).fetchone()
    return None if row is None else str(row[0])


def register(
    engine: Engine, *, source: str, delivery: str, country: str, sha256: str, files: Sequence[tuple[str, int]]
) -> str:
    """Enter a delivery (`files`: sha256 and size of each) as received; returns its id.

    The same bytes again only get an event `already_received`, under the id they have.
    """
    values: dict[str, Any] = {"source": source, "delivery": delivery, "country": country, "sha256": sha256}
    values |= {"files": Jsonb([list(file) for file in files]), "size": sum(size for _, size in files)}
    with transaction(engine, f"ledger, {source}") as conn:
        entered = run(conn, template("register"), values).fetchone()
        if entered is not None:
            _event(conn, source, delivery, "received")
            return delivery
    earlier = known(engine, source, sha256)
    if earlier is None:
        raise HomewardError("two deliveries of one day begin with the same checksum", f"{source}, {delivery}")
    note(engine, source, earlier, "already_received")
    return earlier


def note(engine: Engine, source: str, delivery: str, event: str, run_id: str | None = None) -> None:
    """Write down an event that changes no state, such as `already_received`."""
    with transaction(engine, f"ledger, {source}") as conn:
        _event(conn, source, delivery, event, run_id=run_id)


def needs(engine: Engine, sha256: str) -> bool:
    """Whether a delivery is made of a sealed file."""
    with transaction(engine, "ledger") as conn:
        ask = "SELECT EXISTS (SELECT FROM audit.delivery WHERE files @> %(one)s)"
        row = run(conn, ask, {"one": Jsonb([[sha256]])}).fetchone()
    return bool(row and row[0])


def sealed_files(engine: Engine) -> set[str]:
    """Checksums of all sealed files that deliveries are made of."""
    with transaction(engine, "ledger") as conn:
        ask = "SELECT DISTINCT file ->> 0 FROM audit.delivery CROSS JOIN jsonb_array_elements(files) AS file"
        return {sha256 for (sha256,) in run(conn, ask).fetchall()}


def replace_files(engine: Engine, source: str, delivery: str, files: Sequence[tuple[str, int]], event: str) -> None:
    """From now on the delivery is made of other sealed files; it keeps the checksum that it was received under."""
    values = {"source": source, "delivery": delivery, "files": Jsonb([list(file) for file in files])}
    with transaction(engine, f"ledger, {source}") as conn:
        run(
            conn,
            "UPDATE audit.delivery SET files = %(files)s WHERE source_id = %(source)s AND delivery_id = %(delivery)s",
            values,
        )
        _event(conn, source, delivery, event)


def describe(engine: Engine, source: str, delivery: str, **facts: str | None) -> None:
    """Fill in facts: codebook_version, crosswalk_version, header_fingerprint, form_version, run_id."""
    allowed = {"codebook_version", "crosswalk_version", "header_fingerprint", "form_version", "run_id"}
    if unknown := set(facts) - allowed:
        raise TypeError(f"the ledger has no place for {sorted(unknown)}")
    with transaction(engine, f"ledger, {source}") as conn:
        values = dict.fromkeys(allowed) | facts
        run(conn, template("describe"), {"source": source, "delivery": delivery} | values)


def set_versions(conn: Connection, source: str, delivery: str, codebook_version: str, crosswalk_version: str) -> None:
    """The versions that the published rows carry, inside the caller's transaction."""
    versions = {"codebook_version": codebook_version, "crosswalk_version": crosswalk_version}
    facts = dict.fromkeys(("header_fingerprint", "form_version", "run_id"))
    run(conn, template("describe"), {"source": source, "delivery": delivery} | facts | versions)


def passed(
    engine: Engine,
    source: str,
    delivery: str,
    state: str,
    counts: Mapping[str, int] | None = None,
    run_id: str | None = None,
) -> None:
    """A stage is done: move to `state` unless the delivery is further already, and keep what was counted.

    `counts`: `rows_in`, `rows_out` (or `accepted`) and `rejected` (or `held_back`) are of the whole delivery; what else
    a stage counted is not kept here.
    """
    with transaction(engine, f"ledger, {source} {delivery}") as conn:
        set_state(conn, source, delivery, state, run_id=run_id)
        own = counts or {}
        if "rows_in" in own:
            rejected = own.get("rejected", 0) + own.get("held_back", 0)
            rows_out = own.get("rows_out", own.get("accepted", own["rows_in"]))
            count(conn, source, delivery, state, "delivery", WHOLE, own["rows_in"], rows_out, rejected)


def refuse(engine: Engine, source: str, delivery: str, *, rule: str, reason: str, columns: Sequence[str] = ()) -> None:
    """The delivery as a whole cannot be taken: all its rows count as rejected, what was found in them is kept, and so
    are the declared `columns` that it is about.

    A delivery that is published stays so: its refusal, when it is run again, is only an event.
    """
    with transaction(engine, f"ledger, {source} {delivery}") as conn:
        if not set_state(conn, source, delivery, "refused", rule=rule, reason=reason):
            return
        tables = staging.names(source, delivery)
        if staging.exists(conn, tables, tables.finding):
            file_findings(conn, source, delivery)
        found = {"source": source, "delivery": delivery, "rule": rule, "columns": list(columns)}
        run(conn, _REFUSED_BEFORE, found)
        run(conn, _ABOUT_COLUMNS, found)
        if staging.exists(conn, tables, tables.row):
            staged = "SELECT source_table, count(*) FROM {row} GROUP BY source_table"
            for table, rows in run(conn, staged, row=tables.sql(tables.row)).fetchall():
                count(conn, source, delivery, "refused", "table", table, rows, 0, rows)
        staging.drop(conn, source, delivery)


def refusal(engine: Engine, source: str, delivery: str) -> str | None:
    """Why the delivery stands refused, or None."""
    (entry,) = deliveries(engine, source, delivery) or (None,)
    return entry.refused_reason if entry is not None and entry.state == "refused" else None


def set_state(
    conn: Connection,
    source: str,
    delivery: str,
    state: str,
    rule: str | None = None,
    reason: str | None = None,
    run_id: str | None = None,
) -> bool:
    """Move a delivery on, inside the caller's transaction; a move back is only an event. Whether it moved."""
    values = {"source": source, "delivery": delivery, "state": state, "rule": rule, "reason": reason, "run_id": run_id}
    moved = run(conn, template("set_state"), {**values, "way": list(WAY)}).fetchone()
    if moved is None:
        raise HomewardError("no such delivery", f"{source}, {delivery}", "`homeward status` lists the deliveries")
    _event(conn, source, delivery, state if moved[0] else f"{state}_again", rule, run_id)
    return bool(moved[0])


def file_findings(conn: Connection, source: str, delivery: str) -> None:
    """Keep the staged findings of a delivery, in place of those of an earlier run."""
    tables, which = staging.names(source, delivery), {"source": source, "delivery": delivery}
    run(conn, "DELETE FROM audit.finding WHERE source_id = %(source)s AND delivery_id = %(delivery)s", which)
    run(conn, template("file_findings"), which, finding=tables.sql(tables.finding))


def count(
    conn: Connection, source: str, delivery: str, stage: str, kind: str, name: str,
    rows_in: int, rows_out: int, rejected: int, **more: int,
) -> None:  # fmt: skip
    """Write down (again) what a stage counted. `more`: merged, inserted, superseded, unchanged, outdated, withdrawn."""
    values: dict[str, Any] = dict.fromkeys(("inserted", "superseded", "unchanged", "outdated", "withdrawn")) | {
        "merged": 0
    }
    values |= {"source": source, "delivery": delivery, "stage": stage, "kind": kind, "name": name}
    values |= {"rows_in": rows_in, "rows_out": rows_out, "rejected": rejected, **more}
    run(conn, template("count"), values)


def delivery(engine: Engine, source: str, delivery: str) -> Entry | None:
    """One delivery, or None."""
    found = deliveries(engine, source, delivery)
    return found[0] if found else None


def deliveries(
    engine: Engine,
    source: str | None = None,
    delivery: str | None = None,
    last: int | None = None,
    unfinished: bool = False,
) -> list[Entry]:
    """Deliveries, latest first: of one source or of all, `last` of them; `unfinished`: those still on their way."""
    values = {"source": source, "delivery": delivery, "last": last, "unfinished": unfinished}
    with transaction(engine, "ledger") as conn, driver(conn).cursor(row_factory=class_row(Entry)) as cursor:
        return cursor.execute(template("deliveries").encode(), values).fetchall()


def without_consent(engine: Engine, source: str | None = None) -> dict[tuple[str, str], int]:
    """By source and delivery, how many of the supplier's rows were held back for want of consent; no entry: none."""
    with transaction(engine, "ledger") as conn:
        rows = run(
            conn,
            "SELECT source_id, delivery_id, count(DISTINCT (source_table, source_row)) FROM audit.finding"
            " WHERE rule = ANY (%(rules)s) AND (%(source)s::text IS NULL OR source_id = %(source)s) GROUP BY 1, 2",
            {"rules": list(NO_CONSENT), "source": source},
        ).fetchall()
    return {(str(source_id), str(delivery_id)): int(count) for source_id, delivery_id, count in rows}


def unfinished(engine: Engine, source: str | None = None) -> list[Entry]:
    """Deliveries that stopped on their way, in the order in which they came."""
    return deliveries(engine, source, unfinished=True)[::-1]


def unreturned(engine: Engine, source: str) -> list[str]:
    """Ids of deliveries that are through and whose return was not written since: a crash came in between."""
    with transaction(engine, "ledger") as conn:
        rows = run(conn, template("unreturned"), {"source": source, "returned": RETURNED}).fetchall()
    return [str(delivery) for (delivery,) in rows]


def counts(engine: Engine, source: str, delivery: str) -> list[Count]:
    """What every stage counted."""
    with transaction(engine, "ledger") as conn, driver(conn).cursor(row_factory=class_row(Count)) as cursor:
        return cursor.execute(
            "SELECT stage, kind, name, rows_in, rows_out, rejected, merged,"
            " inserted, superseded, unchanged, outdated, withdrawn FROM audit.stage_count"
            " WHERE source_id = %s AND delivery_id = %s ORDER BY array_position(%s::text[], stage), kind, name",
            [source, delivery, list(WAY)],
        ).fetchall()


def mismatches(engine: Engine, source: str | None = None, delivery: str | None = None) -> list[str]:
    """Where counts do not add up, one line each. Empty, or law 2 is broken."""
    with transaction(engine, "ledger") as conn:
        rows = run(
            conn,
            "SELECT source_id, delivery_id, stage, kind, name, problem FROM audit.count_mismatch"
            " WHERE (%(source)s::text IS NULL OR source_id = %(source)s)"
            " AND (%(delivery)s::text IS NULL OR delivery_id = %(delivery)s) ORDER BY 1, 2, 3, 4, 5",
            {"source": source, "delivery": delivery},
        )
        return [f"{s} {d}, {stage}, {kind} {name}: {problem}" for s, d, stage, kind, name, problem in rows]


def findings(engine: Engine, source: str, delivery: str) -> pa.Table:
    """Findings of a published delivery, schema `sources.batches.ISSUES`, by table, row and rule."""
    statement = (
        "SELECT source_table, source_row, source_column, variable, rule, severity FROM audit.finding"
        " WHERE source_id = %s AND delivery_id = %s ORDER BY 1, 2 NULLS FIRST, 5, 3"
    )
    pages = [ISSUES.empty_table()]
    # By pages: there can be a million, and as objects of Python they take ten times the memory.
    with transaction(engine, "ledger") as conn, driver(conn).cursor(name="findings") as cursor:
        cursor.execute(statement, (source, delivery))
        while page := cursor.fetchmany(FINDINGS_AT_ONCE):
            columns = zip(zip(*page, strict=True), ISSUES, strict=True)
            pages.append(pa.Table.from_arrays([pa.array(c, field.type) for c, field in columns], schema=ISSUES))
    return pa.concat_tables(pages)


def events(engine: Engine, source: str, delivery: str) -> list[dict[str, Any]]:
    """All that happened to a delivery, in order: event, rule, run_id, at."""
    with transaction(engine, "ledger") as conn, driver(conn).cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            "SELECT event, rule, run_id, at FROM audit.delivery_event"
            " WHERE source_id = %s AND delivery_id = %s ORDER BY event_id",
            [source, delivery],
        ).fetchall()


def _event(
    conn: Connection, source: str, delivery: str, event: str, rule: str | None = None, run_id: str | None = None
) -> None:
    run(
        conn,
        "INSERT INTO audit.delivery_event (source_id, delivery_id, event, rule, run_id)"
        " VALUES (%(source)s, %(delivery)s, %(event)s, %(rule)s, %(run_id)s)",
        {"source": source, "delivery": delivery, "event": event, "rule": rule, "run_id": run_id},
    )
