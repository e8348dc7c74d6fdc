"""Files of SPSS, Stata and SAS: codes stay codes, missing ones included; labels are described, never applied.

Applying labels merges two codes of one label and loses the reason why an answer is missing (formats.md 2), so cells are
codes as text, and labels, missing ranges and multiple-response sets go into the headings and the facts. Parsing is
pyreadstat's, in a process of its own (`readstat`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from codebook.errors import Refused
from connectors.shapes import Finding, Grid, Heading, Piece, Text, numbered
from connectors.statistical import readstat_process, steps
from connectors.statistical.labels import proposed_missing, weights
from connectors.statistical.letters import CodePage, Letters, declared_name, decoded, in_letters, python_name, texts_of
from connectors.statistical.readstat import KINDS, Dictionary, Readstat, Waiting, suffix_of
from connectors.statistical.text import is_date, text_of, writer_of
from sources.batches import DeliveredFile
from sources.models import Source


@dataclass(frozen=True)
class StatisticalGrid:
    """The cases of a file; a row's number is its case number, from 1.

    `raw` is its dictionary with a letter for each byte of its texts, in `page`; `dictionary` is the same in letters.
    """

    file: DeliveredFile
    suffix: str
    headings: tuple[Heading, ...]
    dictionary: Dictionary
    raw: Dictionary
    page: CodePage
    n_rows: int
    waiting: Waiting
    sheet: str | None = None

    def pieces(self, positions: Sequence[int], size: int) -> Iterator[Piece]:
        asked = [self.raw.names[position] for position in positions]
        with self.waiting.taken() as readstat:
            for offset, table in steps.rows(readstat, self.raw, asked, self.n_rows):
                for start in range(0, table.num_rows, size):
                    yield self._piece(positions, asked, offset + start, table.slice(start, size))

    def split(self, n: int) -> list[Grid]:
        return [self]

    def _piece(self, positions: Sequence[int], asked: Sequence[str], offset: int, table: pa.Table) -> Piece:
        rows = np.arange(offset + 1, offset + table.num_rows + 1, dtype=np.int64)
        cells: list[Text] = []
        findings = []
        for position, name in zip(positions, asked, strict=True):
            column, bad = self._text(position, table, name)
            cells.append(column)
            if bad is not None and bad.any():
                findings.append(Finding("read.damaged_value", "error", rows[bad], position))
        return Piece(rows, cells, tuple(findings))

    def _text(self, position: int, table: pa.Table, name: str) -> tuple[Text, NDArray[np.bool_] | None]:
        values = table.column(name)
        told = self.dictionary
        writer = writer_of(self.suffix, told.formats[position])
        if told.types[position] == "string":
            if readstat_process.is_long_string(self.suffix, self.raw.widths[position]):
                return text_of(values, None, writer, False)
            values, bad = in_letters(values, self.page.encoding)
            return text_of(values, None, writer, False)[0], bad
        tags = table.schema.get_field_index(readstat_process.tags_of(name))  # its names as a list are made anew
        letters = table.column(tags) if tags >= 0 else None
        return text_of(values, letters, writer, told.types[position] == "float")


def open_grids(files: Sequence[DeliveredFile], source: Source) -> tuple[dict[str, Grid], dict[str, object]]:
    """The one table of a statistical source, after every text was seen once: a wrong code page shows only there."""
    declared = source.format
    if declared.kind not in ("spss", "stata", "sas"):
        raise TypeError(declared.kind)
    file, catalog = _data_and_catalog(files, source, declared.kind == "sas" and declared.catalog)
    found = KINDS[suffix_of(file) or ""] if suffix_of(file) else ""
    if found and found.casefold() != declared.kind:
        raise Refused(
            "delivery.unreadable",
            f"it is a file of {found}, {declared.kind} is declared",
            file.name,
            "deliver it as declared, or correct source.yaml",
        )
    grid, facts = _open(file, catalog, declared_name(declared.encoding), source.supplier.language)
    candidates = facts.get("encoding_candidates")
    if candidates:
        raise Refused(
            "delivery.wrong_encoding",
            f"the file does not say its code page; its text could be in {', '.join(map(str, candidates))}",  # type: ignore[call-overload]
            file.name,
            "ask the supplier, and declare the encoding in source.yaml",
        )
    return {source.tables[0].name: grid}, facts


def look(file: DeliveredFile, form: DeliveredFile | None = None) -> tuple[dict[str, Grid], dict[str, object]]:
    """The one table of any statistical file, as found; `form` is the catalog of labels beside a .sas7bdat."""
    grid, facts = _open(file, form, None, None)
    return {grid.dictionary.table or "main": grid}, facts


def _data_and_catalog(
    files: Sequence[DeliveredFile], source: Source, wanted: bool
) -> tuple[DeliveredFile, DeliveredFile | None]:
    catalogs = [file for file in files if suffix_of(file) == "sas7bcat"] if wanted else []
    data = [file for file in files if file not in catalogs]
    if len(data) != 1 or len(catalogs) != wanted:
        expected = "a data file and its catalog (.sas7bcat) are" if wanted else "one is"
        raise Refused(
            "delivery.wrong_source", f"{len(files)} files, {expected} expected", source.source, "deliver them together"
        )
    return data[0], catalogs[0] if catalogs else None


def _open(
    file: DeliveredFile, catalog: DeliveredFile | None, declared: str | None, language: str | None
) -> tuple[StatisticalGrid, dict[str, object]]:
    with ExitStack() as opened:
        readstat = opened.enter_context(Readstat(file, catalog))
        dictionary, raw, page, n_rows = _read_texts(readstat, declared, language)
        if not n_rows:
            raise Refused("delivery.empty", "there is no case in the file", file.name, "deliver the file again")
        sets = dict(dictionary.label_sets)
        if catalog is not None:
            sets |= _catalog_of(readstat, page)
        opened.pop_all()
    headings = _headings(dictionary, sets, readstat.suffix, file.name)
    grid = StatisticalGrid(file, readstat.suffix, headings, dictionary, raw, page, n_rows, Waiting(readstat))
    return grid, _facts(grid, page) | ({"catalog": True} if catalog is not None else {})


def _read_texts(
    readstat: Readstat, declared: str | None, language: str | None
) -> tuple[Dictionary, Dictionary, CodePage, int]:
    """The dictionary in its letters and as it is, the code page, and how many rows there are."""
    try:
        own = readstat.describe()
    except Refused as refusal:
        if refusal.rule != "delivery.wrong_encoding":
            raise
        own = None
    raw = readstat.describe(readstat_process.RAW)
    said = python_name(own.encoding) if own else None
    letters = Letters(readstat.file.name)
    letters.consider(*(name for name in (said, declared) if name))
    for text in texts_of(raw, readstat.file.name):
        letters.feed(text)
    n_rows = 0
    for read, texts in steps.texts(readstat, raw):
        n_rows += read
        for text in texts:
            letters.feed(text)
    readstat.check_rows(n_rows)
    page = letters.judge(said, declared, language)
    if own and not page.cut and page.basis in ("ascii", "file"):
        return own, raw, page, n_rows
    return decoded(raw, page.encoding), raw, page, n_rows


def _catalog_of(readstat: Readstat, page: CodePage) -> dict[str, Mapping[str, str]]:
    """Catalogs are written on the machine of their data; where one does not say its code page, it has the data's."""
    return dict(readstat.catalog(None if page.basis in ("ascii", "file") else page.encoding))


def _headings(
    dictionary: Dictionary, sets: Mapping[str, Mapping[str, str]], suffix: str, name: str
) -> tuple[Heading, ...]:
    tagged = suffix not in ("sav", "por")
    told = {
        (name, text): _with_dots(sets[name]) if tagged and not text else sets[name]
        for name in sets
        for text in (True, False)
    }
    return tuple(
        Heading(
            header=heading.header,
            position=heading.position,
            names=heading.names,
            label=label or "",
            value_labels=told.get((dictionary.labelled.get(heading.header, ""), kind == "string"), {}),
            missing=tuple(
                low if low == high else f"{low}..{high}" for low, high in dictionary.missing.get(heading.header, ())
            ),
            date=is_date(suffix, form),
        )
        for heading, label, form, kind in zip(
            numbered(dictionary.names, name), dictionary.labels, dictionary.formats, dictionary.types, strict=True
        )
    )


def _with_dots(labels: Mapping[str, str]) -> dict[str, str]:
    """Labels of numbers: a letter stands for a tagged missing, `.a` as its cells have it."""
    return {code if len(code) > 1 or code.isdigit() else f".{code}": label for code, label in labels.items()}


def _facts(grid: StatisticalGrid, page: CodePage) -> dict[str, object]:
    """What the file says beside its rows; of names, labels and counts, never a value."""
    dictionary = grid.dictionary
    facts: dict[str, object] = {
        "encoding": page.encoding,
        "encoding_basis": page.basis,
        "records": grid.n_rows,
        "multiple_response_sets": {
            name: {
                "type": "dichotomies" if told["is_dichotomy"] else "categories",
                "counted_value": told["counted_value"],
                "label": told["label"] or "",
                "members": list(told["variable_list"]),
            }
            for name, told in dictionary.mr_sets.items()
        },
        "proposed_missing": proposed_missing(grid.headings),
        "proposed_weights": weights(grid.headings, frozenset(dictionary.names) - frozenset(dictionary.strings)),
    }
    days = zip(dictionary.names, dictionary.formats, strict=True)
    if grid.suffix == "dta" and (business := [name for name, form in days if form.startswith(("%tb", "%-tb"))]):
        # Days of a calendar that lies in a file of its own (.stbcal): their numbers stay as they are.
        facts["business_calendar_days"] = business
    return facts | ({"encoding_candidates": list(page.candidates)} if page.candidates else {})
