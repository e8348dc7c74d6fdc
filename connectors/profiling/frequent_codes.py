"""The codes of a column that has few: what a crosswalk is proposed from, where the format itself declares no codes.

A code that stands in a few rows only could be somebody's own words, so it is counted and not told; which columns may be
asked at all is the caller's business, and never one that looks like personal data.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow.compute as pc

from connectors.shapes import Grid
from values.distinct import distinct

MOST = 250
"""A column with more different values has no codes."""
FEWEST_ROWS = 3
"""A value in fewer rows than this is not told."""
_PIECE = 20_000


@dataclass(frozen=True)
class Codes:
    """`told`: codes by how often they stand there, most often first; `rare`: how many are not told."""

    told: tuple[str, ...]
    rare: int


def frequent_codes(grid: Grid, positions: Sequence[int], joined: frozenset[int] = frozenset()) -> dict[int, Codes]:
    """Codes of the columns at `positions`; of those in `joined` every word of a cell is a code."""
    counts: dict[int, Counter[str] | None] = {position: Counter() for position in positions}
    for piece in grid.pieces(list(positions), _PIECE):
        for position, column in zip(positions, piece.cells, strict=True):
            counted = counts[position]
            if counted is None:
                continue
            found = pc.value_counts(distinct(column).indices.drop_null())
            values = distinct(column).dictionary.take(found.field("values")).to_pylist()
            for value, count in zip(values, found.field("counts").to_pylist(), strict=True):
                for word in value.split() if position in joined else (value.strip(),):
                    counted[word] += count
            if len(counted) > MOST:
                counts[position] = None
    return {position: _told(counted) for position, counted in counts.items() if counted}


def _told(counted: Counter[str]) -> Codes:
    often = tuple(code for code, count in counted.most_common() if count >= FEWEST_ROWS)
    return Codes(often, len(counted) - len(often))
