"""Tables of counts as one set of cells: what they have in common is one cell, and what adds up is an equation.

A table is a frame with a row for each cell: categories of its variables (TOTAL for a margin) and the count. Tables that
share margins are linked; a variable may have levels (district, province, TOTAL). Suppressing is not done here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

TOTAL = "total"
COUNT = "count"

Parents = Mapping[str, Mapping[str, str]]
"""By variable: the category that each category is part of, where that is not TOTAL."""

Equation = tuple[int, tuple[int, ...]]
Key = tuple[str, ...]


@dataclass(frozen=True)
class Cells:
    """`keys`: one row a cell, one column a variable; `counts`; `equations`: (position of a sum, positions of its
    parts), over all tables; `parents`: levels of the variables."""

    keys: pd.DataFrame
    counts: npt.NDArray[np.int64] | npt.NDArray[np.float64]
    equations: tuple[Equation, ...]
    parents: Parents = field(default_factory=dict)

    def name(self, position: int) -> str:
        """A cell as its categories: never its count."""
        parts = [f"{name}={value}" for name, value in self.keys.iloc[position].items() if value != TOTAL]
        return ", ".join(parts) or TOTAL


def cube(frame: pd.DataFrame, variables: Sequence[str]) -> pd.DataFrame:
    """Counts of the records of `frame` by `variables`, with every margin; combinations that nobody has are zeros.

    ValueError: a record without a category, which no cell would count (an answer that is not there has one of the
    five answer states), or a category that is called as margins are.
    """
    for name in variables:
        if nobody := int(frame[name].isna().sum()):
            raise ValueError(f"{nobody} records have no category of {name}: give them one, as an answer state")
        if (frame[name] == TOTAL).any():
            raise ValueError(f"a category of {name} is called {TOTAL!r}, as margins are: call it otherwise")
    levels = [sorted(frame[name].unique()) for name in variables]
    inside = frame.groupby(list(variables), observed=True).size()
    counts = inside.reindex(pd.MultiIndex.from_product(levels, names=list(variables)), fill_value=0)
    pieces = [counts.rename(COUNT).reset_index()]
    for name in variables:
        rest = [other for other in variables if other != name]
        for piece in list(pieces):
            margin = piece.groupby(rest, observed=True)[COUNT].sum().reset_index() if rest else _grand(piece)
            pieces.append(margin.assign(**{name: TOTAL}))
    return pd.concat(pieces, ignore_index=True)[[*variables, COUNT]]


def _grand(piece: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({COUNT: [piece[COUNT].sum()]})


def lay_out(tables: Sequence[pd.DataFrame], parents: Parents | None = None) -> Cells:
    """All cells of `tables`, each once. ValueError: two tables disagree about a cell, or a sum is not one.

    A table lists all cells of the categories it names; one that it leaves out is a zero.
    """
    variables = sorted({name for table in tables for name in table.columns if name != COUNT})
    absent = [{name: TOTAL for name in variables if name not in table} for table in tables]
    wide = [table.assign(**margins)[[*variables, COUNT]] for table, margins in zip(tables, absent, strict=True)]
    every = pd.concat(wide, ignore_index=True)
    if (every.groupby(variables)[COUNT].nunique() > 1).any():
        raise ValueError("two tables give different counts for the same cell")
    distinct = every.drop_duplicates(variables, ignore_index=True)
    keys, counts = distinct[variables], _whole(distinct[COUNT])
    place = {key: number for number, key in enumerate(keys.itertuples(index=False, name=None))}
    found: dict[Equation, None] = {}
    for table in wide:
        of_table = {key: place[key] for key in table[variables].itertuples(index=False, name=None)}
        found |= dict.fromkeys(sums(of_table, variables, parents or {}))
    cells = Cells(keys, counts, tuple(found), parents or {})
    for sum_, parts in cells.equations:
        if counts[sum_] != counts[list(parts)].sum():
            raise ValueError(f"the parts of cell {cells.name(sum_)} do not add up to it")
    return cells


def _whole(counts: pd.Series) -> npt.NDArray[np.int64]:
    """Counts as whole numbers. ValueError: one is missing, negative or has a fraction, as amounts may."""
    numbers = pd.to_numeric(counts).to_numpy(dtype=float, na_value=np.nan)
    if not (np.isfinite(numbers) & (numbers >= 0) & (numbers == np.floor(numbers))).all():
        raise ValueError("a cell's count is missing, negative or not whole: only counts of persons or records are done")
    return numbers.astype(np.int64)


def sums(cells: Mapping[Key, int], variables: Sequence[str], parents: Parents) -> list[Equation]:
    """What adds up among the cells of one table, along any of its variables."""
    return [
        equation
        for position, name in enumerate(variables)
        for equation in _along(cells, position, parents.get(name, {}))
    ]


def _along(cells: Mapping[Key, int], position: int, parent: Mapping[str, str]) -> list[Equation]:
    """Cells that are the sum of others along one variable, with the others."""
    parts: dict[Key, list[int]] = {}
    for key, number in cells.items():
        if key[position] != TOTAL:
            whole = (*key[:position], parent.get(key[position], TOTAL), *key[position + 1 :])
            parts.setdefault(whole, []).append(number)
    return [(cells[whole], tuple(sorted(numbers))) for whole, numbers in parts.items() if whole in cells]
