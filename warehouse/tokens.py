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


_LAST = """
    SELECT event_id, kind, token, current_token, at FROM core.token_event
    WHERE country = %(country)s ORDER BY event_id DESC LIMIT 1"""
_FORGET = (
    "DELETE FROM core.token_event WHERE country = %(country)s",
    "DELETE FROM core.current_token WHERE country = %(country)s",
)
_COPY = "COPY core.token_event (country, event_id, kind, token, current_token, at) FROM STDIN"


def follow(engine: Engine, country: str, events_after: Callable[[int], Sequence[Event]]) -> int:
    """Take over what has happened since the last time; returns how many events. Repeatable, one process at a time.

    `events_after`: the vault's events of the country after a number, in order. A vault that does not know the last
    event was brought back from a backup, and counts on from an earlier one: then all are taken over anew.
    """
    with transaction(engine, f"tokens of {country}") as conn:
        run(conn, "SELECT pg_advisory_xact_lock(hashtextextended(%(key)s, 0))", {"key": f"homeward:tokens:{country}"})
        last = run(conn, _LAST, {"country": country}).fetchone()
        events, after = events_after(last[0] - 1 if last else 0), 0
        if last and events and _row(events[0]) == tuple(last):
            events, after = events[1:], int(last[0])
        elif last:
            for statement in _FORGET:
                run(conn, statement, {"country": country})
            events = events_after(0)
        if events:
            with driver(conn).cursor() as cursor, cursor.copy(_COPY) as copy:
                for event in events:
                    copy.write_row((country, *_row(event)))
            run(conn, template("follow"), {"country": country, "after": after})
    return len(events)


def _row(event: Event) -> tuple[object, ...]:
    return event.event_id, event.kind, event.token, event.current_token, event.at
