"""Suppression in tables of counts: small cells first, then as few others as keep the small ones from being worked out.

Complementary cells come from a linear program for a cell that is still bounded too tightly: the cheapest change of the
table that leaves all published sums as they are (Kelly, Golden and Assad; Fischetti and Salazar). Every such change is
kept, since it proves something of all cells that it moves. Complementary cells that turn out not to be needed are
published again, and in the end the audit, which knows nothing of these changes, has its say.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from anonymization.disclosure.audit import Mask
from anonymization.disclosure.boxes import Boxes
from anonymization.disclosure.cells import COUNT, Cells
from anonymization.disclosure.decisions import Decisions
from anonymization.disclosure.moves import Moves, furthest, least
from anonymization.disclosure.neighbours import Neighbours
from anonymization.disclosure.releases import Previous
from anonymization.disclosure.scene import Scene

PUBLISHED, SMALL, DIFFERENCE, COMPLEMENTARY = "published", "small_cell", "difference", "complementary"
EARLIER = "earlier"
Reasons = npt.NDArray[np.object_]
_ROUNDING = 1e-6
_LEANING = 12
"""A complementary cell on which more cells lean stays. Without this limit 698 cells of a table of 1,617 were withheld
in place of 735, in more than twice the time."""
_PATIENCE = 3_000_000
"""Cells of forgotten moves, about ten seconds: after so many the other complementary cells stay. A fourth release of
620 cells took 27 seconds without this limit, and a fifth had not ended in three minutes."""
_WHOLE = 1_500
"""Of more cells, boxes are looked at first, and of more withheld ones no program over all of them is asked about one
that no box proves: such programs brought back 22 of 1,070 in 3 seconds, of 3,300 they had not ended in 4 minutes."""


@dataclass(frozen=True)
class Suppressed:
    """`table`: the cells' variables, the count (null where withheld) and the reason, for the record; `decisions`: what
    was decided."""

    table: pd.DataFrame
    decisions: Decisions

    @property
    def released(self) -> pd.DataFrame:
        """What readers get: no reasons, for a cell that is called small is below the threshold."""
        return self.table.drop(columns="reason")

    @property
    def hidden(self) -> Mask:
        mask: Mask = (self.table["reason"] != PUBLISHED).to_numpy()
        return mask


def suppress(cells: Cells, threshold: int, previous: Previous | None = None) -> Suppressed:
    """Withhold cells so that none with a count from 1 to below `threshold` can be bounded within `threshold`.

    The same holds for every cell that is withheld. ArithmeticError if no further cell that could be withheld helps:
    such a table must not be released. ValueError: a threshold below 2, under which there is no count to withhold.
    """
    if threshold < 2:
        raise ValueError(f"a threshold of {threshold} withholds nothing: it is the smallest count that is published")
    reasons = np.full(len(cells.counts), PUBLISHED, dtype=object)
    reasons[(cells.counts > 0) & (cells.counts < threshold)] = SMALL
    decisions = Decisions()
    decisions.note(SMALL, "cells", int((reasons == SMALL).sum()), threshold=threshold)
    if previous is not None:
        few = [position for position in previous.changed_by_few(cells, threshold) if reasons[position] == PUBLISHED]
        reasons[few] = DIFFERENCE
        decisions.note(DIFFERENCE, "cells", len(few), threshold=threshold)
    scene = previous.scene(cells, threshold) if previous is not None else Scene.alone(cells, {})
    search = _Search(scene, reasons, threshold)
    reasons = search.reasons
    search.complete()
    added = search.without_needless()
    if len(narrow := scene.narrow(scene.hidden(reasons != PUBLISHED), threshold)):
        raise ArithmeticError(f"cell {scene.cells.name(int(narrow[0]))} is not protected: do not release this table")
    decisions.note(COMPLEMENTARY, "cells", added, threshold=threshold)
    table = cells.keys.copy()
    table[COUNT] = pd.Series(cells.counts, dtype="Int64")
    table.loc[reasons != PUBLISHED, COUNT] = pd.NA
    table["reason"] = reasons
    return Suppressed(table, decisions)


class _Search:
    """The search for complementary cells; `reasons`: those of the new release's cells, changed in place."""

    def __init__(self, scene: Scene, reasons: Reasons, width: int) -> None:
        self._scene, self._cells, self._width = scene, scene.cells, width
        self._reasons: Reasons = np.full(len(scene.withheld), PUBLISHED, dtype=object)
        self._reasons[scene.withheld] = EARLIER
        self.reasons = self._reasons[: scene.own]
        self.reasons[:] = reasons
        again = scene.again()
        self.reasons[again[self.reasons[again] == PUBLISHED]] = COMPLEMENTARY
        self._moves = Moves(self._cells, scene.known)
        self._movable = np.flatnonzero(self._moves.can_lose + self._moves.can_gain)
        self._neighbours, self._boxes = Neighbours(self._cells), Boxes(self._cells, self._moves)
        self._in = self._moves.equations.T.tocsr()
        self._worth = np.log2(self._cells.counts + 2.0)
        self._asked = scene.withheld
        self._work = 0

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
            if self._work > _PATIENCE:
                break
            self._reasons[position] = PUBLISHED
            company, asked = self._company(), self._company(self._asked)
            if ((company == 1) & (asked == 1)).any():  # a cell alone in an equation is what is left of its sum
                self._reasons[position] = COMPLEMENTARY
                continue
            forgotten, touched = self._moves.without(position)
            self._work += sum(len(move.positions) for move in forgotten)
            lacking = [cell for cell in touched.tolist() if self._is_narrow(cell)]
            lacking.sort(key=lambda cell: company[self._in[cell].indices].min())  # the likeliest to fail first
            if len(lacking) > _LEANING or not all(self._proven_within(cell) for cell in lacking):
                self._reasons[position] = COMPLEMENTARY
                self._moves.restore(forgotten)
        return int((self._reasons == COMPLEMENTARY).sum())

    def _company(self, among: Mask | bool = True) -> npt.NDArray[np.int64]:
        """How many withheld cells stand in each equation."""
        hidden = (self._reasons != PUBLISHED) & among
        counted: npt.NDArray[np.int64] = (abs(self._moves.equations) @ hidden).astype(np.int64)
        return counted

    def _narrow(self) -> npt.NDArray[np.int64]:
        self._asked = self._scene.asked(self._reasons != PUBLISHED, self._moves)
        found: npt.NDArray[np.int64] = np.flatnonzero(self._asked & (self._moves.width() < self._width - _ROUNDING))
        return found

    def _is_narrow(self, position: int) -> bool:
        width = self._moves.up[position] + self._moves.down[position]
        return bool(self._asked[position] and self._reasons[position] != PUBLISHED and width < self._width - _ROUNDING)

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
        among = np.flatnonzero(hidden & (self._moves.can_gain > 0))
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
        """The cells that the cheapest move takes along that changes one cell by `change`, nearby if there is one, or
        by as much of it as earlier releases allow; none if it cannot move.

        A published cell costs what it is worth to a reader, a withheld one next to nothing.
        """
        cost = np.where(self._reasons != PUBLISHED, 1e-4, self._worth)
        for among in (self._neighbours.of(position, cost), self._movable):
            cheapest = least(self._moves, among, cost[among], position, change)
            if cheapest is not None:
                return self._moves.add(*cheapest)
        at, changes = furthest(self._moves, self._movable, {position: change})
        reach = float(changes[np.searchsorted(at, position)])
        return self._moves.add(*(least(self._moves, at, cost[at], position, reach) or (at, changes)))
