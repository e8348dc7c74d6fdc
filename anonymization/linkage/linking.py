"""Which rows of a batch are the same person, and which of those the vault already knows.

Exact identifiers only, set-wise over the whole batch: the first known identifier of a row decides, rows that share an
unknown one are one new person. Works on numbers alone: hashing is done before, storing after.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.int64]
Disagree = Callable[[int, int], bool]
"""Whether two rows, by their positions in the batch, speak of two people."""
UNKNOWN = 0
_ASKED = 5
"""So many rows of each side are compared before two groups are joined."""


@dataclass(frozen=True)
class Resolution:
    """`person`: of each row, a known person's id or, for a new one, -1, -2, ... `owner`: the same, per identifier."""

    person: Ids
    owner: Ids
    conflicts: npt.NDArray[np.bool_]

    @property
    def new_persons(self) -> int:
        return int(-self.person.min(initial=0))


def resolve(columns: Sequence[Ids], owner: Ids, disagree: Disagree | None = None) -> Resolution:
    """`columns`: per row a position in `owner` or -1, strongest identifier first; `owner`: person id or UNKNOWN.

    Every row has at least one identifier. A row two of whose identifiers belong to different people is a conflict;
    its first one counts. So it is where two unknown identifiers would join rows that `disagree`.
    """
    owner = owner.copy()
    person = _first_known(columns, owner)
    _spread(columns, owner, person)
    unresolved = np.flatnonzero(person == UNKNOWN)
    if len(unresolved):
        person[unresolved] = _new_persons([column[unresolved] for column in columns], owner, unresolved, disagree)
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


def _new_persons(columns: Sequence[Ids], owner: Ids, rows: Ids, disagree: Disagree | None) -> Ids:
    """Rows connected by shared identifiers get one number: -1, -2, ... in order of first appearance.

    `rows`: their positions in the batch. Identifiers that two disagreeing groups contest are given an owner here.
    """
    label = _connected(columns, len(owner))
    if disagree is None:
        return _numbered(label)
    first = strongest(columns)
    joined = np.unique(np.stack([label, first]), axis=1)[0]
    contested = np.flatnonzero(np.isin(label, joined[1:][joined[1:] == joined[:-1]]))
    if not len(contested):
        return _numbered(label)
    node = _agreeing([column[contested] for column in columns], first[contested], rows[contested], disagree)
    label[contested] = contested[np.unique(node, return_index=True)[1]][np.unique(node, return_inverse=True)[1]]
    persons = _numbered(label)
    # What is somebody's strongest identifier is theirs, in whatever order the rows came; then the first row counts.
    for column in [first, *columns]:
        mine = contested[column[contested] >= 0][::-1]
        mine = mine[owner[column[mine]] == UNKNOWN]
        owner[column[mine]] = persons[mine]
    return persons


def _connected(columns: Sequence[Ids], identifiers: int) -> Ids:
    """Each row's label: the first row that it is connected with. An identifier may stand in several columns."""
    label = np.arange(len(columns[0]), dtype=np.int64)
    smallest = np.full(identifiers, len(label), dtype=np.int64)
    cells = [(np.flatnonzero(column >= 0), column[column >= 0]) for column in columns]
    while True:
        for rows, stated in cells:
            np.minimum.at(smallest, stated, label[rows])
            label[rows] = smallest[stated]
        if all(np.array_equal(label[rows], smallest[stated]) for rows, stated in cells):
            return label


def _numbered(label: Ids) -> Ids:
    return -1 - np.unique(label, return_inverse=True)[1].astype(np.int64)


def strongest(columns: Sequence[Ids]) -> Ids:
    """Each row's first identifier that it states, or -1."""
    first = np.full(len(columns[0]), -1, dtype=np.int64)
    for column in columns:
        first = np.where(first < 0, column, first)
    return first


def _agreeing(columns: Sequence[Ids], first: Ids, rows: Ids, disagree: Disagree) -> Ids:
    """Of each row a strongest identifier of its group. Rows that share theirs are one person; by a weaker one groups
    are joined unless rows of theirs disagree."""
    head = {node: node for node in first.tolist()}
    members: dict[int, list[int]] = {node: [] for node in head}
    for node, row in zip(first.tolist(), rows.tolist(), strict=True):
        members[node].append(row)

    def find(node: int) -> int:
        while head[node] != node:
            head[node] = head[head[node]]  # else the way grows with each group that is joined
            node = head[node]
        return node

    holder = dict(head)
    for column in columns:
        for node, identifier in zip(first.tolist(), column.tolist(), strict=True):
            if identifier < 0:
                continue
            mine, theirs = find(node), find(holder.setdefault(identifier, node))
            if mine == theirs or any(disagree(a, b) for a in members[mine][:_ASKED] for b in members[theirs][:_ASKED]):
                continue
            head[mine] = theirs
            members[theirs] = (members[theirs][:_ASKED] + members.pop(mine)[:_ASKED])[:_ASKED]
    return np.array([find(node) for node in first.tolist()], dtype=np.int64)
