"""In whose company a pair stands: third persons who are like both of its two, and others who are like one of them only.

Somebody met a third time is like both records that are there already; a brother's record is like one person of a pair
and not like the other. Fixed probabilities look at two persons alone and see neither. Numbers only: what they say of a
pair is the business of `forest`.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Bits = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]

_LIKE = -3.0
"""From here somebody is company at all."""
_STRONG = 0.0
"""From here somebody is counted."""
_NOT_THE_SAME = -4.0
"""Who weighs less with the other of the two is somebody else: a rival."""
_NOBODY = -9.0
_UNSEEN = -99.0
_JOINED = 8.0
"""What two persons weigh with each other who were joined before."""
_LEAST, _MOST = -12.0, 14.0


@dataclass(frozen=True)
class Company:
    """Of each pair, in bits: how alike the `third` person is who is most like both (like the one to whom he is less
    alike), and what all of them weigh together (`thirds`); by how much the pair outweighs the rival who is `nearer`,
    and the best one of whoever has the `farther`. Counted: third persons, and rivals of whoever has fewer and more."""

    third: Bits
    thirds: Bits
    nearer: Bits
    farther: Bits
    count: Rows
    fewer: Rows
    more: Rows


def company(pairs: pa.Table, weight: Bits) -> Company:
    """The company of each of `pairs` (one, other, one_group, other_group: rows of persons, and as whom they are known)
    that weigh so much."""
    one, other = pairs["one"].to_numpy(), pairs["other"].to_numpy()
    known = _Known(*_with_joined(pairs, weight))
    third, thirds = np.full(len(one), _NOBODY), np.zeros(len(one))
    count, rivals = np.zeros(len(one), np.int64), np.zeros((2, len(one)), np.int64)
    rival = np.full((2, len(one)), _NOBODY)
    for side, (mine, theirs) in enumerate(((one, other), (other, one))):
        pair, who, alike = known.others_like(mine, theirs)
        beside = known.between(who, theirs[pair])
        both = np.minimum(alike, beside)
        somebody_else = beside < _NOT_THE_SAME
        np.maximum.at(rival[side], pair[somebody_else], alike[somebody_else])
        np.add.at(rivals[side], pair[somebody_else & (alike >= _STRONG)], 1)
        if side == 0:
            np.maximum.at(third, pair, both)
            np.add.at(thirds, pair, np.clip(both, 0.0, _JOINED))
            np.add.at(count, pair[both >= _STRONG], 1)
    nearer, farther = (np.clip(weight - best, _LEAST, _MOST) for best in (rival.max(axis=0), rival.min(axis=0)))
    return Company(third, thirds, nearer, farther, count, rivals.min(axis=0), rivals.max(axis=0))


def _with_joined(pairs: pa.Table, weight: Bits) -> tuple[Rows, Rows, Bits]:
    """Pairs with their weights, and those that were joined before, which nobody compares again."""
    one, other = pairs["one"].to_numpy(), pairs["other"].to_numpy()
    person, at = np.unique(np.concatenate([one, other]), return_index=True)
    group = np.concatenate([pairs["one_group"].to_numpy(), pairs["other_group"].to_numpy()])[at]
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    joined = [two for of_one in np.split(person[order], starts[1:]) for two in combinations(of_one.tolist(), 2)]
    more = np.array(joined, dtype=np.int64).reshape(-1, 2)
    return (
        np.concatenate([one, more[:, 0]]),
        np.concatenate([other, more[:, 1]]),
        np.concatenate([weight, np.full(len(more), _JOINED)]),
    )


class _Known:
    """Who is like whom, and how much."""

    def __init__(self, one: Rows, other: Rows, weight: Bits) -> None:
        self._persons = int(max(one.max(initial=0), other.max(initial=0))) + 1
        key = self._key(one, other)
        order = np.argsort(key, kind="stable")
        self._keys, self._weights = key[order], weight[order]
        like = weight >= _LIKE
        mine, whom = np.concatenate([one[like], other[like]]), np.concatenate([other[like], one[like]])
        order = np.lexsort((whom, mine))
        self._whom, self._alike = whom[order], np.tile(weight[like], 2)[order]
        self._starts = np.searchsorted(mine[order], np.arange(self._persons + 1))

    def others_like(self, mine: Rows, theirs: Rows) -> tuple[Rows, Rows, Bits]:
        """For each pair everybody who is like `mine` but `theirs`: number of the pair, who, and how much."""
        many = self._starts[mine + 1] - self._starts[mine]
        pair = np.repeat(np.arange(len(mine)), many)
        nth = np.arange(len(pair)) - np.repeat(np.cumsum(many) - many, many)
        at = self._starts[mine][pair] + nth
        another = self._whom[at] != theirs[pair]
        return pair[another], self._whom[at][another], self._alike[at][another]

    def between(self, one: Rows, other: Rows) -> Bits:
        """What these weigh with each other; next to nothing where nobody looked."""
        key = self._key(one, other)
        at = np.minimum(np.searchsorted(self._keys, key), len(self._keys) - 1)
        weight: Bits = np.where(self._keys[at] == key, self._weights[at], _UNSEEN) if len(key) else np.zeros(0)
        return weight

    def _key(self, one: Rows, other: Rows) -> Rows:
        key: Rows = np.minimum(one, other) * self._persons + np.maximum(one, other)
        return key
