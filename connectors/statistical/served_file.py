"""A delivered file as the reading process sees it: its bytes are asked for through the pipes.

Runs in the child process of `readstat_process` and imports nothing of Homeward.
"""

from __future__ import annotations

import io
import json
from functools import lru_cache
from multiprocessing.connection import Connection
from typing import Any

_BLOCK, _BLOCKS = 1 << 20, 64
"""Bytes that are asked for at a time, and how many such blocks are kept: a file is passed over more than once."""


class ServedFile(io.RawIOBase):
    """The delivered file, whose bytes the other side of the pipes serves."""

    def __init__(self, receive: Connection, send: Connection, name: str, size: int) -> None:
        super().__init__()
        self._receive, self._send, self._of, self._size, self._at = receive, send, name, size, 0
        self._block = lru_cache(_BLOCKS)(self._fetched)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError("before the beginning")
        self._at = base + offset
        return self._at

    def readinto(self, buffer: Any, /) -> int:
        if not 0 <= self._at < self._size:
            return 0
        number, start = divmod(self._at, _BLOCK)
        content = self._block(number)[start : start + len(buffer)]
        buffer[: len(content)] = content
        self._at += len(content)
        return len(content)

    def _fetched(self, number: int) -> memoryview:
        start = number * _BLOCK
        self._send.send_bytes(b"R" + json.dumps([self._of, start, min(_BLOCK, self._size - start)]).encode())
        return memoryview(self._receive.recv_bytes())
