"""One run for one source at a time: an advisory lock that PostgreSQL gives back by itself when the holder dies."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from codebook.errors import Unavailable
from warehouse.engine import plain_errors

POLL_SECONDS = 0.2


@contextmanager
def source_lock(engine: Engine, *source_ids: str, wait: float = 600.0) -> Iterator[None]:
    """Hold the sources for this session; a second process waits up to `wait` seconds for each, then gets `Unavailable`.

    The locks live in a connection of their own, one for all: a country may have more sources than an engine has
    connections. A killed process loses the connection, and with it the locks.
    """
    named = ", ".join(source_ids)
    with plain_errors(f"lock of source {named}"):
        conn = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    try:
        with plain_errors(f"lock of source {named}"):
            for source_id in source_ids:
                _wait_for(conn, source_id, wait)
        yield
    finally:
        # A connection that broke has lost its locks already; the error of the work inside is the one to show.
        with suppress(SQLAlchemyError):
            conn.execute(text("SELECT pg_advisory_unlock_all()"))
        conn.close()


def _wait_for(conn: Connection, source_id: str, wait: float) -> None:
    key, give_up = {"key": f"homeward:source:{source_id}"}, time.monotonic() + wait
    while not conn.scalar(text("SELECT pg_try_advisory_lock(hashtextextended(:key, 0))"), key):
        if time.monotonic() >= give_up:
            raise Unavailable("another run holds this source", source_id, "wait for it to end and run again")
        time.sleep(POLL_SECONDS)
