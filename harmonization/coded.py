"""Rules that make codes: recode, first_of, case, select_multiple, constant.

A blank cell that no row speaks of is missing_unexpected. A filled cell that no row speaks of is `map.unknown_code` and
missing_unexpected: there is no default branch.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from harmonization.cells import Cells, Mask
from harmonization.made import Made, Trouble, troubles
from harmonization.matching import UNMATCHED, CodeRow, Codes, Matching, by_column
from sources.crosswalk import ANY, BLANK

UNKNOWN_CODE = "map.unknown_code"

Ticks: TypeAlias = "npt.NDArray[np.int32]"


class FirstOf:
    """recode and first_of: the first filled column counts; where none is filled, the rows for (blank) do."""

    def __init__(self, rows: Sequence[CodeRow], missing: int, listed: bool = False) -> None:
        self._columns = {name: Matching(own) for name, own in by_column(rows).items()}
        self._blank = Matching(row for row in rows if row.code == BLANK)
        self._missing, self._listed = missing, listed

    def make(self, cells: Cells) -> Made:
        if len(self._columns) == 1:
            ((column, matching),) = self._columns.items()
            found = matching.match(cells)
            unmatched = found == UNMATCHED
            wrong = troubles(column, UNKNOWN_CODE, unmatched & cells[column].filled) if unmatched.any() else []
        else:
            found, wrong = self._first_filled(cells)
            unmatched = found == UNMATCHED
        found[unmatched] = self._missing
        return Made(code_array(found, self._listed), troubles=wrong)

    def _first_filled(self, cells: Cells) -> tuple[Codes, list[Trouble]]:
        found = self._blank.match(cells)
        undecided, wrong = np.ones(cells.rows, bool), []
        for column, matching in self._columns.items():
            turn = undecided & cells[column].filled
            found = np.where(turn, matching.match(cells), found)
            wrong += troubles(column, UNKNOWN_CODE, turn & (found == UNMATCHED))
            undecided &= ~turn
        return found, wrong


class Case:
    """Rows tried in order over any columns.

    A cell that no row answers is unknown if it holds a code of this case (under other conditions), or one that no
    variable of the crosswalk knows. A known code of another variable's is no answer here: `has_debt: yes` says nothing
    of how large the debt is. One cell of a row is reported, the first.
    """

    def __init__(
        self, rows: Sequence[CodeRow], known: Mapping[str, Collection[str]], missing: int, listed: bool = False
    ) -> None:
        self._matching = Matching(rows)
        conditions = [one for row in rows for one in (row.conditions[:1] if row.column else row.when)]
        self._asked: dict[str, set[str]] = {}
        for condition in conditions:
            self._asked.setdefault(condition.column, set()).add(condition.code)
        self._known, self._missing, self._listed = known, missing, listed

    def make(self, cells: Cells) -> Made:
        found = self._matching.match(cells)
        unmatched = found == UNMATCHED
        wrong: list[Trouble] = []
        if unmatched.any():
            unreported = unmatched.copy()
            for column, codes in self._asked.items():
                unknown = unreported & self._unknown(cells, column, codes)
                wrong += troubles(column, UNKNOWN_CODE, unknown)
                unreported &= ~unknown
        found = np.where(unmatched, np.int16(self._missing), found)
        return Made(code_array(found, self._listed), troubles=wrong)

    def _unknown(self, cells: Cells, column: str, codes: Collection[str]) -> Mask:
        answers = cells[column]
        elsewhere = self._known.get(column, ())
        unknown = [ANY in codes or word in codes or word not in elsewhere for word in answers.words]
        return np.asarray(answers.spread(np.array(unknown, bool), False), bool)


class SelectMultiple:
    """A cell of ticked codes, joined by a space. A `codes` variable takes all targets, a `code` variable the first
    crosswalk row whose code is ticked. Every ticked code must have a row. An answered code wins over a state."""

    def __init__(
        self, rows: Sequence[CodeRow], placeless: Collection[str], missing: int, listed: bool, column: str
    ) -> None:
        self._column, self._missing, self._listed = column, missing, listed
        self._targets: dict[str, tuple[int, int]] = {}
        for order, row in enumerate(rows):
            if row.code not in (BLANK, ANY):
                self._targets.setdefault(row.code, (order, row.target))
        self._placeless = frozenset(placeless)
        self._blank = Matching(row for row in rows if row.code == BLANK)
        self._any = next((row.target for row in rows if row.code == ANY), None)

    def make(self, cells: Cells) -> Made:
        known, row, wrong = self.read(cells)
        if self._listed:
            return Made(_lists(known, row), troubles=wrong)
        column = cells[self._column]
        first = np.array([targets[0] if targets else self._missing for targets in known], np.int16)
        found = np.where(column.filled, np.asarray(column.spread(first, self._missing), np.int16), row)
        return Made(code_array(found.astype(np.int16), listed=False), troubles=wrong)

    def read(self, cells: Cells) -> tuple[list[list[int]], Ticks, list[Trouble]]:
        """Targets of each different text; per row the place of its text, or the state of a blank cell; and troubles."""
        column = cells[self._column]
        blank = self._blank.match(cells)
        blank[blank == UNMATCHED] = self._missing
        per_text = [self._targets_of(word) for word in column.words]
        unknown = np.array([targets is None for targets in per_text], bool)
        wrong = troubles(self._column, UNKNOWN_CODE, np.asarray(column.spread(unknown, False), bool))
        known = [[self._missing] if targets is None else targets for targets in per_text]
        return known, np.where(column.filled, column.index, blank.astype(np.int32)), wrong

    def _targets_of(self, text: str) -> list[int] | None:
        """Targets of the ticked codes: ascending for a list, else in file order. None: a code without a row."""
        found: list[tuple[int, int]] = []
        for word in [text] if text in self._targets or text in self._placeless else text.split():
            if word in self._targets:
                found.append(self._targets[word])
            elif word in self._placeless:
                continue
            elif self._any is not None:
                found.append((len(self._targets), self._any))
            else:
                return None
        if not self._listed:
            return [target for _, target in sorted(found)]
        targets = {target for _, target in found}
        answered = sorted(target for target in targets if target > 0)
        return answered or [max(targets)] if targets else []


class TickedColumns:
    """select_multiple over several columns, as registers and multiple-response sets have it: a column for an answer,
    ticked or not. What is ticked anywhere is taken together; that nothing is needs every column to say so."""

    def __init__(self, columns: Sequence[SelectMultiple]) -> None:
        self._columns = columns

    def make(self, cells: Cells) -> Made:
        read = [column.read(cells) for column in self._columns]
        rows = np.stack([ticks for _, ticks, _ in read], axis=1)
        different, row = np.unique(rows, axis=0, return_inverse=True)
        known = [_together(combination, [told for told, _, _ in read]) for combination in different.tolist()]
        wrong = [trouble for _, _, found in read for trouble in found]
        return Made(_lists(known, row.reshape(-1).astype(np.int32)), troubles=wrong)


def _together(ticks: Sequence[int], known: Sequence[list[list[int]]]) -> list[int]:
    """Targets of one row over all columns: the answers, else the state that says most, else nothing ticked."""
    found = {t for tick, told in zip(ticks, known, strict=True) for t in (told[tick] if tick >= 0 else [tick])}
    answered = sorted(target for target in found if target > 0)
    return answered or [max(found)] if found else []


def _lists(known: Sequence[list[int]], row: Ticks) -> pa.Array:
    """The targets of the text that stands in each row; a negative place is itself the state of a blank cell."""
    states = sorted(set(row[row < 0].tolist()))
    lists = pa.array([*known, *([state] for state in states)], pa.list_(pa.int16()))
    at = row.astype(np.int64)
    for place, state in enumerate(states):
        at[row == state] = len(known) + place
    return lists.take(pa.array(at))


class Constant:
    """The same code in every row."""

    def __init__(self, code: int, listed: bool) -> None:
        self._code, self._listed = code, listed

    def make(self, cells: Cells) -> Made:
        return Made(code_array(np.full(cells.rows, self._code, np.int16), self._listed))


def code_array(codes: Codes, listed: bool) -> pa.Array:
    """Codes as int16, or for a `codes` variable as lists of one."""
    flat = pa.array(codes, pa.int16())
    if not listed:
        return flat
    return pa.ListArray.from_arrays(pa.array(np.arange(len(codes) + 1, dtype=np.int32)), flat)
