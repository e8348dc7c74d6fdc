"""Which rows of a batch are the same person, and which of those the vault already knows.

Exact identifiers only, set-wise over the whole batch: the first known identifier of a row decides, rows that share an
unknown one are one new person. Works on numbers alone: hashing is done before, storing after.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.int64]
UNKNOWN = 0


@dataclass(frozen=True)
class Resolution:
    """`person`: of each row, a known person's id or, for a new one, -1, -2, ... `owner`: the same, per identifier."""

    person: Ids
    owner: Ids
    conflicts: npt.NDArray[np.bool_]

    @property
    def new_persons(self) -> int:
        return int(-self.person.min(initial=0))


def resolve(columns: Sequence[Ids], owner: Ids) -> Resolution:
    """`columns`: per row a position in `owner` or -1, strongest identifier first; `owner`: person id or UNKNOWN.

    Every row has at least one identifier. A row two of whose identifiers belong to different people is a conflict;
    its first one counts.
    """
    owner = owner.copy()
    person = _first_known(columns, owner)
    _spread(columns, owner, person)
    unresolved = np.flatnonzero(person == UNKNOWN)
    if len(unresolved):
        person[unresolved] = _new_persons([column[unresolved] for column in columns], len(owner))
        _spread(columns, owner, person)
    conflicts = np.zeros(len(person), dtype=bool)
    for column in columns:
        conflicts |= (column >= 0) & (owner[column] != person)
    return Resolution(person, owner, conflicts)


def _first_known(columns: Sequence[Ids], owner: Ids) -> Ids:
    person = np.full(len(columns[0]), UNKNOWN, dtype=np.int64)
    for column in columns:
        open_rows = (person == UNKNOWN) & (column >= 0)
        person[open_rows] = owner[column[open_rows]]
    return person


def _spread(columns: Sequence[Ids], owner: Ids, person: Ids) -> None:
    """A resolved row gives its person to its unknown identifiers, and those to other rows, until nothing changes."""
    while True:
        changed = False
        for column in columns:
            rows = np.flatnonzero((person != UNKNOWN) & (column >= 0))
            rows = rows[owner[column[rows]] == UNKNOWN]
            owner[column[rows[::-1]]] = person[rows[::-1]]  # the last write stays: the first row wins
            changed = changed or len(rows) > 0
        unresolved = np.flatnonzero(person == UNKNOWN)
        if not changed or not len(unresolved):
            return
        person[unresolved] = _first_known([column[unresolved] for column in columns], owner)


def _new_persons(columns: Sequence[Ids], identifiers: int) -> Ids:
    """Rows connected by shared identifiers get one number: -1, -2, ... in order of first appearance."""
    label = np.arange(len(columns[0]), dtype=np.int64)
    while True:
        before = label
        for column in columns:
            has = column >= 0
            smallest = np.full(identifiers, len(label), dtype=np.int64)
            np.minimum.at(smallest, column[has], label[has])
            label = label.copy()
            label[has] = smallest[column[has]]
        if np.array_equal(label, before):
            return -1 - np.unique(label, return_inverse=True)[1].astype(np.int64)
