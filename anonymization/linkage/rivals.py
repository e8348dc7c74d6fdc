"""Who else a pair's two persons could be: how alike their best other candidate is.

Numbers only: what is measured, and what it says of a pair, is the business of `calibration` and `standing`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Bits = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]

_NEXT = 4
"""So many of each person's best candidates are looked through for a rival."""
_MAYBE = -4.0
"""Two candidates who may themselves be one person are no rivals."""
FARTHEST = 10.0
"""A rival farther off is as good as none."""


def best(pairs: pa.Table, alike: Bits, nobody: float) -> Bits:
    """Of each pair how `alike` the best other candidate of the one or the other is, who is not the same as the first;
    `nobody` where there is none.

    `pairs`: one, other, weight, and as whom each of the two is known (`one_group`, `other_group`): who was joined
    before is one candidate, though the pair is not among these."""
    one, other = pairs["one"].to_numpy(), pairs["other"].to_numpy()
    persons, flat = np.unique(np.concatenate([one, other]), return_inverse=True)
    left, right = flat[: len(one)], flat[len(one) :]
    group = np.empty(len(persons), dtype=np.int64)
    group[left], group[right] = pairs["one_group"].to_numpy(), pairs["other_group"].to_numpy()
    maybe = np.sort(_key(left, right, len(persons))[pairs["weight"].to_numpy() >= _MAYBE])
    who, theirs = _candidates(left, right, alike, len(persons))
    found = np.full(len(one), nobody)
    for mine, partner in ((left, right), (right, left)):
        for nth in range(_NEXT):
            rival = who[mine, nth]
            key = _key(rival, partner, len(persons))
            at = np.minimum(np.searchsorted(maybe, key), len(maybe) - 1)
            counts = (rival >= 0) & (group[rival] != group[partner]) & (maybe[at] != key if len(maybe) else True)
            np.maximum(found, theirs[mine, nth], out=found, where=counts)
    return found


def _key(one: Rows, other: Rows, persons: int) -> Rows:
    """One number for each two, in whichever order they come."""
    return np.minimum(one, other) * persons + np.maximum(one, other)


def _candidates(left: Rows, right: Rows, alike: Bits, persons: int) -> tuple[Rows, Bits]:
    """Of each person those who are most alike, best first, and how alike; -1 where there are no more."""
    mine, partner, theirs = np.concatenate([left, right]), np.concatenate([right, left]), np.tile(alike, 2)
    order = np.lexsort((partner, -theirs, mine))
    mine = mine[order]
    nth = np.arange(len(mine)) - np.searchsorted(mine, mine)
    near = nth < _NEXT
    who, how = np.full((persons, _NEXT), -1, dtype=np.int64), np.full((persons, _NEXT), -np.inf)
    who[mine[near], nth[near]] = partner[order][near]
    how[mine[near], nth[near]] = theirs[order][near]
    return who, how
