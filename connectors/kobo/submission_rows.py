"""Single rows of a sweep's submissions: left out of its file, and what is attached to them alone.

A row that is left out becomes one without any value, so that the others keep their numbers and it is still counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence

from connectors.kobo import sealed
from connectors.kobo.attachments import of_row
from connectors.kobo.submissions import canonical
from sources.batches import DeliveredFile

Rows = Mapping[str, Collection[int]]
"""By table: the rows' numbers in their table."""


def rows_left_out(submissions: DeliveredFile, rows: Rows) -> Iterator[bytes]:
    """The file's bytes without what these rows hold."""
    for tables, wanted in _lines(submissions, rows):
        for table, at in wanted.items():
            for place in at:
                tables[table][place] = {}
        yield canonical(tables) + b"\n"


def attached_only_to(submissions: DeliveredFile, rows: Rows) -> set[str]:
    """The sha256 of attachments that no other row of the file has: two may have photographed the same paper."""
    mine: set[str] = set()
    others: set[str] = set()
    for tables, wanted in _lines(submissions, rows):
        for table, here in tables.items():
            for place, row in enumerate(here):
                owner = mine if place in wanted[table] else others
                owner.update(sha256 for _, sha256 in of_row(row))
    return mine - others


def _lines(submissions: DeliveredFile, rows: Rows) -> Iterator[tuple[sealed.Tables, Mapping[str, Sequence[int]]]]:
    """Submissions, and the places of the wanted rows in each table of each."""
    before: Counter[str] = Counter()
    numbers = {table: frozenset(of_table) for table, of_table in rows.items()}
    for tables in sealed.submissions(submissions):
        wanted = {}
        for table, here in tables.items():
            listed = numbers.get(table, frozenset())
            wanted[table] = [place for place in range(len(here)) if before[table] + place + 1 in listed]
            before[table] += len(here)
        yield tables, wanted
