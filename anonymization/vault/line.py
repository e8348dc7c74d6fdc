"""One batch's line to the server: what it writes is sent while it goes on, and half of what it asks is asked beside.

A connection is one process of the server, which waits while rows are sealed as the batch waits while rows are written;
of two cores one was idle all the time. Of a large batch the two now work at once: a thread sends what is to be written,
in its order, and a second connection answers every other look-up. Not its business: what is asked and written, and when
all of it counts (`enrolment`, `vault`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from anonymization.vault import wire

if TYPE_CHECKING:
    from psycopg import Cursor

    Vaultside = Cursor[tuple[Any, ...]]

LARGE = 10_000
"""Rows of a batch above which a thread and a second connection are worth having: a smaller one takes a tenth of a
second."""

Rows = npt.NDArray[Any]


@dataclass(frozen=True)
class Ask:
    """A statement that aggregates rows of type `row` into one value."""

    statement: str
    values: tuple[object, ...]
    row: np.dtype[np.void]

    def of(self, cursor: Vaultside) -> Rows:
        return wire.answer(cursor, self.statement, self.values, self.row)


@dataclass(frozen=True)
class Line:
    """`second`: a cursor in no transaction, that reads what was committed. Nothing must be asked that this batch has
    written itself."""

    _cursor: Vaultside
    _second: Vaultside | None = None
    _thread: ThreadPoolExecutor | None = None
    _sent: list[Future[None]] = field(default_factory=list)

    @property
    def cursor(self) -> Vaultside:
        """The cursor of the batch's transaction, once all that was sent is written."""
        while self._sent:
            self._sent.pop(0).result()
        return self._cursor

    def copy_in(self, target: str, rows: bytes) -> None:
        """A whole binary COPY into a table. What the server says to it may be raised later, at the end at last."""
        if self._thread is None:
            wire.copy_in(self._cursor, target, rows)
        else:
            self._sent.append(self._thread.submit(wire.copy_in, self._cursor, target, rows))

    def ask(self, asks: Sequence[Ask]) -> list[Rows]:
        """The answers, in the order of the questions."""
        cursor = self.cursor
        if self._thread is None or self._second is None:
            return [ask.of(cursor) for ask in asks]
        beside = self._thread.submit(_beside, self._second, asks[1::2])
        mine = [ask.of(cursor) for ask in asks[::2]]
        theirs = beside.result()
        theirs += [ask.of(cursor) for ask in asks[1::2][len(theirs) :]]
        answers = [*mine, *theirs]
        answers[::2], answers[1::2] = mine, theirs
        return answers


@contextmanager
def line(cursor: Vaultside, second: Vaultside | None = None, thread: bool = False) -> Iterator[Line]:
    """A line of one batch; at its end all that was sent is written."""
    if not thread:
        yield Line(cursor)
        return
    with ThreadPoolExecutor(1) as pool:  # ends before the transaction does, however the batch ended
        one = Line(cursor, second, pool)
        yield one
        one.cursor  # noqa: B018 - waits


def _beside(second: Vaultside, asks: Sequence[Ask]) -> list[Rows]:
    """Answers of the second connection, as far as it gives any: the first one is asked for the others.

    It waits for no lock. Who holds a table alone may have waited for our first connection, which has read it; nobody
    but this process could then tell that the two wait for each other.
    """
    from psycopg import Error

    answers: list[Rows] = []
    try:
        for ask in asks:
            answers.append(ask.of(second))
    except Error:
        pass
    return answers
