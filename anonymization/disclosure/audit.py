"""What an attacker can still work out about suppressed cells: the interval of each, by linear programming (HiGHS).

The attacker knows every published cell, that parts add up to their sums, and that no count is negative; with a previous
release also what a cell was then. A cell is protected when its interval is at least as wide as asked.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_matrix, csr_matrix, lil_matrix
from scipy.sparse.csgraph import connected_components

from anonymization.disclosure.cells import Cells
from anonymization.disclosure.moves import Moves, apart, furthest, solved
from anonymization.disclosure.outer import outer_bounds

Mask = npt.NDArray[np.bool_]
Bounds = Mapping[int, tuple[int, int]]
"""By position: what is known of a cell from elsewhere, lowest and highest (-1: nothing) count."""
_ROUNDING = 1e-6
_FEW = 4
"""Cells so few are looked at one by one."""
_WORK = (400_000, 4_000_000)
"""Programs, each counted by its cells: about half a minute and five minutes of processor time. After so many no
further narrow cell is looked for, or, where none was found, nothing can be said."""


def intervals(cells: Cells, suppressed: Mask, known: Bounds | None = None) -> np.ndarray:
    """(lowest, highest) value that each suppressed cell can have, in the order of their positions.

    `known`: bounds that the attacker has from elsewhere, by position. A cell without upper bound has infinity.
    """
    hidden = np.flatnonzero(suppressed)
    found = np.empty((len(hidden), 2))
    for group in groups(cells, suppressed):
        program = _Group(cells, suppressed, group, known or {})
        found[np.searchsorted(hidden, group)] = [program.interval(number) for number in range(len(group))]
    return found


def unprotected(cells: Cells, suppressed: Mask, width: int, known: Bounds | None = None) -> npt.NDArray[np.int64]:
    """Positions of suppressed cells whose interval is narrower than `width`; none only if all are proven wide.

    A cell that moved by `width` while another was looked at needs no program of its own, nor does one that its
    equations alone show to be narrow. Where thousands of cells hang together that are not protected, the search ends
    with those found within half a minute. ArithmeticError: in ten times that neither was proven.
    """
    return narrow_of(Moves(cells, known or {}), cells, suppressed, suppressed, width)


def narrow_of(moves: Moves, cells: Cells, suppressed: Mask, asked: Mask, width: int) -> npt.NDArray[np.int64]:
    """Positions of those of `asked` whose interval is narrower than `width` while all of `suppressed` are withheld."""
    low, high = outer_bounds(moves, suppressed)
    moves.hold_within(low, high)
    most, work = high - low, 0
    narrow = asked & (most < width - _ROUNDING)
    for group in groups(cells, suppressed & (most > _ROUNDING)):
        open_ = group[asked[group] & ~narrow[group]]
        _move_together(moves, group, open_, width)
        for position in open_[moves.width()[open_] < width - _ROUNDING].tolist():
            if work > _WORK[0] and narrow.any():
                return np.flatnonzero(narrow)
            if work > _WORK[1]:
                raise ArithmeticError("too many cells hang together to be audited: do not release this table")
            for sign in (1.0, -1.0):
                if moves.width()[position] < width - _ROUNDING:
                    moves.add(*furthest(moves, group, {position: sign * width}))
                    work += len(group)
            narrow[position] = moves.width()[position] < width - _ROUNDING
    return np.flatnonzero(narrow)


def _move_together(moves: Moves, group: npt.NDArray[np.int64], asked: npt.NDArray[np.int64], width: int) -> None:
    """Move all cells `asked` of a group that are not yet shown to be wide by one program, some up and some down, and
    again as long as that shows enough: a table of thousands needs some dozens of programs in place of thousands.

    Which go up is drawn by lot with a fixed seed, so that an audit comes out the same each time.
    """
    rng = np.random.default_rng(len(group))
    may_be_wide = np.isin(group, asked)
    narrow = may_be_wide & (moves.width()[group] < width - _ROUNDING)
    while narrow.sum() >= _FEW:
        ways = np.where(narrow, rng.choice((-1.0, 1.0), len(group)), 0.0)
        for towards in (ways, -ways):
            moves.add(*apart(moves, group, towards, width))
        before, narrow = int(narrow.sum()), may_be_wide & (moves.width()[group] < width - _ROUNDING)
        if before - narrow.sum() < _FEW:
            return


def groups(cells: Cells, suppressed: Mask) -> list[npt.NDArray[np.int64]]:
    """Suppressed cells that equations tie together; nothing about one group is learnt from another."""
    n = len(suppressed)
    pairs = []
    for sum_, parts in cells.equations:
        tied = [position for position in (sum_, *parts) if suppressed[position]]
        pairs += [(tied[0], other) for other in tied[1:]]
    rows, columns = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    _, label = connected_components(coo_matrix((np.ones(len(rows)), (rows, columns)), shape=(n, n)), directed=False)
    hidden = np.flatnonzero(suppressed)
    return [hidden[label[hidden] == number] for number in np.unique(label[hidden])]


class _Group:
    """The linear program of one group: its equations, with what is published taken to the right-hand side."""

    def __init__(self, cells: Cells, suppressed: Mask, group: npt.NDArray[np.int64], known: Bounds) -> None:
        column = {int(position): number for number, position in enumerate(group)}
        rows = [(s, parts) for s, parts in cells.equations if s in column or any(part in column for part in parts)]
        matrix, self._right = lil_matrix((len(rows), len(group))), np.zeros(len(rows))
        for row, (sum_, parts) in enumerate(rows):
            for position, factor in ((sum_, -1.0), *((part, 1.0) for part in parts)):
                if suppressed[position]:
                    matrix[row, column[position]] += factor
                else:
                    self._right[row] -= factor * cells.counts[position]
        self._matrix: csr_matrix = matrix.tocsr()
        self._bounds = [_bounds(int(position), known) for position in group]
        self._least = np.array([low for low, _ in self._bounds])
        self._as_least = np.zeros(len(group), dtype=bool)

    def interval(self, number: int) -> tuple[float, float]:
        """What the cell `number` of the group can be. Tables found for other cells show of most that they can be as
        small as their bound: that needs no program of its own."""
        highest = -self._smallest(number, -1.0)
        return float(self._least[number]) if self._as_least[number] else self._smallest(number, 1.0), highest

    def _smallest(self, number: int, sign: float) -> float:
        """The smallest value of sign times the cell over all tables that look like the published one."""
        cost = np.zeros(len(self._bounds))
        cost[number] = sign
        found = solved(cost, self._matrix, self._right, self._bounds)
        if found is None:
            return -np.inf
        self._as_least |= found <= self._least
        return float(cost @ found)


def _bounds(position: int, known: Bounds) -> tuple[float, float | None]:
    low, high = known.get(position, (0, -1))
    return float(low), None if high < 0 else float(high)
