"""Do two rows speak of two people? Asked where a shared identifier would make them one person for the first time, and
of an identifier that many rows share.

They do if their names have no word in common, or their birth dates differ in two of year, month and day: one slip, one
name more, a married name or an unknown day are no contradiction. What follows from it is the business of `linking`.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from itertools import groupby

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from anonymization.keys.pseudonyms import coded, text
from anonymization.linkage.linking import Disagree
from anonymization.linkage.names import fold, skeleton, sound
from sources.models import Column, Source, Table
from values.dates import read_dates

Day = tuple[int, int, int]
_PEOPLE = 3
"""So many who are all somebody else are no slip in one of their rows."""
_ASKED = 20
"""So many of the rows that share a value are compared."""


def disagreement(table: Table, cells: pa.Table, source: Source) -> Disagree | None:
    """A question about two rows of the batch; None where the table has neither names nor a birth date."""
    names, births = describing(table, cells)
    return _Rows(table, cells, source).disagree if names or births else None


class _Rows:
    """What rows of a batch say of who they speak of."""

    def __init__(self, table: Table, cells: pa.Table, source: Source) -> None:
        self._cells, self._source = cells, source
        self._names, self._births = describing(table, cells)
        self._words, self._born = cache(self._read_words), cache(self._read_born)

    def disagree(self, one: int, other: int) -> bool:
        words, others = self._words(one), self._words(other)
        return bool(words and others and not words & others) or contradict(self._born(one), self._born(other))

    def _read_words(self, row: int) -> frozenset[str]:
        return _words(cell for name in self._names if (cell := _cell(self._cells, name, row)))

    def _read_born(self, row: int) -> Day | None:
        days = (_born(self._cells, name, row, column, self._source) for name, column in self._births)
        return next((day for day in days if day), None)


def _words(names: Iterable[str]) -> frozenset[str]:
    return frozenset(word for name in names for word in skeleton(sound(fold(name))).split())


def contradict(first: Day | None, second: Day | None) -> bool:
    """Whether two birth dates are of two people; of the first of January only the year is known."""
    if first is None or second is None or first[1:] == (1, 1) or second[1:] == (1, 1):
        return first is not None and second is not None and abs(first[0] - second[0]) > 1
    return sum(a != b for a, b in zip(first, second, strict=True)) >= 2


def shared(table: Table, cells: pa.Table, codes: pa.Array, disagree: Disagree) -> npt.NDArray[np.bool_]:
    """Which rows hold an identifier (`codes`: its number, or null) that people share, each of whom is another: the
    number of an office or of a family's phone says of nobody who they are."""
    code = codes.fill_null(-1).to_numpy(zero_copy_only=False)
    often = np.bincount(code + 1)[1:] >= _PEOPLE
    rows = np.flatnonzero((code >= 0) & np.append(often, False)[code])
    if not len(rows):
        return np.zeros(len(code), dtype=bool)
    # Most rows that share a number say the same of one person, and are asked about once.
    names, births = describing(table, cells)
    said = [coded(cells[name].take(pa.array(rows))).indices.fill_null(-1) for name in [*names, *dict(births)]]
    first = np.unique(np.stack([code[rows], *map(np.asarray, said)]), axis=1, return_index=True)[1]
    asked = sorted(rows[first].tolist(), key=lambda row: (code[row], row))
    nobodys = [value for value, its in groupby(asked, key=lambda row: int(code[row])) if _of_many(list(its), disagree)]
    return np.isin(code, nobodys)


def _of_many(rows: list[int], disagree: Disagree) -> bool:
    people: list[int] = []
    for row in rows[:_ASKED]:
        if all(disagree(row, other) for other in people):
            people.append(row)
    return len(people) >= _PEOPLE


def describing(table: Table, cells: pa.Table) -> tuple[list[str], list[tuple[str, Column]]]:
    """Columns of names, and of birth dates."""
    declared = [(name, column) for name in cells.column_names if (column := table.column(name)) is not None]
    names = [name for name, column in declared if column.kind == "name"]
    return names, [(name, column) for name, column in declared if column.kind == "birth_date" or column.keep == "year"]


def birth_form(column: Column, source: Source) -> str:
    """The form in which a column has birth dates."""
    return column.format or source.format.date_format or "iso"


def _cell(cells: pa.Table, name: str, row: int) -> str | None:
    return text(cells[name].slice(row, 1))[0].as_py()  # type: ignore[no-any-return]


def _born(cells: pa.Table, name: str, row: int, column: Column, source: Source) -> Day | None:
    dates, _ = read_dates(text(cells[name].slice(row, 1)), birth_form(column, source))
    day = dates[0].as_py()
    return (day.year, day.month, day.day) if day else None
