"""In how many rows columns are filled together, and how often each is filled where another column holds a code.

What nobody was asked is blank wherever the answer before it says so: that can be seen in the rows, and these are the
counts. Which of them mean anything is the business of whoever proposes a crosswalk.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from connectors.shapes import Grid, Text
from values.distinct import distinct

_PIECE = 20_000


@dataclass
class FilledTogether:
    """`both[i, j]`: rows in which the columns asked for at i and j are filled (on the diagonal: the column itself).
    `where`: position and code -> rows that hold it, and per column how many of these are filled."""

    rows: int
    both: NDArray[np.int64]
    where: dict[tuple[int, str], tuple[int, NDArray[np.int64]]] = field(default_factory=dict)


def filled_together(grid: Grid, positions: Sequence[int], codes: Mapping[int, Sequence[str]]) -> FilledTogether:
    """Counts over all rows; `codes`: of the columns among `positions` that decide what was asked, their codes."""
    width = len(positions)
    listed = [(position, code) for position, told in codes.items() for code in told]
    found = FilledTogether(0, np.zeros((width, width), np.int64))
    held, among = np.zeros(len(listed), np.int64), np.zeros((len(listed), width), np.int64)
    for piece in grid.pieces(list(positions), _PIECE):
        # Counts of one piece are whole numbers far below those that a float cannot hold: multiplied, they are fast.
        filled = np.stack([np.asarray(column.is_valid()) for column in piece.cells], axis=1).astype(np.float32)
        found.rows += len(filled)
        found.both += (filled.T @ filled).astype(np.int64)
        if listed:
            cells = dict(zip(positions, piece.cells, strict=True))
            holds = np.concatenate([_holds(cells[position], told) for position, told in codes.items()], axis=1)
            held += holds.sum(axis=0).astype(np.int64)
            among += (holds.T @ filled).astype(np.int64)
    found.where = {one: (int(held[at]), among[at]) for at, one in enumerate(listed)}
    return found


def _holds(column: Text, codes: Sequence[str]) -> NDArray[np.float32]:
    """Which row holds which of the codes: 1 or 0."""
    encoded = distinct(column)
    texts = pc.utf8_trim_whitespace(encoded.dictionary.cast(pa.string()))
    per_text = np.asarray(pc.fill_null(pc.index_in(texts, pa.array(codes, pa.string())), len(codes)), np.int64)
    index = np.asarray(pc.fill_null(encoded.indices.cast(pa.int64()), len(texts)), np.int64)
    place = np.append(per_text, len(codes))[index]
    holds: NDArray[np.float32] = np.eye(len(codes) + 1, dtype=np.float32)[place][:, :-1]
    return holds
