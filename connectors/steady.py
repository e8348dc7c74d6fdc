"""A file must not change while it is read: half of it would be of one delivery and half of another.

Told by its size, its time of change and its identity before and after. What is in the file is nobody's business here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from codebook.errors import HomewardError, Refused


@contextmanager
def unchanged(path: Path) -> Iterator[None]:
    """Refused if the file at `path` is another one after the block than before it, whatever the block made of it."""
    before = _state(path)
    try:
        yield
    except HomewardError:
        _refuse_changed(path, before)
        raise
    _refuse_changed(path, before)


def _refuse_changed(path: Path, before: tuple[int, int, int] | None) -> None:
    if before is None or _state(path) != before:
        what, mend = "it changed while it was read", "deliver it again when nobody writes it any more"
        raise Refused("delivery.unreadable", what, path.name, mend) from None


def _state(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns, found.st_ino
