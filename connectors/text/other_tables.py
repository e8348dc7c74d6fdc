"""Whether a sheet or a file holds another table beside or below its first: read as one, rows of both would be mixed.

A header further down stands below a blank row or a title; columns side by side are parted by a blank one. Which rows
are the header of the first table is the business of `header_rows`. Told is where a table begins, never what it says.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from connectors.profiling.header_words import heads_columns
from connectors.profiling.no_answers import NOTHING
from connectors.shapes import Piece, Text
from connectors.text.header_rows import is_hxl_row, is_name

_LOOKED_AT = 8
"""Rows below a gap that are looked at."""
_TITLES = 3
"""So many of them may stand above a header."""
_COLUMNS = 50
_MOST_GAPS = 500
"""A sheet with more is written with blank lines, and only its first are looked at."""
_MOSTLY = 0.8
_NOTHING = re.compile(NOTHING)

Row = list[str]


@dataclass
class OtherTables:
    """Follows the pieces of a table whose header is `header`, in their order.

    `found`: numbers of rows that look like the header of another table; `again`: how often its own header comes again.
    """

    header: Sequence[str]
    found: list[int] = field(default_factory=list)
    again: int = 0
    _last: int | None = None
    _gaps: int = 0
    _open: list[tuple[int, Row]] = field(default_factory=list)

    def look(self, piece: Piece) -> None:
        """Look at the rows of the next piece that stand below a blank row or a title."""
        if not len(piece.rows) or self._gaps > _MOST_GAPS:
            return
        starts = [*self._starts(piece).tolist(), len(piece.rows)]
        if self._open:
            self._collect(piece, 0, starts[0])
        for start, end in pairwise(starts):
            self.finish()
            self._gaps += 1
            self._collect(piece, start, end)
        self._last = int(piece.rows[-1])

    def finish(self) -> None:
        """Judge what was collected last; to be called after the last piece too."""
        table = [row for _, row in self._open]
        for at, row in enumerate(table[:_TITLES]):
            filled = [position for position, cell in enumerate(row) if cell]
            if len(filled) < 2:
                continue
            if [*row] == [name.strip() for name in self.header[: len(row)]]:
                self.again += 1
            elif names_columns(row, filled, [below for below in table[at + 1 :] if any(below)]):
                self.found.append(self._open[at][0])
            break
        self._open = []

    def _starts(self, piece: Piece) -> NDArray[np.int64]:
        """The rows before which something is left out, and titles: rows of one cell where others have several."""
        before = np.concatenate([[piece.rows[0] - 1 if self._last is None else self._last], piece.rows[:-1]])
        begins = piece.rows - before != 1
        title = _alone(piece.cells, len(piece.rows))
        if title is not None:
            begins |= title
        return np.flatnonzero(begins)

    def _collect(self, piece: Piece, start: int, end: int) -> None:
        end = min(end, start + _LOOKED_AT - len(self._open))
        if end > start:
            cells = [column.slice(start, end - start).to_pylist() for column in piece.cells[:_COLUMNS]]
            rows = [[(cell or "").strip() for cell in row] for row in zip(*cells, strict=True)]
            self._open += zip(piece.rows[start:end].tolist(), rows, strict=True)


def _alone(cells: Sequence[Text], rows: int) -> NDArray[np.bool_] | None:
    """Which rows have one filled cell; None where a second column is filled throughout."""
    if len(cells) < 3 or sum(column.null_count == 0 for column in cells) > 1:
        return None
    filled = np.zeros(rows, np.int32)
    for column in cells:
        filled += np.asarray(column.is_valid())
    alone: NDArray[np.bool_] = filled == 1
    return alone


def names_columns(row: Row, filled: Sequence[int], below: Sequence[Row]) -> bool:
    """Whether a row of words names the columns below it: a word over numbers, or nothing but words that head columns.

    A record has a number where others have one, or says that there is none, and its values come again.
    """
    cells = [row[position] for position in filled]
    if len(below) < 2 or len(set(cells)) < len(cells) or not all(map(is_name, cells)) or is_hxl_row(cells):
        return False
    if any(_NOTHING.search(cell) for cell in cells):
        return False
    if 2 * len(filled) < max(sum(map(bool, one)) for one in below):
        return False
    if any(row[position] == one[position] for position in filled for one in below):
        return False
    if all(map(heads_columns, cells)) and not any(heads_columns(cell) for one in below for cell in one if cell):
        return True
    return any(not _has_digit(row[position]) and _numbers(position, below) for position in filled)


def _numbers(position: int, below: Sequence[Row]) -> bool:
    values = [row[position] for row in below if row[position]]
    return len(values) > 1 and sum(map(_has_digit, values)) >= _MOSTLY * len(values)


def _has_digit(text: str) -> bool:
    return any(letter.isdigit() for letter in text)


def beside(columns: Sequence[tuple[str, int]]) -> list[int]:
    """Where further tables begin side by side with the first (columns from 1); `columns`: header and filled cells.

    Columns without header and cells part them; a single column beyond them is a note rather than a table.
    """
    blocks: list[list[int]] = [[]]
    for place, (header, filled) in enumerate(columns, start=1):
        if header or filled:
            blocks[-1].append(place)
        elif blocks[-1]:
            blocks.append([])
    tables = [block for block in blocks if sum(columns[place - 1][1] > 0 for place in block) > 1]
    return [block[0] for block in tables[1:]]
