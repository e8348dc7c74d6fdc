"""Ports on which a test lets Homeward serve."""

from __future__ import annotations

import os
import socket
from contextlib import suppress

FIRST, MANY = 20_000, 10_000
"""Below those that the machine hands out by itself: one of them could be another test's before it is served on."""


def free_port() -> int:
    """One on which nobody listens; of two workers each begins to look at a place of its own."""
    for at in range(MANY):
        port = FIRST + (os.getpid() * 100 + at) % MANY
        with suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is free")
