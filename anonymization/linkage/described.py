"""What the rows of a batch say of who they speak of: the words of the name and the birth date.

A column is read whole when the first of its rows is asked for: of a register of households most rows are. What the
answers are compared for is the business of `contradiction` and `agreement`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from functools import cached_property

import pyarrow as pa

from anonymization.keys.pseudonyms import coded, text
from anonymization.linkage.features import ROLES
from anonymization.linkage.names import fold, skeleton, sound
from sources.models import Source, Table
from values.dates import read_dates

Words = tuple[str, ...]
"""Of a name in their order, the given one first where it is declared."""
Day = tuple[int, int, int]


class Described:
    """The rows of a batch, by their positions in it."""

    def __init__(self, table: Table, cells: pa.Table, source: Source) -> None:
        self.table, self.source, self._cells = table, source, cells
        self.names = given_first(table, cells.column_names)
        declared = {name: column for name in cells.column_names if (column := table.column(name)) is not None}
        self._births = {
            name: column.format or source.format.date_format or "iso"
            for name, column in declared.items()
            if column.kind == "birth_date" or column.keep == "year"
        }
        self._known: dict[str, Words] = {}
        self._spelt: dict[str, Words] = {}

    @property
    def columns(self) -> list[str]:
        """Those that say who somebody is."""
        return [*self.names, *self._births]

    def words(self, row: int) -> Words:
        """The consonants of each word of the name."""
        return self._read(row, self._known, words_of)

    def spelt(self, row: int) -> Words:
        """The words of the name, folded."""
        return self._read(row, self._spelt, spelt)

    def born(self, row: int) -> Day | None:
        day = next((days[row] for days in self._days if days[row]), None)
        return (day.year, day.month, day.day) if day else None

    def _read(self, row: int, known: dict[str, Words], read: Callable[[Iterable[str]], Words]) -> Words:
        names = [name for column in self._said if (name := column[row])]
        known.update((name, read([name])) for name in names if name not in known)
        return tuple(word for name in names for word in known[name])

    @cached_property
    def _said(self) -> list[list[str | None]]:
        encoded = [coded(self._cells[name]) for name in self.names]
        return [one.dictionary.cast(pa.string()).take(one.indices).to_pylist() for one in encoded]

    @cached_property
    def _days(self) -> list[list[date | None]]:
        return [read_dates(text(self._cells[name]), form)[0].to_pylist() for name, form in self._births.items()]


def words_of(names: Iterable[str]) -> Words:
    """The consonants of each word, as other spellings and scripts have them."""
    return tuple(word for name in names for word in skeleton(sound(fold(name))).split())


def spelt(names: Iterable[str]) -> Words:
    """The words, folded."""
    return tuple(word for name in names for word in fold(name).split())


def given_first(table: Table, columns: Iterable[str]) -> list[str]:
    """Those of these columns that hold names."""
    place = {part: place for place, part in enumerate(ROLES)}
    part = {name: column.part or "full" for name in columns if (column := table.column(name)) and column.kind == "name"}
    return sorted(part, key=lambda name: place[part[name]])
