"""Where a small change of a table is likely to be found: a few categories beside a cell's own, in every variable.

A cell, some siblings of it and the corners that they span keep all sums true (Repsilber's hypercubes): a linear program
over these cells is a hundred times smaller than one over the table. That it finds nothing proves nothing.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import product

import numpy as np
import numpy.typing as npt
import pandas as pd

from anonymization.disclosure.cells import Cells

_SIBLINGS = 2
"""So many siblings by price, and as many by size, in each variable."""

Positions = npt.NDArray[np.int64]


class Neighbours:
    """The neighbourhoods of the cells of one set of tables."""

    def __init__(self, cells: Cells) -> None:
        self._keys = list(cells.keys.itertuples(index=False, name=None))
        self._place = {key: number for number, key in enumerate(self._keys)}
        self._counts = cells.counts
        counts = pd.Series(cells.counts)
        self._sizes = np.array([counts.groupby(cells.keys[name].to_numpy()).transform("sum") for name in cells.keys])
        # By cell and variable: the cells that are parts of the same sum, and those that it is the sum of.
        self._beside: dict[tuple[int, int], list[int]] = {}
        self._parts: dict[tuple[int, str], dict[str, None]] = defaultdict(dict)
        for sum_, parts in cells.equations:
            variable = next(v for v, (a, b) in enumerate(zip(*self._both(sum_, parts[0]), strict=True)) if a != b)
            for part in parts:
                self._beside[part, variable] = list(parts)
                self._parts[variable, self._keys[sum_][variable]][self._keys[part][variable]] = None

    def of(self, position: int, cost: npt.NDArray[np.float64]) -> Positions:
        """Cells around the one at `position`, itself included, in order; the cheapest siblings first."""
        categories = [self._categories(position, variable, cost) for variable in range(len(self._keys[position]))]
        found = [self._place[key] for key in product(*categories) if key in self._place]
        return np.array(sorted(found), dtype=np.int64)

    def _both(self, one: int, other: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
        return self._keys[one], self._keys[other]

    def _categories(self, position: int, variable: int, cost: npt.NDArray[np.float64]) -> list[str]:
        """The cell's own category, the best siblings, and of what is a sum the first parts."""
        beside = np.array([cell for cell in self._beside.get((position, variable), ()) if cell != position], int)
        # The cheapest are withheld already, or small; the largest have something to lose at every corner.
        cheapest = beside[np.lexsort((cost[beside], self._counts[beside] == 0))][:_SIBLINGS]
        largest = beside[np.argsort(-self._sizes[variable, beside], kind="stable")][:_SIBLINGS]
        chosen = dict.fromkeys(
            [self._keys[position][variable], *(self._keys[cell][variable] for cell in (*cheapest, *largest))]
        )
        for category in list(chosen):
            chosen |= dict.fromkeys(self._some_parts(position, variable, category))
        return list(chosen)

    def _some_parts(self, position: int, variable: int, category: str) -> list[str]:
        """Of a sum the parts of which there is most beside the cell's own categories."""
        own = self._keys[position]

        def count(part: str) -> int:
            place = self._place.get((*own[:variable], part, *own[variable + 1 :]))
            return 0 if place is None else -int(self._counts[place])

        parts = sorted(self._parts.get((variable, category), ()), key=count)[: 2 * _SIBLINGS]
        return [deeper for part in parts for deeper in (part, *self._some_parts(position, variable, part))]
