"""JSON, JSON lines, GeoJSON and the envelopes of programming interfaces as tables of text.

A list of objects is a table, an object a row, its members columns. A list of objects inside a record is a table of its
own, `<table>/<column>`; each of its rows also answers to its parent's columns as `../<column>`, by which it is tied to
the parent. What stands beside a list of records answers to its path from the top, `/round`. Rows are numbered from 1 in
the order of the document. What a record's cells are is the business of `json_cells`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import numpy as np
import pyarrow as pa

from codebook.errors import Refused
from connectors.shapes import MAX_COLUMNS, Grid, Heading, Piece, numbered, the_only
from connectors.text import json_cells, json_stream
from connectors.text.encodings import detect
from connectors.text.json_cells import Cells, Unusable, Wording, as_it_is
from connectors.text.json_stream import EMPTY, Beside, JsonText, Members, Path
from sources.batches import DeliveredFile
from sources.models import Source

_SAMPLE = 1 << 20
_MAX_TABLES = 100
_MAX_BESIDE = 1_000
_LONG = 4_096
"""A text of more characters that stands beside the records is named but cannot be read as a column."""

_TOO_DEEP = Unusable("its objects are nested too deep", "deliver it flat")

Place = tuple[Path, tuple[str, ...]]
"""The path of a list in the document, and the columns of the lists inside its records that lead further."""


@dataclass(frozen=True)
class _Document:
    """How a file is written and what its records are taken for; reads it as often as it is asked."""

    file: DeliveredFile
    encoding: str
    mark: int
    lines: bool
    wording: Wording

    def values(self) -> Iterator[tuple[Path, Any]]:
        with self.file.open() as handle:
            handle.seek(self.mark)
            try:
                yield from json_stream.records(JsonText(handle, self.encoding, self.file.name), self.lines)
            except RecursionError:
                raise Refused(
                    "delivery.unreadable", "its objects are nested too deep", self.file.name, "deliver it flat"
                ) from None

    def members(self, record: Any, number: int) -> Members:
        try:
            members = self.wording(record)
        except RecursionError:
            raise self.unusable(_TOO_DEEP, number) from None
        if members is None:
            raise self.unusable(Unusable("it is no record of this format"), number)
        return members

    def cells(self, members: Members, number: int) -> Cells:
        try:
            return json_cells.cells(members)
        except Unusable as unusable:
            raise self.unusable(unusable, number) from None
        except RecursionError:  # what was read can be too deep to be written
            raise self.unusable(_TOO_DEEP, number) from None

    def unusable(self, unusable: Unusable, number: int) -> Refused:
        place = f"{self.file.name}, record {number}"
        return Refused("delivery.unreadable", str(unusable), place, unusable.mend)


@dataclass(frozen=True)
class JsonGrid:
    """One list of records; `above` are the columns of the records around it, `beside` what is the same in every row."""

    document: _Document
    place: Place
    headings: tuple[Heading, ...]
    beside: tuple[tuple[str, str], ...] = ()
    sheet: str | None = None

    @property
    def file(self) -> DeliveredFile:
        return self.document.file

    def pieces(self, positions: Sequence[int], size: int) -> Iterator[Piece]:
        """Rows in the order of the list; those blank in these columns but not in others are kept."""
        names = [self.headings[position].names[0] for position in positions]
        same = dict(self.beside)
        rows: list[int] = []
        cells: list[list[str | None]] = [[] for _ in names]
        for number, own, above in self._rows():
            if not any(own.values()):
                continue
            rows.append(number)
            for column, name in zip(cells, names, strict=True):
                column.append(own[name] if name in own else above.get(name, same.get(name)))
            if len(rows) == size:
                yield _piece(rows, cells)
                rows, cells = [], [[] for _ in names]
        if rows:
            yield _piece(rows, cells)

    def split(self, n: int) -> list[Grid]:
        """Only itself: where a record begins is known only by reading from the start."""
        return [self]

    def _rows(self) -> Iterator[tuple[int, Cells, Cells]]:
        path, inner = self.place
        numbers, around = count(1), count(1)
        for at, record in self.document.values():
            if at == path and record is not EMPTY and not isinstance(record, Beside):
                number = next(around)
                for own, above in self._inside(self.document.members(record, number), inner, {}, number):
                    yield next(numbers), own, above

    def _inside(
        self, members: Members, inner: tuple[str, ...], above: Cells, number: int
    ) -> Iterator[tuple[Cells, Cells]]:
        """The records that `inner` leads to, each with the cells of those around it."""
        own = self.document.cells(members, number)
        if not inner:
            yield own, above
            return
        higher = {f"../{name}": text for name, text in (own | above).items() if name != inner[0]}
        for name, listed in json_cells.lists_inside(members):
            if name == inner[0]:
                for record in listed:
                    yield from self._inside(as_it_is(record), inner[1:], higher, number)


def _piece(rows: list[int], cells: list[list[str | None]]) -> Piece:
    return Piece(np.asarray(rows, dtype=np.int64), [pa.array(column, pa.string()) for column in cells])


@dataclass
class _Found:
    """What a pass over the document found at one place: its columns in the order they came up, and its records."""

    columns: dict[str, None] = field(default_factory=dict)
    records: int = 0
    geojson: bool = False


@dataclass
class _Survey:
    """All lists of records of a document by their place, what stands beside them, and lists of plain values."""

    document: _Document
    lists: dict[Place, _Found] = field(default_factory=dict)
    beside: dict[str, Any] = field(default_factory=dict)
    plain: dict[str, int] = field(default_factory=dict)

    def run(self) -> None:
        for path, record in self.document.values():
            if isinstance(record, Beside):
                self._note("/" + "/".join(path), record)
                continue
            seen = self.lists.setdefault((path, ()), _Found())
            if record is not EMPTY:
                seen.geojson |= json_cells.is_feature(record)
                self._record((path, ()), self.document.members(record, seen.records + 1), seen.records + 1)

    def _note(self, name: str, found: Beside) -> None:
        if found.in_list:
            self.plain[name] = self.plain.get(name, 0) + 1
        else:
            self.beside[name] = found.value
        if len(self.plain) + len(self.beside) > _MAX_BESIDE:
            raise self._refusal(f"more than {_MAX_BESIDE} values beside its lists of records")

    def _record(self, place: Place, members: Members, number: int) -> None:
        seen = self.lists.setdefault(place, _Found())
        seen.records += 1
        seen.columns.update(dict.fromkeys(self.document.cells(members, number)))
        if len(seen.columns) > MAX_COLUMNS or len(self.lists) > _MAX_TABLES:
            raise self._refusal(f"more than {MAX_COLUMNS} columns or {_MAX_TABLES} lists")
        for name, listed in json_cells.lists_inside(members):
            for record in listed:
                self._record((place[0], (*place[1], name)), as_it_is(record), number)

    def _refusal(self, what: str) -> Refused:
        mend = "deliver a list of records that have the same members"
        return Refused("delivery.unreadable", what, self.document.file.name, mend)

    def outer(self) -> list[Path]:
        """The paths of the lists that do not lie inside records."""
        return [path for path, inner in self.lists if not inner]

    def inside(self, path: Path) -> list[Place]:
        """The lists inside the records at a path that have records."""
        return [place for place in self.lists if place[0] == path and place[1]]

    def grid(self, place: Place) -> JsonGrid:
        """The list as a grid; columns of the records around it and values beside it are worked out while reading."""
        path, inner = place
        own = numbered(list(self.lists[place].columns), self.document.file.name)
        same = tuple((name, text) for name, value in self.beside.items() if (text := _short(value)) is not None)
        above = [
            "../" * up + name
            for up in range(1, len(inner) + 1)
            for name in self.lists[path, inner[:-up]].columns
            if name != inner[-up]
        ]
        further = [*above, *(name for name, _ in same)]
        worked_out = (Heading("", len(own) + n, (name,)) for n, name in enumerate(further))
        return JsonGrid(self.document, place, (*own, *worked_out), same)

    def facts(self, path: Path) -> dict[str, object]:
        """Names and counts: a value beside the records may be anybody's."""
        seen = self.lists[path, ()]
        lines = self.document.lines and seen.records > 1
        facts: dict[str, object] = {
            "format": "geojson" if seen.geojson else "json_lines" if lines else "json",
            "encoding": self.document.encoding,
            "records_at": "/".join(path),
            "records": seen.records,
        }
        if self.beside:
            facts["beside_records"] = list(self.beside)
        if self.plain:
            facts["lists_of_values"] = dict(self.plain)
        if self.inside(path):
            facts["lists_in_records"] = {"/".join(place[1]): self.lists[place].records for place in self.inside(path)}
        return facts


def _short(value: Any) -> str | None:
    text = json_cells.cell(value)
    return text if text is not None and len(text) <= _LONG and "\0" not in text else None


def open_grids(files: Sequence[DeliveredFile], source: Source) -> tuple[dict[str, Grid], dict[str, object]]:
    """The tables of a `json` source: the list of records that is declared, or the only one there is; further tables are
    lists inside its records, by the name of their column."""
    declared = source.format
    if declared.kind != "json":
        raise TypeError(declared.kind)
    file = the_only(files, source.source)
    survey = _survey(file, as_it_is)
    path = _chosen(survey, declared.records, file.name)
    if not survey.lists[path, ()].records:
        raise Refused("delivery.empty", "its list of records is empty", file.name, "deliver the file again")
    grids: dict[str, Grid] = {source.tables[0].name: survey.grid((path, ()))}
    inside = {"/".join(place[1]): place for place in survey.inside(path)}
    for table in source.tables[1:]:
        if table.name in inside:
            grids[table.name] = survey.grid(inside[table.name])
    return grids, survey.facts(path)


def _chosen(survey: _Survey, declared: str | None, name: str) -> Path:
    paths = survey.outer()
    if declared is not None:
        path = tuple(declared.strip("/").split("/"))
        if path not in paths:
            raise Refused(
                "delivery.wrong_source", f"there is no list of records {declared}", name, "correct format.records"
            )
        return path
    if len(paths) > 1:
        mend = "declare one as format.records; `homeward profile` names them"  # their keys may be somebody's names
        raise Refused("delivery.wrong_source", f"{len(paths)} lists of records", name, mend)
    return paths[0]


def look(file: DeliveredFile, form: DeliveredFile | None = None) -> tuple[dict[str, Grid], dict[str, object]]:
    """Every list of records of the file as a table, named by its path; only columns that its records hold."""
    survey = _survey(file, as_it_is)
    filled = [place for place, seen in survey.lists.items() if seen.records]
    if not filled:
        raise Refused("delivery.empty", "its list of records is empty", file.name, "deliver the file again")
    grids: dict[str, Grid] = {}
    for path, inner in filled:
        name = "/".join(("/".join(path) or "main", *inner))
        grids[name] = _only_own(survey.grid((path, inner)))
    return grids, survey.facts(filled[0][0])


def open_records(file: DeliveredFile, wording: Wording) -> JsonGrid:
    """The one list of records of a file whose records are worded in their own way; Refused if there is none."""
    survey = _survey(file, wording)
    path = _chosen(survey, None, file.name)
    if not survey.lists[path, ()].records:
        raise Refused("delivery.empty", "its list of records is empty", file.name, "deliver the file again")
    return _only_own(survey.grid((path, ())))


def _only_own(grid: JsonGrid) -> JsonGrid:
    own = tuple(heading for heading in grid.headings if heading.header)
    return JsonGrid(grid.document, grid.place, own)


def _survey(file: DeliveredFile, wording: Wording) -> _Survey:
    """One pass over the whole file: how it is written, and every list of records in it."""
    with file.open() as handle:
        encoding, mark = detect(handle.read(_SAMPLE), None, "en", file.name)
        if not encoding.startswith("utf"):
            raise Refused(
                "delivery.wrong_encoding", "some bytes are no UTF-8, as JSON is", file.name, "save it as UTF-8"
            )
        handle.seek(mark)
        lines = json_stream.is_lines(handle, encoding, file.name)
    survey = _Survey(_Document(file, encoding, mark, lines, wording))
    survey.run()
    empty = [path for path in survey.outer() if not survey.lists[path, ()].records]
    if not survey.lists or (len(empty) > 1 and len(empty) == len(survey.outer())):
        # An object without any list of objects is one record, and so is one that has several, all empty: an envelope
        # has one.
        survey = _Survey(_Document(file, encoding, mark, lines=True, wording=wording))
        survey.run()
    return survey
