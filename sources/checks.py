"""Is a source consistent: in itself, with its crosswalk, and with the codebook? The first fault is an error.

The laws kept here: nothing passes the gate that has no place in the crosswalk; what identifies a person, and free text,
is never mapped; every name in a crosswalk exists. How values are converted is harmonization's business.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from codebook.errors import BadDefinition
from sources.models import Declaration, Table
from sources.reading import LinedYaml, nearest


def check_declaration(declaration: Declaration, lined: LinedYaml, purposes: Collection[str]) -> None:
    """source.yaml in itself: purpose registered, names unique, every key, link, parent and consent column declared."""
    if declaration.purpose not in purposes:
        raise BadDefinition(
            f"purpose {declaration.purpose!r} is not registered",
            lined.where(["purpose"]),
            nearest(declaration.purpose, purposes),
        )
    tables = [table.name for table in declaration.tables]
    for index, table in enumerate(declaration.tables):
        path: list[str | int] = ["tables", index]
        if tables.index(table.name) != index:
            raise BadDefinition(f"table {table.name!r} is declared twice", lined.where([*path, "name"]), "rename one")
        if table.parent and table.parent.table not in tables:
            where = lined.where([*path, "parent", "table"])
            raise BadDefinition(
                f"unknown parent table {table.parent.table!r}", where, nearest(table.parent.table, tables)
            )
        _check_columns(table, path, lined)


def _check_columns(table: Table, path: list[str | int], lined: LinedYaml) -> None:
    names = [column.name for column in table.columns]
    for index, column in enumerate(table.columns):
        where = lined.where([*path, "columns", index])
        if names.index(column.name) != index:
            raise BadDefinition(f"column {column.name!r} is declared twice", where, "keep one")
        if column.class_ == "identifier" and column.kind is None:
            raise BadDefinition(
                f"identifier {column.name!r} without kind", where, "say kind: national_id, name, phone, ..."
            )
        if column.class_ != "identifier" and (column.kind or column.scheme or column.part) and column.keep is None:
            raise BadDefinition(f"column {column.name!r} has a kind but is {column.class_}", where, "class: identifier")
    for role, spot, columns in _uses(table):
        for name in columns:
            if table.column(name) is None:
                what = f"{role} column {name!r} of table {table.name!r} is not declared"
                raise BadDefinition(what, lined.where([*path, *spot]), nearest(name, names))
    for name in table.person.link if table.person else ():
        declared = table.column(name)
        if declared is not None and declared.class_ != "identifier":
            where = lined.where([*path, "person", "link"])
            raise BadDefinition(
                f"link column {name!r} is {declared.class_}", where, "declare it with class: identifier"
            )


def _uses(table: Table) -> Iterable[tuple[str, list[str], list[str]]]:
    yield "key", ["key"], table.key
    if table.parent:
        yield "parent key", ["parent", "key"], table.parent.key
    if table.person:
        yield "link", ["person", "link"], table.person.link
    if table.consent:
        yield "consent", ["consent", "column"], [table.consent.column]
    for entity, made in table.entities.items():
        yield f"{entity} key", ["entities", entity, "key"], made.key
    for join in table.joins:
        yield "join", ["joins"], join.on
