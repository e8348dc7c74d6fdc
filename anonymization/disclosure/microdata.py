"""Making microdata safe to release: coarser categories first, then single cells withheld, until nobody stands out.

Both are chosen by what they cost: a recoding is tried in the order in which it is offered, a cell is withheld in the
variable that matters least. What is reached is measured by `risk`, not assumed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from anonymization.disclosure.decisions import Decisions
from anonymization.disclosure.risk import Risk, individual_risk, measure, sharing

K, K_PROTECTION, GLOBAL_RISK = 5, 11, 0.03
"""Smallest number of people who share a key: in general, and in data about protection; and the largest global risk."""

Recoding = Callable[[pd.Series], pd.Series]


@dataclass(frozen=True)
class Goal:
    """What has to be reached. `keys`: quasi-identifiers, the one that matters most first; each record's key must be
    shared by `k`, and no more than the share `global_risk` of the records may be expected to be re-identified.

    ValueError: a goal that every table reaches, such as 3 for three percent.
    """

    keys: Sequence[str]
    k: int = K
    global_risk: float = GLOBAL_RISK

    def __post_init__(self) -> None:
        if not self.keys or self.k < 2 or not 0 < self.global_risk <= 1:
            raise ValueError("a goal has keys, k from 2 and a risk that is a share: 0.03 for three percent")

    def reached(self, risk: Risk) -> bool:
        return risk.below == 0 and risk.global_risk <= self.global_risk


@dataclass(frozen=True)
class Protected:
    """A frame that may be released, its risk before and after, what was decided, and the share of cells withheld."""

    frame: pd.DataFrame
    before: Risk
    after: Risk
    decisions: Decisions
    withheld: float


def protect(
    frame: pd.DataFrame,
    goal: Goal,
    recodings: Sequence[Mapping[str, Recoding]] = (),
    weights: Sequence[float] | None = None,
) -> Protected:
    """`frame` with recodings and local suppressions that reach `goal`; null in a key column is a withheld cell.

    `recodings`: steps from fine to coarse, each a recoding for some columns; a step is taken only while the goal is
    not reached without it. Raises ValueError if even a frame without its keys does not reach the goal.
    """
    decisions, keys = Decisions(), list(goal.keys)
    before = after = measure(frame, keys, goal.k, weights)
    made = frame.reset_index(drop=True)  # records are told apart by their place: labels may occur twice
    for step in recodings:
        if goal.reached(after):
            break
        for column, recode in step.items():
            coarser = recode(made[column])
            # Of a nullable type a comparison with what is missing is missing too.
            changed = (coarser != made[column]).fillna(True) & (coarser.notna() | made[column].notna())
            decisions.note("recoding", column, int(changed.sum()), categories=coarser.nunique())
            made[column] = coarser
        after = measure(made, keys, goal.k, weights)
    made = _suppress(made, goal, weights, decisions)
    after = measure(made, keys, goal.k, weights)
    if not goal.reached(after):
        raise ValueError(f"{len(frame)} records are too few for k = {goal.k} and a risk of {goal.global_risk:.1%}")
    made.index = frame.index
    withheld = made[keys].isna().to_numpy() & frame[keys].notna().to_numpy()
    return Protected(made, before, after, decisions, float(withheld.mean()) if withheld.size else 0.0)


def _suppress(frame: pd.DataFrame, goal: Goal, weights: Sequence[float] | None, decisions: Decisions) -> pd.DataFrame:
    """Withhold cells of the records that stand out, least important keys first, until the goal is reached.

    A record that stands out loses the one cell whose loss lets it agree with most; when that helps nobody, the least
    important cell it still shows. Every round withholds at least one cell of each such record, so it ends.
    """
    made = frame.copy()
    keys = list(goal.keys)
    while True:
        risky = _standing_out(made, goal, weights)
        shown = made.loc[risky, keys].notna()
        risky, shown = risky[shown.any(axis=1).to_numpy()], shown[shown.any(axis=1)]
        if not len(risky):
            break
        gains = np.column_stack([_agreeing_without(made, keys, key, risky) for key in keys])
        gains[~shown.to_numpy()] = -1
        enough = gains >= goal.k
        # Among the keys that suffice the least important one; else the one that gains most.
        last = len(keys) - 1 - np.argmax(enough[:, ::-1], axis=1)
        choice = np.where(enough.any(axis=1), last, np.argmax(gains, axis=1))
        for position, key in enumerate(keys):
            rows = risky[choice == position]
            if len(rows):
                made.loc[rows, key] = None
                decisions.note("local_suppression", key, len(rows), k=goal.k)
    return made


def _standing_out(frame: pd.DataFrame, goal: Goal, weights: Sequence[float] | None) -> pd.Index:
    """Records that share their key with too few; if there are none, the riskiest ones while the global risk is high."""
    keys = list(goal.keys)
    few = sharing(frame, keys) < goal.k
    if few.any():
        return frame.index[few]
    risk = individual_risk(frame, keys, weights)
    if len(risk) == 0 or risk.mean() <= goal.global_risk:
        return frame.index[:0]
    return frame.index[risk >= np.quantile(risk, 0.99)]


def _agreeing_without(frame: pd.DataFrame, keys: list[str], dropped: str, rows: pd.Index) -> np.ndarray:
    """With how many records each of `rows` would agree if its cell of `dropped` were withheld."""
    rest = [key for key in keys if key != dropped]
    counted = sharing(frame, rest) if rest else np.full(len(frame), float(len(frame)))
    return counted[frame.index.get_indexer(rows)]
