"""Regression trees, learned of generated populations whose truth is known: what all that is said of a pair goes to say
when it comes together (`forest.csv`, made by `benchmarks/forest.py`).

Evidence that is added up counts two brothers' common father, house and phone three times, and a year without a day as
much beside a rival as without one. Trees ask one thing after another. They were made so that more evidence never takes
a pair's weight down. Numbers only: what they are asked is the business of `evidence`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv

Bits = npt.NDArray[np.float64]

_FOREST = Path(__file__).with_name("forest.csv")
_LEAF = ""
_PART = 50_000
"""So many pairs are asked at a time."""


@dataclass(frozen=True)
class Forest:
    """Nodes of all trees, one row each: `asks` for a column (its place in `columns`; -1: a leaf), goes to node `low` if
    that is at most `bound` and to `high` otherwise; a leaf's `bits`. `roots`: where each tree begins."""

    columns: tuple[str, ...]
    asks: npt.NDArray[np.int64]
    bound: Bits
    low: npt.NDArray[np.int64]
    high: npt.NDArray[np.int64]
    bits: Bits
    roots: npt.NDArray[np.int64]

    def says(self, pairs: Mapping[str, npt.NDArray[np.float64]]) -> Bits:
        """Bits to add to the weight of each pair, by columns of one length."""
        said = np.stack([np.asarray(pairs[column], dtype=np.float64) for column in self.columns])
        parts = [self._says(said[:, at : at + _PART]) for at in range(0, said.shape[1], _PART)]
        return np.concatenate(parts) if parts else np.zeros(0)

    def _says(self, said: Bits) -> Bits:
        total, pair = np.zeros(said.shape[1]), np.arange(said.shape[1])
        for root in self.roots.tolist():
            node = np.full(len(pair), root)
            asking = pair
            while len(asking):
                at = node[asking]
                node[asking] = np.where(said[self.asks[at], asking] <= self.bound[at], self.low[at], self.high[at])
                asking = asking[self.asks[node[asking]] >= 0]
            total += self.bits[node]
        return total


@cache
def learned() -> Forest:
    """The forest that lies beside this module. Every tree has a question at its root."""
    return of(pa.csv.read_csv(_FOREST, convert_options=pa.csv.ConvertOptions(column_types={"asks": pa.string()})))


def of(nodes: pa.Table) -> Forest:
    """The forest of a table of `nodes` (tree, asks, bound, low, high, bits), each tree's root its first row; `low` and
    `high` count rows of the tree."""
    asks = nodes["asks"].to_pylist()
    columns = tuple(sorted(set(asks) - {_LEAF}))
    tree = nodes["tree"].to_numpy()
    roots = np.flatnonzero(np.diff(tree, prepend=-1))
    first = roots[np.searchsorted(tree[roots], tree)]
    return Forest(
        columns,
        np.array([columns.index(column) if column != _LEAF else -1 for column in asks]),
        nodes["bound"].to_numpy(),
        first + nodes["low"].to_numpy(),
        first + nodes["high"].to_numpy(),
        nodes["bits"].to_numpy(),
        roots,
    )
