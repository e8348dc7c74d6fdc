"""KoboToolbox exports as tables: the main sheet and its repeats, headers as questions, labels as codes.

What the server's export code really writes is in formats.md 1: a stale choice makes rows longer than their header, an
HXL tag row stands below the header, summaries of select_multiple join their labels by a space. Which files are read how
is in `kobo_tables`, what a form is in `kobo_form_files`; how an export was made, where it is not declared, in
`kobo_options`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pyarrow as pa
import pyarrow.compute as pc

from codebook.errors import Refused
from connectors.kobo import form as kobo_form
from connectors.kobo import form_files as kobo_form_files
from connectors.kobo import headers as kobo_headers
from connectors.kobo import labels as kobo_labels
from connectors.kobo import options as kobo_options
from connectors.kobo import versions as kobo_versions
from connectors.kobo.asked import with_asked
from connectors.kobo.choices import Detail
from connectors.kobo.damage import UndamagedGrid, exact_columns
from connectors.kobo.form import Choice, Form, Question, plain
from connectors.kobo.grid import Answer, KoboGrid, Made, hxl_row
from connectors.kobo.options import looks_like_kobo
from connectors.kobo.sheet_names import may_hold
from connectors.kobo.tables import Tables, read_tables
from connectors.shapes import Grid, Heading
from sources.batches import DeliveredFile
from sources.corrections import Correction
from sources.models import KoboFormat, Source, Table

__all__ = ["look", "looks_like_kobo", "open_grids"]

_VERSION = "__version__"
_READ_ROWS = 50_000
_NUMBER = re.compile(r"-?\d+([.,]\d+)?")


@dataclass(frozen=True)
class Options:
    """How an export was made, and what is known to be wrong with its form; `from_server`: it is none, and no
    spreadsheet had it."""

    values: str
    separator: str
    multiple_select: str
    form: Form | None = None
    corrections: tuple[Correction, ...] = ()
    where: str = ""
    from_server: bool = False


@dataclass
class _Columns:
    """The columns of a table while they find their questions."""

    headings: tuple[Heading, ...]
    places: Mapping[int, kobo_headers.Place]
    made: dict[int, Made] = field(default_factory=dict)


def open_grids(files: Sequence[DeliveredFile], source: Source) -> tuple[dict[str, Grid], dict[str, object]]:
    """The tables of an export: the main one and one per repeat that has rows; labels need the form beside them."""
    declared = source.format
    if not isinstance(declared, KoboFormat):
        raise TypeError(declared.kind)
    delivered = kobo_form_files.sorted_out(files)
    ordered, order_known = kobo_versions.oldest_first(delivered.forms) if delivered.forms else ([], True)
    versions = [kobo_form.in_language(sheets, declared.language) for sheets in ordered]
    merged = kobo_versions.merged(versions, order_known) if versions else None
    form = merged.form if merged else None
    if declared.values == "labels" and form is None:
        raise Refused(
            "delivery.wrong_source", "there is no XLSForm beside the export", source.source, "deliver both together"
        )
    if len(delivered.data) != 1:
        raise Refused(
            "delivery.wrong_source",
            f"{len(delivered.data)} data files, one is expected",
            source.source,
            "deliver one export and its form",
        )
    tables = read_tables(*delivered.data[0], declared.main)
    facts = tables.facts
    main = source.tables[0].name
    read = _declared(source, tables, form)
    grids: dict[str, Grid] = dict(read)
    if form is not None:
        of_repeats = {None if name == main else name: grid for name, grid in read.items()}
        asked, unread = with_asked(of_repeats, form)
        grids = {name or main: grid for name, grid in asked.items()}
        facts |= {"relevance_not_read": unread} if unread else {}
    facts["language"] = declared.language or declared.values
    facts["form_versions"] = _versions(grids[main])
    facts["form_version"] = (form.version if form else None) or ", ".join(_versions(grids[main]))
    if not order_known:
        facts["form_order_unknown"] = True
    if merged and merged.changes:
        facts["type_changes"] = list(merged.changes)
    return grids, facts


def _declared(source: Source, tables: Tables, form: Form | None) -> dict[str, KoboGrid]:
    """The declared tables by name; a repeat without rows has no sheet, or an empty one."""

    def made(table: Table, sheet: str) -> KoboGrid:
        repeat = None if table is source.tables[0] else table.name
        names = {column.name for column in table.columns}
        return _kobo_grid(tables.grids[sheet], repeat, _options(source, table, form), names)

    found = {source.tables[0].name: made(source.tables[0], tables.main)}
    found |= {table.name: made(table, table.name) for table in source.tables[1:] if table.name in tables.grids}
    others = [table for table in source.tables if table.name not in found]
    sheets = [sheet for sheet in tables.grids if sheet != tables.main and sheet not in found]
    maybe = {(t.name, s): made(t, s) for t in others for s in sheets if may_hold(s, t.name)}
    held = {pair: _held(source.table(pair[0]), grid) for pair, grid in maybe.items()}
    for pair in [pair for pair, columns in held.items() if columns]:
        # Names that were cut alike: the sheet is the repeat's that has most of its columns.
        rivals = [other for other in held if other != pair and (other[0] == pair[0] or other[1] == pair[1])]
        best = max((held[rival] for rival in rivals), default=0)
        if held[pair] == best:
            raise Refused(
                "delivery.wrong_source",
                "the names of sheets are cut, and their columns do not tell which repeat they hold",
                f"table {pair[0]}",
                "declare the repeats with columns that only one of them has",
            )
        if held[pair] > best:
            found[pair[0]] = maybe[pair]
    return found


def _held(table: Table, grid: KoboGrid) -> int:
    """How many of the questions that a table declares a sheet has."""
    names = {name for heading in grid.headings for name in heading.names}
    return sum(column.name in names for column in table.columns if not column.name.startswith("_"))


def _options(source: Source, table: Table, form: Form | None) -> Options:
    declared = source.format
    if not isinstance(declared, KoboFormat):
        raise TypeError(declared.kind)
    spoken = _spoken(form.language if form else None)
    corrections = (one for one in source.corrections if one.table in ("", table.name))
    return Options(
        values=declared.values,
        separator=declared.separator,
        multiple_select=declared.multiple_select,
        form=form,
        corrections=tuple(one for one in corrections if plain(one.language).casefold() in spoken),
        where=f"{source.source}/corrections.csv",
    )


def look(file: DeliveredFile, form: DeliveredFile | None = None) -> tuple[dict[str, Grid], dict[str, object]]:
    """Every table of an export as found, without a source: only columns of the file, with what the form says of them.

    The tables have the names of their sheets or files. How the export was made is found from its headers and its form,
    and is said in the facts: values, language, separator.
    """
    tables = read_tables(file, None, None)
    sheets = kobo_form_files.read_form(form) if form is not None else None
    headers = [heading.header for grid in tables.grids.values() for heading in grid.headings if heading.header]
    found = kobo_options.found(headers, sheets)
    read = kobo_form.in_language(sheets, found.language) if sheets is not None else None
    options = Options(found.values, found.separator, "both", read)
    grids: dict[str, Grid] = {}
    conditional: dict[str, dict[str, str]] = {}
    for name, raw in tables.grids.items():
        repeat = None if name == tables.main else _repeat(name, raw, options)
        grid = _kobo_grid(raw, repeat, options, set())
        conditional[name] = _conditional(grid, repeat, read)
        in_file = {heading.position for heading in raw.headings if heading.header}
        grids[name] = replace(grid, headings=tuple(h for h in grid.headings if h.position in in_file))
    facts = tables.facts | {"values": found.values, "language": found.language, "separator": found.separator}
    facts["conditional"] = {name: asked for name, asked in conditional.items() if asked}
    return grids, facts | {"form_versions": _versions(grids[tables.main])}


def _conditional(grid: KoboGrid, repeat: str | None, form: Form | None) -> dict[str, str]:
    """The columns of a table whose question is asked under a condition, with the name of that question."""
    asked = {grid.at[q.name]: q.name for q in form.section(repeat) if q.relevant and q.name in grid.at} if form else {}
    return {heading.names[0]: asked[heading.position] for heading in grid.headings if heading.position in asked}


def as_questions(grid: Grid, repeat: str | None, form: Form) -> KoboGrid:
    """A table with XML names and values (`repeat`: None is the main one) with what its form says of it."""
    return _kobo_grid(grid, repeat, Options("xml", "/", "summary", form, from_server=True), set())


def _repeat(table: str, raw: Grid, options: Options) -> str:
    """The form's name of the repeat that a sheet or file holds: cut, or with the path of its parents. Of several that
    it may be, the one with most of its columns."""
    names = options.form.repeats if options.form is not None else ()
    called = [name for name in names if name == table] or [name for name in names if may_hold(table, name)]
    called = called or [name for name in names if table.endswith(f"_{name}")]
    return max(called, key=lambda name: len(_placed(raw, name, options, set()).places), default=table)


def _kobo_grid(raw: Grid, repeat: str | None, options: Options, maybe_multiple: set[str]) -> KoboGrid:
    """A table whose headings are questions."""
    form = options.form
    columns = _placed(raw, repeat, options, maybe_multiple)
    if form is not None:
        columns.headings = kobo_headers.described(columns.headings, columns.places, form)
    columns.made |= _answers(columns, options)
    if options.multiple_select == "details":
        _add_summaries(columns, options.separator)
    inner = raw if options.from_server else UndamagedGrid(raw, exact_columns(columns.places))
    at = {p.question.name: pos for pos, p in columns.places.items() if p.choice is None and p.part is None}
    return KoboGrid(inner, columns.headings, columns.made, hxl_row(raw), at)


def _placed(raw: Grid, repeat: str | None, options: Options, maybe_multiple: set[str]) -> _Columns:
    form = options.form
    if options.values == "labels" and form is not None:
        return _Columns(*kobo_headers.by_label(raw.headings, options.separator, form, repeat))
    # The form knows which questions may have one column per choice; without a form, declared questions may.
    multiples: dict[str, frozenset[str]] = {}
    if options.multiple_select == "details":
        multiples = dict.fromkeys(maybe_multiple, frozenset())
    dates: set[str] = set()
    if form is not None:
        section = form.section(repeat)
        multiples = {q.name: frozenset(c.name for c in kobo_headers.choices_of(q, form)) for q in section if q.multiple}
        dates = {question.name for question in section if question.is_date}
    headings = kobo_headers.by_name(raw.headings, options.separator, multiples, dates)
    if form is not None:
        headings = kobo_headers.told_apart(headings, form, repeat)
    return _Columns(headings, kobo_headers.places_by_name(headings, form, repeat) if form is not None else {})


def _answers(columns: _Columns, options: Options) -> dict[int, Answer]:
    """Columns that hold labels of choices, or that have detail columns beside them."""
    details = _details(columns, options)
    answers = {}
    for heading in columns.headings:
        place = columns.places.get(heading.position)
        if place is None:
            beside = details.get(heading.names[0], ()) if options.values == "xml" else ()
            if beside:
                answers[heading.position] = Answer(heading.position, None, tuple(beside))
            continue
        if place.question.list is None or place.choice is not None or place.part is not None:
            continue
        beside = details.get(place.question.path, ())
        if options.values == "xml" or options.form is None:
            if beside:
                answers[heading.position] = Answer(heading.position, None, tuple(beside))
        else:
            answers[heading.position] = Answer(
                heading.position, _decoding(place.question, options.form, options), tuple(beside)
            )
    return answers


def _details(columns: _Columns, options: Options) -> dict[str, list[Detail]]:
    """The detail columns of each question, by its path; without a form, by the header that they stand under."""
    found: dict[str, list[Detail]] = {}
    headers = {heading.header: heading.names[0] for heading in columns.headings if heading.header}
    for heading in columns.headings:
        place = columns.places.get(heading.position)
        if place is not None and place.choice is not None:
            label = heading.value_labels.get(place.choice, "")
            found.setdefault(place.question.path, []).append(Detail(place.choice, label, heading.position))
        elif place is None and options.form is None and options.values == "xml":
            above, mark, code = _under(heading.header, options.separator)
            if mark and code and above in headers:
                found.setdefault(headers[above], []).append(Detail(code, "", heading.position))
    if options.form is None:
        # Names of choices hold no space: these are labels, and a summary of labels is no list of words.
        return {name: details for name, details in found.items() if not any(" " in d.code for d in details)}
    return found


def _under(header: str, separator: str) -> tuple[str, str, str]:
    """A header cut at its last separator: `/` of today's exports if the declared one is not in it."""
    return header.rpartition(separator if separator in header else "/")


def _decoding(question: Question, form: Form, options: Options) -> kobo_labels.Decoding:
    corrections = [
        correction
        for correction in options.corrections
        if correction.list in (question.list or "").split(kobo_versions.AND)
        and correction.column in ("", question.name)
    ]
    choices = kobo_headers.choices_of(question, form)
    if question.type == "rank":
        # The export's own code knows no ranks and may leave them as codes among labels.
        choices = (*choices, *(Choice(choice.name, choice.name) for choice in choices))
    if question.was_number:
        # An answer to the version that asked for a number looks like the label that is one.
        choices = (*choices, *(Choice(choice.label, choice.label) for choice in choices if _is_number(choice.label)))
    return kobo_labels.decoding(choices, kobo_labels.several(question), corrections, options.where)


def _is_number(label: str) -> bool:
    return _NUMBER.fullmatch(plain(label)) is not None


def _spoken(language: str | None) -> set[str]:
    """The ways to write a form's language: `French (fr)`, `French`, `fr`; no language is anything."""
    full = (language or "").casefold()
    name, _, code = full.partition("(")
    return {full, name.strip(), code.rstrip(") ")}


def _add_summaries(columns: _Columns, separator: str) -> None:
    """An export with detail columns only gets back each question's summary, as a column after the last."""
    taken = {name for heading in columns.headings for name in heading.names}
    details: dict[str, list[Detail]] = {}
    places: dict[str, kobo_headers.Place] = {}
    for heading in columns.headings:
        place = columns.places.get(heading.position)
        question, mark, code = heading.names[0].rpartition("/")
        if place is not None and place.choice is not None:
            code = place.choice
            question = heading.names[0].removesuffix(code).removesuffix("/")
        elif not mark:
            question, mark, code = heading.names[0].rpartition(separator)
        if mark and question not in taken and code:
            label = heading.label.rpartition(" / ")[2] if place is not None and place.choice is not None else ""
            details.setdefault(question, []).append(Detail(code, label, heading.position))
            if place is not None:
                places.setdefault(question, kobo_headers.Place(place.index, place.question))
    first = max((heading.position for heading in columns.headings), default=-1) + 1
    for position, question in enumerate(details, start=first):
        columns.headings = (*columns.headings, Heading("", position, (question,)))
        columns.made[position] = Answer(None, None, tuple(details[question]))
        if question in places:
            columns.places = {**columns.places, position: places[question]}


def _versions(grid: Grid) -> list[str]:
    """Every form version in the export; one file may hold several."""
    position = next((h.position for h in grid.headings if _VERSION in h.names), None)
    if position is None:
        return []
    found: set[str] = set()
    for piece in grid.pieces([position], _READ_ROWS):
        found.update(value for value in pc.unique(piece.cells[0].cast(pa.string())).to_pylist() if value)
    return sorted(found)
