"""What a year of birth says where the day is unknown: how well a country's years are remembered, told by its own pairs.

Who knows the day knows the year; of the others some give an age and every office counts back from another day, so that
one person has two or three years. How often is learned from pairs of which a day is unknown, by how alike they are
otherwise (expectation and maximisation); how often two different people have one year, from those whose days are known
too. Few pairs leave the model's own weights as they are, and nothing is kept. Weights are bits; what they are made of
is the business of `similarity`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Bits = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Years = npt.NDArray[np.int64]

_LEVELS = 4
"""The same year, a year apart, two years, farther."""
_SAME = np.array([0.88, 0.06, 0.02, 0.04])
_OTHERS = np.array([0.03, 0.04, 0.04, 0.89])
_IMAGINED = 100.0
"""So many pairs are taken to be spread over the levels like this."""
_DOUBT = 200.0
"""So many pairs of one person it takes to believe them as much as the model."""
_MOST = 3.0
"""By no more than this is a level worth more or less than the model says."""
_STEPS = 30


def learned(weight: Bits, besides: Bits, apart: Years, dated: Flags) -> Bits:
    """Bits to add to the weight of each pair.

    `weight`: as the country has it (`calibration`); `besides`: what of it is no birth date; `apart`: years between the
    two, less than zero where one is not said; `dated`: of which pairs both days are known."""
    added = np.zeros(len(weight))
    undated = ~dated & (apart >= 0)
    if not undated.any():
        return added
    level = np.clip(apart, 0, _LEVELS - 1)
    known = dated & (apart >= 0)
    others = _spread(_counted(level[known], 1 / (1 + 2.0 ** weight[known])) + _IMAGINED * _OTHERS)
    bits = np.log2(_shares(besides[undated], level[undated], others) / others)
    likely = _likely(besides[undated], bits, level[undated])
    # What the model said of a level differs with how rare the year is: the mean of it is what is replaced.
    born = (weight - besides)[undated]
    said, told = _counted(level[undated], born * likely), _counted(level[undated], likely)
    believed = told.sum() / (told.sum() + _DOUBT)
    more = np.where(told > 0, bits - said / np.maximum(told, 1e-9), 0.0)
    added[undated] = believed * np.clip(more, -_MOST, _MOST)[level[undated]]
    return added


def _shares(besides: Bits, level: Years, others: Bits) -> Bits:
    """How pairs of one person are spread over the levels, if those of `others` are like this."""
    same = _SAME
    for _ in range(_STEPS):
        likely = _likely(besides, np.log2(same / others), level)
        same = _spread(_counted(level, likely) + _IMAGINED * _SAME)
    return same


def _likely(besides: Bits, bits: Bits, level: Years) -> Bits:
    likely: Bits = 1 / (1 + 2.0 ** -(besides + bits[level]))
    return likely


def _counted(level: Years, share: Bits) -> Bits:
    counted: Bits = np.bincount(level, share, minlength=_LEVELS).astype(float)
    return counted


def _spread(counted: Bits) -> Bits:
    shares: Bits = counted / counted.sum()
    return shares
