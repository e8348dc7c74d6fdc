"""The warehouse's schema, made from the codebook: migrate() may run at every start, in several processes at once.

`core.<entity>` is partitioned by source and holds what is current, `core.<entity>_history` what was,
`core.<entity>_as_of(time)` both as they stood then, and `marts.<entity>` shows names where core holds codes and ids of
the extract where it holds keys (`core.<entity>_named` shows all of it, for scores and indicators). Who may read what is
the business of `access`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from psycopg import sql
from sqlalchemy import Connection, Engine

from codebook.errors import HomewardError
from codebook.loader import Codebook
from codebook.models import Code, Column
from warehouse import access, veil
from warehouse.engine import driver, run, template, transaction

PUBLISHED = (
    Column("source_id", None, "text", nullable=False),
    Column("country", None, "text", nullable=False),
    Column("delivery_id", None, "text", nullable=False),
    Column("codebook_version", None, "text", nullable=False),
    Column("crosswalk_version", None, "text", nullable=False),
    Column("valid_from", None, "timestamp with time zone", nullable=False),
)
"""What the warehouse adds to every row when it publishes."""

CLOSED = (
    Column("valid_to", None, "timestamp with time zone", nullable=False),
    Column("closed_reason", None, "text", nullable=False),
)
SHORT_LIST = 40
"""Up to this length a code list becomes a CASE in the labelled view; longer ones are joined."""
CURRENT = sql.SQL("coalesce(same.current_token, t.person_token)")
"""The token that the person of a row of alias `t` counts as."""


def core(entity: str, suffix: str = "") -> sql.Identifier:
    return sql.Identifier("core", entity + suffix)


def migrate(engine: Engine, codebook: Codebook, countries: Iterable[str] = ()) -> None:
    """Bring the warehouse to this codebook: new entities, new variables, code lists, views, roles. Repeatable.

    `countries` (ISO 3166 alpha-3) get an officer's role each. A variable that changed its type is an error: that is
    a new variable.
    """
    countries = sorted(set(countries))
    wanted = _fingerprint(codebook, countries)
    with transaction(engine, "migration of the warehouse") as conn:
        if _migrated(conn) == wanted:
            return  # a migration locks tables that a running publication needs
        run(conn, "SELECT pg_advisory_xact_lock(hashtextextended('homeward:migrate', 0))")
        if _migrated(conn) == wanted:
            return
        access.make_roles(conn, countries)
        run(conn, "SET LOCAL ROLE homeward_loader")
        run(conn, template("schema"))
        run(conn, template("readers"))
        for entity in codebook.entities:
            _entity(conn, codebook, entity)
        _reference(conn, codebook)
        for entity in codebook.entities:
            _labelled(conn, codebook, entity)
        ids = {name: veil.of_extract(sql.Identifier("t", name)) for name in ("record_key", "person_token")}
        run(conn, template("score_view"), **ids)
        access.grant(conn, [f"{entity}{part}" for entity in codebook.entities for part in ("", "_history")])
        run(conn, "DELETE FROM audit.migration")
        run(conn, "INSERT INTO audit.migration (fingerprint) VALUES (%(wanted)s)", {"wanted": wanted})


def _fingerprint(codebook: Codebook, countries: list[str]) -> str:
    """Of all that a migration is made from: this room's files, the codebook's files, the countries."""
    room = [path for path in sorted(Path(__file__).parent.rglob("*")) if path.suffix in (".py", ".sql")]
    definitions = [path for path in sorted(codebook.root.rglob("*")) if path.suffix in (".py", ".csv", ".yaml")]
    digest = hashlib.sha256(",".join(countries).encode())
    for path in (*room, *definitions):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _migrated(conn: Connection) -> str | None:
    there = run(conn, "SELECT to_regclass('audit.migration')").fetchone()
    if there is None or there[0] is None:
        return None
    row = run(conn, "SELECT fingerprint FROM audit.migration").fetchone()
    return None if row is None else str(row[0])


def _entity(conn: Connection, codebook: Codebook, entity: str) -> None:
    """Current rows, their history, and the two as they stood at any time."""
    columns = [*codebook.columns(entity), *PUBLISHED]
    make = "CREATE TABLE IF NOT EXISTS {table} ({columns})"
    run(conn, make + " PARTITION BY LIST (source_id)", table=core(entity), columns=definitions(columns))
    run(conn, make, table=core(entity, "_history"), columns=definitions([*columns, *CLOSED]))
    index = sql.Identifier(f"{entity}_history_record")
    run(
        conn,
        "CREATE INDEX IF NOT EXISTS {index} ON {table} (record_key, valid_from)",
        index=index,
        table=core(entity, "_history"),
    )
    for table in (entity, f"{entity}_history"):
        _add_missing(conn, table, columns)
    names = sql.SQL(", ").join(sql.Identifier(name) for name in columns_of(conn, core(entity)))
    run(
        conn, template("as_of"), function=core(entity, "_as_of"), core=core(entity),
        history=core(entity, "_history"), columns=names,
    )  # fmt: skip
    run(
        conn, "COMMENT ON TABLE {table} IS {text}", table=core(entity),
        text=sql.Literal(codebook.entities[entity].description.strip()),
    )  # fmt: skip


def definitions(columns: Iterable[Column]) -> sql.Composable:
    return sql.SQL(", ").join(
        sql.SQL("{} {}{}").format(
            sql.Identifier(column.name),
            sql.SQL(column.pg_type),
            sql.SQL("" if column.nullable else " NOT NULL"),
        )
        for column in columns
    )


def columns_of(conn: Connection, table: sql.Identifier) -> dict[str, str]:
    """Columns of a table with their types, in physical order."""
    rows = run(
        conn,
        "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
        " WHERE attrelid = to_regclass(%(table)s) AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
        {"table": table.as_string(driver(conn))},
    )
    return dict(rows.fetchall())


def _add_missing(conn: Connection, table: str, columns: list[Column]) -> None:
    present = columns_of(conn, core(table))
    for column in columns:
        if column.name not in present:
            run(
                conn, "ALTER TABLE {table} ADD COLUMN {column} {type}", table=core(table),
                column=sql.Identifier(column.name), type=sql.SQL(column.pg_type),
            )  # fmt: skip
        elif present[column.name] != column.pg_type:
            raise HomewardError(
                f"variable {column.name} changed its type from {present[column.name]} to {column.pg_type}",
                f"core.{table}",
                "give the variable a new name in the codebook",
            )


def _reference(conn: Connection, codebook: Codebook) -> None:
    """Code lists, places and variables as tables; rewritten whole, for they are small."""
    codes = [
        (codelist.id, c.code, c.name, c.label_en, c.label_fr, c.label_es, c.label_ar, c.valid_from, c.valid_to,
         c.standard or None)
        for codelist in codebook.codelists.values()
        for c in (*codelist.codes, *codelist.states)
    ]  # fmt: skip
    variables = [
        (entity.name, v.name, v.type, v.codelist, v.unit, v.role, v.restricted, v.standard,
         v.label.en, v.label.fr, v.label.es, v.label.ar, v.description.strip())
        for entity in codebook.entities.values()
        for v in entity.variables
    ]  # fmt: skip
    places = [
        (path.stem.upper(), unit.pcode, unit.level, unit.parent, unit.name, unit.valid_from, unit.valid_to)
        for path in sorted((codebook.root / "places").glob("*.csv"))
        for unit in codebook.places(path.stem.upper())
    ]
    for name, rows in (("code", codes), ("variable", variables), ("place", places)):
        _rewrite(conn, name, rows)


def _rewrite(conn: Connection, name: str, rows: list[tuple[Any, ...]]) -> None:
    run(conn, "DELETE FROM {table}", table=core(name))
    with driver(conn).cursor() as cursor, cursor.copy(sql.SQL("COPY {} FROM STDIN").format(core(name))) as copy:
        for row in rows:
            copy.write_row(row)


def _labelled(conn: Connection, codebook: Codebook, entity: str) -> None:
    """`marts.<entity>` and `marts.<entity>_as_of(time)`: names for codes, and nothing restricted."""
    names, whole, shown, joins = [], [], [], []
    for column in (*codebook.columns(entity), *PUBLISHED):
        if column.variable is not None and column.variable.restricted:
            continue
        cell, join = _shown(codebook, column)
        names.append(sql.Identifier(column.name))
        whole.append(sql.SQL("{} AS {}").format(cell, names[-1]))
        seen = veil.veiled(codebook, codebook.entities[entity], column, cell)
        shown.append(sql.SQL("{} AS {}").format(seen, names[-1]))
        joins.append(join)
    joins.append(veil.births(codebook, codebook.entities[entity], CURRENT))
    run(
        conn, template("labelled"), view=sql.Identifier("marts", entity),
        function=sql.Identifier("marts", f"{entity}_as_of"), ever=sql.Identifier("marts", f"{entity}_ever"),
        named=core(entity, "_named"), core=core(entity), history=core(entity, "_history"),
        columns=sql.SQL(", ").join(names), shown=sql.SQL(", ").join(shown), joins=sql.SQL(" ").join(joins),
        whole=sql.SQL(", ").join(whole),
        label=sql.Literal(codebook.entities[entity].label.en),
    )  # fmt: skip


def _shown(codebook: Codebook, column: Column) -> tuple[sql.Composable, sql.Composable]:
    """Expression that an analyst reads for a column of alias `t`, and the join that it needs (mostly none)."""
    cell, variable, nothing = sql.Identifier("t", column.name), column.variable, sql.SQL("")
    if column.name == "person_token":
        # A person recognised under two tokens counts as one: rows keep theirs, readers see the current one.
        return CURRENT, sql.SQL("LEFT JOIN core.current_token AS same ON same.token = t.person_token")
    if variable is None:
        return cell, nothing
    if column.name != variable.name:
        return _case(codebook.states, cell), nothing
    if variable.codelist is None:
        return cell, nothing
    if variable.type == "codes":
        return sql.SQL("core.code_names({}, {})").format(sql.Literal(variable.codelist), cell), nothing
    codelist = codebook.codelists[variable.codelist]
    if len(codelist.codes) <= SHORT_LIST:
        return _case((*codelist.codes, *codelist.states), cell), nothing
    alias = f"{variable.name}_code"
    join = sql.SQL("LEFT JOIN core.code AS {alias} ON {listed} = {codelist} AND {code} = {cell}").format(
        alias=sql.Identifier(alias),
        listed=sql.Identifier(alias, "codelist"),
        codelist=sql.Literal(codelist.id),
        code=sql.Identifier(alias, "code"),
        cell=cell,
    )
    return sql.Identifier(alias, "name"), join


def _case(codes: Iterable[Code], cell: sql.Composable) -> sql.Composable:
    branches = (sql.SQL("WHEN {} THEN {}").format(sql.Literal(c.code), sql.Literal(c.name)) for c in codes)
    return sql.SQL("CASE {} {} END").format(cell, sql.SQL(" ").join(branches))
