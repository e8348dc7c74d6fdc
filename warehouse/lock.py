"""One run for one source at a time: an advisory lock that PostgreSQL gives back by itself when the holder dies."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from codebook.errors import Unavailable
from warehouse.engine import plain_errors

POLL_SECONDS = 0.2


@contextmanager
def source_lock(engine: Engine, source_id: str, wait: float = 600.0) -> Iterator[None]:
    """Hold the source for this session; a second process waits up to `wait` seconds, then gets `Unavailable`.

    The lock lives in a connection of its own. A killed process loses the connection, and with it the lock.
    """
    key = {"key": f"homeward:source:{source_id}"}
    with plain_errors(f"lock of source {source_id}"):
        conn = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    try:
        with plain_errors(f"lock of source {source_id}"):
            give_up = time.monotonic() + wait
            while not conn.scalar(text("SELECT pg_try_advisory_lock(hashtextextended(:key, 0))"), key):
                if time.monotonic() >= give_up:
                    raise Unavailable("another run holds this source", source_id, "wait for it to end and run again")
                time.sleep(POLL_SECONDS)
        try:
            yield
        finally:
            # A connection that broke has lost its lock already; the error of the work inside is the one to show.
            with suppress(SQLAlchemyError):
                conn.scalar(text("SELECT pg_advisory_unlock(hashtextextended(:key, 0))"), key)
    finally:
        conn.close()
