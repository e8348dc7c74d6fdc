"""What the rows of a batch say of who they speak of: the words of the name and the birth date.

A column is read whole when the first of its rows is asked for: of a register of households most rows are. What the
answers are compared for is the business of `contradiction` and `agreement`.
"""

from __future__ import annotations

from collections.abc import Iterable
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

    @property
    def columns(self) -> list[str]:
        """Those that say who somebody is."""
        return [*self.names, *self._births]

    def words(self, row: int) -> Words:
        return tuple(word for name in self._said for word in self._words_of(name[row]))

    def born(self, row: int) -> Day | None:
        day = next((days[row] for days in self._days if days[row]), None)
        return (day.year, day.month, day.day) if day else None

    def _words_of(self, name: str | None) -> Words:
        if not name:
            return ()
        if name not in self._known:
            self._known[name] = words_of([name])
        return self._known[name]

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


def given_first(table: Table, columns: Iterable[str]) -> list[str]:
    """Those of these columns that hold names."""
    place = {part: place for place, part in enumerate(ROLES)}
    part = {name: column.part or "full" for name in columns if (column := table.column(name)) and column.kind == "name"}
    return sorted(part, key=lambda name: place[part[name]])
