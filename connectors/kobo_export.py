"""KoboToolbox exports: headers of every option resolved to questions, labels decoded to codes, repeats as tables.

The facts behind each rule are in KoboToolbox's own export code: group paths, duplicate labels, a stale choice that
makes rows longer than their header, an HXL tag row. Which question means what is nobody's business here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from codebook.errors import Refused
from connectors import delimited, workbook
from connectors.shapes import Grid, Heading, Piece
from sources.batches import DeliveredFile
from sources.models import KoboFormat, Source


@dataclass(frozen=True)
class KoboGrid:
    """An export's table whose headings answer to question names. An HXL tag row below the header is no record."""

    inner: Grid
    headings: tuple[Heading, ...]

    @property
    def sheet(self) -> str | None:
        return self.inner.sheet

    def pieces(self, positions: Sequence[int], size: int) -> Iterator[Piece]:
        first = True
        for piece in self.inner.pieces(positions, size):
            yield _without_hxl(piece) if first else piece
            first = False

    def split(self, n: int) -> list[Grid]:
        return [replace(self, inner=grid) for grid in self.inner.split(n)]


def _without_hxl(piece: Piece) -> Piece:
    """The first piece without its first row if that row holds HXL hashtags and nothing else (formats.md 1.1)."""
    if not len(piece.rows):
        return piece
    values = [column[0].as_py() for column in piece.cells]
    if not all(value is None or value.startswith("#") for value in values) or not any(values):
        return piece
    return Piece(piece.rows[1:], [column.slice(1) for column in piece.cells], piece.findings)


def question_headings(headings: Sequence[Heading], separator: str) -> tuple[Heading, ...]:
    """Headings of an export with XML names: a question answers to its own name if unique, and to every longer path.

    A column under another column's path (`why/other` beside `why`) is a choice of that question and no question.
    """
    separator = next((mark for mark in (separator, "/") if any(mark in h.header for h in headings)), separator)
    paths = {heading.header for heading in headings}

    def is_choice(header: str) -> bool:
        return separator in header and header.rpartition(separator)[0] in paths

    questions = Counter(h.header.rpartition(separator)[2] for h in headings if not is_choice(h.header))
    named = []
    for heading in headings:
        segments = heading.names[0].split(separator)
        shortest = 2 if is_choice(heading.header) else 1
        suffixes = [separator.join(segments[-n:]) for n in range(shortest, len(segments) + 1)]
        slashed = [suffix.replace(separator, "/") for suffix in suffixes]
        unique = questions[segments[-1]] == 1 or shortest > 1
        names = [*suffixes, *slashed] if unique else [heading.names[0], *suffixes, *slashed]
        named.append(replace(heading, names=tuple(dict.fromkeys(names))))
    return tuple(named)


def open_grids(files: Sequence[DeliveredFile], source: Source) -> tuple[dict[str, Grid], dict[str, object]]:
    """The tables of an export: the main one and one per repeat that has rows."""
    declared = source.format
    if not isinstance(declared, KoboFormat):
        raise TypeError(declared.kind)
    raw, facts = _raw_grids(files, source, declared)
    grids: dict[str, Grid] = {
        name: KoboGrid(grid, question_headings(grid.headings, declared.separator)) for name, grid in raw.items()
    }
    return grids, facts


def _raw_grids(
    files: Sequence[DeliveredFile], source: Source, declared: KoboFormat
) -> tuple[dict[str, Grid], dict[str, object]]:
    main = source.tables[0].name
    if declared.kind == "kobo_csv":
        data = [file for file in files if file.name.lower().endswith(".csv")]
        if len(data) != 1:
            raise _not_one(len(data), source)
        grid, facts = delimited.open_grid(data[0], delimited.Layout(longer="query"))
        return {main: grid}, facts
    books = [workbook.Workbook(file) for file in files]
    if len(books) != 1:
        raise _not_one(len(books), source)
    book = books[0]
    sheets = book.sheets
    first = declared.main or sheets[0]
    if first not in sheets:
        raise Refused("delivery.wrong_source", f"there is no sheet {first}", book.file.name, "is this another form?")
    named = {main: first} | {table.name: table.name for table in source.tables[1:] if table.name in sheets}
    return {name: workbook.open_sheet(book, sheet, longer="query") for name, sheet in named.items()}, {}


def _not_one(n: int, source: Source) -> Refused:
    return Refused(
        "delivery.wrong_source", f"{n} data files, one is expected", source.source, "deliver one export and its form"
    )
