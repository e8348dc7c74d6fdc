"""System files of SPSS whose rows are compressed, shown to the parser as beginning at any row.

ReadStat finds a row of such a file only by unpacking all before it, which is quadratic where a file is read in steps.
So the file is passed over once for the places at which some rows begin: a row is so many cells, a cell is one byte of
a code, and code 253 says that eight bytes of value follow. From there on the parser is given the dictionary and then
the rows' own bytes, still packed, and does all the reading. Blocks of .zsav are inflated here for the same reason. The
layout is PSPP's description of system files (sections "System File Format" and "Data Record"). Values are not looked
at. Runs in the child process of `readstat_process` and imports nothing of Homeward.
"""

from __future__ import annotations

import io
import struct
import zlib
from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

_HEADER = 176
_CODES = 8
"""Codes stand in groups of eight; the values that they announce follow their group."""
_IGNORED, _END, _VALUE = 0, 252, 253
_WINDOW = 1 << 20
_CELLS_APART = 60_000
"""About so many cells lie between two rows whose place is kept."""
_LARGEST_BLOCK = 1 << 26
"""Blocks of .zsav inflate to 4 MB; one that claims more than this is damaged or hostile."""
_KEPT_BLOCKS = 8


class Broken(Exception):
    """The file is not as the format has it."""


@dataclass(frozen=True)
class _Layout:
    """Byte order, how the rows are packed (1: row by row, 2: and deflated), where they begin, and cells in a row."""

    order: str
    packing: int
    begins: int
    cells: int


def is_packed(file: BinaryIO) -> bool:
    """Whether the rows of a system file are compressed (its field `compression`)."""
    file.seek(0)
    head = file.read(76)
    return head[:3] == b"$FL" and len(head) == 76 and any(head[72:76])


class PackedRows(io.RawIOBase):
    """The file from its dictionary on to the rows after `start_at`; read like any file."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self._file = file
        self._layout = _layout(file)
        self._blocks = _blocks(file, self._layout) if self._layout.packing == 2 else []
        self._block_starts = [block[0] for block in self._blocks]
        self._size = sum(block[1] for block in self._blocks) or file.seek(0, io.SEEK_END) - self._layout.begins
        self._inflated = lru_cache(_KEPT_BLOCKS)(self._inflate)
        self._apart = max(1, _CELLS_APART // self._layout.cells)
        self._marks = [(0, 0)]
        """Of each kept row, where the group of codes of its first cell is, and how many codes of it are before."""
        self._scanned, self._cells_before, self._ended = 0, 0, False
        self._head = self._patched_head()
        self._at, self._codes, self._from = 0, b"", 0
        self.start_at(0)

    def start_at(self, row: int, wanted: int = 0) -> int:
        """Make the file begin at a row at or before this one, whose number is returned."""
        wanted = row // self._apart
        while wanted >= len(self._marks) and self._scan():
            pass
        found = min(wanted, len(self._marks) - 1)
        place, before = self._marks[found]
        codes = self._packed(place, _CODES)
        self._codes = bytes([_IGNORED] * min(before, len(codes))) + codes[before:]
        self._from = place + _CODES + 8 * codes[:before].count(_VALUE)
        return found * self._apart

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        end = self._layout.begins + _CODES + self._size - self._from
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: end}[whence]
        return self._at

    def readinto(self, buffer: Any, /) -> int:
        content = self._content(self._at, len(buffer))
        buffer[: len(content)] = content
        self._at += len(content)
        return len(content)

    def _content(self, at: int, n: int) -> bytes:
        if at < len(self._head):
            return self._head[at : at + n]
        if at < self._layout.begins:
            self._file.seek(at)
            return self._file.read(min(n, self._layout.begins - at))
        at -= self._layout.begins
        if at < len(self._codes):
            return self._codes[at : at + n]
        return self._packed(self._from + at - _CODES, n)

    def _patched_head(self) -> bytes:
        """The first bytes, which say that rows are packed row by row; inflating is done here."""
        self._file.seek(0)
        head = self._file.read(_HEADER)
        return b"$FL2" + head[4:72] + struct.pack(self._layout.order + "i", 1) + head[76:]

    def _packed(self, at: int, n: int) -> bytes:
        """So many bytes of the rows as they are packed row by row, fewer at their end."""
        if self._layout.packing == 1:
            self._file.seek(self._layout.begins + at)
            return self._file.read(n)
        found = []
        number = bisect_right(self._block_starts, at) - 1
        while n > 0 and 0 <= number < len(self._blocks):
            start = at - self._block_starts[number]
            found.append(self._inflated(number)[start : start + n])
            at += len(found[-1])
            n -= len(found[-1])
            number += 1
        return b"".join(found)

    def _inflate(self, number: int) -> bytes:
        _, size, place, packed_size = self._blocks[number]
        self._file.seek(place)
        inflater = zlib.decompressobj()
        try:
            # One byte more than there may be: only at its end is a block held against its checksum.
            content = inflater.decompress(self._file.read(packed_size), size + 1)
        except zlib.error:
            raise Broken from None
        if len(content) != size or not inflater.eof:
            raise Broken
        return content

    def _scan(self) -> bool:
        """Find the places of further rows; False where there are none."""
        window = b"" if self._ended else self._packed(self._scanned, _WINDOW)
        words: NDArray[np.uint64] = np.frombuffer(window, np.uint64, len(window) // 8)
        if not len(words):
            return False
        values = _count(words, _VALUE)
        groups = _chased(values)
        codes = words[groups]
        ends = np.flatnonzero(_count(codes, _END))
        if len(ends):
            self._ended = True
            groups, codes = groups[: ends[0] + 1], codes[: ends[0] + 1]
        self._mark(groups, codes)
        self._scanned += 8 * int(groups[-1] + 1 + values[groups[-1]])
        return True

    def _mark(self, groups: NDArray[np.int64], codes: NDArray[np.uint64]) -> None:
        """Keep the places of the rows that are due among these groups."""
        cells = _CODES - _count(codes, _IGNORED).astype(np.int64)
        after = self._cells_before + np.cumsum(cells)
        apart = self._apart * self._layout.cells
        due = np.arange(len(self._marks) * apart, int(after[-1]), apart)
        for cell, group in zip(due.tolist(), np.searchsorted(after, due, "right").tolist(), strict=True):
            left = cell - int(after[group] - cells[group])
            told = np.frombuffer(codes[group].tobytes(), np.uint8)
            before = int(np.flatnonzero(told != _IGNORED)[left])
            self._marks.append((self._scanned + 8 * int(groups[group]), before))
        self._cells_before = int(after[-1])


def _count(words: NDArray[np.uint64], byte: int) -> NDArray[np.uint8]:
    """How many of the eight bytes of each word are this one."""
    return np.bitwise_count(np.packbits(words.view(np.uint8) == byte))


def _chased(values: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Which words are groups of codes: the next one lies behind the values of the one before.

    Eight steps are made at a time, and those between are filled in for all at once.
    """
    end = len(values)
    step = np.minimum(np.arange(1, end + 1) + values, end).astype(np.int32)
    step = np.append(step, np.int32(end))
    far = step
    for _ in range(3):
        far = far[far]
    found, places = [], far.data
    at = 0
    while at < end:
        found.append(at)
        at = places[at]
    rows = [np.array(found, np.int64)]
    for _ in range(7):
        rows.append(step[rows[-1]].astype(np.int64))
    groups = np.stack(rows, axis=1).ravel()
    return groups[groups < end]


def _layout(file: BinaryIO) -> _Layout:
    """Pass over the records of the dictionary, of which only the variables are counted."""
    file.seek(0)
    head = file.read(_HEADER)
    if len(head) < _HEADER:
        raise Broken
    order = "<" if struct.unpack("<i", head[64:68])[0] in (2, 3) else ">"
    reader = _Records(file, order)
    cells = 0
    while (kind := reader.number()) != 999:
        match kind:
            case 2:
                cells += 1
                _, labelled, missing = (reader.number() for _ in range(3))
                reader.skip(16)
                if labelled:
                    reader.skip((reader.number() + 3) // 4 * 4)
                reader.skip(8 * abs(missing))
            case 3:
                for _ in range(reader.number()):
                    reader.skip(8)
                    reader.skip(reader.byte() // 8 * 8 + 7)
            case 4:
                reader.skip(4 * reader.number())
            case 6:
                reader.skip(80 * reader.number())
            case 7:
                reader.number()
                reader.skip(reader.number() * reader.number())
            case _:
                raise Broken
    reader.skip(4)
    (packing,) = struct.unpack(order + "i", head[72:76])
    if not cells or packing not in (1, 2):
        raise Broken
    return _Layout(order, packing, reader.at, cells)


class _Records:
    """Numbers of the dictionary, one after another."""

    def __init__(self, file: BinaryIO, order: str) -> None:
        self._file, self._order = file, order
        self.at = _HEADER

    def number(self) -> int:
        content = self._file.read(4)
        if len(content) < 4:
            raise Broken
        self.at += 4
        return int.from_bytes(content, "little" if self._order == "<" else "big", signed=True)

    def byte(self) -> int:
        content = self._file.read(1)
        if not content:
            raise Broken
        self.at += 1
        return content[0]

    def skip(self, n: int) -> None:
        if n < 0:
            raise Broken
        self.at += n
        self._file.seek(self.at)


def _blocks(file: BinaryIO, layout: _Layout) -> list[tuple[int, int, int, int]]:
    """Of each block of a .zsav: its place among the inflated bytes, its size there, its place and its size here."""
    file.seek(layout.begins)
    own, trailer, length = _unpacked(layout.order + "3q", file.read(24))
    if own != layout.begins or trailer < own or length < 24:
        raise Broken
    file.seek(trailer)
    *_, n = _unpacked(layout.order + "qqii", file.read(24))
    if n < 0 or 24 + 24 * n > length:
        raise Broken
    found = []
    at = 0
    for _ in range(n):
        _, place, size, packed_size = _unpacked(layout.order + "qqii", file.read(24))
        if not 0 < size <= _LARGEST_BLOCK or not 0 < packed_size <= _LARGEST_BLOCK or place < own:
            raise Broken
        found.append((at, size, place, packed_size))
        at += size
    return found


def _unpacked(form: str, content: bytes) -> tuple[int, ...]:
    if len(content) != struct.calcsize(form):
        raise Broken
    return struct.unpack(form, content)
