"""Does a column that may leave repeat what its own row declares as identifying: a number, a name, a birth date?

No shape tells a case number from any other code, or a given name from a village. That the same row says it in a column
that must not leave does. Looked at are rows spread over a batch, since a column is what is judged; what a single cell
looks like is the business of `scan`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from anonymization.keys.pseudonyms import text
from anonymization.redaction.redactor import name_words
from sources.models import Column, Source, Table
from values.dates import read_dates
from values.digits import with_ascii_digits

LOOKED_AT = 60
"""Rows of a batch."""
SHARE = 0.2
"""Of the filled cells that repeat the row's own: fewer may do so by chance."""
LEAST = 4
ANSWERS = 5
"""A column that has so few different cells among these rows holds answers."""
SHORTEST = 5
_PHONE, _DAY = 8, 8
"""The last digits by which two ways to write a phone are compared, and the first ones of a date."""


@dataclass(frozen=True)
class _Person:
    """What a row says of its person: numbers and the like without what groups their signs, the ends of phones, the
    birth date in three orders, and the words of each name."""

    numbers: frozenset[str]
    phones: frozenset[str]
    born: frozenset[str]
    names: tuple[frozenset[str], ...]

    def is_said_by(self, cell: str) -> bool:
        signs = _signs(cell)
        if signs in self.numbers or signs[-_PHONE:] in self.phones or signs[:_DAY] in self.born:
            return True
        return not signs.isdigit() and self._is_named_by(name_words(cell))

    def _is_named_by(self, words: frozenset[str]) -> bool:
        """All of one name and nothing else, or two words of theirs among others."""
        return words in self.names or len(words & frozenset().union(*self.names)) > 1


@dataclass(frozen=True)
class Spread:
    """Rows spread over a batch, with what each says of its person."""

    cells: pa.Table
    people: Sequence[_Person]

    def repeated_in(self, column: str) -> int:
        """How many of these rows say it again in a column; 0: no more than may by chance."""
        said = zip(_texts(self.cells, column), self.people, strict=True)
        filled = [(cell, person) for cell, person in said if cell]
        if len({cell for cell, _ in filled}) <= min(ANSWERS, len(filled) - 1):
            return 0
        again = sum(person.is_said_by(cell) for cell, person in filled)
        return again if again >= max(LEAST, SHARE * len(filled)) else 0


def spread(table: Table, cells: pa.Table, source: Source) -> Spread:
    """The rows of a batch that are looked at."""
    rows = np.unique(np.linspace(0, len(cells) - 1, min(LOOKED_AT, len(cells))).astype(np.int64))
    some = cells.take(pa.array(rows))
    said: dict[str, list[list[str]]] = {kind: [[] for _ in rows] for kind in ("number", "phone", "birth_date", "name")}
    for name in some.column_names:
        declared = table.column(name)
        if declared is None or (declared.kind is None and declared.keep is None):
            continue
        dated = declared.kind == "birth_date" or declared.keep is not None
        kind = "birth_date" if dated else declared.kind if declared.kind in said else "number"
        values = _dates(some, name, declared, source) if dated else _texts(some, name)
        for known, value in zip(said[str(kind)], values, strict=True):
            known.extend([value] if value else [])
    return Spread(some, [_person(*row) for row in zip(*said.values(), strict=True)])


def _person(numbers: list[str], phones: list[str], born: list[str], names: list[str]) -> _Person:
    signs = {sign for value in (*numbers, *phones) if len(sign := _signs(value)) >= SHORTEST}
    ends = {sign[-_PHONE:] for value in phones if len(sign := _signs(value)) >= _PHONE}
    days = {day for date in born for day in _orders(*date.split("-"))}
    called = [name_words(name) for name in names]
    return _Person(frozenset(signs), frozenset(ends), frozenset(days), tuple(words for words in called if words))


def _orders(year: str, month: str, day: str) -> tuple[str, str, str]:
    return year + month + day, day + month + year, month + day + year


def _dates(cells: pa.Table, name: str, column: Column, source: Source) -> list[str | None]:
    dates, _ = read_dates(cells[name], column.format or source.format.date_format or "iso")
    found: list[str | None] = pc.strftime(dates, "%Y-%m-%d").to_pylist()
    return found


def _texts(cells: pa.Table, name: str) -> list[str | None]:
    found: list[str | None] = with_ascii_digits(text(cells[name])).to_pylist()
    return found


def _signs(value: str) -> str:
    return "".join(filter(str.isalnum, value.casefold()))
