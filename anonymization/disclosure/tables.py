"""Suppression in tables of counts: small cells first, then as few others as keep the small ones from being worked out.

Complementary cells come from a linear program for a cell that is still bounded too tightly: the cheapest change of the
table that leaves all published sums as they are (Kelly, Golden and Assad; Fischetti and Salazar). Every such change is
kept, since it proves something of all cells that it moves. Complementary cells that turn out not to be needed are
published again, and in the end the audit, which knows nothing of these changes, has its say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from anonymization.disclosure.audit import Mask, unprotected
from anonymization.disclosure.boxes import Boxes
from anonymization.disclosure.cells import COUNT, Cells
from anonymization.disclosure.decisions import Decisions
from anonymization.disclosure.moves import Moves, furthest, least
from anonymization.disclosure.neighbours import Neighbours

PUBLISHED, SMALL, DIFFERENCE, COMPLEMENTARY = "published", "small_cell", "difference", "complementary"
_ROUNDING = 1e-6
_LEANING = 12
"""A complementary cell on which more cells lean stays. Without this limit 698 cells of a table of 1,617 were withheld
in place of 735, in more than twice the time."""


_WHOLE = 1_500
"""Of more cells, boxes are looked at first, and of more withheld ones no program over all of them is asked about one
that no box proves: such programs brought back 22 of 1,070 in 3 seconds, of 3,300 they had not ended in 4 minutes."""


@dataclass(frozen=True)
class Previous:
    """What was published before about the same cells: `counts` by position in the new release.

    `cumulative`: counts only grow, so a count published before is a lower bound of the new one.
    """

    counts: Mapping[int, int]
    cumulative: bool = True

    @classmethod
    def of(cls, cells: Cells, released: pd.DataFrame, cumulative: bool = True) -> Previous:
        """The cells of `cells` whose count stands in `released` (variables of `cells` and a count; null: withheld)."""
        variables = list(cells.keys.columns)
        joined = cells.keys.reset_index().merge(released.dropna(subset=[COUNT]), on=variables, how="inner")
        counts = zip(joined["index"].tolist(), joined[COUNT].astype(int).tolist(), strict=True)
        return cls(dict(counts), cumulative)

    def known(self) -> dict[int, tuple[int, int]]:
        return {position: (count, -1) for position, count in self.counts.items()} if self.cumulative else {}


@dataclass(frozen=True)
class Suppressed:
    """`table`: the cells' variables, the count (null where withheld) and the reason; `decisions`: what was decided."""

    table: pd.DataFrame
    decisions: Decisions

    @property
    def hidden(self) -> Mask:
        mask: Mask = (self.table["reason"] != PUBLISHED).to_numpy()
        return mask


def suppress(cells: Cells, threshold: int, previous: Previous | None = None) -> Suppressed:
    """Withhold cells so that none with a count from 1 to below `threshold` can be bounded within `threshold`.

    The same holds for every cell that is withheld. ArithmeticError if no further cell that could be withheld helps:
    such a table must not be released.
    """
    reasons = np.full(len(cells.counts), PUBLISHED, dtype=object)
    reasons[(cells.counts > 0) & (cells.counts < threshold)] = SMALL
    decisions = Decisions()
    decisions.note(SMALL, "cells", int((reasons == SMALL).sum()), threshold=threshold)
    if previous is not None:
        grown = {p: abs(int(cells.counts[p]) - count) for p, count in previous.counts.items()}
        few = [p for p, change in grown.items() if 0 < change < threshold and reasons[p] == PUBLISHED]
        reasons[few] = DIFFERENCE
        decisions.note(DIFFERENCE, "cells", len(few), threshold=threshold)
    known = previous.known() if previous is not None else {}
    search = _Search(cells, reasons, threshold, known)
    search.complete()
    added = search.without_needless()
    if len(narrow := unprotected(cells, reasons != PUBLISHED, threshold, known)):
        raise ArithmeticError(f"cell {cells.name(int(narrow[0]))} is not protected: do not release this table")
    decisions.note(COMPLEMENTARY, "cells", added, threshold=threshold)
    table = cells.keys.copy()
    table[COUNT] = pd.array(cells.counts, dtype="Int64")
    table.loc[reasons != PUBLISHED, COUNT] = pd.NA
    table["reason"] = reasons
    return Suppressed(table, decisions)


class _Search:
    """The search for complementary cells; `reasons` is changed in place."""

    def __init__(
        self, cells: Cells, reasons: npt.NDArray[np.object_], width: int, known: Mapping[int, tuple[int, int]]
    ) -> None:
        self._cells, self._reasons, self._width = cells, reasons, width
        self._moves = Moves(cells, known)
        self._neighbours, self._boxes = Neighbours(cells), Boxes(cells, self._moves)
        self._in = self._moves.equations.T.tocsr()
        self._worth = np.log2(cells.counts + 2.0)

    def complete(self) -> None:
        """Add complementary cells until each withheld cell, complementary ones too, is proven wide by some move."""
        while len(narrow := self._narrow()):
            # Largest first: what hides a large cell hides small ones on its way.
            for position in narrow[np.argsort(-self._cells.counts[narrow], kind="stable")].tolist():
                if self._is_narrow(position):
                    self._widen(position)

    def without_needless(self) -> int:
        """Publish complementary cells again, largest first, where everything else stays proven; how many remain."""
        complementary = np.flatnonzero(self._reasons == COMPLEMENTARY)
        for position in complementary[np.argsort(-self._cells.counts[complementary], kind="stable")].tolist():
            self._reasons[position] = PUBLISHED
            company = self._company()
            if (company == 1).any():  # a cell that is alone in an equation is what is left of its sum
                self._reasons[position] = COMPLEMENTARY
                continue
            forgotten, touched = self._moves.without(position)
            lacking = [cell for cell in touched.tolist() if self._is_narrow(cell)]
            lacking.sort(key=lambda cell: company[self._in[cell].indices].min())  # the likeliest to fail first
            if len(lacking) > _LEANING or not all(self._proven_within(cell) for cell in lacking):
                self._reasons[position] = COMPLEMENTARY
                self._moves.restore(forgotten)
        return int((self._reasons == COMPLEMENTARY).sum())

    def _company(self) -> npt.NDArray[np.int64]:
        """How many withheld cells stand in each equation."""
        counted: npt.NDArray[np.int64] = (abs(self._moves.equations) @ (self._reasons != PUBLISHED)).astype(np.int64)
        return counted

    def _narrow(self) -> npt.NDArray[np.int64]:
        hidden = self._reasons != PUBLISHED
        found: npt.NDArray[np.int64] = np.flatnonzero(hidden & (self._moves.width() < self._width - _ROUNDING))
        return found

    def _is_narrow(self, position: int) -> bool:
        width = self._moves.up[position] + self._moves.down[position]
        return bool(self._reasons[position] != PUBLISHED and width < self._width - _ROUNDING)

    def _widen(self, position: int) -> None:
        """Withhold the corners of the cheapest box, or what must move when the cell falls as far as it can, and when it
        gains the rest."""
        cost = np.where(self._reasons != PUBLISHED, 1e-4, self._worth)
        if len(cost) > _WHOLE and (box := self._boxes.best(position, cost, self._width)):
            self._withhold(self._moves.add(*box))
            return
        down = min(self._moves.can_lose[position], self._width)
        if self._moves.down[position] < down:
            self._withhold(self._moved(position, -down))
        if self._is_narrow(position):
            self._withhold(self._moved(position, self._width - self._moves.down[position]))
        if self._is_narrow(position):
            raise ArithmeticError(f"cell {self._cells.name(position)} cannot be protected: do not release this table")

    def _proven_within(self, position: int) -> bool:
        """Whether the cell is wide by moves of withheld cells only: few of them, so that few need each other."""
        hidden = self._reasons != PUBLISHED
        box = self._boxes.best(position, np.where(hidden, 0.0, np.inf), self._width)
        if box is not None:
            self._moves.add(*box)
            return True
        among = np.flatnonzero(hidden)
        if len(among) > _WHOLE:
            return False
        down = min(self._moves.can_lose[position], self._width)
        for change in (-down, self._width - self._moves.down[position]):
            if change and self._is_narrow(position):
                few = least(self._moves, among, np.ones(len(among)), position, change)
                self._moves.add(*(few or furthest(self._moves, among, {position: change})))
        return not self._is_narrow(position)

    def _withhold(self, moved: npt.NDArray[np.int64]) -> None:
        new = moved[self._reasons[moved] == PUBLISHED]
        self._reasons[new] = COMPLEMENTARY

    def _moved(self, position: int, change: float) -> npt.NDArray[np.int64]:
        """The cells that the cheapest move takes along that changes one cell by `change`, nearby if there is one; none
        if there is no such move.

        A published cell costs what it is worth to a reader, a withheld one next to nothing.
        """
        cost = np.where(self._reasons != PUBLISHED, 1e-4, self._worth)
        for among in (self._neighbours.of(position, cost), np.arange(len(cost))):
            cheapest = least(self._moves, among, cost[among], position, change)
            if cheapest is not None:
                return self._moves.add(*cheapest)
        return np.empty(0, dtype=np.int64)
