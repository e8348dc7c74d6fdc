"""One request bounded by the clock, whatever the server sends: headers or a body that come a letter at a time too.

httpx has no such limit: its time-outs are of single reads, each of which a letter ends (encode/httpx#1450). Here the
connection is closed when the time is over, so that what waits for it comes to its end.
"""

from __future__ import annotations

import socket
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

_OPENED = ("connect_tcp.complete", "start_tls.complete")
"""Events of httpcore that hand out a stream (its documented `trace` extension)."""
_AT_ONCE = 4
"""Streams of the connection that is used: as it was opened, behind a proxy, and within TLS."""


class TimeLimit:
    """Closes the connections of one client, which speaks to one server at a time."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._streams: deque[Any] = deque(maxlen=_AT_ONCE)
        self._over = False

    @property
    def is_over(self) -> bool:
        """Whether the last request was ended by the clock."""
        return self._over

    def opened(self, event: str, info: Mapping[str, Any]) -> None:
        """Remember a connection; later requests may use it again."""
        if event.endswith(_OPENED):
            self._streams.append(info["return_value"])
            if self._over:  # it was being made when the time was over
                self._end()

    @contextmanager
    def running(self) -> Iterator[None]:
        """The time of one request."""
        self._over = False
        timer = threading.Timer(self._seconds, self._end)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()

    def _end(self) -> None:
        self._over = True
        while self._streams:
            opened = self._streams.pop().get_extra_info("socket")
            with suppress(OSError):  # closed before, or handed on to TLS
                opened.shutdown(socket.SHUT_RDWR)
