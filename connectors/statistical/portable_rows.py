"""A portable file of SPSS (.por), shown to the parser as going on where it ended before.

Numbers and texts of such a file are as long as they are: ReadStat finds a row only by reading all before it, letter by
letter. But it reads nothing beyond the last row it was asked for. So the place where it ended is kept, and the next
step is given the dictionary and then the file from there on. The parser counts the letters of a line, of which there
are 80: so that the rows begin in the place of a line in which they lie, a name of the product, which nobody reads, is
put into the dictionary before them. The layout is PSPP's "Portable File Format". Values are not looked at. Runs in the
child process of `readstat_process` and imports nothing of Homeward.
"""

from __future__ import annotations

import io
from bisect import bisect_right
from typing import Any, BinaryIO

_LINE = 80
_LETTERS, _DIGITS, _A, _SLASH = 200, 64, 74, 142
"""Where the table of letters begins, and where in it stand digits (base 30), the letter A and the slash."""
_LONGEST, _AROUND = 29, 3
"""Letters of a name whose length is one digit, and what else belongs to it: its tag, that digit and a slash."""


class PortableRows(io.RawIOBase):
    """The file as it is until its dictionary was read; then that and the rows after `start_at`."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self._file = file
        self._at = 0
        self._head, self._from = b"", 0
        self._dictionary, self._table = b"", b""
        self._marks: list[tuple[int, int, int]] = []
        """Rows, where each begins in the file, and after how many letters of its line."""

    def start_at(self, row: int, wanted: int = 0) -> int:
        """Begin at a row at or before this one, whose number is returned."""
        if not self._marks:
            return 0
        row, self._from, place = self._marks[bisect_right(self._marks, row, key=lambda mark: mark[0]) - 1]
        self._head = self._dictionary[:-1] + self._filled(place)
        return row

    def ended_at(self, row: int, at: int) -> None:
        """Where this row begins: there the parser ended, in the file that it was shown. First it reads a dictionary,
        which ends where row 0 begins, with the tag of the rows."""
        if not self._marks:
            self._take_dictionary(at)
        found = self._from + at - len(self._head)
        place = self._place(found)
        # At the beginning of a line it is not known how many blanks of the line before were left.
        if place and row > self._marks[-1][0]:
            self._marks.append((row, found, place))

    def _take_dictionary(self, at: int) -> None:
        self._file.seek(0)
        self._dictionary = self._file.read(at)
        lines = self._dictionary[: 10 * _LINE].split(b"\n")
        self._table = b"".join(line.removesuffix(b"\r").ljust(_LINE) for line in lines)[_LETTERS:]
        self._marks = [(0, at, self._place(at))]

    def _place(self, at: int) -> int:
        """How many letters of its line are before this place."""
        self._file.seek(max(0, at - _LINE - 1))
        return min(at, _LINE + 1) - 1 - self._file.read(min(at, _LINE + 1)).rfind(b"\n")

    def _filled(self, place: int) -> bytes:
        """Names of so many letters that the tag of the rows, which ends this, is before that place of its line."""
        begins = self._marks[0][2] - 1
        missing = (place - begins - 1) % _LINE
        missing += _LINE if 0 < missing <= _AROUND else 0
        records = b""
        for left in range(-(-missing // (_AROUND + _LONGEST)), 0, -1):
            n = missing // left - _AROUND
            missing -= n + _AROUND
            records += bytes([*(self._table[at] for at in (_DIGITS + 1, _DIGITS + n, _SLASH)), *[self._table[_A]] * n])
        records += self._dictionary[-1:]
        lines = [records[: _LINE - begins]]
        lines += [records[at : at + _LINE] for at in range(_LINE - begins, len(records), _LINE)]
        return b"\n".join(lines)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        end = len(self._head) + self._file.seek(0, io.SEEK_END) - self._from
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: end}[whence]
        return self._at

    def readinto(self, buffer: Any, /) -> int:
        if self._at < len(self._head):
            content = self._head[self._at : self._at + len(buffer)]
        else:
            self._file.seek(self._from + self._at - len(self._head))
            content = self._file.read(len(buffer))
        buffer[: len(content)] = content
        self._at += len(content)
        return len(content)
