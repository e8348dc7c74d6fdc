"""A file that is read only a few blocks ahead of what is made of it.

pyarrow's streaming CSV reader lets a thread of its own read up to 32 blocks ahead (Arrow 26, `background_generator`),
half a gigabyte at 16 MiB a block, whenever its caller is slower than the disk.
"""

from __future__ import annotations

import io
import threading
from types import TracebackType
from typing import Self

_AHEAD = 3
"""Times the bytes that are given at once: those that are parsed, those that end their last row, and some in hand."""
_PATIENCE = 0.2
"""Seconds. A parser that is asked for rows and gives none meanwhile has blocks without any, and needs another."""


class Paced(io.RawIOBase):
    """Reads of another thread wait while too many of them have not become a batch; leaving it lets them end."""

    def __init__(self, source: io.RawIOBase, together: int) -> None:
        """`together`: so many reads are given at once."""
        self._source, self._most = source, _AHEAD * together
        self._changed = threading.Condition()
        self._ahead = 0
        self._asked = True
        self._over = False

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        with self._changed:
            while not self._over and self._ahead >= self._most:
                if not self._changed.wait(_PATIENCE if self._asked else None) and self._asked:
                    break
            if self._over:
                return b""
            self._ahead += 1
        return self._source.read(size) or b""

    def asked(self) -> None:
        """Its caller waits for a batch from now on."""
        with self._changed:
            self._asked = True
            self._changed.notify_all()

    def given(self) -> None:
        """A batch came, and its caller is busy with it."""
        with self._changed:
            self._asked = False
            self._ahead = max(self._ahead - 1, 0)
            self._changed.notify_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with self._changed:
            self._over = True
            self._changed.notify_all()
