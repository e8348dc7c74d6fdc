"""Bounds of suppressed cells that need no linear program: what each equation says of one cell, given bounds of the
others, again until nothing gets narrower (the shuttle algorithm, Buzzigoli and Giusti 1998).

They are never narrower than what can be worked out, so that a cell they show to be narrow is; whether a cell that they
leave wide is wide, is the business of `audit`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from anonymization.disclosure.moves import Moves

Mask = npt.NDArray[np.bool_]
Vector = npt.NDArray[np.float64]

_ROUNDS = 200
"""So often equations are looked at; to stop sooner leaves bounds wider, never wrong."""


def outer_width(moves: Moves, suppressed: Mask) -> Vector:
    """By position how wide the interval of each cell is at most: 0 for a published one."""
    low, high = outer_bounds(moves, suppressed)
    width: Vector = high - low
    return width


def outer_bounds(moves: Moves, suppressed: Mask) -> tuple[Vector, Vector]:
    """By position what each cell is at least and at most."""
    entries = moves.equations.tocoo()
    rows, cells, signs = entries.row, entries.col, entries.data
    low = np.where(suppressed, moves.counts - moves.can_lose, moves.counts)
    high = np.where(suppressed, moves.counts + moves.can_gain, moves.counts)
    hidden = suppressed[cells]
    for _ in range(_ROUNDS):
        least = np.where(signs > 0, low[cells], -high[cells])
        most = np.where(signs > 0, high[cells], -low[cells])
        # The rest of an equation, with the cell's own sign turned: what the cell has to be.
        from_least, from_most = -_others(rows, least), -_others(rows, most)
        lowest, highest = np.where(signs > 0, from_most, -from_least), np.where(signs > 0, from_least, -from_most)
        new_low, new_high = low.copy(), high.copy()
        np.maximum.at(new_low, cells[hidden], lowest[hidden])
        np.minimum.at(new_high, cells[hidden], highest[hidden])
        if np.array_equal(new_low, low) and np.array_equal(new_high, high):
            break
        low, high = new_low, new_high
    return low, high


def _others(rows: npt.NDArray[np.int32], values: Vector) -> Vector:
    """By entry the sum of the other entries of its row; infinite if one of them is, all which have the same sign."""
    endless = np.isinf(values)
    finite = np.where(endless, 0.0, values)
    count = np.bincount(rows, weights=endless)[rows] - endless
    sums = np.bincount(rows, weights=finite)[rows] - finite
    infinity = np.where(values[endless][:1].sum() < 0, -np.inf, np.inf)
    return np.where(count > 0, infinity, sums)
