"""What evidence is worth in this country: all that is said beside birth dates, weighed by how often they agree with it.

Fixed probabilities cannot know how many namesakes a country has, or how often a father's phone is his son's. Where both
birth dates are known they tell who is who; so it is seen how many of the pairs that are as much alike otherwise, and
have as near a rival, are one person. A logistic curve says so of every pair, one without a birth date too. Few pairs
leave the model's own weights as they are, and nothing is kept. Weights are bits; what they are made of is the business
of `similarity`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from anonymization.linkage import rivals

Bits = npt.NDArray[np.float64]

_ALIKE = -0.5
"""From here the sieve has left pairs of every birth date, so that those that disagree are counted too."""
_DOUBT = 200.0
"""So many pairs, each as telling as can be, it takes to believe them as much as the model."""
_MOST = 6.0
"""Who agrees in all that is said without a birth date is one person in all but one of so many bits: more is not learned
of pairs of which some thousands are known."""
_STEPS = 25


def calibrated(pairs: pa.Table, dated: npt.NDArray[np.bool_], nobody: float) -> Bits:
    """The weight of each pair (one, other, weight, besides, phone, groups as in `rivals`) as its country has it.

    `besides`: the weight without the birth dates; `phone`: what of it the phone counts; `dated`: of which pairs both
    days are known; `nobody`: what a rival weighs at most who was not seen."""
    weight: Bits = pairs["weight"].to_numpy()
    besides: Bits = pairs["besides"].to_numpy()
    near = alike(besides)
    if not near.any():
        return weight
    lead = np.clip(besides - rivals.best(pairs, besides, nobody), nobody, rivals.FARTHEST)
    said = np.stack([np.ones(len(besides)), besides, lead, pairs["phone"].to_numpy()], axis=1)[near]
    known = dated[near]
    curve = _curve(said[known], 1 / (1 + 2.0 ** -weight[near][known]))
    made: Bits = weight.copy()
    learned = np.clip(said @ curve / np.log(2), -_MOST, np.maximum(_MOST, besides[near]))
    made[near] += learned - besides[near]
    return made


def alike(besides: Bits) -> npt.NDArray[np.bool_]:
    """Of which pairs all are here, whatever their birth dates, so that they tell how often those agree."""
    enough: npt.NDArray[np.bool_] = besides >= _ALIKE
    return enough


def _curve(said: Bits, same: Bits) -> Bits:
    """Coefficients of the log odds that a pair is one person, by how likely that is of those whose dates are known."""
    model = np.array([0.0, np.log(2), 0.0, 0.0])
    curve = model.copy()
    for _ in range(_STEPS):
        likely = 1 / (1 + np.exp(-said @ curve))
        steep = (said * (likely * (1 - likely))[:, None]).T @ said + _DOUBT * np.eye(len(model))
        curve += np.linalg.solve(steep, said.T @ (same - likely) - _DOUBT * (curve - model))
    return curve
