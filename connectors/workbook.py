"""Excel workbooks (.xlsx) as text: long numbers and leading zeros intact, real dates as ISO dates.

A workbook is read by python-calamine, which holds a whole sheet in memory; it is opened again in each process that
reads it, so nothing of it is ever pickled or written down.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Any

import numpy as np
import pyarrow as pa

from codebook.errors import HomewardError, Refused
from connectors.shapes import Finding, Grid, Heading, Piece, numbered
from sources.batches import DeliveredFile
from sources.models import Source

MAX_UNPACKED = 4 << 30
"""A workbook that claims to unpack to more bytes than this is a bomb or a mistake."""
MAX_CELLS = 100_000_000
"""The parser keeps every cell of a sheet's extent in memory, filled or not."""
_EXTENT = re.compile(rb'<dimension ref="[A-Z]+\d+:([A-Z]+)(\d+)"')


def cell_text(value: object) -> str | None:
    """A cell as its supplier would copy it: 98 and not 98.0, ISO dates, blank as None."""
    match value:
        case str():
            return value if value.strip() else None
        case None:
            return None
        case bool():
            return "TRUE" if value else "FALSE"
        case float():
            return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
        case datetime():
            return value.date().isoformat() if value.time() == time() else value.isoformat()
        case date() | time():
            return value.isoformat()
        case timedelta():
            return str(value)
        case _:
            return str(value)


class Workbook:
    """An opened workbook that forgets its content when it is pickled and opens it again when it is read."""

    def __init__(self, file: DeliveredFile) -> None:
        self.file = file
        self._book: Any = None

    def __getstate__(self) -> dict[str, object]:
        return {"file": self.file, "_book": None}

    @property
    def sheets(self) -> list[str]:
        return list(self._opened().sheet_names)

    def rows(self, sheet: str) -> Iterator[list[object]]:
        """Every row of the sheet from row 1 on, each as wide as the sheet."""
        with self._refusing():
            found = self._opened().get_sheet_by_name(sheet)
            if not found.height or not found.width:
                return
            above, left = found.start or (0, 0)
            blank: list[object] = [None] * left
            for _ in range(above):
                yield [*blank, *([None] * found.width)]
            for row in found.iter_rows():
                yield [*blank, *row] if blank else row

    def _opened(self) -> Any:
        if self._book is None:
            from python_calamine import CalamineWorkbook

            with self._refusing(), self.file.open() as handle:
                # Only zipped formats: a damaged .xls can take the whole process down inside the parser.
                with zipfile.ZipFile(handle) as archive:
                    self._refuse_bomb(archive)
                handle.seek(0)
                self._book = CalamineWorkbook.from_filelike(handle)
        return self._book

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        """Whatever a damaged workbook makes the parser do, a panic in its native code included, is one refusal."""
        try:
            yield
        except (HomewardError, KeyboardInterrupt, SystemExit, GeneratorExit, MemoryError):
            raise
        except BaseException:
            raise Refused(
                "delivery.unreadable",
                "it is no whole Excel workbook (.xlsx)",
                self.file.name,
                "save it as .xlsx and deliver it again",
            ) from None

    def _refuse_bomb(self, archive: zipfile.ZipFile) -> None:
        """Refuse what would fill the memory: too many bytes, or a stray cell in the far corner of a sheet."""
        if sum(member.file_size for member in archive.infolist()) > MAX_UNPACKED:
            raise self._too_large(f"it unpacks to more than {MAX_UNPACKED >> 20} MiB")
        for member in archive.namelist():
            if member.startswith("xl/worksheets/") and member.endswith(".xml"):
                with archive.open(member) as sheet:
                    extent = _EXTENT.search(sheet.read(4096))
                if extent and _cells(extent[1], extent[2]) > MAX_CELLS:
                    raise self._too_large("a sheet has a cell in its far corner")

    def _too_large(self, what: str) -> Refused:
        return Refused("delivery.unreadable", what, self.file.name, "clear the unused rows, or deliver it as CSV")


def _cells(column: bytes, row: bytes) -> int:
    letters = 0
    for letter in column:
        letters = letters * 26 + letter - 64
    return letters * int(row)


@dataclass(frozen=True)
class SheetGrid:
    """One sheet below its header row; cells to the right of the header are ragged, of severity `longer`."""

    workbook: Workbook
    sheet: str
    headings: tuple[Heading, ...]
    header_row: int = 1
    longer: str = "error"

    def pieces(self, positions: Sequence[int], size: int) -> Iterator[Piece]:
        width = len(self.headings)
        chunk: list[list[object]] = []
        first = number = self.header_row + 1
        for number, row in enumerate(self.workbook.rows(self.sheet), start=1):
            if number <= self.header_row:
                continue
            chunk.append(row)
            if len(chunk) == size:
                yield self._piece(chunk, first, positions, width)
                chunk, first = [], number + 1
        if chunk:
            yield self._piece(chunk, first, positions, width)

    def split(self, n: int) -> list[Grid]:
        return [self]

    def _piece(self, chunk: list[list[object]], first: int, positions: Sequence[int], width: int) -> Piece:
        """The rows that hold anything at all, on the sheet's own numbers."""
        numbered_rows = [(number, row) for number, row in enumerate(chunk, start=first) if _any_text(row)]
        rows = np.array([number for number, _ in numbered_rows], dtype=np.int64)
        cells = [
            pa.array([cell_text(row[position]) for _, row in numbered_rows], pa.string()) for position in positions
        ]
        beyond = np.array([_any_text(row[width:]) for _, row in numbered_rows], dtype=bool)
        return Piece(rows, cells, (Finding("read.ragged_row", self.longer, rows[beyond]),))


def _any_text(row: Sequence[object]) -> bool:
    return any(cell is not None and (not isinstance(cell, str) or cell.strip()) for cell in row)


def open_grids(files: Sequence[DeliveredFile], source: Source) -> tuple[dict[str, Grid], dict[str, object]]:
    """The declared sheets of an `xlsx` source."""
    declared = source.format
    if declared.kind != "xlsx":
        raise TypeError(declared.kind)
    if len(files) != 1:
        raise Refused(
            "delivery.wrong_source", f"{len(files)} files, one is expected", source.source, "deliver one file at a time"
        )
    workbook = Workbook(files[0])
    absent = [table.name for table in source.tables if table.name not in workbook.sheets]
    if absent:
        raise Refused(
            "delivery.wrong_source",
            f"there is no sheet {', '.join(absent)}",
            files[0].name,
            "is this a file of another source?",
        )
    return {table.name: open_sheet(workbook, table.name, declared.header_row) for table in source.tables}, {}


def open_sheet(workbook: Workbook, sheet: str, header_row: int = 1, longer: str = "error") -> SheetGrid:
    """A sheet as a grid; Refused if it has no header or no row below it."""
    grid = sheet_with_rows(workbook, sheet, header_row, longer)
    if grid is None:
        raise Refused("delivery.empty", f"sheet {sheet} has no row", workbook.file.name, "deliver the file again")
    return grid


def sheet_with_rows(workbook: Workbook, sheet: str, header_row: int = 1, longer: str = "error") -> SheetGrid | None:
    """A sheet as a grid, or None if it has no header or no row below it."""
    rows = workbook.rows(sheet)
    header = [(cell_text(cell) or "").strip() for cell in next(islice(rows, header_row - 1, None), [])]
    while header and not header[-1]:
        header.pop()
    if not header or not any(_any_text(row) for row in rows):
        return None
    return SheetGrid(workbook, sheet, numbered(header, workbook.file.name), header_row, longer)
