"""A new release and those before it as one set of cells, since whoever reads them reads them together.

What was counted before and what has come since add up to what is counted now: releases in a row are levels of one more
variable. So what an earlier release withheld, and what has come between two of them, are cells like others, for the
search as for the audit. Which cells are withheld is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from anonymization.disclosure.cells import COUNT, TOTAL, Cells, Equation, Key, sums
from anonymization.disclosure.moves import Infeasible, equations, solved
from anonymization.disclosure.scene import Mask, Positions, Scene

RELEASE = "in release"
_CORNERS = 8
"""So many tables that the earlier releases allow are averaged into one that lies well inside of what they allow."""


@dataclass(frozen=True)
class Previous:
    """What was published before. `counts`: by position in the new release the latest count of the cell; `releases`:
    the earlier ones, oldest first: variables and count (null: withheld).

    `cumulative`: counts only grow, so a count published before is a lower bound of the new one. Where they do not, as
    of stocks, only a small change of a cell that was published is withheld.
    """

    counts: Mapping[int, int]
    cumulative: bool = True
    releases: tuple[pd.DataFrame, ...] = ()

    @classmethod
    def of(cls, cells: Cells, released: pd.DataFrame | Sequence[pd.DataFrame], cumulative: bool = True) -> Previous:
        """What `released` tells of `cells`: one release before or several, oldest first (variables of `cells` and a
        count; null: withheld). ValueError: a cell had more before, though counts only grow; or a variable is not among
        those of `cells`."""
        variables = list(cells.keys.columns)
        releases = [
            _told_by(one, variables) for one in ([released] if isinstance(released, pd.DataFrame) else released)
        ]
        counts: dict[int, int] = {}
        for one in releases:
            joined = cells.keys.reset_index().merge(one.dropna(subset=[COUNT]), on=variables, how="inner")
            counts |= dict(zip(joined["index"].tolist(), joined[COUNT].astype(int).tolist(), strict=True))
        fewer = [position for position, count in counts.items() if count > cells.counts[position]]
        if cumulative and fewer:
            raise ValueError(f"cell {cells.name(fewer[0])} had more before: say cumulative=False where counts may fall")
        return cls(counts, cumulative, tuple(releases))

    def known(self) -> dict[int, tuple[int, int]]:
        return {position: (count, -1) for position, count in self.counts.items()} if self.cumulative else {}

    def changed_by_few(self, cells: Cells, threshold: int) -> list[int]:
        """Cells of which a count was published that fewer than `threshold` have changed since."""
        place = {key: number for number, key in enumerate(_keys(cells.keys))}
        earlier = [(place.get(key), count) for one in self.releases for key, count in _published(one)]
        told = [*self.counts.items(), *((position, count) for position, count in earlier if position is not None)]
        return sorted({p for p, count in told if 0 < abs(int(cells.counts[p]) - count) < threshold})

    def scene(self, cells: Cells, width: int) -> Scene:
        """`cells` with those of all releases before. ValueError: counts that only grow cannot have been released so.

        Cells that the releases before tell within `width` by themselves are not asked about: nothing helps them.
        """
        if not (self.cumulative and self.releases):
            return Scene.alone(cells, self.known())
        together, earlier = _together(cells, self.releases)
        before = together.part(earlier)
        settled = together.settled.copy()
        settled[earlier[before.narrow(before.withheld, width)]] = True
        return replace(together, settled=settled)


def _told_by(released: pd.DataFrame, variables: list[str]) -> pd.DataFrame:
    """A release with the variables of the new one. Those of its own would tell several cells as one."""
    if further := [str(name) for name in released.columns if name not in (*variables, COUNT)]:
        raise ValueError(
            f"a release before has {', '.join(further)}, which this one has not: lay this one out with it, {TOTAL!r} in"
            " every cell"
        )
    return released.assign(**{name: TOTAL for name in variables if name not in released})[[*variables, COUNT]]


def _keys(frame: pd.DataFrame) -> list[Key]:
    return list(frame.itertuples(index=False, name=None))


def _published(released: pd.DataFrame) -> list[tuple[Key, int]]:
    shown = released.dropna(subset=[COUNT])
    return list(zip(_keys(shown.drop(columns=COUNT)), shown[COUNT].astype(int).tolist(), strict=True))


class _Row:
    """Releases in a row being laid out: `counts` is nan where a count is not known."""

    def __init__(self, cells: Cells) -> None:
        self.keys: list[Key] = []
        self.counts: list[float] = []
        self.equations: list[Equation] = []
        self._variables, self._parents = list(cells.keys.columns), cells.parents

    def add(self, release: str, counts: Mapping[Key, float]) -> dict[Key, int]:
        """Cells of one release; their positions."""
        start = len(self.keys)
        self.keys += [(*key, release) for key in counts]
        self.counts += counts.values()
        return {key: start + number for number, key in enumerate(counts)}

    def tie(self, table: Mapping[Key, int]) -> None:
        """What adds up among cells of one release."""
        self.equations += sums(table, self._variables, self._parents)


def _together(cells: Cells, releases: Sequence[pd.DataFrame]) -> tuple[Scene, Positions]:
    """The scene of a release and those before it, and the positions of all that was read before the new one."""
    row = _Row(cells)
    new = row.add(TOTAL, dict(zip(_keys(cells.keys), cells.counts.astype(float).tolist(), strict=True)))
    row.equations += cells.equations
    tables = [dict.fromkeys(_keys(one.drop(columns=COUNT)), np.nan) | dict(_published(one)) for one in releases]
    places: list[dict[Key, int]] = []
    carried: list[int] = []
    for number, table in enumerate(tables, start=1):
        own = row.add(str(number), table)
        row.tie(own)
        # A cell that this release leaves out was something nevertheless, between what it was and what it will be.
        later = set(new).union(*tables[number:])
        left_out = [key for key in (places[-1] if places else ()) if key not in own and key in later]
        other = row.add(str(number), dict.fromkeys(left_out, np.nan))
        carried += other.values()
        places.append(own | other)
    before_the_new = len(row.keys)
    between: list[tuple[int, int, int]] = []
    for number, (former, latter) in enumerate(zip(places, [*places[1:], new], strict=True), start=1):
        if number == len(places):
            before_the_new = len(row.keys)
        since = row.add(f"since {number}", {key: np.nan for key in former if key in latter})
        between += [(position, former[key], latter[key]) for key, position in since.items()]
        row.equations += [(latter[key], (former[key], position)) for key, position in since.items()]
        if since.keys() == former.keys() == latter.keys():
            row.tie(since)
    return _scene(cells, row, np.array(between), carried), np.arange(len(new), before_the_new)


def _scene(cells: Cells, row: _Row, between: npt.NDArray[np.int64], carried: Sequence[int]) -> Scene:
    counts, own = np.array(row.counts), len(cells.counts)
    withheld: Mask = np.isnan(counts)
    settled = np.zeros(len(counts), dtype=bool)
    settled[list(carried)] = True
    keys = pd.DataFrame(row.keys, columns=[*cells.keys.columns, RELEASE])
    whole = Cells(keys, _some_table(Cells(keys, counts, tuple(row.equations)), withheld), tuple(row.equations))
    fixed = {p: (int(counts[p]), int(counts[p])) for p in range(own, len(counts)) if not withheld[p]}
    return Scene(whole, own, fixed, withheld, between.reshape(-1, 3), settled)


def _some_table(cells: Cells, unknown: Mask) -> npt.NDArray[np.float64]:
    """Counts that all releases allow: where a cell lies between its bounds does not change how far they are apart."""
    tied = equations(cells).tocsc()
    free = np.flatnonzero(unknown)
    counts = np.where(unknown, 0.0, cells.counts)
    right = -(tied @ counts)
    rows = np.unique(tied[:, free].indices)
    if np.abs(np.delete(right, rows)).max(initial=0) > 0:
        raise ValueError("a table that was released before does not add up")
    rng = np.random.default_rng(len(free))
    bounds = np.column_stack([np.zeros(len(free)), np.full(len(free), cells.counts[~unknown].max(initial=0))])
    program = tied[:, free].tocsr()[rows]
    try:
        corners = [solved(rng.normal(size=len(free)), program, right[rows], bounds) for _ in range(_CORNERS)]
    except Infeasible:
        raise ValueError(
            "the releases before and this one contradict each other: say cumulative=False where counts may fall"
        ) from None
    counts[free] = np.mean([corner for corner in corners if corner is not None], axis=0)
    return counts
