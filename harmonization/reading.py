"""Rules that read a value: number, age, date, geography, copy - and constants that are no codes.

Special codes come first (98 is dont_know, not the number 98), then the rows that read, in file order. Of several
columns the first filled one counts. What cannot be read is a `map.*` error and missing_unexpected, never a guess.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from harmonization.cells import Cells, Encoded, Mask
from harmonization.coded import UNKNOWN_CODE
from harmonization.made import Made, Trouble, troubles
from harmonization.matching import UNMATCHED, CodeRow, Codes, Matching
from sources.crosswalk import BLANK, Condition
from sources.readers import Read


@dataclass(frozen=True)
class ReadRow:
    """A crosswalk row that reads the value of a column, under conditions."""

    column: str
    when: tuple[Condition, ...]
    read: Read


class Reading:
    """One variable that is read from its columns."""

    def __init__(self, special: Sequence[CodeRow], rows: Sequence[ReadRow], missing: int, kind: pa.DataType) -> None:
        columns = dict.fromkeys([*(row.column for row in rows), *(row.column for row in special)])
        self._special = {column: Matching(row for row in special if row.column == column) for column in columns}
        self._rows = {column: [row for row in rows if row.column == column] for column in columns}
        self._blank = Matching(row for row in special if row.code == BLANK)
        self._missing, self._kind = missing, kind

    def make(self, cells: Cells) -> Made:
        states = self._blank.match(cells)
        values: pa.Array | None = None
        undecided, answered, wrong = np.ones(cells.rows, bool), np.zeros(cells.rows, bool), []
        for column, rows in self._rows.items():
            turn = undecided & cells[column].filled
            undecided &= ~turn
            if self._special[column]:
                states = np.where(turn, self._special[column].match(cells), states)
            unread = turn & (states == UNMATCHED)
            for row in rows:
                mine = unread & cells.hold(row.when) if row.when else unread
                read, mistakes = _read(row, cells[column], mine)
                wrong += mistakes
                values = read if values is None else pc.if_else(pa.array(mine), read, values)
                answered |= mine
                unread = unread & ~mine
            wrong += troubles(column, UNKNOWN_CODE, unread)
        values = pa.nulls(cells.rows, self._kind) if values is None else values.cast(self._kind)
        return self._made(values, states, answered & np.asarray(values.is_valid()), wrong)

    def _made(self, values: pa.Array, states: Codes, answered: Mask, wrong: list[Trouble]) -> Made:
        states = np.where(states == UNMATCHED, np.int16(self._missing), states)
        if not answered.all():
            values = pc.if_else(pa.array(answered), values, pa.scalar(None, values.type))
        return Made(values, pa.array(states, pa.int16(), mask=answered), wrong)


def _read(row: ReadRow, column: Encoded, mine: Mask) -> tuple[pa.Array, list[Trouble]]:
    values, rejected = row.read(column.texts)
    found: list[Trouble] = []
    for rule, texts in rejected.items():
        if texts.any():
            found += troubles(row.column, rule, mine & np.asarray(column.spread(texts, False), bool))
    return column.take(values), found


class ConstantValue:
    """The same value, or the same answer state, in every row of a variable that is no code."""

    def __init__(self, value: object, state: int | None, kind: pa.DataType) -> None:
        self._value, self._state, self._kind = pa.scalar(value, kind), state, kind

    def make(self, cells: Cells) -> Made:
        state = pa.scalar(self._state, pa.int16())
        return Made(pa.repeat(self._value, cells.rows), pa.repeat(state, cells.rows))
