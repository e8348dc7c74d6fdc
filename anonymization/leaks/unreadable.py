"""Bytes that nobody can read as a table: whether somebody who is to be erased stands in them all the same.

A delivery that was refused when it came cannot be searched by row. What a person is linked by is looked for in it as
the leak check looks for its canaries: in archives, encodings, spellings and other digits. An identifier of fewer than
eight signs is not looked for, since it stands somewhere by chance. What becomes of the file is not decided here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING, BinaryIO
from uuid import UUID

from anonymization.leaks.canaries import Canary
from anonymization.leaks.containers import LARGEST
from anonymization.leaks.search import LeakSearch
from sources.models import Source

if TYPE_CHECKING:
    from anonymization.vault.requests import Said
    from anonymization.vault.vault import Vault


class Wanted:
    """People by all that sources of their country link them by, as it was delivered. It is in memory only."""

    def __init__(self, vault: Vault, country: str, sources: Collection[Source], tokens: Collection[UUID]) -> None:
        from anonymization.vault.requests import records_of

        with vault.transaction() as cursor:
            said = records_of(cursor, vault.keys_of(cursor, country), list(tokens))
        self._marks = [Canary("identifier", "", mark, (mark,)) for mark in sorted(set(_marks(said, sources)))]

    def stand_in(self, file: BinaryIO) -> bool:
        """Whether one of them does; a file too large to be held in memory is not looked at."""
        data = file.read(LARGEST + 1)
        if not self._marks or len(data) > LARGEST:
            return False
        search = LeakSearch(self._marks)
        search.look(data, "", "")
        return bool(search.leaks)


def _marks(said: Iterable[Said], sources: Collection[Source]) -> Iterator[str]:
    """Each identifier as it was delivered, and without what only groups its signs."""
    linked = {
        f"{source.source} {table.name}": table.person.link
        for source in sources
        for table in source.tables
        if table.person
    }
    for one in said:
        for name in linked.get(one.origin, ()):
            value = one.record.get(name) or ""
            yield from (value, "".join(sign for sign in value if sign.isalnum()))
