"""Workbooks (.xls, .xlsx, .xlsm, .xlsb, .ods) as text: long numbers and leading zeros as stored, dates as ISO text.

A sheet becomes a grid below its declared header rows. Blank rows are skipped; total rows and footers are skipped where
the source declares how they begin, and reported. What no cell can tell is reported as damaged and read as blank: errors
(#N/A, ########) and formulas that were never calculated. Parsing itself is the business of `workbook_process`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from codebook.errors import Refused
from connectors.shapes import Finding, Grid, Heading, Piece, Text, numbered
from connectors.text.header_rows import HeaderGuess, propose_header
from connectors.workbooks.sheet_text import text_of as cell_text
from connectors.workbooks.workbook_process import Extent, WorkbookProcess
from sources.batches import DeliveredFile
from sources.models import ExcelFormat, Source

__all__ = ["SheetGrid", "Workbook", "cell_text", "look", "open_grids", "open_sheet", "sheet_with_rows"]

_CELLS_AT_A_TIME = 100_000
_FEWEST_ROWS = 24
"""However wide a sheet is: each column of a batch costs as much as some dozens of cells."""
_GUESS_ROWS = _FEW = 200
_DAMAGED = r"^\s*(#{3,}|#(N/A|VALUE!|REF!|DIV/0!|NUM!|NAME\?|NULL!|SPILL!|CALC!|GETTING_DATA)|Err:5[0-9]{2})\s*$"
"""What a spreadsheet shows instead of a value; copied as text it is as empty (formats.md 1.2)."""


class Workbook:
    """An opened workbook that forgets its content when it is pickled and opens it again when it is read."""

    def __init__(self, file: DeliveredFile) -> None:
        self.file = file
        self._process: WorkbookProcess | None = None

    def __getstate__(self) -> dict[str, object]:
        return {"file": self.file, "_process": None}

    @property
    def sheets(self) -> list[str]:
        return [name for name, _ in self._opened().sheets()]

    @property
    def hidden(self) -> list[str]:
        """Sheets that a reader of the workbook does not see; they are read only if a source declares them."""
        return [name for name, hidden in self._opened().sheets() if hidden]

    def extent(self, sheet: str) -> Extent:
        return self._opened().extent(sheet)

    def rows(self, sheet: str) -> Iterator[list[str | None]]:
        """Every row of the sheet as text, from row 1 on, each as wide as the sheet."""
        extent = self.extent(sheet)
        blank: list[str | None] = [None] * extent.width
        due = 0
        for batch, _ in self.batches(sheet, 0, None, extent.width):
            cells = [column.to_pylist() for column in batch.columns[2:]]
            for row, *texts in zip(batch["row"].to_pylist(), *cells, strict=True):
                yield from (blank for _ in range(row - due))
                yield texts
                due = row + 1
        yield from (blank for _ in range(extent.height - due))

    def batches(
        self, sheet: str, first: int, columns: Sequence[int] | None, width: int
    ) -> Iterator[tuple[pa.RecordBatch, list[tuple[int, int]]]]:
        """The sheet's rows from `first` (from 0) on, as `WorkbookProcess.rows` has them."""
        extent = self.extent(sheet)
        most = max(_FEWEST_ROWS, min(_CELLS_AT_A_TIME // max(1, extent.width), 1 << 16))
        # Whoever looks for the header reads a few rows and leaves.
        count = min(_FEW, most)
        more = first < extent.height
        while more:
            rows = range(first, first + count)
            batch, damaged, more = self._opened().rows(sheet, rows, columns, width, ahead=count == most)
            yield batch, damaged
            first, count = first + count, most

    def _opened(self) -> WorkbookProcess:
        if self._process is None:
            self._process = WorkbookProcess(self.file)
        return self._process


@dataclass(frozen=True)
class Layout:
    """How a sheet is laid out: `first` header row (from 1) and how many there are, and how rows that are no records
    begin. Cells to the right of the header make a row ragged, of severity `longer`."""

    first: int = 1
    count: int = 1
    longer: str = "error"
    totals: str | None = None
    footer: str | None = None

    @property
    def last(self) -> int:
        return self.first + self.count - 1


@dataclass(frozen=True)
class SheetGrid:
    """One sheet below its header rows."""

    workbook: Workbook
    sheet: str
    headings: tuple[Heading, ...]
    layout: Layout = Layout()

    def pieces(self, positions: Sequence[int], size: int) -> Iterator[Piece]:
        layout = self.layout
        noting = False
        columns = None if layout.totals or layout.footer else list(positions)
        for batch, damaged in self.workbook.batches(self.sheet, layout.last, columns, len(self.headings)):
            rows = batch["row"].to_numpy() + 1
            beyond = batch["beyond"].to_numpy(zero_copy_only=False)
            column_of = dict(zip(batch.schema.names, batch.columns, strict=True))
            cells = [column_of[str(position)] for position in positions]
            kept = np.ones(len(rows), dtype=bool)
            skipped: tuple[Finding, ...] = ()
            if columns is None:
                kept, noting = self._records(batch, noting)
                skipped = (Finding("read.skipped_row", "note", rows[~kept]),)
            piece = _piece(rows, beyond, cells, positions, damaged, layout.longer, kept)
            if len(piece.rows) <= size:
                yield replace(piece, findings=(*piece.findings, *skipped))
                continue
            for begin in range(0, len(piece.rows), size):
                window = slice(begin, begin + size)
                findings = (*piece.findings, *skipped) if begin == 0 else ()
                yield Piece(piece.rows[window], [column[window] for column in piece.cells], findings)

    def split(self, n: int) -> list[Grid]:
        return [self]

    def _records(self, batch: pa.RecordBatch, noting: bool) -> tuple[NDArray[np.bool_], bool]:
        """Which rows are records, judged by their first filled cell, and whether the rows after them are notes.

        A footer begins notes, and a row of several cells that is no footer ends them: no record is lost to it.
        """
        cells = batch.columns[2:]
        filled = sum(column.is_valid().to_numpy(zero_copy_only=False).astype(int) for column in cells)
        totals, footer = (re.compile(p) if p else None for p in (self.layout.totals, self.layout.footer))
        kept = np.ones(len(batch), dtype=bool)
        for n, text in enumerate(pc.coalesce(*cells).to_pylist()):
            if totals is not None and text and totals.search(text):
                kept[n] = False
                continue
            if footer is not None and text and footer.search(text):
                noting = True
            elif noting and filled[n] > 1:
                noting = False
            kept[n] = not noting
        return kept, noting


def _piece(
    rows: NDArray[np.int64],
    beyond: NDArray[np.bool_],
    cells: Sequence[Text],
    positions: Sequence[int],
    damaged: Sequence[tuple[int, int]],
    longer: str,
    kept: NDArray[np.bool_],
) -> Piece:
    """The rows that are kept, damaged cells blank and reported."""
    findings = [Finding("read.ragged_row", longer, rows[beyond & kept])]
    read: list[Text] = []
    marked: dict[int, list[int]] = {}
    for row, column in damaged:
        marked.setdefault(column, []).append(row + 1)
    signed = _with_signs(cells)
    for at, (position, column) in enumerate(zip(positions, cells, strict=True)):
        if at not in signed and position not in marked:
            read.append(column if kept.all() else column.filter(pa.array(kept)))
            continue
        bad = np.isin(rows, marked.get(position, []))
        if at in signed:
            hit = pc.fill_null(pc.match_substring_regex(column, _DAMAGED), False).to_numpy(zero_copy_only=False)
            bad |= hit
            read.append(pc.if_else(pa.array(hit), pa.scalar(None, pa.string()), column).filter(pa.array(kept)))
        else:
            read.append(column if kept.all() else column.filter(pa.array(kept)))
        findings.append(Finding("read.damaged_value", "error", rows[bad & kept], position))
    return Piece(rows[kept], read, tuple(findings))


def _with_signs(cells: Sequence[pa.Array]) -> set[int]:
    """Which columns have a cell that begins as a shown error does; asked of all together, since a sheet may be wide."""
    if not cells or not len(cells[0]):
        return set()
    texts = pc.utf8_ltrim_whitespace(pa.chunked_array(cells))
    begins = pc.or_(pc.starts_with(texts, "#"), pc.starts_with(texts, "Err:"))
    return set((np.flatnonzero(np.asarray(pc.fill_null(begins, False))) // len(cells[0])).tolist())


def open_grids(files: Sequence[DeliveredFile], source: Source) -> tuple[dict[str, Grid], dict[str, object]]:
    """The declared sheets of an `xlsx` source; hidden sheets are counted in the facts."""
    declared = source.format
    if not isinstance(declared, ExcelFormat):
        raise TypeError(declared.kind)
    if len(files) != 1:
        raise Refused(
            "delivery.wrong_source", f"{len(files)} files, one is expected", source.source, "deliver one file at a time"
        )
    workbook = Workbook(files[0])
    sheets = workbook.sheets
    absent = [table.name for table in source.tables if table.name not in sheets]
    if absent:
        raise Refused(
            "delivery.wrong_source",
            f"there is no sheet {', '.join(absent)}",
            files[0].name,
            "is this a file of another source?",
        )
    layout = Layout(declared.header_row, declared.header_rows, totals=declared.totals, footer=declared.footer)
    return {table.name: _required(workbook, table.name, layout) for table in source.tables}, _hidden(workbook)


def _hidden(workbook: Workbook) -> dict[str, object]:
    hidden = workbook.hidden
    return {"hidden_sheets": len(hidden)} if hidden else {}  # not their names: a sheet may be named after somebody


def open_sheet(workbook: Workbook, sheet: str, header_row: int = 1, longer: str = "error") -> SheetGrid:
    """A sheet as a grid; Refused if it has no header or no row below it."""
    return _required(workbook, sheet, Layout(header_row, longer=longer))


def sheet_with_rows(workbook: Workbook, sheet: str, header_row: int = 1, longer: str = "error") -> SheetGrid | None:
    """A sheet as a grid, or None if it has no header or no row below it."""
    return _with_rows(workbook, sheet, Layout(header_row, longer=longer))


def _required(workbook: Workbook, sheet: str, layout: Layout) -> SheetGrid:
    grid = _with_rows(workbook, sheet, layout)
    if grid is None:
        raise Refused("delivery.empty", f"sheet {sheet} has no row", workbook.file.name, "deliver the file again")
    return grid


def _with_rows(workbook: Workbook, sheet: str, layout: Layout) -> SheetGrid | None:
    extent = workbook.extent(sheet)
    names = header_names(_top(workbook, sheet, layout.last), extent, layout)
    while names and not names[-1]:
        names.pop()
    filled = any(len(batch) for batch, _ in workbook.batches(sheet, layout.last, [], extent.width))
    if not names or not filled:
        return None
    return SheetGrid(workbook, sheet, numbered(names, workbook.file.name), layout)


def _top(workbook: Workbook, sheet: str, count: int) -> list[list[str | None]]:
    rows = workbook.rows(sheet)
    return [row for _, row in zip(range(count), rows, strict=False)]


def header_names(top: Sequence[Sequence[str | None]], extent: Extent, layout: Layout) -> list[str]:
    """One name per column of the header rows, joined by ` / `; a merged cell's text holds for all it covers."""
    header = [[(cell or "").strip() for cell in row] for row in top[layout.first - 1 : layout.last]]
    for top_row, left, bottom, right in extent.merged:
        if left >= extent.width:  # merged cells may reach beyond all that is filled, to the last column of all
            continue
        for row in range(max(top_row, layout.first - 1), min(bottom + 1, layout.first - 1 + len(header))):
            # A title merged from above the header into it is no name of a column.
            if top_row >= layout.first - 1 and (bottom > top_row or layout.count > 1):
                for column in range(left, min(right + 1, extent.width)):
                    header[row - layout.first + 1][column] = header[top_row - layout.first + 1][left]
    names: list[str] = []
    for column in range(extent.width):
        parts = [row[column] for row in header if row[column]]
        names.append(" / ".join(part for n, part in enumerate(parts) if n == 0 or part != parts[n - 1]))
    return names


def look(file: DeliveredFile, form: DeliveredFile | None = None) -> tuple[dict[str, Grid], dict[str, object]]:
    """Every sheet as found, below the header that is proposed for it; a sheet without any cell has no column.

    Facts: `sheets` with the extent of each (rows and columns, header included), its proposed header, whether it is
    hidden, and how many merged cells reach over several records (`merged_below`): their text is read in the first of
    them only. A `form` says nothing about a plain workbook.
    """
    workbook = Workbook(file)
    hidden = set(workbook.hidden)
    grids: dict[str, Grid] = {}
    sheets: dict[str, dict[str, object]] = {}
    for sheet in workbook.sheets:
        extent = workbook.extent(sheet)
        top = _top(workbook, sheet, _GUESS_ROWS)
        guess = propose_header(top) if top else HeaderGuess(0, 0, 0.0, ("no row is filled",))
        layout = Layout(guess.first + 1, guess.count)
        placed = [f"column {place + 1}" for place in range(extent.width)]
        headings = numbered(header_names(top, extent, layout) if guess.count else placed, file.name)
        grids[sheet] = SheetGrid(workbook, sheet, headings, layout)
        sheets[sheet] = {
            "rows": extent.height,
            "columns": extent.width,
            "hidden": sheet in hidden,
            "header_row": layout.first,
            "header_rows": layout.count,
            "header_score": guess.score,
            "merged_below": sum(bottom > top_row >= layout.last for top_row, _, bottom, _ in extent.merged),
        }
    return grids, {"sheets": sheets}
