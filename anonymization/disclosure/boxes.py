"""Changes of a table that need no linear program: a box of cells, two categories in each variable, gaining and losing
by turns (Repsilber's hypercubes), found by looking at all boxes that a cell is a corner of.

In each variable a box goes from one category to another, or from none to one, which its sums follow. A product of such
steps leaves every sum of a cross-classified table true, of linked tables and of levels too. Most cells of a large table
are proven by a box; where none does, a linear program over more cells may still find something.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from anonymization.disclosure.cells import Cells
from anonymization.disclosure.moves import Moves

Positions = npt.NDArray[np.int64]
Vector = npt.NDArray[np.float64]
Step = tuple[tuple[int, int], ...]
"""Categories of one variable and which way each goes: +1 with the cell, -1 against it."""

_DENSE = 4e6
"""Tables of up to so many combinations of categories keep a place for each."""
_MOST = (600, 6_000)
"""So many boxes of a cell are looked at, of the largest categories first; and more if none of these serves."""


class Boxes:
    """The boxes of one set of tables."""

    def __init__(self, cells: Cells, moves: Moves) -> None:
        self._moves = moves
        codes = [cells.keys[name].astype("category").cat for name in cells.keys]
        self._keys = np.column_stack([one.codes.to_numpy(np.int64) for one in codes])
        sizes = [len(one.categories) for one in codes]
        self._strides = np.cumprod([1, *sizes[:-1]])
        self._packed = self._keys @ self._strides
        self._order = np.argsort(self._packed)
        self._place = self._dense(int(np.prod(sizes))) if np.prod(sizes, dtype=float) <= _DENSE else None
        self._parent: list[dict[int, int]] = [{} for _ in codes]
        for sum_, parts in cells.equations:
            variable = int(np.flatnonzero(self._keys[sum_] != self._keys[parts[0]])[0])
            whole = int(self._keys[sum_, variable])
            self._parent[variable] |= {int(self._keys[part, variable]): whole for part in parts}
        self._steps = lru_cache(maxsize=None)(self._steps_of)
        self._sizes = [
            np.bincount(self._keys[:, v], weights=cells.counts, minlength=self._keys[:, v].max() + 1)
            for v in range(len(codes))
        ]

    def best(self, position: int, cost: Vector, width: float) -> tuple[Positions, Vector] | None:
        """The cheapest box that makes a cell `width` wide together with what is proven of it; None if there is none.

        `cost`: what it costs to withhold each cell; infinite where it may not be.
        """
        return next((box for most in _MOST if (box := self._among(most, position, cost, width))), None)

    def _among(self, most: int, position: int, cost: Vector, width: float) -> tuple[Positions, Vector] | None:
        """The cheapest of the first boxes of a cell."""
        options = [self._steps(variable, int(key)) for variable, key in enumerate(self._keys[position])]
        corners, signs = self._corners(options, most)
        here = self._moves
        missing = corners < 0
        lose = np.where(missing, np.inf, here.can_lose[corners])
        gain = np.where(missing, np.inf, here.can_gain[corners])
        up = np.where(signs < 0, lose, gain).min(axis=1)
        down = np.where(signs < 0, gain, lose).min(axis=1)
        wide = np.maximum(up, here.up[position]) + np.maximum(down, here.down[position])
        price = np.where(missing, 0.0, cost[corners]).sum(axis=1)
        price[(wide < width) | ((up <= 0) & (down <= 0))] = np.inf
        found = int(np.lexsort((-np.minimum(wide, 1e9), price))[0])
        if not np.isfinite(price[found]):
            return None
        there = ~missing[found]
        return corners[found][there], signs[found][there].astype(float)

    def _corners(self, options: Sequence[Sequence[Step]], most: int) -> tuple[Positions, Positions]:
        """By box: the positions of its corners, -1 where the tables have no such cell, and which way each goes."""
        places, signs = np.zeros((1, 1), np.int64), np.ones((1, 1), np.int64)
        room = [len(one) for one in options]
        while np.prod(room) > most:
            room[int(np.argmax(room))] = max(1, max(room) * 2 // 3)
        for variable, (steps, count) in enumerate(zip(options, room, strict=True)):
            longest = max(len(step) for step in steps[:count])
            code = np.zeros((count, longest), np.int64)
            way = np.zeros((count, longest), np.int64)
            for row, step in enumerate(steps[:count]):
                code[row, : len(step)], way[row, : len(step)] = zip(*step, strict=True)
            code *= self._strides[variable]
            places = (places[:, None, :, None] + code[None, :, None, :]).reshape(len(places) * count, -1)
            signs = (signs[:, None, :, None] * way[None, :, None, :]).reshape(len(signs) * count, -1)
        return np.where(signs != 0, self._positions(places), -1), signs

    def _dense(self, size: int) -> Positions:
        """By packed categories the position of their cell, -1 where there is none."""
        place = np.full(size, -1, dtype=np.int64)
        place[self._packed] = np.arange(len(self._packed))
        return place

    def _positions(self, packed: Positions) -> Positions:
        """Where the cells of packed categories stand; looked up, or in a large sparse set of tables searched for."""
        if self._place is not None:
            return self._place[packed]
        at = np.searchsorted(self._packed, packed, sorter=self._order).clip(max=len(self._packed) - 1)
        found = self._order[at]
        return np.where(self._packed[found] == packed, found, -1)

    def _steps_of(self, variable: int, category: int) -> list[Step]:
        """Steps of a category: those to another of the largest first."""
        parent = self._parent[variable]
        inner = set(parent.values())
        paths = [self._path(parent, leaf) for leaf in parent if leaf not in inner] or [(category,)]
        through = [path for path in paths if category in path] or [(category,)]
        sizes = self._sizes[variable]
        through.sort(key=lambda path: -sizes[path[0]])
        beside = sorted((path for path in paths if category not in path), key=lambda path: -sizes[path[0]])
        steps: dict[Step, None] = {}
        for path in through[: 1 if beside else None]:
            for other in beside:
                away = tuple((one, -1) for one in other if one not in path)
                steps[(*((one, 1) for one in path if one not in other), *away)] = None
        for path in through:
            steps[tuple((one, 1) for one in path)] = None
        return list(steps)

    @staticmethod
    def _path(parent: dict[int, int], leaf: int) -> tuple[int, ...]:
        path = [leaf]
        while path[-1] in parent:
            path.append(parent[path[-1]])
        return tuple(path)
