"""Notes below a table (`Source: ...`, a total): where they begin, so that they are not read as records.

Only the end of a file is looked at, and only rows that cannot be records are passed over: a declared footer that stands
above rows with several filled cells ends nothing, so no record is lost to it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

from codebook.errors import Refused
from connectors.text.dialects import records

_LAST = 64 << 10
"""Notes are shorter than this."""
_MOST = 32 << 20
"""A file that cannot be cut (UTF-16) is decoded as a whole for its footer, up to so many bytes."""


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
    if tail.end - begin > _MOST:
        if footer is None:
            return Notes(tail.end, 0)
        raise Refused("delivery.unreadable", f"its footer cannot be found in {tail.encoding}", name, "save it as UTF-8")
    handle.seek(begin)
    text = handle.read(tail.end - begin).decode(tail.encoding)
    rows, starts, at = list[Sequence[str]](), list[int](), 0
    for cells, end in records(text, tail.delimiter):
        rows.append(cells)
        starts.append(at)
        at = end
    first = _first_note(rows, re.compile(footer) if footer else None, width)
    if first == len(rows):
        return Notes(tail.end, 0)
    return Notes(begin + len(text[: starts[first]].encode(tail.encoding)), len(rows) - first)


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
