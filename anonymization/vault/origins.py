"""Origins: by what name the vault knows a table of a source that said something about a person, and its declaration."""

from __future__ import annotations

from codebook.errors import HomewardError
from sources.loader import load_source
from sources.models import Source, Table

Origin = tuple[Source, Table]


def origin_of(source: Source, table: Table) -> str:
    return f"{source.source} {table.name}"


def declared(origin: str) -> Origin | None:
    """The source and the table of an origin; None where they are no longer declared."""
    name, _, table = origin.partition(" ")
    try:
        source = load_source(name)
        return source, source.table(table)
    except (HomewardError, KeyError):
        return None


def is_name(table: Table, column: str) -> bool:
    """Whether a delivered column holds names of people; one of a declared family (`member_*`) does if the family is."""
    found = table.column(column)
    return found is not None and found.kind == "name"
