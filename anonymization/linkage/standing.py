"""What the evidence for a pair is worth among all other pairs of its two persons.

Fixed probabilities look at two persons alone. Who has many candidates bears a name and a year that many bear: then
agreement says less of each of them; and a best candidate is somebody else the more easily, the nearer the second best
comes. How much less was learned of generated populations whose truth is known (`standing` in similarity.json); where
few pairs were seen, that nobody else is near says little, and the weights stay as they are. Weights are bits; what they
are made of is the business of `similarity`, who is joined that of `rounds`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from anonymization.linkage import rivals

Bits = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_CROWD = 4
"""More candidates say no more: a person may have come under so many tokens."""
_DOUBT = 200.0
"""So many pairs it takes to believe what the others say of a pair as much as the pair itself."""


@dataclass(frozen=True)
class Coefficients:
    """Bits: `alone` of every pair, `weight` of each bit of its own evidence, `lead` of each bit before its rival,
    `crowd` each time the candidates are twice as many, `dated` where both birth dates are known, `phone` where both
    phones are said and are two."""

    alone: float
    weight: float
    lead: float
    crowd: float
    dated: float
    phone: float


def among_others(pairs: pa.Table, all_seen: Flags, dated: Flags, nobody: float, learned: Coefficients) -> Bits:
    """The weight of each pair (one, other, weight, phones: whether they differ, and groups as in `rivals`; persons and
    groups are rows) beside all others.

    `all_seen`: of which persons all candidates are among the pairs; `dated`: of which persons the day of birth is
    known; `nobody`: what a rival weighs at most who was not seen."""
    one, other, weight = (pairs[name].to_numpy() for name in ("one", "other", "weight"))
    lead = np.minimum(weight - rivals.best(pairs, weight, nobody), rivals.FARTHEST)
    candidates = np.where(all_seen, np.minimum(_candidates(pairs, len(all_seen)), _CROWD), _CROWD)
    crowd = np.log2(np.minimum(candidates[one], candidates[other]))
    said = learned.dated * (dated[one] & dated[other]) + learned.phone * pairs["phones"].to_numpy()
    beside = learned.alone + learned.weight * weight + learned.lead * lead + learned.crowd * crowd + said
    weighed: Bits = weight + len(pairs) / (len(pairs) + _DOUBT) * (beside - weight)
    return weighed


def _candidates(pairs: pa.Table, persons: int) -> npt.NDArray[np.int64]:
    """Of each person how many others they could be; who was joined before is one."""
    who, whom = (
        np.concatenate([pairs[mine].to_numpy(), pairs[theirs].to_numpy()])
        for mine, theirs in (("one", "other"), ("other_group", "one_group"))
    )
    return np.bincount(np.unique(who * persons + whom) // persons, minlength=persons)
