"""How recognisable people are in microdata: shared keys (k), diversity (l), closeness (t), and the risk of each record.

A suppressed cell is null and agrees with everything: an attacker who knows a person cannot rule the record out
(Templ, Meindl and Kowarik, sdcMicro). Weights turn a sample's risk into its population's (Benedetti and Franconi 1998).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

Counts = npt.NDArray[np.float64]
_SERIES = 10
"""Of larger classes the risk is summed up: scipy's hyp2f1(f, f, f + 1, .) is nan, or 0 * inf, for f in hundreds."""


@dataclass(frozen=True)
class Risk:
    """`k`: the smallest number of records that share a key; `below`: records that share theirs with fewer than asked;
    `expected`: re-identifications to be expected; `global_risk`: their share of the records."""

    records: int
    k: int
    below: int
    expected: float
    global_risk: float


def sharing(frame: pd.DataFrame, keys: Sequence[str], weights: Sequence[float] | None = None) -> Counts:
    """For each record, how many records agree with it on `keys`, itself included; with `weights`, their sum.

    Patterns of nulls are few, so records are compared pattern by pattern on the keys that neither withholds.
    """
    weight = np.ones(len(frame)) if weights is None else _weights(frame, weights)
    codes = np.column_stack([_codes(frame[key]) for key in keys]) if len(frame) else np.empty((0, len(keys)), int)
    patterns, of_row = np.unique(codes < 0, axis=0, return_inverse=True)
    rows = [np.flatnonzero(of_row.ravel() == number) for number in range(len(patterns))]
    total = np.zeros(len(frame))
    for mine, my_rows in zip(patterns, rows, strict=True):
        for theirs, their_rows in zip(patterns, rows, strict=True):
            seen = ~(mine | theirs)
            total[my_rows] += _met(codes[my_rows][:, seen], codes[their_rows][:, seen], weight[their_rows])
    return total


def _weights(frame: pd.DataFrame, weights: Sequence[float]) -> Counts:
    weight = pd.to_numeric(pd.Series(weights), errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    if weight.shape != (len(frame),) or not (np.isfinite(weight) & (weight > 0)).all():
        raise ValueError(f"weights must be {len(frame)} numbers above 0, one a record: mend them before release")
    return weight


def _codes(column: pd.Series) -> npt.NDArray[np.int64]:
    codes, _ = pd.factorize(column)
    return np.asarray(codes, dtype=np.int64)


def _met(mine: npt.NDArray[np.int64], theirs: npt.NDArray[np.int64], weight: Counts) -> Counts:
    """For each row of `mine`, the weight of the equal rows of `theirs`."""
    both, which = np.unique(np.vstack([mine, theirs]), axis=0, return_inverse=True)
    which = which.ravel()
    weights: Counts = np.bincount(which[len(mine) :], weights=weight, minlength=len(both)).astype(float)
    return weights[which[: len(mine)]]


def individual_risk(frame: pd.DataFrame, keys: Sequence[str], weights: Sequence[float] | None = None) -> Counts:
    """The probability that a record is re-identified by somebody who knows the person's keys.

    Without weights the records are the population: 1 / f. With them the population count F of a key is unknown, and
    the risk is the expectation of 1 / F given the sample: f records of a key whose weights add up to F give p = f / F.
    """
    f = sharing(frame, keys)
    if weights is None:
        return 1 / f
    from scipy.special import hyp2f1

    p = np.minimum(f / sharing(frame, keys, weights), 1)
    small = np.minimum(f, _SERIES)
    risk = np.where(f > _SERIES, p / f * _series(f, 1 - p), p**small / small * hyp2f1(small, small, small + 1, 1 - p))
    risk = np.where(p >= 1, 1 / f, risk)
    one, q = f == 1, np.where(p < 1, p / np.where(p < 1, 1 - p, 1), 0)  # the closed form; hyp2f1 is slow near 1
    return np.where(one & (p < 1), q * np.log(1 / p), risk)


def _series(f: Counts, q: Counts) -> Counts:
    """2F1(1, 1; f + 1; q), which Euler's transformation makes of the other one, for large f: each term is the one
    before times q (n + 1) / (f + n + 1), so that sixty are enough."""
    term = total = np.ones(len(f))
    for n in range(60):
        term = term * q * (n + 1) / (f + n + 1)
        total = total + term
    return total


def measure(frame: pd.DataFrame, keys: Sequence[str], k: int, weights: Sequence[float] | None = None) -> Risk:
    """The risk of `frame` as a whole, against people who know `keys`."""
    if frame.empty:
        return Risk(0, 0, 0, 0.0, 0.0)
    f, risk = sharing(frame, keys), individual_risk(frame, keys, weights)
    return Risk(len(frame), int(f.min()), int((f < k).sum()), float(risk.sum()), float(risk.mean()))


def diversity(
    frame: pd.DataFrame, keys: Sequence[str], sensitive: str, kind: Literal["distinct", "entropy"] = "distinct"
) -> float:
    """l of the worst class: distinct values of `sensitive`, or the exponential of their entropy (Machanavajjhala)."""
    counts = frame.groupby([*keys, sensitive], dropna=False, observed=True).size()
    classes = counts.groupby(level=list(range(len(keys))), dropna=False)
    if kind == "distinct":
        return float(classes.size().min())
    share = counts / classes.transform("sum")
    entropy = (-share * np.log(share)).groupby(level=list(range(len(keys))), dropna=False).sum()
    return float(np.exp(entropy.min()))


def closeness(
    frame: pd.DataFrame, keys: Sequence[str], sensitive: str, kind: Literal["equal", "ordered"] = "equal"
) -> float:
    """t of the worst class: how far its values of `sensitive` lie from those of all (Li, Li and Venkatasubramanian).

    Earth mover's distance; `equal`: every two values are equally far, `ordered`: as far as their ranks. Withheld keys
    make a class of their own, as for `diversity`; records without a value of `sensitive` are left out.
    """
    told = frame[frame[sensitive].notna()]
    if told.empty:
        return float("nan")
    counts = told.groupby([*keys, sensitive], dropna=False, observed=True).size()
    table = counts.unstack(fill_value=0).sort_index(axis=1)
    inside = table.div(table.sum(axis=1), axis=0).to_numpy()
    everyone = table.sum(axis=0).to_numpy() / table.to_numpy().sum()
    apart = inside - everyone
    if kind == "equal":
        return float(np.abs(apart).sum(axis=1).max() / 2)
    return float(np.abs(np.cumsum(apart, axis=1)).sum(axis=1).max() / max(apart.shape[1] - 1, 1))
