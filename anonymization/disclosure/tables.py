"""Suppression in tables of counts: small cells first, then as few others as keep the small ones from being worked out.

Complementary cells come from a linear program for each cell that is still bounded too tightly: the cheapest change of
the table that leaves all published sums as they are (Kelly, Golden and Assad; Fischetti and Salazar). Afterwards every
suppressed cell is audited, and complementary cells that turn out not to be needed are published again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import linprog
from scipy.sparse import csr_matrix, hstack, lil_matrix

from anonymization.disclosure.audit import Mask, groups, protected, unprotected
from anonymization.disclosure.cells import COUNT, Cells
from anonymization.disclosure.decisions import Decisions

PUBLISHED, SMALL, DIFFERENCE, COMPLEMENTARY = "published", "small_cell", "difference", "complementary"
_MOVED = 1e-6


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
    _complete(cells, reasons, threshold, known)
    added = _without_needless(cells, reasons, threshold, known)
    decisions.note(COMPLEMENTARY, "cells", added, threshold=threshold)
    table = cells.keys.copy()
    table[COUNT] = pd.array(cells.counts, dtype="Int64")
    table.loc[reasons != PUBLISHED, COUNT] = pd.NA
    table["reason"] = reasons
    return Suppressed(table, decisions)


def _complete(cells: Cells, reasons: npt.NDArray[np.object_], width: int, known: dict[int, tuple[int, int]]) -> None:
    """Add complementary cells until the audit finds nothing; each round protects the cells that it found."""
    program = _Program(cells, known)
    while True:
        narrow = unprotected(cells, reasons != PUBLISHED, width, known)
        if not len(narrow):
            return
        before = int((reasons != PUBLISHED).sum())
        for position in narrow:
            for moved in program.cheapest(int(position), width, reasons != PUBLISHED):
                reasons[moved] = np.where(reasons[moved] == PUBLISHED, COMPLEMENTARY, reasons[moved])
        if int((reasons != PUBLISHED).sum()) == before:
            raise ArithmeticError(f"cell {cells.name(int(narrow[0]))} cannot be protected: do not release this table")


def _without_needless(
    cells: Cells, reasons: npt.NDArray[np.object_], width: int, known: dict[int, tuple[int, int]]
) -> int:
    """Publish complementary cells again, largest first, where everything else stays protected; how many remain.

    Only cells that equations tie to it can lose their protection.
    """
    complementary = np.flatnonzero(reasons == COMPLEMENTARY)
    for position in complementary[np.argsort(-cells.counts[complementary], kind="stable")]:
        (tied,) = [group for group in groups(cells, reasons != PUBLISHED) if position in group]
        reasons[position] = PUBLISHED
        if not protected(cells, reasons != PUBLISHED, width, tied, known):
            reasons[position] = COMPLEMENTARY
    return int((reasons == COMPLEMENTARY).sum())


class _Program:
    """The cheapest change of the table that moves one cell by a given amount and keeps all sums true.

    Variables: what each cell gains, then what it loses. A cell that is published costs what it is worth to a reader,
    one that is withheld already costs next to nothing; whatever moves has to be withheld.
    """

    def __init__(self, cells: Cells, known: Mapping[int, tuple[int, int]]) -> None:
        n = len(cells.counts)
        matrix = lil_matrix((len(cells.equations), n))
        for row, (sum_, parts) in enumerate(cells.equations):
            matrix[row, sum_] = -1.0
            for part in parts:
                matrix[row, part] += 1.0
        self._equations = hstack([csr_matrix(matrix), -csr_matrix(matrix)]).tocsr()
        lows = np.array([known.get(position, (0, -1))[0] for position in range(n)])
        self._can_lose = np.maximum(cells.counts - lows, 0)
        self._worth = np.log2(cells.counts + 2.0)
        self._counts = cells.counts

    def cheapest(self, position: int, width: int, hidden: Mask) -> list[np.ndarray]:
        """Positions that move when the cell falls as far as it can, up to `width`, and when it gains the rest."""
        down = int(min(self._can_lose[position], width))
        moves = [(-down, hidden)] if down else []
        if width > down:
            moves.append((width - down, hidden))
        return [moved for change, seen in moves if (moved := self._moved(position, change, seen)) is not None]

    def _moved(self, position: int, change: int, hidden: Mask) -> np.ndarray | None:
        n = len(self._worth)
        cost = np.where(hidden, 1e-4, self._worth)
        lower, upper = np.zeros(2 * n), np.concatenate([np.full(n, np.inf), self._can_lose.astype(float)])
        gain, loss = (change, 0) if change > 0 else (0, -change)
        lower[[position, n + position]] = upper[[position, n + position]] = (gain, loss)
        solved = linprog(
            np.tile(cost, 2),
            A_eq=self._equations,
            b_eq=np.zeros(self._equations.shape[0]),
            bounds=np.column_stack([lower, upper]),
            method="highs",
        )
        if solved.status != 0:
            return None
        return np.flatnonzero(np.abs(solved.x[:n] - solved.x[n:]) > _MOVED)
