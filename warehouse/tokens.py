"""Following the vault: persons who were given several tokens count as one, until the vault takes it back.

No row of core is rewritten. Events are kept as they came; `core.current_token` says what each token counts as, and the
views and marts read through it. Who is the same person is decided in the vault.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from sqlalchemy import Engine

from warehouse.engine import driver, run, template, transaction


class Event(Protocol):
    """From this event on `token` counts as `current_token`."""

    @property
    def event_id(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def token(self) -> UUID: ...
    @property
    def current_token(self) -> UUID: ...
    @property
    def at(self) -> datetime: ...


def follow(engine: Engine, country: str, events_after: Callable[[int], Sequence[Event]]) -> int:
    """Take over what has happened since the last time; returns how many events. Repeatable, one process at a time.

    `events_after`: the vault's events of the country after a number, in order.
    """
    with transaction(engine, f"tokens of {country}") as conn:
        run(conn, "SELECT pg_advisory_xact_lock(hashtextextended(%(key)s, 0))", {"key": f"homeward:tokens:{country}"})
        ask = "SELECT coalesce(max(event_id), 0) FROM core.token_event WHERE country = %(country)s"
        row = run(conn, ask, {"country": country}).fetchone()
        after = int(row[0]) if row else 0
        events = events_after(after)
        if events:
            with (
                driver(conn).cursor() as cursor,
                cursor.copy(
                    "COPY core.token_event (country, event_id, kind, token, current_token, at) FROM STDIN"
                ) as copy,
            ):
                for e in events:
                    copy.write_row((country, e.event_id, e.kind, e.token, e.current_token, e.at))
            run(conn, template("follow"), {"country": country, "after": after})
    return len(events)
