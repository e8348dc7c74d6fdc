"""Does a row that brings somebody's number speak of them? Asked of a number that several people of a batch share.

Most who bring it with them are relatives: who has a house and a father in common has two words of the name in common
too. So all words of the one's name are to be the other's as well, in some spelling (`spellings`), the given name of
each among them, and no birth date may contradict. Which rows are asked is the business of `contradiction`, opening what
is known that of `vault.known`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from anonymization.linkage.contradiction import contradict
from anonymization.linkage.described import Day, Described, Words, given_first, spelt
from anonymization.linkage.features import ROLES
from anonymization.linkage.linking import Ids
from anonymization.linkage.spellings import consonants, is_spelling
from anonymization.vault.origins import declared, origin_of
from sources.models import Table

_NAMED = 2
"""So many words of a name tell a person; of one alone, the birth date has to be the same."""


@dataclass(frozen=True)
class Record:
    """What was said of a known person. `origin`: source and table; None: by what they are recognised."""

    origin: str | None
    said: Mapping[str, str | None]


Agrees = Callable[[Ids, Ids, Mapping[int, Sequence[Record]]], npt.NDArray[np.bool_]]
"""Rows of the batch, the person of whom each is asked, and what is known of these: which rows speak of them."""


def agreement(rows: Described) -> Agrees:
    """A question about rows of the batch and what is known of people."""
    return _Known(rows).agree


@dataclass(frozen=True)
class _Person:
    names: list[Words]
    born: list[Day]


class _Known:
    """What is known of people, as the rows of a batch say it."""

    def __init__(self, rows: Described) -> None:
        self._rows = rows
        self._tables: dict[str, Table | None] = {origin_of(rows.source, rows.table): rows.table}

    def agree(self, rows: Ids, persons: Ids, known: Mapping[int, Sequence[Record]]) -> npt.NDArray[np.bool_]:
        """Each person is read once, however many rows share a number."""
        people = {person: self._read(known[person]) for person in np.unique(persons).tolist()}
        asked = zip(rows.tolist(), persons.tolist(), strict=True)
        found = [_speaks_of(self._rows.spelt(row), self._rows.born(row), people[person]) for row, person in asked]
        return np.array(found, dtype=bool)

    def _read(self, records: Sequence[Record]) -> _Person:
        names = [spelt(value for name in self._names_of(one) if (value := one.said.get(name))) for one in records]
        born = [_day(day) for one in records if one.origin is None and (day := one.said.get("born"))]
        return _Person([words for words in names if words], born)

    def _names_of(self, record: Record) -> Sequence[str]:
        """What of a record is a name; nothing where its source is no longer declared."""
        if record.origin is None:
            return ROLES
        if record.origin not in self._tables:
            found = declared(record.origin)
            self._tables[record.origin] = found[1] if found else None
        table = self._tables[record.origin]
        return given_first(table, record.said) if table else ()


def _speaks_of(words: Words, born: Day | None, person: _Person) -> bool:
    if any(contradict(born, day) for day in person.born):
        return False
    same_day = born is not None and born[1:] != (1, 1) and born in person.born
    return any(_one_name(words, theirs, same_day) for theirs in person.names) if words else same_day


def _one_name(words: Words, others: Words, same_day: bool) -> bool:
    """Whether one of two names is the other or leaves some words of it out: a father's is in his son's without the
    son's given name."""
    if not _is_within(set(map(consonants, words)), set(map(consonants, others))):
        return False  # most are relatives, of whom this tells
    mine, theirs = _shared(words, others), _shared(others, words)
    whole = len(mine) == len(set(words)) or len(theirs) == len(set(others))
    if not whole or words[0] not in mine or others[0] not in theirs:
        return False
    return same_day or min(len(mine), len(theirs)) >= _NAMED


def _is_within(words: set[str], others: set[str]) -> bool:
    return words <= others or others <= words


def _shared(words: Words, others: Words) -> set[str]:
    return {word for word in words if any(is_spelling(word, other) for other in others)}


def _day(born: str) -> Day:
    year, month, day = (*map(int, born.split("-")), 1, 1)[:3]
    return year, month, day
