"""All cells that somebody reads together, what is known of them, and which withheld ones have to be wide.

One release is a scene of its own; with those before it there are cells that are withheld or published for good, and
cells for what has come between two releases, which nobody publishes. Where they come from, `releases` knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from anonymization.disclosure.audit import Bounds, narrow_of
from anonymization.disclosure.cells import Cells
from anonymization.disclosure.moves import Moves, furthest
from anonymization.disclosure.outer import outer_width

Mask = npt.NDArray[np.bool_]
Positions = npt.NDArray[np.int64]
_NOTHING = 1e-6


@dataclass(frozen=True)
class Scene:
    """`cells`: the new release's `own` ones first. `withheld`: for good; `between`: positions of what has come, of the
    cell before and of the cell after; `settled`: not asked about."""

    cells: Cells
    own: int
    known: Bounds
    withheld: Mask
    between: npt.NDArray[np.int64]
    settled: Mask

    @classmethod
    def alone(cls, cells: Cells, known: Mapping[int, tuple[int, int]]) -> Scene:
        nothing = np.zeros(len(cells.counts), dtype=bool)
        return cls(cells, len(cells.counts), known, nothing, np.empty((0, 3), dtype=np.int64), nothing)

    def hidden(self, own: Mask) -> Mask:
        """All withheld cells, of the new release those of `own`."""
        every = self.withheld.copy()
        every[: self.own] = own
        return every

    def again(self) -> Positions:
        """The new release's cells that the one before withheld: they are the first that may be withheld again."""
        _, before, after = self.between.T
        found: Positions = after[(after < self.own) & self.withheld[before]]
        return found

    def asked(self, hidden: Mask, moves: Moves) -> Mask:
        """Withheld cells that have to be wide. What has come between two cells is only told if one of them is: then it
        is as wide as the other. Of what cannot be but nothing, nothing is told."""
        asked = hidden & ~self.settled
        since, before, after = self.between.T
        asked[since] &= hidden[before] & hidden[after]
        if asked[since].any():
            asked[since] &= (outer_width(moves, hidden)[since] > _NOTHING) | (moves.counts[since] > _NOTHING)
            for position in since[asked[since] & (moves.counts[since] + moves.up[since] <= _NOTHING)].tolist():
                moves.add(*furthest(moves, np.flatnonzero(hidden), {position: 1.0}))
                asked[position] = moves.up[position] > _NOTHING
        return asked

    def narrow(self, hidden: Mask, width: int) -> Positions:
        """Cells that have to be wide and are not: the audit of a release with those before it."""
        moves = Moves(self.cells, self.known)
        return narrow_of(moves, self.cells, hidden, self.asked(hidden, moves), width)

    def part(self, positions: Positions) -> Scene:
        """The scene of some of its cells, in their order."""
        place = np.full(len(self.cells.counts), -1, dtype=np.int64)
        place[positions] = np.arange(len(positions))
        inside = [(s, parts) for s, parts in self.cells.equations if (place[[s, *parts]] >= 0).all()]
        equations = tuple((int(place[s]), tuple(place[list(parts)].tolist())) for s, parts in inside)
        between = place[self.between]
        return Scene(
            Cells(self.cells.keys.iloc[positions].reset_index(drop=True), self.cells.counts[positions], equations),
            0,
            {int(place[p]): bounds for p, bounds in self.known.items() if place[p] >= 0},
            self.withheld[positions],
            between[(between >= 0).all(axis=1)],
            self.settled[positions],
        )
