"""The same person in other programmes of the country: nothing stored tells, but what was said about them does.

Indexes of two programmes share nothing (`persons`). Who holds the keys opens the person's identity records and asks, by
the identifiers in them, under each other programme's keys. For an erasure only: a programme that nobody would look into
keeps what was to be gone. What is done with the answer is the business of `assets.vault_erasure`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pyarrow as pa

from anonymization.linkage.decisions import same_person
from anonymization.vault import finding
from anonymization.vault.origins import declared
from anonymization.vault.persons import Said, read_identifiers
from anonymization.vault.requests import Said as Record
from anonymization.vault.requests import records_of
from sources.models import Source

if TYPE_CHECKING:
    from psycopg import Cursor

    from anonymization.vault.vault import Vault

    Vaultside = Cursor[tuple[Any, ...]]

COMMON = ""
"""The programme of sources that declare none."""
_FIELDS = "SELECT name, field FROM vault.field WHERE country = %s"


def elsewhere(vault: Vault, country: str, tokens: Sequence[UUID]) -> dict[str, tuple[UUID, ...]]:
    """By programme the tokens of persons who have an identifier of the person behind `tokens`; their own left out."""
    found: dict[str, set[UUID]] = {}
    with vault.transaction() as cursor:
        keys = vault.keys_of(cursor, country)
        fields = dict(cursor.execute(_FIELDS, (country,)).fetchall())
        programmes = {name.partition(": ")[0] if ": " in name else COMMON for name in fields}
        for source, said in _identifiers(records_of(cursor, keys, tokens)):
            for programme in programmes - {source.programme or COMMON}:
                number = fields.get(f"{programme}: {said.field}" if programme else said.field)
                if number is not None:
                    stated = finding.indexes(keys, said.field, programme, said.distinct.keys)
                    for token in finding.who(cursor, keys, number, stated):
                        found.setdefault(programme, set()).update(same_person(cursor, vault.keyring, token))
    return {programme: tuple(sorted(persons - set(tokens))) for programme, persons in sorted(found.items())}


def _identifiers(records: Collection[Record]) -> Iterator[tuple[Source, Said]]:
    """What a person is linked by, as each record says it; a source that is no longer declared says nothing."""
    for record in records:
        if (found := declared(record.origin)) is None:
            continue
        source, table = found
        cells = pa.table({column: pa.array([value], pa.string()) for column, value in record.record.items()})
        links = table.person.link if table.person else []
        for column, said in read_identifiers(table, cells, source).items():
            if column in links:
                yield source, said
