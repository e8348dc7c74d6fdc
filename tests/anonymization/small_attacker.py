"""Somebody who works out withheld cells, as a program of its own: it has the published tables and HiGHS, and nothing of
the product's. Releases in a row are tied by counts that only grow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.optimize import linprog

Parents = Mapping[str, Mapping[str, str]]


class Attacker:
    """`releases`: published tables of one layout, oldest first: variables and `count`, null where withheld."""

    def __init__(self, releases: Sequence[pd.DataFrame], parents: Parents | None = None) -> None:
        self._names = [name for name in releases[0].columns if name != "count"]
        self.cells = pd.concat([one.assign(release=number) for number, one in enumerate(releases)], ignore_index=True)
        self._place = {tuple(row): place for place, row in enumerate(self.cells[["release", *self._names]].to_numpy())}
        equal = [row for name in self._names for row in self._sums(name, (parents or {}).get(name, {}))]
        self._equal = np.array(equal).reshape(-1, len(self.cells))
        grown = [(place, self._place.get((key[0] + 1, *key[1:]))) for key, place in self._place.items()]
        self._never_less = np.array([self._unit(a) - self._unit(b) for a, b in grown if b is not None])
        known = self.cells["count"].astype("Float64").to_numpy(dtype=float, na_value=np.nan)
        self.withheld = np.flatnonzero(np.isnan(known))
        self._bounds = [(0, None) if np.isnan(count) else (count, count) for count in known]

    def widths(self) -> np.ndarray:
        """How far apart the smallest and the largest value of each withheld cell are."""
        return np.array([self._furthest(self._unit(place)) for place in self.withheld])

    def widths_between(self) -> np.ndarray:
        """The same of what has come between two releases to cells that both withhold, if anything can have come."""
        withheld, found = set(self.withheld.tolist()), []
        for key, place in self._place.items():
            after = self._place.get((key[0] + 1, *key[1:]))
            if after is not None and {place, after} <= withheld:
                change = self._unit(after) - self._unit(place)
                if self._most(change) > 1e-6:
                    found.append(self._furthest(change))
        return np.array(found)

    def _unit(self, place: int) -> np.ndarray:
        one = np.zeros(len(self.cells))
        one[place] = 1
        return one

    def _sums(self, name: str, parent: Mapping[str, str]) -> list[np.ndarray]:
        at, rows = self._names.index(name) + 1, {}
        for key, place in self._place.items():
            if key[at] != "total":
                whole = (*key[:at], parent.get(key[at], "total"), *key[at + 1 :])
                if whole in self._place:
                    rows.setdefault(whole, -self._unit(self._place[whole]))[place] = 1
        return list(rows.values())

    def _furthest(self, direction: np.ndarray) -> float:
        return self._most(direction) + self._most(-direction)

    def _most(self, direction: np.ndarray) -> float:
        never_less = (
            {"A_ub": self._never_less, "b_ub": np.zeros(len(self._never_less))} if len(self._never_less) else {}
        )
        found = linprog(
            -direction, A_eq=self._equal, b_eq=np.zeros(len(self._equal)), bounds=self._bounds, **never_less
        )
        assert found.status in (0, 3)
        return np.inf if found.status == 3 else -float(found.fun)
