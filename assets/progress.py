"""What a running stage says about how far it is. A stage reports; whoever runs it decides how that is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Sink = Callable[[str, int, int | None], None]


def _silent(stage: str, done: int, total: int | None) -> None:
    """Nobody is watching."""


_sink: ContextVar[Sink] = ContextVar("homeward_progress", default=_silent)


def report(stage: str, done: int, total: int | None = None) -> None:
    """Say that `done` (of `total`, where it is known) rows or steps of `stage` are behind us."""
    _sink.get()(stage, done, total)


@contextmanager
def shown_by(sink: Sink) -> Iterator[None]:
    """Within the block, progress goes to `sink(stage, done, total)`."""
    token = _sink.set(sink)
    try:
        yield
    finally:
        _sink.reset(token)
