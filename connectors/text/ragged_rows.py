"""Rows whose number of cells is not the header's: kept as text, cut to the header and reported, never shifted.

pyarrow hands such rows over instead of refusing the file; numbering the well-formed rows around them is done here too.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
from numpy.typing import NDArray

from codebook.errors import Refused
from connectors.shapes import MAX_COLUMNS, Finding, Piece
from connectors.text.dialects import MAX_RECORD, Dialect

csv.field_size_limit(MAX_RECORD)
"""The module's own limit, 128 KiB a cell, would refuse what pyarrow reads."""
_SHORT = 100_000
"""So many rows with too few cells, if they are most of all so far, make no table: gigabytes of blank lines or of a log
cost a call and a text each."""
_HELD, _OVERHEAD = 384 << 20, 130
"""Bytes of rows that are kept until pyarrow gives a batch, and what a row costs beside its letters. Only a file that
cannot be cut (UTF-16) comes near."""


class RaggedRows:
    """Rows whose number of cells is not the header's: kept as text, cut to the header, reported."""

    def __init__(self, width: int, dialect: Dialect, first_row: int, short: int = 0) -> None:
        """`short`: how many rows before these had too few cells."""
        self._width, self._dialect, self._first, self.short = width, dialect, first_row, short
        self._numbers: list[int] = []
        self._texts: list[str] = []
        self._done = 0
        self._held = 0
        self._too_wide = self._too_many = 0

    @property
    def waiting(self) -> int:
        return len(self._texts)

    @property
    def refused(self) -> bool:
        """Whether a row was met with which the file is no table."""
        return bool(self._too_wide or self._too_many)

    def keep(self, row: pacsv.InvalidRow) -> str:
        if row.actual_columns > MAX_COLUMNS:
            self._too_wide = row.number
            return "error"
        self.short += row.actual_columns < self._width
        self._held += len(row.text) + _OVERHEAD
        mostly_short = self.short > _SHORT and 2 * self.short > row.number + self._first
        if mostly_short or self._held > _HELD:
            self._too_many = row.number
            return "error"
        self._numbers.append(row.number)
        self._texts.append(row.text)
        return "skip"

    def refusal(self, name: str) -> Refused:
        """Why pyarrow gave up; its own words quote the row."""
        if self._too_wide:
            row = self._too_wide - 1 + self._first
            what, mend = f"row {row} has more than {MAX_COLUMNS} columns", "check the delimiter and the quotation marks"
        elif self._too_many:
            row = self._too_many - 1 + self._first
            what = f"most rows down to row {row} have not as many cells as the header"
            mend = "check the delimiter, and clear what is no row of the table"
        else:
            what, mend = "it cannot be read as delimited text", "check the delimiter and the quotation marks"
        return Refused("delivery.unreadable", what, name, mend)

    def rows_of_good(self, before: int, n: int) -> NDArray[np.int64]:
        """Row numbers of the next `n` well-formed rows after `before` such rows: the ragged ones stand between."""
        good = np.arange(before, before + n, dtype=np.int64)
        if self._numbers:
            places = np.asarray(self._numbers, dtype=np.int64) - 1
            good += np.searchsorted(places - np.arange(len(places)), good, side="right")
        return good + self._first

    def pieces(self, positions: Sequence[int], size: int) -> Iterator[Piece]:
        """The ragged rows kept since the last call."""
        numbers, texts = self._numbers[self._done :], self._texts
        self.forget()
        for begin in range(0, len(texts), size):
            yield self._piece(positions, numbers[begin : begin + size], texts[begin : begin + size])

    def forget(self) -> None:
        """What was kept so far has been given, or is not wanted."""
        self._done, self._texts, self._held = len(self._numbers), [], 0

    def _piece(self, positions: Sequence[int], numbers: list[int], texts: list[str]) -> Piece:
        rows = np.asarray(numbers, dtype=np.int64) - 1 + self._first
        records = [_cells(text, self._dialect.delimiter) for text in texts]
        cells = [
            pa.array([r[p] if p < len(r) and r[p].strip() else None for r in records], pa.string()) for p in positions
        ]
        longer = np.array([any(cell.strip() for cell in record[self._width :]) for record in records], dtype=bool)
        shorter = np.array([len(record) < self._width for record in records], dtype=bool)
        findings = (
            Finding("read.ragged_row", self._dialect.longer, rows[longer]),
            Finding("read.ragged_row", "error", rows[shorter]),
        )
        return Piece(rows, cells, findings)


def _cells(record: str, delimiter: str) -> list[str]:
    return next(csv.reader(io.StringIO(record, newline=""), delimiter=delimiter), [])
