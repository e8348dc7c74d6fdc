"""A SAS transport file, shown to the parser as beginning at any row.

ReadStat finds a row of such a file only by reading all before it, which is quadratic where a file is read in steps. But
all rows are equally long: the parser is given the headers and then the file from the asked row on, and does all the
reading. Where the rows begin and how long they are is told (`transport`). Runs in the child process of
`readstat_process` and imports nothing of Homeward.
"""

from __future__ import annotations

import io
from typing import Any


class TransportRows(io.RawIOBase):
    """The headers of the file, and its rows after `start_at`; read like any file."""

    def __init__(self, file: io.RawIOBase, begins: int, length: int) -> None:
        super().__init__()
        self._file, self._begins, self._length = file, begins, length
        self._at = self._passed = 0

    def start_at(self, row: int, wanted: int = 0) -> int:
        """Leave out the rows before this one; which row is now the first."""
        self._passed = row * self._length
        return row

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        size = self._file.seek(0, io.SEEK_END) - self._passed
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: size}[whence]
        if base + offset < 0:
            raise ValueError("before the beginning")
        self._at = base + offset
        return self._at

    def readinto(self, buffer: Any, /) -> int:
        in_head = self._at < self._begins
        self._file.seek(self._at if in_head else self._at + self._passed)
        wanted = memoryview(buffer)[: self._begins - self._at] if in_head else buffer
        n: int = self._file.readinto(wanted)
        self._at += n
        return n
