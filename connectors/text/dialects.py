"""How a delimited file is written: its delimiter, and where in its first megabyte the header is.

Looks at a sample of decoded text and at nothing else. Proving the encoding and reading the records is the business of
`delimited`.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from codebook.errors import Refused
from connectors.text.header_rows import HeaderGuess, is_hxl_row, joined_header, propose_header

MAX_RECORD = 8 << 20
"""A record of more bytes than this is none: a quotation mark was opened and never closed, or the file is no table."""
_DELIMITERS = "\t;|,"
"""Rarer in text first: Eurostat's tables have as many commas as tabs in every row."""
_IMPORT_IDS = re.compile(r'^\{"ImportId": ?"[^"]*"[^{}]*\}$')
"""How Qualtrics writes the row of its own names, below that of the questions' words."""
_LINES = 100
"""Records that are looked at to find the delimiter and the header."""
_EVEN = 0.95
_FEW = 0.2
"""A column whose sample has fewer distinct values than this share of its rows is read as a dictionary."""


@dataclass(frozen=True)
class Dialect:
    """How a file is written; `longer` is the severity of a row with more cells than the header."""

    encoding: str
    delimiter: str
    breaks_in_cells: bool
    longer: str = "error"


@dataclass(frozen=True)
class Layout:
    """How a source says its delimited files are written; None is detected. `longer` as in `Dialect`.

    `language` and `country`: the supplier's, they tell code pages apart; `first_row`: number of the first record below
    a header on record 1; `needs_rows`: whether a bare header is refused; `hashtags`: whether a row of HXL hashtags
    below the header is passed over; `footer`: what the first note below the table looks like.
    """

    encoding: str | None = None
    delimiter: str | None = None
    longer: str = "error"
    language: str = "en"
    country: str | None = None
    header_row: int | None = 1
    header_rows: int = 1
    footer: str | None = None
    first_row: int = 2
    needs_rows: bool = True
    hashtags: bool = True


@dataclass(frozen=True)
class Header:
    """The names of a table's columns, and how much of the text stands at and above them.

    `first` counts records from 1, `rows` are those of names, `hashtags` those of the HXL row below, if there is one;
    `labels` are the words of the questions where a survey program writes them, and its own names, in two rows below;
    `length` is in characters, up to the first record of the table. `guess` is what was proposed where none is declared.
    """

    names: list[str]
    first: int
    rows: int
    hashtags: tuple[str, ...]
    length: int
    guess: HeaderGuess | None = None
    labels: tuple[str, ...] = ()

    @property
    def records(self) -> int:
        """Records of the file above the table's first."""
        return self.first - 1 + self.rows + bool(self.hashtags) + 2 * bool(self.labels)


def read_header(text: str, delimiter: str, layout: Layout, name: str) -> Header:
    """The header of the table that begins with `text`, where it is declared or else proposed."""
    first, rows, guess = layout.header_row, layout.header_rows, None
    if first is None:
        guess = propose_header([cells for cells, _ in islice(records(text, delimiter), _LINES)])
        first, rows = guess.first + 1, guess.count
    found = list(islice(records(text, delimiter), first + rows + 1))
    above, below = [cells for cells, _ in found[first - 1 : first - 1 + rows]], found[first - 1 + rows :]
    if guess is not None and not rows:
        return _without(guess, found, name)
    names = [cell.strip() for cell in above[0]] if len(above) == 1 else joined_header(above)
    if not any(names):
        where = "" if first == 1 else f" on record {first}"
        raise Refused("delivery.empty", f"there is no header row{where}", name, "deliver the file again")
    length, hashtags, labels = found[min(first - 1 + rows, len(found)) - 1][1], tuple[str, ...](), tuple[str, ...]()
    if layout.hashtags and below and is_hxl_row(below[0][0]):
        hashtags, length = tuple(cell.strip() for cell in below[0][0]), below[0][1]
    elif layout.hashtags and len(below) > 1 and below[1][0] and all(map(_IMPORT_IDS.match, below[1][0])):
        labels, length = tuple(cell.strip() for cell in below[0][0]), below[1][1]
    return Header(names, first, rows, hashtags, length, guess, labels)


def _without(guess: HeaderGuess, found: Sequence[tuple[list[str], int]], name: str) -> Header:
    """Columns by their place, where no row looks like a header: the first may be somebody's record."""
    start = guess.first
    if start >= len(found) or not any(found[start][0]):
        raise Refused("delivery.empty", "there is no header row", name, "deliver the file again")
    names = [f"column {place + 1}" for place in range(len(found[start][0]))]
    return Header(names, start + 1, 0, (), found[start - 1][1] if start else 0, guess)


def records(text: str, delimiter: str) -> Iterator[tuple[list[str], int]]:
    """The records of a text, each with the place where it ends, in characters; blank lines are records without cells.

    It ends where the text is no delimited text any more.
    """
    lines = io.StringIO(text, newline="")
    # Iterating over a StringIO takes its place away; asking for lines one by one keeps it.
    reader = csv.reader(iter(lines.readline, ""), delimiter=delimiter)
    try:
        for cells in reader:
            yield cells, lines.tell()
    except csv.Error:
        return


def likely_delimiter(text: str) -> str:
    """The mark that cuts most of the first records into the same number of cells; labels are full of commas.

    A tab that cuts all of them alike is none of the words': Eurostat has five dimensions behind commas in one cell.
    """

    def even(delimiter: str) -> tuple[float, int]:
        found = [cells for cells, _ in islice(records(text, delimiter), _LINES) if any(cells)]
        if not found:
            return 0.0, 1
        widths = Counter(map(len, found))
        width, times = max(widths.items(), key=lambda item: (item[1] * (item[0] > 1), item[0]))
        # A wrong mark also cuts inside quoted cells and leaves their quotation marks behind.
        torn = sum(any('"' in cell for cell in cells) for cells in found)
        return (times - torn / 2) / len(found), width

    found = {delimiter: even(delimiter) for delimiter in _DELIMITERS}
    share, width = found["\t"]
    if width > 1 and share >= _EVEN:
        return "\t"
    return max(found, key=lambda mark: (found[mark][0] * (1 - 1 / found[mark][1]), found[mark][1]))


def few_values(text: str, delimiter: str, width: int) -> frozenset[int]:
    """Columns in which values repeat so much that they are cheaper kept once each."""
    whole = text[: text.rfind("\n") + 1] or text
    reader = csv.reader(io.StringIO(whole, newline=""), delimiter=delimiter)
    records = [record for record in reader if len(record) == width]
    if len(records) < 100:
        return frozenset()
    return frozenset(
        position for position, column in enumerate(zip(*records, strict=True)) if len(set(column)) < _FEW * len(records)
    )
