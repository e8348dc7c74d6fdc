"""KoboToolbox exports as tables: the main sheet and its repeats, headers as questions, labels as codes.

What the server's export code really writes is in formats.md 1: a stale choice makes rows longer than their header, an
HXL tag row stands below the header, summaries of select_multiple join their labels by a space.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from codebook.errors import Refused
from connectors import delimited, kobo_headers, kobo_labels, workbook
from connectors.kobo_form import Form, plain, split_off_form
from connectors.kobo_labels import Decoding
from connectors.shapes import Finding, Grid, Heading, Piece, Text
from sources.batches import DeliveredFile
from sources.models import KoboFormat, Source, Table

_FIRST_ROW = 2
_VERSION = "__version__"
_READ_ROWS = 50_000


@dataclass(frozen=True)
class Answer:
    """How a column's cells come about: `position` in the file (None: made of `details`), decoded if it has labels."""

    position: int | None
    decoding: Decoding | None
    details: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class KoboGrid:
    """An export's table whose headings answer to question names and whose cells are codes."""

    inner: Grid
    headings: tuple[Heading, ...]
    answers: Mapping[int, Answer]

    @property
    def sheet(self) -> str | None:
        return self.inner.sheet

    def pieces(self, positions: Sequence[int], size: int) -> Iterator[Piece]:
        answers = {position: self.answers.get(position, Answer(position, None, ())) for position in positions}
        needed = list(dict.fromkeys(at for answer in answers.values() for at in _reads(answer)))
        for raw in self.inner.pieces(needed, size):
            piece = _without_hxl(raw)
            cells = dict(zip(needed, piece.cells, strict=True))
            findings = list(piece.findings)
            columns = []
            for position, answer in answers.items():
                column, found = _answered(answer, cells, piece, position)
                columns.append(column)
                findings.extend(found)
            yield Piece(piece.rows, columns, tuple(findings))

    def split(self, n: int) -> list[Grid]:
        return [replace(self, inner=grid) for grid in self.inner.split(n)]


def _reads(answer: Answer) -> list[int]:
    own = [] if answer.position is None else [answer.position]
    return [*own, *(at for _, at in answer.details)]


def _answered(answer: Answer, cells: Mapping[int, Text], piece: Piece, position: int) -> tuple[Text, list[Finding]]:
    """A column's answers as codes, and the cells that no code could be found for."""
    details = {code: cells[at] for code, at in answer.details}
    if answer.position is None:
        return kobo_labels.joined(details, len(piece.rows)), []
    if answer.decoding is None:
        return cells[answer.position], []
    decoded = kobo_labels.decode(cells[answer.position], answer.decoding)
    column, unknown, ambiguous = decoded.column, decoded.unknown, decoded.ambiguous
    if details and ambiguous.any():
        # Joined labels that can be cut in two ways: the detail columns of the same export say which it was.
        from_details = kobo_labels.joined(details, len(piece.rows))
        settled = np.logical_and(ambiguous, from_details.is_valid().to_numpy(zero_copy_only=False))
        column = pc.if_else(pa.array(settled), from_details, column)
        ambiguous = np.logical_and(ambiguous, ~settled)
    findings = [
        Finding("read.unknown_label", "error", piece.rows[unknown], position),
        Finding("read.ambiguous_label", "error", piece.rows[ambiguous], position),
    ]
    return column, findings


def _without_hxl(piece: Piece) -> Piece:
    """The piece without the file's first row if that holds HXL hashtags and nothing else (formats.md 1.1)."""
    if not len(piece.rows) or piece.rows[0] != _FIRST_ROW:
        return piece
    values = [value for column in piece.cells if (value := column[0].as_py()) is not None]
    if not values or not all(value.startswith("#") and value.strip("#") for value in values):
        return piece
    return Piece(piece.rows[1:], [column.slice(1) for column in piece.cells], piece.findings)


def open_grids(files: Sequence[DeliveredFile], source: Source) -> tuple[dict[str, Grid], dict[str, object]]:
    """The tables of an export: the main one and one per repeat that has rows; labels need the form beside them."""
    declared = source.format
    if not isinstance(declared, KoboFormat):
        raise TypeError(declared.kind)
    form, data = split_off_form(files, declared.language)
    if declared.values == "labels" and form is None:
        raise Refused(
            "delivery.wrong_source", "there is no XLSForm beside the export", source.source, "deliver both together"
        )
    if len(data) != 1:
        raise Refused(
            "delivery.wrong_source",
            f"{len(data)} data files, one is expected",
            source.source,
            "deliver one export and its form",
        )
    raw, facts = _raw_grids(*data[0], source, declared)
    grids: dict[str, Grid] = {}
    for table in source.tables:
        if table.name in raw:
            repeat = None if table is source.tables[0] else table.name
            grids[table.name] = _kobo_grid(raw[table.name], table, repeat, form, source, declared)
    facts["language"] = declared.language or declared.values
    facts["form_versions"] = _versions(grids[source.tables[0].name])
    facts["form_version"] = (form.version if form else None) or ", ".join(_versions(grids[source.tables[0].name]))
    return grids, facts


def _raw_grids(
    file: DeliveredFile, book: workbook.Workbook | None, source: Source, declared: KoboFormat
) -> tuple[dict[str, Grid], dict[str, object]]:
    main = source.tables[0].name
    if declared.kind == "kobo_csv":
        grid, facts = delimited.open_grid(file, delimited.Layout(longer="query"))
        return {main: grid}, facts
    book = book or workbook.Workbook(file)
    sheets = book.sheets
    first = declared.main or sheets[0]
    if first not in sheets:
        raise Refused("delivery.wrong_source", f"there is no sheet {first}", file.name, "is this another form?")
    grids: dict[str, Grid] = {main: workbook.open_sheet(book, first, longer="query")}
    for table in source.tables[1:]:
        # Excel cuts the names of sheets; a repeat without rows has no sheet, or an empty one.
        if table.name[:31] in sheets and (repeat := workbook.sheet_with_rows(book, table.name[:31], longer="query")):
            grids[table.name] = repeat
    return grids, {}


def _kobo_grid(
    raw: Grid, table: Table, repeat: str | None, form: Form | None, source: Source, declared: KoboFormat
) -> KoboGrid:
    answers: dict[int, Answer] = {}
    if declared.values == "xml" or form is None:
        multiples = _multiples(table, repeat, form, declared)
        dates = {question.name for question in form.section(repeat) if question.is_date} if form else set()
        headings = kobo_headers.by_name(raw.headings, declared.separator, multiples, dates)
    else:
        headings, places = kobo_headers.by_label(raw.headings, declared.separator, form, repeat)
        answers = _answers(headings, places, form, table, source)
    if declared.multiple_select == "details":
        headings, made = _summaries(headings, declared.separator)
        answers |= made
    return KoboGrid(raw, headings, answers)


def _multiples(table: Table, repeat: str | None, form: Form | None, declared: KoboFormat) -> set[str]:
    """Questions that may have one column per choice: the form knows; without a form, declared questions may."""
    if form is not None:
        return {question.name for question in form.section(repeat) if question.multiple}
    return {column.name for column in table.columns} if declared.multiple_select == "details" else set()


def _answers(
    headings: Sequence[Heading],
    places: Mapping[int, kobo_headers.Place],
    form: Form,
    table: Table,
    source: Source,
) -> dict[int, Answer]:
    """The decoding of every column that holds labels of choices."""
    details: dict[int, list[tuple[str, int]]] = {}
    for position, place in places.items():
        if place.choice is not None:
            details.setdefault(place.index, []).append((place.choice, position))
    answers = {}
    for position, place in places.items():
        question = place.question
        if question.list is None or question.type == "rank" or place.choice is not None:
            continue
        corrections = [
            correction
            for correction in source.corrections
            if correction.list == question.list
            and plain(correction.language).casefold() in _spoken(form.language)
            and correction.table in ("", table.name)
            and correction.column in ("", question.name)
        ]
        choices = kobo_headers.choices_of(question, form)
        decoding = kobo_labels.decoding(choices, question.multiple, corrections, f"{source.source}/corrections.csv")
        answers[position] = Answer(position, decoding, tuple(details.get(place.index, ())))
    return answers


def _spoken(language: str | None) -> set[str]:
    """The ways to write a form's language: `French (fr)`, `French`, `fr`; no language is anything."""
    full = (language or "").casefold()
    name, _, code = full.partition("(")
    return {full, name.strip(), code.rstrip(") ")}


def _summaries(headings: Sequence[Heading], separator: str) -> tuple[tuple[Heading, ...], dict[int, Answer]]:
    """An export with detail columns only gets back each question's summary, as a column after the last."""
    taken = {name for heading in headings for name in heading.names}
    details: dict[str, list[tuple[str, int]]] = {}
    for heading in headings:
        question, mark, code = heading.names[0].rpartition("/")
        if not mark:
            question, mark, code = heading.names[0].rpartition(separator)
        if mark and question not in taken and code:
            details.setdefault(question, []).append((code, heading.position))
    made = [Heading("", len(headings) + n, (question,)) for n, question in enumerate(details)]
    answers = {h.position: Answer(None, None, tuple(details[h.names[0]])) for h in made}
    return (*headings, *made), answers


def _versions(grid: Grid) -> list[str]:
    """Every form version in the export; one file may hold several."""
    position = next((h.position for h in grid.headings if _VERSION in h.names), None)
    if position is None:
        return []
    found: set[str] = set()
    for piece in grid.pieces([position], _READ_ROWS):
        found.update(value for value in pc.unique(piece.cells[0].cast(pa.string())).to_pylist() if value)
    return sorted(found)
