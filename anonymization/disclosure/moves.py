"""Changes of a table that leave everything published as it is: each is a proof of what a withheld cell can be as well.

A move says how much each cell gains or loses; the sums stay true and no cell falls below what is known of it. Found for
one cell, it tells of every cell that it moves: so most cells are proven without a linear program of their own. Where
moves come from is not decided here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import linprog
from scipy.sparse import csr_matrix, hstack

from anonymization.disclosure.cells import Cells

Vector = npt.NDArray[np.float64]
Positions = npt.NDArray[np.int64]

Bounded = Vector | Sequence[tuple[float, float | None]]

_INFEASIBLE, _UNBOUNDED = 2, 3
_LARGE = 600
_NOTHING = 1e-6
"""Of a solver's answer, what is rounding and no change."""


class Infeasible(ArithmeticError):
    """No table is like this one."""


@dataclass(frozen=True)
class Move:
    """`changes` of the cells at `positions`, as far as the table lets it go."""

    positions: Positions
    changes: Vector


class Moves:
    """All moves found for one table, and how far each cell gets with them. `known`: bounds from elsewhere, by position
    (lowest, highest; -1: nothing)."""

    def __init__(self, cells: Cells, known: Mapping[int, tuple[int, int]]) -> None:
        self.equations = equations(cells)
        self.columns = self.equations.tocsc()
        self.counts = cells.counts.astype(float)
        bounds = [known.get(position, (0, -1)) for position in range(len(self.counts))]
        lows, highs = np.array(bounds, dtype=float).reshape(-1, 2).T
        self.can_lose: Vector = np.maximum(self.counts - lows, 0)
        self.can_gain: Vector = np.where(highs < 0, np.inf, np.maximum(highs - self.counts, 0))
        self.up, self.down = np.zeros(len(self.counts)), np.zeros(len(self.counts))
        self._moves: dict[int, Move] = {}
        self._of_cell: dict[int, set[int]] = defaultdict(set)
        self._next = 0

    def hold_within(self, low: Vector, high: Vector) -> None:
        """No cell can be less or more than this: what moves it must stop there, and is found sooner."""
        self.can_lose = np.minimum(self.can_lose, np.maximum(self.counts - low, 0))
        self.can_gain = np.minimum(self.can_gain, np.maximum(high - self.counts, 0))

    def width(self) -> Vector:
        """How wide the interval of each cell is at least."""
        total: Vector = self.up + self.down
        return total

    def add(self, positions: Positions, changes: Vector) -> Positions:
        """A move, as far as it can be driven, and its opposite; the cells that it moves. ArithmeticError: no move."""
        real = np.abs(changes) > _NOTHING
        positions, changes = positions[real], changes[real]
        if not len(positions):
            return positions
        whole = np.zeros(len(self.counts))
        whole[positions] = changes
        if np.abs(self.equations @ whole).max(initial=0) > _NOTHING * len(positions) * np.abs(changes).max():
            raise ArithmeticError("a change of the table does not leave its sums as they are")
        for direction in (changes, -changes):
            self._keep(Move(positions, direction * self._furthest(positions, direction)))
        return positions

    def _furthest(self, positions: Positions, changes: Vector) -> float:
        """So many times a move can be made: up to where a cell has nothing left to lose, and no more than a million
        counts where nothing stops it."""
        room = np.where(changes < 0, self.can_lose[positions], self.can_gain[positions])
        return float(min((room / np.abs(changes)).min(), 1e6 / np.abs(changes).max()))

    def _keep(self, move: Move) -> None:
        if np.abs(move.changes).max() <= _NOTHING:
            return
        self._moves[self._next] = move
        for position in move.positions.tolist():
            self._of_cell[position].add(self._next)
        self._next += 1
        self._reach(move)

    def _reach(self, move: Move) -> None:
        at = move.positions
        self.up[at] = np.maximum(self.up[at], move.changes)
        self.down[at] = np.maximum(self.down[at], -move.changes)

    def without(self, position: int) -> tuple[list[Move], Positions]:
        """Forget the moves of a cell that is published; what they were, and the cells that they had moved."""
        forgotten = [self._moves.pop(number) for number in sorted(self._of_cell[position])]
        numbers = self._of_cell.pop(position, set())
        touched = np.unique(np.concatenate([move.positions for move in forgotten])) if forgotten else np.array([], int)
        for cell in touched.tolist():
            if cell in self._of_cell:
                self._of_cell[cell] -= numbers
        self.up[touched] = self.down[touched] = 0
        for number in {number for cell in touched.tolist() for number in self._of_cell.get(cell, ())}:
            self._reach(self._moves[number])
        return forgotten, touched

    def restore(self, forgotten: Iterable[Move]) -> None:
        """Moves that were forgotten count again."""
        for move in forgotten:
            self._keep(move)


def equations(cells: Cells) -> csr_matrix:
    """One row an equation: parts less their sum."""
    rows, columns, values = [], [], []
    for row, (sum_, parts) in enumerate(cells.equations):
        rows += [row] * (len(parts) + 1)
        columns += [sum_, *parts]
        values += [-1.0, *[1.0] * len(parts)]
    return csr_matrix((values, (rows, columns)), shape=(len(cells.equations), len(cells.counts)))


def furthest(moves: Moves, among: Positions, changes: Mapping[int, float]) -> tuple[Positions, Vector]:
    """The move of the cells `among` that changes those of `changes` most, each towards its change and no further."""
    cost = np.zeros(len(among))
    lower, upper = -moves.can_lose[among], moves.can_gain[among].copy()
    columns, wanted = np.searchsorted(among, list(changes)), np.array(list(changes.values()))
    cost[columns] = -np.sign(wanted)
    lower[columns] = np.maximum(lower[columns], np.minimum(wanted, 0))
    upper[columns] = np.minimum(upper[columns], np.maximum(wanted, 0))
    return _best_move(moves, among, cost, np.column_stack([lower, upper]))


def apart(moves: Moves, among: Positions, towards: Vector, width: float) -> tuple[Positions, Vector]:
    """The move of the cells `among` by `width` at most that gains most in all, each counted by its `towards`."""
    lower, upper = -np.minimum(moves.can_lose[among], width), np.minimum(moves.can_gain[among], width)
    return _best_move(moves, among, -towards, np.column_stack([lower, upper]))


def least(
    moves: Moves, among: Positions, cost: Vector, position: int, change: float
) -> tuple[Positions, Vector] | None:
    """The cheapest move of the cells `among` that changes the one at `position` by `change`; None if there is none.

    Variables: what each cell gains, then what it loses, each at the cell's `cost`.
    """
    tied, right = _among(moves, among)
    column, n = int(np.searchsorted(among, position)), len(among)
    losing = np.flatnonzero(moves.can_lose[among] > 0)
    lower, upper = np.zeros(n + len(losing)), np.concatenate([moves.can_gain[among], moves.can_lose[among][losing]])
    lower[column] = upper[column] = max(change, 0)
    falls = n + np.flatnonzero(losing == column)
    if change < 0 and not len(falls):
        return None
    lower[falls] = upper[falls] = max(-change, 0)
    try:
        found = solved(
            np.concatenate([cost, cost[losing]]),
            hstack([tied, -tied[:, losing]]).tocsr(),
            right,
            np.column_stack([lower, upper]),
        )
    except Infeasible:
        return None
    if found is None:
        return None
    found[losing] -= found[n:]
    return among, found[:n]


def _among(moves: Moves, among: Positions) -> tuple[csr_matrix, Vector]:
    """The equations that some of `among` stand in, and what their parts less their sums may change: nothing."""
    matrix = moves.columns[:, among]
    tied = matrix.tocsr()[np.unique(matrix.indices)]
    return tied, np.zeros(tied.shape[0])


def solved(cost: Vector, matrix: csr_matrix, right: Vector, bounds: Bounded) -> Vector | None:
    """Where the cost is smallest; None where it has no end.

    Without the solver's first look for simplifications, which takes longer here than it saves.
    """
    tied = {"A_eq": matrix, "b_eq": right} if matrix.shape[0] else {}
    found = linprog(cost, bounds=bounds, method="highs", options={"presolve": False}, **tied)
    if found.status == _UNBOUNDED:
        return None
    if found.status == _INFEASIBLE:
        raise Infeasible("nothing fulfils the equations")
    if found.status != 0:
        raise ArithmeticError(f"a linear program did not end: status {found.status}")
    where: Vector = found.x
    return where


def _best_move(moves: Moves, among: Positions, cost: Vector, bounds: Vector) -> tuple[Positions, Vector]:
    """The move of `among` of the smallest cost. Not to move is always one, and bounds end all: so many cells may
    be asked about by interior points, which take half a second for 4,600 where the simplex did not end in minutes."""
    tied, right = _among(moves, among)
    if len(among) > _LARGE:
        found = linprog(cost, A_eq=tied, b_eq=right, bounds=bounds, method="highs-ipm")
        if found.status == 0:
            return among, found.x
    where = solved(cost, tied, right, bounds)
    if where is None:
        raise ArithmeticError("a linear program with bounds has no end")
    return among, where
