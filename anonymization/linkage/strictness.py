"""From how many bits of evidence on a pair is joined without asking an officer: as many as the population can spare.

Weights say how likely each pair is one person, so they also say which share of all who could be found again would be
found from any weight on. Where names and dates tell nearly everybody apart, that share is found by stronger evidence
alone, and whoever resembles somebody else is left to an officer; where they tell less, weaker evidence is joined, but
never below `least`. Numbers only; what a weight is made of is the business of `similarity`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Bits = npt.NDArray[np.float64]

_DOUBT = 200.0
"""So many persons found again it takes to believe what they say of the others as much as the usual."""


@dataclass(frozen=True)
class Strictness:
    """Bits: `usual` where little is known, and never less than `least` or more than `most`. `find`: the share of the
    pairs that are one person that is to be found."""

    usual: float
    least: float
    most: float
    find: float


def joined_from(weight: Bits, strictness: Strictness) -> float:
    """The least weight of a pair that is joined, by the `weight` of all pairs that may be joined."""
    same = 1 / (1 + 2.0**-weight)
    expected = float(same.sum())
    order = np.argsort(-weight, kind="stable")
    found = np.cumsum(same[order])
    last = np.searchsorted(found, strictness.find * expected)
    wanted = float(np.clip(weight[order][last], strictness.least, strictness.most)) if expected else strictness.usual
    return strictness.usual + expected / (expected + _DOUBT) * (wanted - strictness.usual)
