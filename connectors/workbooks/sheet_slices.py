"""A worksheet of an .xlsx, handed to the parser some rows at a time: on two cores, and without holding all of it.

The parser reads on one core, reads all rows twice (for merged cells, which lie behind them), and holds a whole sheet as
cells (550 MB for 6 million of them). So the sheet's part is unpacked as a stream, cut between two rows, and each slice
is put into a workbook of its own beside the shared strings and the styles; cells are read by the parser alone. A sheet
whose rows or cells do not say where they lie, as few writers leave them, cannot be cut and is read whole. Runs inside
the child process of `sheet_process` and imports nothing of Homeward.
"""

from __future__ import annotations

import io
import os
import re
import zipfile
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from sheet_damage import column_of, in_rows, parts, refuse_marked, suspicious

WHOLE = 64 << 20
"""The slices of a sheet that unpacks to no more than this are parsed once and kept."""
_SMALL = 4 << 20
"""A sheet that unpacks to no more than this is not cut."""
_SLICE = 1 << 20
_LARGEST_SLICE = 128 << 20
_BLOCK = 1 << 20
_MOST_CELLS = 2 << 30
"""Rows by columns up to the last filled cell; a file of 4 GiB cannot fill a tenth of them."""
_LONGEST = 4 << 20
"""A cell holds 32,767 characters, which take no more bytes than this with all their formatting."""
_MANY_STRINGS = 16 << 20
"""Shared strings of fewer bytes are held by every reader, whatever one of them may be."""
_TIMES_SHARED = 4
"""The shared strings are parsed again for each slice, so a slice is a multiple of them."""
_NOTHING_MERGED = b"<mergeCells/>"
"""Before the rows of a slice: the parser looks no further for merged cells, which took three tenths of its time."""
_HEAD = re.compile(rb"<sheetData\s*>")
_FIRST = re.compile(rb'\s*<row\s(?:[^>]*?\s)?r="\d')
_ROW = re.compile(rb'<row r="(\d+)"')
_FILLED = re.compile(rb'<c r="([A-Z]{1,3})\d+"[^>]*(?<!/)>')
_END_OF_ROW = b"</row>"
_END = b"</sheetData>"


class Uncut(Exception):
    """The sheet cannot be cut into rows; found while its rows are read, it is damaged."""


class Unbounded(Exception):
    """Nothing that a person fills in: a row without an end, or a cell so far out that all the sheet is blank."""


class SlicedSheet:
    """Looks like a sheet of the parser that begins in its first row and column; `damaged` cells as `sheet_damage`
    finds them."""

    start = (0, 0)

    def __init__(self, content: bytes, part: str, name: str) -> None:
        self._content, self._part, self._name = content, part, name
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            self._frame, shared = _frame(archive, part)
            whole = archive.getinfo(part).file_size
        self._size = min(max(_SLICE, _TIMES_SHARED * shared), _LARGEST_SLICE)
        self._head = self._begin = self._tail = b""
        self.height = self.width = 0
        self.damaged: list[tuple[int, int]] = []
        self._kept: Sequence[Any] | None = None
        if whole > WHOLE:
            self._survey()
        elif whole < 2 * self._size:
            raise Uncut
        else:
            self._kept = self._parsed_once()
        self.merged_cell_ranges = self._parsed(self._head, b"", self._tail).merged_cell_ranges

    def iter_rows(self) -> Iterator[list[Any]]:
        due = 0
        for sheet in self._kept if self._kept is not None else self._sheets(self._slices()):
            if not sheet.height or not sheet.width:
                continue
            above, left = sheet.start or (0, 0)
            if above < due:
                raise Uncut
            yield from ([""] * self.width for _ in range(above - due))
            if left + sheet.width > self.width:
                raise Uncut
            before, after = [""] * left, [""] * (self.width - left - sheet.width)
            for row in sheet.to_python():
                yield [*before, *row, *after] if before or after else row
            due = above + sheet.height

    def _parsed_once(self) -> Sequence[Any]:
        """All slices, parsed; the size of the sheet is known from them."""
        from python_calamine import CalamineError

        try:
            kept = [sheet for sheet in self._sheets(self._checked()) if sheet.height and sheet.width]
        except CalamineError:  # a cut within what only looks like the end of a row; if not, it shows again
            raise Uncut from None
        for sheet in kept:
            above, left = sheet.start or (0, 0)
            if above < self.height:
                raise Uncut
            self.height, self.width = above + sheet.height, max(self.width, left + sheet.width)
        return kept

    def _checked(self) -> Iterator[bytes]:
        """The slices, if each says where it lies; what is damaged in them is noted."""
        for rows in self._slices():
            if not _FIRST.match(rows):
                raise Uncut
            self._note_damaged(rows)
            yield rows

    def _survey(self) -> None:
        """The size of the sheet and its damaged cells, from its bytes: too many cells to be parsed twice."""
        last = 0
        for rows in self._slices():
            found = list(_ROW.finditer(rows))
            numbers = [int(row[1]) for row in found]
            if not numbers or len(numbers) != rows.count(b"<row") or b"<c>" in rows:
                raise Uncut
            if numbers != sorted(set(numbers)) or numbers[0] <= last:
                raise Uncut
            last = numbers[-1]
            begins = [row.start() for row in found]
            for number, start, end in zip(numbers, begins, [*begins[1:], len(rows)], strict=True):
                column = _last_filled(rows, start, end)
                if column:
                    self.height, self.width = number, max(self.width, column)
            self._note_damaged(rows)
        if self.height * self.width > _MOST_CELLS:
            raise Unbounded

    def _note_damaged(self, rows: bytes) -> None:
        refuse_marked(rows)
        if suspicious(rows):
            self.damaged += in_rows(self._head, rows)

    def _sheets(self, slices: Iterator[bytes]) -> Iterator[Any]:
        """The slices as sheets of the parser, in order, while the next ones are parsed."""
        threads = min(2, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
        with ThreadPoolExecutor(threads) as pool:
            ahead: deque[Future[Any]] = deque()
            for rows in slices:
                head = self._head[: -len(self._begin)] + _NOTHING_MERGED + self._begin
                ahead.append(pool.submit(self._parsed, head, rows, _END))
                if len(ahead) > threads:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()

    def _slices(self) -> Iterator[bytes]:
        """The rows of the sheet, in pieces that end with a row; what is before and after them is kept."""
        with zipfile.ZipFile(io.BytesIO(self._content)) as archive, archive.open(self._part) as stream:
            rest = stream.read(_BLOCK)
            begins = _HEAD.search(rest)
            if begins is None or b"<!" in rest[: begins.start()]:
                raise Uncut
            self._head, self._begin, rest = rest[: begins.end()], begins.group(), rest[begins.end() :]
            looked = 0
            while (end := rest.find(_END, looked)) < 0:
                looked = max(0, len(rest) - len(_END))
                if len(rest) >= self._size:
                    cut = rest.rfind(_END_OF_ROW) + len(_END_OF_ROW)
                    if cut < len(_END_OF_ROW):
                        raise Unbounded if b"<row" in rest else Uncut
                    yield rest[:cut]
                    rest = rest[cut:]
                    looked = 0
                read = stream.read(max(_BLOCK, self._size - len(rest)))
                if not read:
                    raise Uncut
                rest += read
            self._tail = rest[end:] + stream.read(_LARGEST_SLICE)
            if rest[:end].strip():
                yield rest[:end]

    def _parsed(self, head: bytes, rows: bytes, tail: bytes) -> Any:
        from python_calamine import CalamineWorkbook

        book = io.BytesIO(self._frame)
        with zipfile.ZipFile(book, "a") as archive:
            archive.writestr(self._part, b"".join([head, rows, tail]))
        book.seek(0)
        return CalamineWorkbook.from_filelike(book).get_sheet_by_name(self._name)


def check_strings(content: bytes) -> None:
    """Unbounded if the shared strings, which every reader holds as a whole, have one that is longer than any cell."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for member in archive.infolist():
            if not member.filename.endswith("sharedStrings.xml") or member.file_size <= _MANY_STRINGS:
                continue
            length = 0
            with archive.open(member) as stream:
                while block := stream.read(_BLOCK):
                    ends = block.rfind(b"si>")
                    length = length + len(block) if ends < 0 else len(block) - ends
                    if length > _LONGEST:
                        raise Unbounded


def sliced(content: bytes, name: str) -> SlicedSheet | None:
    """A sheet that is read in slices; None where it is small, or cannot be cut."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if "xl/workbook.xml" not in archive.namelist():
            return None
        part = parts(archive).get(name)
        if part not in archive.namelist() or archive.getinfo(part).file_size <= _SMALL:
            return None
    try:
        return SlicedSheet(content, part, name)
    except Uncut:
        return None


def _frame(archive: zipfile.ZipFile, part: str) -> tuple[bytes, int]:
    """The workbook without its sheets, and the size of its shared strings."""
    out = io.BytesIO()
    shared = 0
    with zipfile.ZipFile(out, "w") as frame:
        for member in archive.infolist():
            kept = member.filename.endswith((".xml", ".rels")) and not member.filename.startswith(
                ("xl/worksheets/", "xl/drawings/", "xl/charts/", "xl/comments", "customXml/")
            )
            if kept and member.filename != part:
                frame.writestr(member.filename, archive.read(member))
                shared = max(shared, member.file_size) if "sharedStrings" in member.filename else shared
    return out.getvalue(), shared


def _last_filled(rows: bytes, start: int, end: int) -> int:
    """The number of the last column that has a content, from 1, in the row that lies there; 0 where none has."""
    at = rows.rfind(b'<c r="', start, end)
    if at < 0:
        return 0
    last = _FILLED.match(rows, at)
    found = [last[1]] if last else _FILLED.findall(rows, start, end)
    return column_of(found[-1].decode()) + 1 if found else 0
