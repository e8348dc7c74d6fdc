"""Who is put together with whom: from scored pairs to persons, one to one in each round, the strongest pair first.

A pair is held for an officer where a second candidate is almost as good: one of them is somebody else; and where those
who were joined before speak against it. Numbers only; what the weights mean is the business of `similarity`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.int64]
Weights = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Rules:
    """Bits. `ask`: from here a pair is worth an officer's time; `margin`: by so much the best candidate must beat one
    that cannot be the same as it; `absent`: what a pair counts that was not scored, `most`: what one counts at most,
    where groups are weighed against each other."""

    ask: float
    margin: float
    rival: float
    absent: float
    most: float


@dataclass(frozen=True)
class Settled:
    """Positions of pairs: `merged` in the order in which they were joined, `waiting` for an officer."""

    merged: Ids
    waiting: Ids


def settle(one: Ids, other: Ids, weight: Weights, same: npt.NDArray[np.bool_], rules: Rules) -> Settled:
    """Pairs `one`, `other` of persons with their `weight`; `same`: strong enough to join without asking.

    Each round joins pairs that are each other's best, so that every person is joined once a round at most; persons
    joined before count as one, and are joined to others only if their pairs speak for it together.
    """
    persons, flat = np.unique(np.concatenate([one, other]), return_inverse=True)
    left, right = flat[: len(one)], flat[len(one) :]
    doubtful = _ambiguous(left, right, weight, same, rules)
    order = np.lexsort((right, left, -weight))
    open_ = order[(same & ~doubtful)[order]]
    group = np.arange(len(persons))
    merged: list[Ids] = []
    while len(open_):
        open_ = open_[_agreed(group, left, right, weight, open_, rules)]
        if not len(open_):
            break
        a, b = group[left[open_]], group[right[open_]]
        best = np.full(len(persons), len(open_), dtype=np.int64)
        rank = np.arange(len(open_))
        np.minimum.at(best, a, rank)
        np.minimum.at(best, b, rank)
        chosen = (best[a] == rank) & (best[b] == rank)
        merged.append(open_[chosen])
        become = np.arange(len(persons))
        become[np.maximum(a[chosen], b[chosen])] = np.minimum(a[chosen], b[chosen])
        group = become[group]
        open_ = open_[~chosen]
    joined = np.concatenate(merged) if merged else np.empty(0, dtype=np.int64)
    asked = order[(weight >= rules.ask)[order]]
    return Settled(joined, asked[group[left[asked]] != group[right[asked]]])


def _agreed(group: Ids, left: Ids, right: Ids, weight: Weights, open_: Ids, rules: Rules) -> npt.NDArray[np.bool_]:
    """Which open pairs are of two groups whose pairs, all of them, speak for one person on the whole."""
    a, b = group[left], group[right]
    size = np.bincount(group, minlength=len(group))
    between = np.minimum(a, b) * len(group) + np.maximum(a, b)
    kinds, place = np.unique(between, return_inverse=True)
    known = np.bincount(place)
    total = np.bincount(place, weights=np.minimum(weight, rules.most))
    possible = size[kinds // len(group)] * size[kinds % len(group)]
    agreed = total + (possible - known) * rules.absent > 0
    of_two: npt.NDArray[np.bool_] = (a != b) & agreed[place]
    return of_two[open_]


def _ambiguous(
    left: Ids, right: Ids, weight: Weights, same: npt.NDArray[np.bool_], rules: Rules
) -> npt.NDArray[np.bool_]:
    """Strong pairs of a person with a rival: nearly as strong, and surely not the same as the other candidate."""
    strong = np.flatnonzero(same)
    # Two candidates who may themselves be one person (a pair that an officer would be asked about) are no rivals.
    maybe = np.flatnonzero(weight >= rules.rival)
    known = {(min(a, b), max(a, b)) for a, b in zip(left[maybe].tolist(), right[maybe].tolist(), strict=True)}
    candidates: dict[int, list[tuple[float, int, int]]] = {}
    for pair in strong.tolist():
        a, b, w = int(left[pair]), int(right[pair]), float(weight[pair])
        candidates.setdefault(a, []).append((w, b, pair))
        candidates.setdefault(b, []).append((w, a, pair))
    doubtful = np.zeros(len(left), dtype=bool)
    for rivals in candidates.values():
        for w, who, pair in rivals:
            for v, rival, _ in rivals:
                if rival != who and v > w - rules.margin and (min(who, rival), max(who, rival)) not in known:
                    doubtful[pair] = True
                    break
    return doubtful
