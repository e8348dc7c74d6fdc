"""Do two rows speak of two people? Asked where a shared identifier would make them one person for the first time, and
of an identifier that many rows share.

They do if their names have no word in common, or their birth dates differ in two of year, month and day: one slip, one
name more, a married name or an unknown day are no contradiction. What follows from it is the business of `linking`.
"""

from __future__ import annotations

from itertools import groupby

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from anonymization.keys.pseudonyms import coded
from anonymization.linkage.described import Day, Described
from anonymization.linkage.linking import Disagree

_PEOPLE = 3
"""So many who are all somebody else are no slip in one of their rows."""
_ASKED = 20
"""So many of the rows that share a value are compared."""


def disagreement(rows: Described) -> Disagree | None:
    """A question about two rows of the batch; None where the table has neither names nor a birth date."""

    def disagree(one: int, other: int) -> bool:
        words, others = rows.words(one), rows.words(other)
        return bool(words and others and set(words).isdisjoint(others)) or contradict(rows.born(one), rows.born(other))

    return disagree if rows.columns else None


def contradict(first: Day | None, second: Day | None) -> bool:
    """Whether two birth dates are of two people; of the first of January only the year is known."""
    if first is None or second is None or first[1:] == (1, 1) or second[1:] == (1, 1):
        return first is not None and second is not None and abs(first[0] - second[0]) > 1
    return sum(a != b for a, b in zip(first, second, strict=True)) >= 2


def shared(rows: Described, cells: pa.Table, codes: pa.Array, disagree: Disagree) -> npt.NDArray[np.bool_]:
    """Which rows hold an identifier (`codes`: its number, or null) that people share, each of whom is another: the
    number of an office or of a family's phone says of nobody who they are."""
    code = codes.fill_null(-1).to_numpy(zero_copy_only=False)
    often = np.bincount(code + 1)[1:] >= _PEOPLE
    many = np.flatnonzero((code >= 0) & np.append(often, False)[code])
    if not len(many):
        return np.zeros(len(code), dtype=bool)
    # Most rows that share a number say the same of one person, and are asked about once.
    said = [coded(cells[name].take(pa.array(many))).indices.fill_null(-1) for name in rows.columns]
    first = np.unique(np.stack([code[many], *map(np.asarray, said)]), axis=1, return_index=True)[1]
    asked = sorted(many[first].tolist(), key=lambda row: (code[row], row))
    nobodys = [value for value, its in groupby(asked, key=lambda row: int(code[row])) if _of_many(list(its), disagree)]
    return np.isin(code, nobodys)


def _of_many(rows: list[int], disagree: Disagree) -> bool:
    people: list[int] = []
    for row in rows[:_ASKED]:
        if all(disagree(row, other) for other in people):
            people.append(row)
    return len(people) >= _PEOPLE
