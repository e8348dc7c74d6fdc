"""A SAS data set (.sas7bdat), shown to the parser with no more pages than the asked rows lie on.

ReadStat finds a row of such a file only by reading all before it, and looks at every page before it reads the first
row: quadratic where a file is read in steps. But a page says how many rows it holds. So all are passed over once, and
then the parser is given the pages that tell of the columns, those of the asked rows, and how many these are together;
it does all the reading. The layout is that of M. Shotwell's "SAS7BDAT Database Binary Format" and of ReadStat, whose
way of counting is followed. Values are not looked at. Runs in the child process of `readstat_process` and imports
nothing of Homeward.
"""

from __future__ import annotations

import io
import struct
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, BinaryIO

_HEAD = 288
_KIND, _DATA, _MIXED, _LEFT_OUT = 0x0F00, 0x0100, 0x0200, 0x9000
"""Of a page's type: the bits of its kind, two kinds, and the bits of pages that are passed over."""
_CUT_SHORT, _PACKED = 1, 4
"""What a pointer says of its block: that there is nothing in it, or a packed row."""
_ROW_SIZE = 0xF7F7F7F7
_OF_COLUMNS = frozenset({_ROW_SIZE, 0xF6F6F6F6, 0xFFFFFC00, 0xFFFFFBFE})
_OF_COLUMNS_TOO = 0xFFFFFFF8
_SMALLEST, _LARGEST = 256, 1 << 26
"""Bytes of a page: beyond these the file is damaged or hostile."""


class Unclear(Exception):
    """The pages do not hold as many rows as the file says, or tell of columns where none do."""


@dataclass(frozen=True)
class _Layout:
    """Byte order and width of numbers, bytes of the header and of a page, where the header counts the pages, and how
    many there are."""

    order: str
    wide: bool
    header: int
    page: int
    counted_at: int
    pages: int

    @property
    def page_head(self) -> int:
        return 40 if self.wide else 24

    @property
    def pointer(self) -> int:
        return 24 if self.wide else 12


class PageRows(io.RawIOBase):
    """The header, the pages that tell of columns, and those of the rows that `start_at` was told; read like any file.

    Unclear where rows cannot be found by their pages.
    """

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self._file = file
        self._layout = _layout(file)
        self._rows_of_mixed, self._stated = 0, 0
        told = [self._page(number) for number in range(self._layout.pages)]
        self._lead = next((n for n, (rows, tells) in enumerate(told) if rows and not tells), len(told))
        later = told[self._lead :]
        if any(rows and tells for rows, tells in later):
            raise Unclear
        self._late = [n for n, (_, tells) in enumerate(later, self._lead) if tells]
        self._before = list(accumulate((rows for rows, _ in told), initial=0))
        if not 0 < self._stated == self._before[-1]:
            raise Unclear
        self._shown: list[int] = []
        self._head = b""
        self._at = 0
        self.start_at(0, 0)

    def start_at(self, row: int, wanted: int) -> int:
        """Show the pages of so many rows from this one on; of which row the first one shown is in the place."""
        layout = self._layout
        begin = min(max(self._lead, bisect_right(self._before, row) - 1), layout.pages)
        # At least one page: where rows begin, the parser takes it that all is told of the columns.
        end = min(bisect_right(self._before, max(row + wanted - 1, row), begin), layout.pages)
        self._shown = [*range(self._lead), *range(begin, end), *(n for n in self._late if not begin <= n < end)]
        self._file.seek(0)
        head = self._file.read(layout.header)
        count = struct.pack(layout.order + ("Q" if layout.wide else "I"), len(self._shown))
        self._head = head[: layout.counted_at] + count + head[layout.counted_at + len(count) :]
        return self._before[begin] - self._before[self._lead]

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        end = self._layout.header + len(self._shown) * self._layout.page
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: end}[whence]
        return self._at

    def readinto(self, buffer: Any, /) -> int:
        content = self._content(len(buffer))
        buffer[: len(content)] = content
        self._at += len(content)
        return len(content)

    def _content(self, n: int) -> bytes:
        if self._at < self._layout.header:
            return self._head[self._at : self._at + n]
        number, begin = divmod(self._at - self._layout.header, self._layout.page)
        if number >= len(self._shown):
            return b""
        return self._bytes(self._shown[number], begin, min(n, self._layout.page - begin))

    def _bytes(self, page: int, begin: int, n: int) -> bytes:
        self._file.seek(self._layout.header + page * self._layout.page + begin)
        return self._file.read(n)

    def _page(self, number: int) -> tuple[int, bool]:
        """How many rows a page holds, and whether it tells of columns."""
        layout = self._layout
        head = layout.page_head
        kind, blocks, pointers = _unpacked(layout.order + "3H", self._bytes(number, head - 8, 6))
        if kind & _KIND == _DATA:
            return blocks, False
        if kind & _LEFT_OUT:
            return 0, False
        told = self._bytes(number, head, pointers * layout.pointer)
        if len(told) < pointers * layout.pointer:
            raise Unclear
        form = layout.order + ("QQBB6x" if layout.wide else "IIBB2x")
        rows = tells = 0
        for at, size, packing, of_rows in struct.iter_unpack(form, told):
            if not size or packing == _CUT_SHORT:
                continue
            if packing == _PACKED or (of_rows and not self._is_of_columns(number, at)):
                rows += 1
            else:
                tells += 1
                self._look_at(number, at)
        if kind & _KIND == _MIXED:
            rows, tells = rows + min(self._rows_of_mixed, self._stated), tells + 1
        return rows, bool(tells)

    def _signature(self, page: int, at: int) -> int:
        order = self._layout.order
        (found,) = _unpacked(order + "I", self._bytes(page, at, 4))
        if order == ">" and found == 0xFFFFFFFF and self._layout.wide:
            (found,) = _unpacked(order + "I", self._bytes(page, at + 4, 4))
        return int(found)

    def _is_of_columns(self, page: int, at: int) -> bool:
        found = self._signature(page, at)
        return found in _OF_COLUMNS or found & _OF_COLUMNS_TOO == _OF_COLUMNS_TOO

    def _look_at(self, page: int, at: int) -> None:
        """How many rows there are, and on a page of both rows and columns, if this block says so."""
        if self._signature(page, at) == _ROW_SIZE:
            number, stated, mixed = ("Q", 48, 120) if self._layout.wide else ("I", 24, 60)
            form = self._layout.order + number
            (self._stated,) = _unpacked(form, self._bytes(page, at + stated, struct.calcsize(form)))
            (self._rows_of_mixed,) = _unpacked(form, self._bytes(page, at + mixed, struct.calcsize(form)))


def _layout(file: BinaryIO) -> _Layout:
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    head = file.read(_HEAD)
    if len(head) < _HEAD:
        raise Unclear
    order, wide = "<" if head[37] == 1 else ">", head[32] == 0x33
    at = 196 + (4 if head[35] == 0x33 else 0)
    header, page, pages = struct.unpack_from(order + ("IIQ" if wide else "III"), head, at)
    if not _HEAD <= header <= _LARGEST or not _SMALLEST <= page <= _LARGEST or not 0 < pages <= (size - header) // page:
        raise Unclear
    return _Layout(order, wide, header, page, at + 8, pages)


def _unpacked(form: str, content: bytes) -> tuple[int, ...]:
    if len(content) != struct.calcsize(form):
        raise Unclear
    return struct.unpack(form, content)
