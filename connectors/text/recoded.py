"""A byte range of a text file as UTF-8, in reads that are never longer than asked for."""

from __future__ import annotations

import io
from typing import BinaryIO

from connectors.text.encodings import decoder, is_single_byte

_BLOCK = 16 << 20


class Utf8Range(io.RawIOBase):
    """The next `length` bytes of a handle as UTF-8, in reads that are never longer than asked for."""

    def __init__(self, handle: BinaryIO, length: int, encoding: str) -> None:
        self._handle, self._left, self._encoding = handle, length, encoding
        self._incremental = None if is_single_byte(encoding) else decoder(encoding)
        self._pending = memoryview(b"")

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if size is None or size < 0:
            size = 1 << 62
        if self._encoding == "utf-8":
            return self._next(size)
        while not self._pending and self._left:
            self._pending = memoryview(self._recoded(self._next(min(size, _BLOCK))))
        taken = bytes(self._pending[:size])
        self._pending = self._pending[size:]
        return taken

    def _next(self, size: int) -> bytes:
        block = self._handle.read(min(size, self._left))
        self._left = self._left - len(block) if block else 0
        return block

    def _recoded(self, block: bytes) -> bytes:
        if self._incremental is not None:
            return self._incremental.decode(block, not self._left).encode("utf-8")
        return block if block.isascii() else block.decode(self._encoding).encode("utf-8")
