"""A file from a KoboToolbox server, as it comes: what is cut off goes on where it stood, or ends in one line.

The server hands files out through nginx, which understands ranges of bytes (kpi/views/v2/attachment.py,
`X-Accel-Redirect`). Which file, and where its bytes go, is nobody's business here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from codebook.errors import HomewardError, Unavailable
from connectors.kobo.api import Passing, Server

if TYPE_CHECKING:
    import httpx

_MOST_REQUESTS = 100
"""For one file. A line that brings a little each time and breaks off again is given up."""
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+)")
_BLOCK = 1 << 16


class Gone(Exception):
    """The server has no such file any more."""


class TooLarge(Exception):
    """The file has more bytes than are wanted."""


@dataclass
class _Had:
    """What came of the file so far: how many bytes and their hash; `size` once the server has told it."""

    length: int = 0
    size: int | None = None
    version: str | None = None
    digest: Any = field(default_factory=sha256)

    def headers(self) -> Mapping[str, str]:
        """Ask for the rest. Packed on the way, a file could not be gone on with."""
        asked = {"Accept": "*/*", "Accept-Encoding": "identity"}
        if self.length:
            asked["Range"] = f"bytes={self.length}-"
            if self.version is not None:
                asked["If-Range"] = self.version
        return asked


def download(server: Server, path: str, most: int) -> Iterator[bytes]:
    """The bytes of the file at `path` below the asset, in order; if this ends without an error they are all.

    Gone; TooLarge if there are more than `most`; Unavailable after the last attempt, HomewardError where asking again
    cannot help.
    """
    had, attempt = _Had(), 0
    for _ in range(_MOST_REQUESTS):
        before = had.length
        try:
            with server.answer(path, {}, had.headers(), also=(206, 404)) as response:
                yield from _blocks(response, had, server, most)
            return
        except Passing as trouble:
            attempt = 1 if had.length > before else attempt + 1
            server.wait(trouble, attempt)
    raise Unavailable("the KoboToolbox server breaks off a file again and again", server.where, "run again later")


def _blocks(response: httpx.Response, had: _Had, server: Server, most: int) -> Iterator[bytes]:
    if response.status_code == 404:
        raise Gone
    again = _begins_again(response, had, server)
    if had.size is not None and had.size > most:
        raise TooLarge
    for block in response.iter_bytes(_BLOCK):
        new = again.skip(block)
        had.length += len(new)
        had.digest.update(new)
        if had.length > most:
            raise TooLarge
        yield new
    if again.left or (had.size is not None and had.length != had.size):
        raise Passing("ends a file before its end")


@dataclass
class _Again:
    """The first bytes of an answer that were had before: they must be the same ones."""

    left: int
    expected: bytes
    server: Server
    digest: Any = field(default_factory=sha256)

    def skip(self, block: bytes) -> bytes:
        """What of a block is new."""
        known, new = block[: self.left], block[self.left :]
        if known:
            self.digest.update(known)
            self.left -= len(known)
            if not self.left and self.digest.digest() != self.expected:
                raise Unavailable("a file was changed while it was fetched", self.server.where, "run again")
        return new


def _begins_again(response: httpx.Response, had: _Had, server: Server) -> _Again:
    """How much of the answer was had before: all of it where the server gives the file from its beginning."""
    told = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if response.status_code == 206:
        if told is None or int(told[1]) != had.length or had.size not in (None, int(told[2])):
            raise HomewardError("the server sends another part of a file than was asked for", server.where)
        had.size = int(told[2])
        return _Again(0, b"", server)
    length = response.headers.get("Content-Length", "")
    if not length.isdigit() and response.headers.get("Transfer-Encoding", "").lower() != "chunked":
        # Without either nobody could tell a file from half of it.
        raise HomewardError("the server does not say where a file ends", server.where)
    had.size = int(length) if length.isdigit() else None
    etag = response.headers.get("ETag", "")
    had.version = etag if etag.startswith('"') else response.headers.get("Last-Modified")
    return _Again(had.length, had.digest.digest(), server)
