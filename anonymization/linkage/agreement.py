"""Does a row that brings somebody's number speak of them? Asked of a number that several people of a batch share.

Most who bring it with them are relatives: who has a house and a father in common has two words of the name in common
too. So all words of the one's name are to be the other's as well, the given name of each among them, and no birth date
may contradict. Which rows are asked is the business of `contradiction`, opening what is known that of `vault.known`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from anonymization.keys.pseudonyms import coded, text
from anonymization.linkage.contradiction import Day, birth_form, contradict, describing
from anonymization.linkage.features import ROLES
from anonymization.linkage.linking import Ids
from anonymization.linkage.names import fold, skeleton, sound
from anonymization.vault.origins import declared, origin_of
from sources.models import Source, Table
from values.dates import read_dates

Words = tuple[str, ...]
"""Of a name in their order, the given one first where it is declared."""
_NAMED = 2
"""So many words of a name tell a person; of one alone, the birth date has to be the same."""


@dataclass(frozen=True)
class Record:
    """What was said of a known person. `origin`: source and table; None: by what they are recognised."""

    origin: str | None
    said: Mapping[str, str | None]


Agrees = Callable[[Ids, Ids, Mapping[int, Sequence[Record]]], npt.NDArray[np.bool_]]
"""Rows of the batch, the person of whom each is asked, and what is known of these: which rows speak of them."""


def agreement(table: Table, cells: pa.Table, source: Source) -> Agrees:
    """A question about rows of the batch and what is known of people."""
    return _Rows(table, cells, source).agree


@dataclass(frozen=True)
class _Person:
    names: list[Words]
    born: list[Day]


class _Rows:
    """What rows of a batch say of who they speak of."""

    def __init__(self, table: Table, cells: pa.Table, source: Source) -> None:
        self._cells, self._source = cells, source
        self._births = describing(table, cells)[1]
        self._table, self._origin = table, origin_of(source, table)
        self._names = _given_first(table, cells.column_names)
        self._others: dict[str, tuple[Source, Table] | None] = {}

    def agree(self, rows: Ids, persons: Ids, known: Mapping[int, Sequence[Record]]) -> npt.NDArray[np.bool_]:
        """Each row and each person is read once, however many rows share a number."""
        people = {person: self._read(known[person]) for person in np.unique(persons).tolist()}
        said = zip(self._named(rows), self._born(rows), persons.tolist(), strict=True)
        return np.array([_speaks_of(words, born, people[person]) for words, born, person in said], dtype=bool)

    def _read(self, records: Sequence[Record]) -> _Person:
        names = [_words(value for name in self._names_of(one) if (value := one.said.get(name))) for one in records]
        born = [_day(day) for one in records if one.origin is None and (day := one.said.get("born"))]
        return _Person([words for words in names if words], born)

    def _names_of(self, record: Record) -> Sequence[str]:
        """What of a record is a name; nothing where its source is no longer declared."""
        if record.origin is None:
            return ROLES
        if record.origin == self._origin:
            return _given_first(self._table, record.said)
        if record.origin not in self._others:
            self._others[record.origin] = declared(record.origin)
        other = self._others[record.origin]
        return _given_first(other[1], record.said) if other else ()

    def _named(self, rows: Ids) -> list[Words]:
        said: list[Words] = [()] * len(rows)
        for name in self._names:
            column = coded(self._cells[name].take(pa.array(rows)))
            read = [_words([cell]) if cell else () for cell in column.dictionary.cast(pa.string()).to_pylist()]
            said = [
                before if code is None else (*before, *read[code])
                for before, code in zip(said, column.indices.to_pylist(), strict=True)
            ]
        return said

    def _born(self, rows: Ids) -> list[Day | None]:
        said: list[Day | None] = [None] * len(rows)
        for name, column in self._births:
            dates, _ = read_dates(text(self._cells[name].take(pa.array(rows))), birth_form(column, self._source))
            days = ((day.year, day.month, day.day) if day else None for day in dates.to_pylist())
            said = [before or day for before, day in zip(said, days, strict=True)]
        return said


def _speaks_of(words: Words, born: Day | None, person: _Person) -> bool:
    if any(contradict(born, day) for day in person.born):
        return False
    same_day = born is not None and born[1:] != (1, 1) and born in person.born
    return any(_one_name(words, theirs, same_day) for theirs in person.names) if words else same_day


def _one_name(words: Words, others: Words, same_day: bool) -> bool:
    """Whether one of two names is the other or leaves some words of it out: a father's is in his son's without the
    son's given name."""
    mine, theirs = set(words), set(others)
    if not (mine <= theirs or theirs <= mine) or words[0] not in theirs or others[0] not in mine:
        return False
    return same_day or len(mine & theirs) >= _NAMED


def _words(names: Iterable[str]) -> Words:
    return tuple(word for name in names for word in skeleton(sound(fold(name))).split())


def _day(born: str) -> Day:
    year, month, day = (*map(int, born.split("-")), 1, 1)[:3]
    return year, month, day


def _given_first(table: Table, columns: Iterable[str]) -> list[str]:
    """Those of these columns that hold names."""
    place = {part: place for place, part in enumerate(ROLES)}
    part = {name: column.part or "full" for name in columns if (column := table.column(name)) and column.kind == "name"}
    return sorted(part, key=lambda name: place[part[name]])
