"""Notes below a table (`Source: ...`, a total): where they begin, so that they are not read as records.

Only the end of a file is looked at, and only rows that cannot be records are passed over: a declared footer that stands
above rows with several filled cells ends nothing, so no record is lost to it.
"""

from __future__ import annotations

import csv
import io
import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from codebook.errors import Refused
from connectors.text.dialects import records

_LAST = 64 << 10
"""Notes are shorter than this."""
_MOST = 32 << 20
"""A file that cannot be cut (UTF-16) is decoded as a whole for its footer, up to so many bytes; a longer one is read
through once more, if a footer is declared."""
_RECORDS = 2_000
"""So many records from the end may be notes."""


@dataclass(frozen=True)
class Tail:
    """The bytes of a file in which its table stands, and the places (byte, records ended) where it can be cut."""

    encoding: str
    delimiter: str
    start: int
    end: int
    cuts: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Notes:
    """Where the notes begin, in bytes, and how many records they are; none: the end of the file."""

    start: int
    records: int


def find_footer(handle: BinaryIO, tail: Tail, footer: str | None, width: int, name: str) -> Notes:
    """The notes at the end of a table of `width` columns: from the first of its last rows that matches `footer`.

    The last rows are those that are blank, match, or have one filled cell. Without a pattern all those with one filled
    cell are taken for notes: a proposal, for a person to confirm.
    """
    begin = max((cut for cut, _ in tail.cuts if tail.start <= cut <= tail.end - _LAST), default=tail.start)
    if tail.end - begin > _MOST and footer is None:
        return Notes(tail.end, 0)
    handle.seek(begin)
    if tail.end - begin > _MOST:
        rows, starts = _last_records(handle, tail, begin, name)
    else:
        text = handle.read(tail.end - begin).decode(tail.encoding)
        rows, starts, at, byte = [], [], 0, begin
        for cells, end in records(text, tail.delimiter):
            rows.append(cells)
            starts.append(byte)
            byte += len(text[at:end].encode(tail.encoding))
            at = end
    first = _first_note(rows, re.compile(footer) if footer else None, width)
    return Notes(starts[first], len(rows) - first) if first < len(rows) else Notes(tail.end, 0)


def _last_records(handle: BinaryIO, tail: Tail, begin: int, name: str) -> tuple[list[Sequence[str]], list[int]]:
    """The last records and where they begin, of a text that is read through to its end: in UTF-16 nothing else tells
    whether a line's end stands inside quotation marks."""
    last: deque[tuple[Sequence[str], int]] = deque(maxlen=_RECORDS)
    lines = _Lines(io.TextIOWrapper(handle, encoding=tail.encoding, newline=""), tail, begin)
    start = begin
    try:
        for cells in csv.reader(lines, delimiter=tail.delimiter):
            last.append((cells, start))
            start = lines.at
    except csv.Error:
        raise Refused(
            "delivery.unreadable", f"its footer cannot be found in {tail.encoding}", name, "save it as UTF-8"
        ) from None
    finally:
        lines.text.detach()
    return [cells for cells, _ in last], [at for _, at in last]


@dataclass
class _Lines:
    """The lines of a text and, after each, the byte at which the next begins."""

    text: io.TextIOWrapper
    tail: Tail
    at: int

    def __iter__(self) -> Iterator[str]:
        for line in self.text:
            self.at += len(line.encode(self.tail.encoding))
            yield line
            if self.at >= self.tail.end:
                return


def _first_note(rows: Sequence[Sequence[str]], footer: re.Pattern[str] | None, width: int) -> int:
    first = place = len(rows)
    while place:
        place -= 1
        filled = [cell for cell in rows[place] if cell.strip()]
        matches = bool(filled) and footer is not None and footer.search(filled[0].strip()) is not None
        alone = len(filled) == 1 and width > 2
        if filled and not matches and not alone:
            break
        if matches or (alone and footer is None):
            first = place
    return first
