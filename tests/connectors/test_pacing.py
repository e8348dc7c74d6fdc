"""A delimited file is read only a few blocks ahead, and nothing waits for ever."""

import time
from collections.abc import Callable
from contextlib import contextmanager
from io import BytesIO

import pytest
from small_sources import rows, source, table

from connectors import open_delivery
from connectors.text import delimited
from sources.batches import PlainFile
from sources.models import Source

_BLOCK = 4096
SOURCE: Source = source({"kind": "csv", "encoding": "utf-8", "delimiter": ";"}, table("main", ["ID"], key=["ID"]))


class Counting(BytesIO):
    """Says how far it was read."""

    far = 0

    def read(self, size: int | None = -1, /) -> bytes:
        block = super().read(size)
        self.far = max(self.far, self.tell())
        return block


class InMemory:
    """A delivered file that its reader opens as `last`."""

    name = "a.csv"

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.size = len(content)
        self.last = Counting()

    @contextmanager
    def open(self):  # type: ignore[no-untyped-def]
        self.last = Counting(self.content)
        yield self.last


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "BLOCK", _BLOCK)


def grid(content: bytes) -> tuple[InMemory, delimited.DelimitedGrid]:
    file = InMemory(content)
    opened, _ = delimited.open_grid(file, delimited.Layout(encoding="utf-8", delimiter=";"))  # type: ignore[arg-type]
    return file, opened


def lines(n: int) -> bytes:
    return b"ID\n" + b"".join(b"%07d\n" % k for k in range(n))


def test_a_slow_reader_of_rows_is_not_outrun() -> None:
    file, opened = grid(lines(20_000))
    pieces = opened.pieces([0], 100_000)
    first = next(pieces)
    time.sleep(0.5)
    assert file.last.far <= 6 * _BLOCK
    assert len(first.rows) + sum(len(piece.rows) for piece in pieces) == 20_000


def test_readers_who_leave_early_leave_no_thread_waiting() -> None:
    """Arrow has eight threads for files: were they kept, the last reader would wait for ever."""
    _, opened = grid(lines(20_000))
    for _ in range(20):
        pieces = opened.pieces([0], 100)
        next(pieces)
        pieces.close()  # type: ignore[attr-defined]
    assert sum(len(piece.rows) for piece in opened.pieces([0], 100_000)) == 20_000


def test_blocks_without_a_row_hold_nobody_up(deliver: Callable[[str, bytes], PlainFile]) -> None:
    content = b"ID\n1\n" + b"\n" * (10 * _BLOCK) + b"2\n"
    opened = open_delivery([deliver("a.csv", content)], SOURCE)
    assert [row["ID"] for row in rows(opened)] == ["1", "2"]
