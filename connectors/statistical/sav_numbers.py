"""Numbers of the rows of a system file of SPSS, column by column, without a step for each cell.

pyreadstat makes an object of every cell, of which most are numbers that lie eight bytes apart. They are taken here as
they lie; what stands for missing is NaN. Files whose bytes are in another order than most are left to pyreadstat, as
are texts and the dictionary. Runs in the child process of `readstat_process` and imports nothing of Homeward.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from connectors.statistical.packed_rows import PackedRows
    from connectors.statistical.sav_layout import Broken, Layout
else:
    from sav_layout import Broken

_AT_ONCE = 60_000
"""Cells that are turned from rows into columns while the processor has them at hand."""
_WINDOW = 1 << 20


class SavNumbers:
    """Columns of numbers, by their place among the variables that are numbers."""

    def __init__(self, file: BinaryIO, layout: Layout, packed: PackedRows | None) -> None:
        if layout.order != "<":
            raise Broken
        self._file, self._layout, self._packed = file, layout, packed
        self.count = len(layout.numbers)

    def columns(self, places: Sequence[int], offset: int, limit: int) -> list[tuple[NDArray[np.float64], None]]:
        """The columns at some places, of `limit` rows from `offset` on; Broken if the rows are not there."""
        cells = [self._layout.numbers[place] for place in places]
        found = np.empty((len(cells), limit))
        filled = 0
        for rows in self._rows(offset, limit):
            found[:, filled : filled + len(rows)] = rows[:, cells].T
            filled += len(rows)
        if filled < limit:
            raise Broken
        bits = found.view(np.uint64)
        for missing in self._layout.missing:
            found[bits == missing] = np.nan
        return [(column, None) for column in found]

    def _rows(self, offset: int, limit: int) -> Iterator[NDArray[np.float64]]:
        """Rows of all cells, some at a time."""
        width = self._layout.cells
        at_once = max(1, _AT_ONCE // width)
        rest = np.empty(0)
        for cells in self._cells(offset):
            joined = np.concatenate([rest, cells]) if len(rest) else cells
            whole = min(len(joined) // width, limit)
            rows, rest = joined[: whole * width].reshape(whole, width), joined[whole * width :]
            for start in range(0, whole, at_once):
                yield rows[start : start + at_once]
            limit -= whole
            if not limit:
                return

    def _cells(self, offset: int) -> Iterator[NDArray[np.float64]]:
        if self._packed is not None:
            yield from self._packed.cells(offset)
            return
        self._file.seek(self._layout.begins + 8 * self._layout.cells * offset)
        while window := self._file.read(_WINDOW):
            yield np.frombuffer(window, "<f8", len(window) // 8)
