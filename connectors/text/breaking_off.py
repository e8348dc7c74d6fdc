"""A delimited file that was cut off: its last record has no line end, and cells are missing where all others have them.

Such a file is refused: what came after is lost, and where a delivery stands for all that there is (a snapshot), those
who are missing would be taken for gone. Cut between two records or within its last cell, a file looks like a whole one,
and nothing here can tell; one cell alone may be a note.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass

from codebook.errors import Refused

TAIL = 64 << 10
"""So many bytes of the end are looked at; a last record that is longer is left alone."""
_OTHERS = 3
"""So many records before the last must have all cells: a writer who leaves out blank cells does so here and there."""
_NOTE = re.compile(r"(?i)[^\W\d]\s*:(\s|$)|^\s*[*(]|(\S+\s+){3}\S|^\W*$|total")
"""How a note or a total below a table begins: a word and a colon, a mark, many words, or nothing."""


@dataclass(frozen=True)
class Ending:
    """The end of a file: the record that has no line end (blank where the last one has), and what stands before it."""

    before: str
    last: str

    @classmethod
    def of(cls, tail: bytes, unended: int, encoding: str) -> Ending:
        """`tail`: the last bytes; `unended`: how many bytes the record without a line end has."""
        if not 0 < unended < len(tail):
            return cls("", "")
        before, last = tail[:-unended], tail[-unended:]
        return cls(before.decode(encoding, "replace"), last.decode(encoding, "replace"))


def refuse_if_broken_off(ending: Ending, delimiter: str, width: int, where: tuple[str, int]) -> None:
    """Refused if the last of a file's records was cut; `where`: the file's name, and how many records it has."""
    (cells, *_) = _records(ending.last, delimiter) or [[]]
    if not (1 if width == 2 else 2) <= len(cells) < width or _NOTE.search(cells[0]):
        return
    # What is kept of the end begins somewhere: its first record may be the end of one.
    others = _records(ending.before, delimiter)[1:][-_OTHERS:]
    if len(others) == _OTHERS and all(len(other) == width for other in others):
        name, row = where
        what = f"it breaks off within its last record: row {row} has {len(cells)} of {width} cells"
        raise Refused("delivery.unreadable", what, name, "deliver the whole file again")


def _records(text: str, delimiter: str) -> list[list[str]]:
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error:
        return []
