"""What an attacker can still work out about suppressed cells: the interval of each, by linear programming (HiGHS).

The attacker knows every published cell, that parts add up to their sums, and that no count is negative; with a previous
release also what a cell was then. A cell is protected when its interval is at least as wide as asked.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from scipy.optimize import linprog
from scipy.sparse import csr_matrix, lil_matrix

from anonymization.disclosure.cells import Cells

Mask = npt.NDArray[np.bool_]
_ROUNDING = 1e-6


def intervals(cells: Cells, suppressed: Mask, known: Mapping[int, tuple[int, int]] | None = None) -> np.ndarray:
    """(lowest, highest) value that each suppressed cell can have, in the order of their positions.

    `known`: bounds that the attacker has from elsewhere, by position. A cell without upper bound has infinity.
    """
    hidden = np.flatnonzero(suppressed)
    if not len(hidden):
        return np.empty((0, 2))
    matrix, right = _seen(cells, suppressed, hidden)
    bounds = [_bounds(int(position), known or {}) for position in hidden]
    found = np.empty((len(hidden), 2))
    for number in range(len(hidden)):
        for side, sign in enumerate((1.0, -1.0)):
            cost = np.zeros(len(hidden))
            cost[number] = sign
            found[number, side] = sign * _best(cost, matrix, right, bounds)
    return found


def unprotected(
    cells: Cells, suppressed: Mask, width: int, known: Mapping[int, tuple[int, int]] | None = None
) -> npt.NDArray[np.int64]:
    """Positions of suppressed cells whose interval is narrower than `width`."""
    found = intervals(cells, suppressed, known)
    narrow = found[:, 1] - found[:, 0] < width - _ROUNDING
    positions: npt.NDArray[np.int64] = np.flatnonzero(suppressed)[narrow]
    return positions


def _bounds(position: int, known: Mapping[int, tuple[int, int]]) -> tuple[float, float | None]:
    low, high = known.get(position, (0, -1))
    return float(low), None if high < 0 else float(high)


def _seen(cells: Cells, suppressed: Mask, hidden: np.ndarray) -> tuple[csr_matrix, np.ndarray]:
    """The equations over hidden cells, with what is published taken to the right-hand side."""
    column = np.full(len(suppressed), -1)
    column[hidden] = np.arange(len(hidden))
    rows = [(sum_, parts) for sum_, parts in cells.equations if suppressed[[sum_, *parts]].any()]
    matrix, right = lil_matrix((len(rows), len(hidden))), np.zeros(len(rows))
    for row, (sum_, parts) in enumerate(rows):
        for position, factor in ((sum_, -1.0), *((part, 1.0) for part in parts)):
            if suppressed[position]:
                matrix[row, column[position]] += factor
            else:
                right[row] -= factor * cells.counts[position]
    return matrix.tocsr(), right


def _best(cost: np.ndarray, matrix: csr_matrix, right: np.ndarray, bounds: list[tuple[float, float | None]]) -> float:
    """The smallest value of `cost` over all tables that look like the published one; -inf where there is none."""
    equations = {"A_eq": matrix, "b_eq": right} if matrix.shape[0] else {}
    solved = linprog(cost, bounds=bounds, method="highs", **equations)
    if solved.status == 3:
        return -np.inf
    if solved.status != 0:
        raise ArithmeticError(f"the audit's linear program did not end: status {solved.status}")
    return float(solved.fun)
