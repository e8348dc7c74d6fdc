"""Publishing: one delivery's staged rows become what is current, in one transaction.

The verdict is read again here. Rows of rejected supplier rows never enter; rows that share a record (persons and
households) are merged, the last row wins; new rows go in, changed ones move the old version to history, rows missing
from a snapshot are withdrawn, and those without consent in any delivery, whose history goes too (`consent`); all others
are not touched and keep the delivery that first brought them.

Decided here: a record that was published before and whose row is rejected now stays as it was, in a snapshot too: a
defect in a file does not make a person go. A row that the gate holds back (no consent) has no staged key, so its
earlier version is withdrawn. A snapshot that is older than the one published is superseded before it begins; a late
increment does not touch records that came again later.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from psycopg import sql
from sqlalchemy import Connection, Engine

from codebook.errors import HomewardError, Refused
from codebook.loader import Codebook
from warehouse import consent, ledger, staging
from warehouse.engine import driver, run, template, transaction
from warehouse.schema import PUBLISHED, columns_of, core, definitions

Mode = Literal["snapshot", "increment"]


@dataclass(frozen=True)
class Publication:
    """What is to be published, and the versions that every row of it will carry."""

    source: str
    delivery: str
    country: str
    mode: Mode
    codebook_version: str
    crosswalk_version: str

    def values(self) -> dict[str, Any]:
        return {
            "source_id": self.source,
            "country": self.country,
            "delivery_id": self.delivery,
            "codebook_version": self.codebook_version,
            "crosswalk_version": self.crosswalk_version,
        }


@dataclass
class Published:
    """What a publication did, by entity and by the supplier's table. `again`: it was published before, nothing done."""

    entities: dict[str, dict[str, int]] = field(default_factory=dict)
    tables: dict[str, dict[str, int]] = field(default_factory=dict)
    again: bool = False

    @property
    def rejected(self) -> int:
        return sum(table["rejected"] for table in self.tables.values())

    @property
    def accepted(self) -> int:
        return sum(table["rows_out"] for table in self.tables.values())


def publish(
    engine: Engine, what: Publication, entities: Sequence[str], codebook: Codebook, run_id: str | None = None
) -> Published:
    """Publish a delivery that was staged and judged. `entities`: all that the source makes, staged or not.

    Running it again does nothing; killed at any point it leaves everything as it was. Raises HomewardError if the
    delivery was not judged, Refused if it stands refused.
    """
    where = f"publishing {what.source} {what.delivery}"
    with transaction(engine, where) as conn:
        run(
            conn,
            "SELECT pg_advisory_xact_lock(hashtextextended(%(key)s, 0))",
            {"key": f"homeward:publish:{what.source}"},
        )
        standing = _standing(conn, what)
        if standing.done:
            staging.drop(conn, what.source, what.delivery)
            return _recorded(engine, what)
        tables = staging.names(what.source, what.delivery)
        if not staging.exists(conn, tables, tables.verdict):
            raise HomewardError("the delivery was not validated", f"{what.source}, {what.delivery}", "run it again")
        _read_verdict(conn, tables)
        published = Published()
        ledger.file_findings(conn, what.source, what.delivery)
        for entity in entities:
            if not staging.exists(conn, tables, tables.entity(entity)):
                staging.load(conn, tables, entity, [], codebook)
            published.entities[entity] = _publish_entity(conn, what, tables, entity, codebook, standing.superseded)
        if what.mode == "increment" and not standing.superseded and "person" in entities:
            published.entities["person"]["withdrawn"] += _withdraw_persons(conn, what, entities)
        if not standing.superseded:
            _forget_withdrawn(conn, what, tables, entities)
        published.tables = _count_tables(conn, what, tables)
        for entity, counted in published.entities.items():
            ledger.count(conn, what.source, what.delivery, "published", "entity", entity, **counted)
        ledger.set_versions(conn, what.source, what.delivery, what.codebook_version, what.crosswalk_version)
        state = "superseded" if standing.superseded else "published"
        ledger.set_state(conn, what.source, what.delivery, state, run_id=run_id)
        staging.drop(conn, what.source, what.delivery)
    return published


@dataclass(frozen=True)
class Standing:
    done: bool
    superseded: bool


def _standing(conn: Connection, what: Publication) -> Standing:
    row = run(conn, template("standing"), {"source": what.source, "delivery": what.delivery}).fetchone()
    if row is None:
        raise HomewardError("no such delivery", f"{what.source}, {what.delivery}", "`homeward status` lists them")
    state, rule, reason, codebook_version, crosswalk_version, later = row
    if state == "refused":
        raise Refused(rule, "the delivery was refused", f"{what.source}, {what.delivery}", reason)
    same = (codebook_version, crosswalk_version) == (what.codebook_version, what.crosswalk_version)
    return Standing(state in ("published", "superseded") and same, what.mode == "snapshot" and later)


def _read_verdict(conn: Connection, tables: staging.Names) -> None:
    """Temporary table `rejected`: the rows that do not enter."""
    run(conn, template("rejected"), verdict=tables.sql(tables.verdict), finding=tables.sql(tables.finding))
    run(conn, "ANALYZE rejected")


def _publish_entity(
    conn: Connection, what: Publication, tables: staging.Names, entity: str, codebook: Codebook, superseded: bool
) -> dict[str, int]:
    staged = tables.sql(tables.entity(entity))
    rows_in = _count(conn, staged)
    first = not _has_partition(conn, what.source, entity)
    if not first:
        run(conn, "DROP TABLE IF EXISTS kept")
        run(conn, template("kept"), staged=staged, row=tables.sql(tables.row))
    rejected = run(conn, template("take_out_rejected"), staged=staged).rowcount
    merged = 0 if staging.index(conn, tables, entity) else _merge(conn, what, tables, entity, codebook)
    rows_out = rows_in - rejected - merged
    counted = {"rows_in": rows_in, "rejected": rejected, "merged": merged, "rows_out": rows_out}
    nothing = dict.fromkeys(("inserted", "superseded", "unchanged", "outdated", "withdrawn"), 0)
    if superseded:
        return counted | nothing | {"outdated": rows_out}
    if first:
        _attach(conn, what, tables, entity)
        return counted | nothing | {"inserted": rows_out}
    changes = _exchange(conn, what, tables, entity, codebook)
    unchanged = rows_out - changes["inserted"] - changes["superseded"] - changes["outdated"]
    return counted | changes | {"unchanged": unchanged}


def _count(conn: Connection, table: sql.Identifier) -> int:
    row = run(conn, "SELECT count(*) FROM {table}", table=table).fetchone()
    return 0 if row is None else int(row[0])


def _merge(conn: Connection, what: Publication, tables: staging.Names, entity: str, codebook: Codebook) -> int:
    """Fold rows of one record into its last row; a folded row that said something else gets a query."""
    staged = tables.sql(tables.entity(entity))
    variables = [column.name for column in codebook.columns(entity) if column.variable is not None]
    run(conn, template("folded"), staged=staged)
    run(
        conn, template("conflicts"), {"source": what.source, "delivery": what.delivery, "entity": entity},
        staged=staged, mine=_row("mine", variables), last=_row("last", variables),
    )  # fmt: skip
    merged = run(conn, "DELETE FROM {staged} WHERE ctid IN (SELECT place FROM folded)", staged=staged).rowcount
    run(conn, "DROP TABLE folded")
    staging.index(conn, tables, entity)
    return merged


def _row(alias: str, columns: Sequence[str]) -> sql.Composable:
    return sql.SQL("ROW({})").format(sql.SQL(", ").join(sql.Identifier(alias, column) for column in columns))


def partition(source: str, entity: str) -> str:
    """<entity>__<source>, a table of core; a name too long for PostgreSQL ends in a checksum."""
    name = f"{entity}__{source.replace('/', '_')}"
    return name if len(name) <= 63 else f"{name[:54]}_{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _has_partition(conn: Connection, source: str, entity: str) -> bool:
    name = core(partition(source, entity)).as_string(driver(conn))
    row = run(conn, "SELECT to_regclass(%(name)s)", {"name": name}).fetchone()
    return row is not None and row[0] is not None


def _attach(conn: Connection, what: Publication, tables: staging.Names, entity: str) -> None:
    """The first delivery of a source: the staged table itself becomes the partition.

    Columns that are the same in every row are added with a default, which PostgreSQL keeps once and not per row.
    """
    staged, part = tables.sql(tables.entity(entity)), core(partition(what.source, entity))
    values = what.values()
    present = columns_of(conn, staged)
    missing = {name: kind for name, kind in columns_of(conn, core(entity)).items() if name not in present}
    published = {column.name for column in PUBLISHED}
    for name, kind in missing.items():
        if name not in published:  # a variable that a later codebook no longer has
            run(conn, "ALTER TABLE {staged} ADD COLUMN {name} {kind}", staged=staged, name=sql.Identifier(name),
                kind=sql.SQL(kind))  # fmt: skip
    moment = run(conn, "SELECT now()").fetchone()
    constants = values | {"valid_from": moment[0] if moment else None}
    added = sql.SQL(", ").join(
        sql.SQL("ADD COLUMN {}").format(
            definitions([column]) + sql.SQL(" DEFAULT ") + sql.Literal(constants[column.name])
        )
        for column in PUBLISHED
    )
    dropped = sql.SQL(", ").join(
        sql.SQL("ALTER COLUMN {} DROP DEFAULT").format(sql.Identifier(c.name)) for c in PUBLISHED
    )
    run(conn, "ALTER TABLE {staged} {added}", staged=staged, added=added)
    run(conn, "ALTER TABLE {staged} {dropped}", staged=staged, dropped=dropped)
    run(conn, "ALTER TABLE {staged} SET SCHEMA core", staged=staged)
    run(
        conn,
        "ALTER TABLE {moved} RENAME TO {name}",
        moved=core(tables.entity(entity)),
        name=sql.Identifier(partition(what.source, entity)),
    )
    run(conn, "ALTER TABLE {core} ATTACH PARTITION {part} FOR VALUES IN ({source})",
        core=core(entity), part=part, source=sql.Literal(what.source))  # fmt: skip


def _exchange(
    conn: Connection, what: Publication, tables: staging.Names, entity: str, codebook: Codebook
) -> dict[str, int]:
    """A later delivery: find what differs, move old versions to history, put the new ones in."""
    staged = tables.sql(tables.entity(entity))
    own = [column.name for column in codebook.columns(entity)]
    compared = [name for name in own if name not in ("record_key", "source_table", "source_row")]
    part = core(partition(what.source, entity))
    run(conn, "ANALYZE {staged} (record_key)", staged=staged)
    run(conn, template("for_comparing"))
    run(
        conn, template("difference"), {"snapshot": what.mode == "snapshot"}, staged=staged, part=part,
        row=sql.SQL("ROW({})").format(sql.SQL(", ").join(map(sql.Identifier, compared))),
    )  # fmt: skip
    run(conn, template("keep_rejected"))
    which = {"source": what.source, "delivery": what.delivery, "entity": entity}
    run(conn, template("outdated"), which)
    run(conn, template("withdrawn_later"), which)
    run(
        conn, template("without_consent"), which,
        part=part, staged=staged, withdrawn=tables.sql(tables.withdrawn),
    )  # fmt: skip
    counted = dict(run(conn, "SELECT kind, count(*) FROM difference GROUP BY kind").fetchall())
    run(conn, "ANALYZE difference")
    _close(conn, what, entity)
    run(
        conn, template("open"), what.values(), part=part, staged=staged,
        columns=sql.SQL(", ").join(map(sql.Identifier, own)),
    )  # fmt: skip
    run(conn, "DROP TABLE difference")
    return {
        "inserted": counted.get("new", 0),
        "superseded": counted.get("changed", 0),
        "outdated": counted.get("outdated", 0),
        "withdrawn": counted.get("withdrawn", 0),
    }


def _close(conn: Connection, what: Publication, entity: str) -> None:
    """Move the records that `difference` changes or withdraws into history."""
    names = sql.SQL(", ").join(map(sql.Identifier, columns_of(conn, core(entity))))
    part = core(partition(what.source, entity))
    run(conn, template("close"), part=part, history=core(entity, "_history"), columns=names)


def _withdraw_persons(conn: Connection, what: Publication, entities: Sequence[str]) -> int:
    """An increment says nothing of persons who are not in it; those who withdrew their only record go with it."""
    others = [entity for entity in entities if entity != "person"]
    if not others or not _has_partition(conn, what.source, "person"):
        return 0
    mine = sql.SQL("SELECT person_token FROM {table} WHERE source_id = {source} AND person_token IS NOT NULL")
    present = [mine.format(table=core(entity), source=sql.Literal(what.source)) for entity in others]
    closed = sql.SQL(" AND valid_to = now() AND closed_reason = 'withdrawn'")
    gone = [mine.format(table=core(e, "_history"), source=sql.Literal(what.source)) + closed for e in others]
    either = sql.SQL(" UNION ALL ")
    run(
        conn, template("persons_without_records"),
        part=core(partition(what.source, "person")), gone=either.join(gone), present=either.join(present),
    )  # fmt: skip
    _close(conn, what, "person")
    withdrawn = _count(conn, sql.Identifier("difference"))
    run(conn, "DROP TABLE difference")
    return withdrawn


def _forget_withdrawn(conn: Connection, what: Publication, tables: staging.Names, entities: Sequence[str]) -> None:
    """What a row without consent had allowed before goes from history too."""
    withdrawn = tables.sql(tables.withdrawn)
    if _count(conn, withdrawn):
        parts = {entity: partition(what.source, entity) for entity in entities}
        consent.forget(conn, what.source, what.delivery, withdrawn, parts)


def _count_tables(conn: Connection, what: Publication, tables: staging.Names) -> dict[str, dict[str, int]]:
    """Rows delivered, accepted and rejected of each of the supplier's tables."""
    counted = {}
    for table, rows_in, rejected in run(conn, template("count_tables"), row=tables.sql(tables.row)).fetchall():
        counts = {"rows_in": rows_in, "rows_out": rows_in - rejected, "rejected": rejected}
        ledger.count(conn, what.source, what.delivery, "published", "table", table, **counts)
        counted[table] = counts
    return counted


def _recorded(engine: Engine, what: Publication) -> Published:
    published = Published(again=True)
    for count in ledger.counts(engine, what.source, what.delivery):
        if count.stage == "published" and count.kind != "delivery":
            known = {"rows_in": count.rows_in, "rows_out": count.rows_out, "rejected": count.rejected}
            (published.tables if count.kind == "table" else published.entities)[count.name] = known
    return published
