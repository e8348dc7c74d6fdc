"""How the rows of a system file of SPSS lie: what its dictionary says of the cells, and the blocks of a .zsav.

Only what is needed to find cells by number is taken out; names, labels and texts are pyreadstat's business. The layout
is PSPP's description of system files (section "System File Format"). Runs in the child process of `readstat_process`
and imports nothing of Homeward.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import BinaryIO

_HEADER = 176
_FLOATS = 4
"""The record that says which numbers stand for missing, and for the ends of ranges of missing values."""
_MISSING = (0xFFEFFFFFFFFFFFFF, 0x7FEFFFFFFFFFFFFF, 0xFFEFFFFFFFFFFFFE)
_LARGEST_BLOCK = 1 << 26
"""Blocks of .zsav inflate to 4 MB; one that claims more than this is damaged or hostile."""


class Broken(Exception):
    """The file is not as the format has it."""


@dataclass(frozen=True)
class Layout:
    """Byte order; how the rows are packed (0: not, 1: row by row, 2: and deflated); where they begin; cells in a row.

    `numbers` are the cells that hold a number each, `bias` is what is taken from a code that stands for a number, and
    `missing` are the numbers, as they lie in the file, that stand for none.
    """

    order: str
    packing: int
    begins: int
    cells: int
    numbers: tuple[int, ...]
    bias: float
    missing: tuple[int, ...]


def is_packed(file: BinaryIO) -> bool:
    """Whether the rows of a system file are compressed (its field `compression`)."""
    file.seek(0)
    head = file.read(76)
    return head[:3] == b"$FL" and len(head) == 76 and any(head[72:76])


def layout(file: BinaryIO) -> Layout:
    """Pass over the records of the dictionary, of which only the variables are looked at."""
    file.seek(0)
    head = file.read(_HEADER)
    if len(head) < _HEADER:
        raise Broken
    order = "<" if struct.unpack("<i", head[64:68])[0] in (2, 3) else ">"
    reader = _Records(file, order)
    cells = 0
    numbers: list[int] = []
    missing: tuple[int, ...] = _MISSING
    while (kind := reader.number()) != 999:
        match kind:
            case 2:
                if not reader.variable():
                    numbers.append(cells)
                cells += 1
            case 3:
                for _ in range(reader.number()):
                    reader.skip(8)
                    reader.skip(reader.byte() // 8 * 8 + 7)
            case 4:
                reader.skip(4 * reader.number())
            case 6:
                reader.skip(80 * reader.number())
            case 7:
                missing = reader.floats() or missing
            case _:
                raise Broken
    reader.skip(4)
    (packing,) = struct.unpack(order + "i", head[72:76])
    (bias,) = struct.unpack(order + "d", head[84:92])
    if not cells or packing not in (0, 1, 2):
        raise Broken
    return Layout(order, packing, reader.at, cells, tuple(numbers), bias, missing)


class _Records:
    """Numbers of the dictionary, one after another."""

    def __init__(self, file: BinaryIO, order: str) -> None:
        self._file, self._order = file, order
        self.at = _HEADER

    def number(self) -> int:
        return int.from_bytes(self.read(4), "little" if self._order == "<" else "big", signed=True)

    def variable(self) -> int:
        """Pass over a variable; the bytes of its texts, 0 of a number."""
        width, labelled, ranges = (self.number() for _ in range(3))
        self.skip(16)
        if labelled:
            self.skip((self.number() + 3) // 4 * 4)
        self.skip(8 * abs(ranges))
        return width

    def floats(self) -> tuple[int, ...]:
        """Pass over a record of an extension; the numbers that stand for missing ones, if it is about them."""
        subtype, size, n = (self.number() for _ in range(3))
        if (subtype, size, n) == (_FLOATS, 8, 3):
            return _unpacked(self._order + "3Q", self.read(24))
        self.skip(size * n)
        return ()

    def byte(self) -> int:
        return self.read(1)[0]

    def read(self, n: int) -> bytes:
        content = self._file.read(n)
        if len(content) < n:
            raise Broken
        self.at += n
        return content

    def skip(self, n: int) -> None:
        if n < 0:
            raise Broken
        self.at += n
        self._file.seek(self.at)


def blocks(file: BinaryIO, found: Layout) -> list[tuple[int, int, int, int]]:
    """Of each block of a .zsav: its place among the inflated bytes, its size there, its place and its size here."""
    file.seek(found.begins)
    own, trailer, length = _unpacked(found.order + "3q", file.read(24))
    if own != found.begins or trailer < own or length < 24:
        raise Broken
    file.seek(trailer)
    *_, n = _unpacked(found.order + "qqii", file.read(24))
    if n < 0 or 24 + 24 * n > length:
        raise Broken
    told = []
    at = 0
    for _ in range(n):
        _, place, size, packed_size = _unpacked(found.order + "qqii", file.read(24))
        if not 0 < size <= _LARGEST_BLOCK or not 0 < packed_size <= _LARGEST_BLOCK or place < own:
            raise Broken
        told.append((at, size, place, packed_size))
        at += size
    return told


def _unpacked(form: str, content: bytes) -> tuple[int, ...]:
    if len(content) != struct.calcsize(form):
        raise Broken
    return struct.unpack(form, content)
