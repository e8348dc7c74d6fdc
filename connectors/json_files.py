"""JSON, JSON lines, GeoJSON and the envelopes of programming interfaces as tables of text.

A list of objects is a table, an object a row, its members columns; members of members are named by their path. Lists
inside a record stay one cell of JSON text. Rows are numbered from 1 in the order of the list.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from codebook.errors import Refused
from connectors import json_stream
from connectors.encodings import detect
from connectors.json_stream import EMPTY, JsonText, Members, Number, Path
from connectors.shapes import MAX_COLUMNS, Grid, Heading, Piece, numbered
from sources.batches import DeliveredFile
from sources.models import Source

_SAMPLE = 1 << 20
_PLAIN = "value"
"""The column of a list of plain values."""
_GEOMETRY = ("_lon", "_lat", "_geometry_type", "_geometry")
_MAX_TABLES = 100


@dataclass(frozen=True)
class _Document:
    """How a file is written; reads it as often as it is asked."""

    file: DeliveredFile
    encoding: str
    mark: int
    lines: bool

    def records(self) -> Iterator[tuple[Path, Any]]:
        with self.file.open() as handle:
            handle.seek(self.mark)
            try:
                yield from json_stream.records(JsonText(handle, self.encoding, self.file.name), self.lines)
            except RecursionError:
                raise Refused(
                    "delivery.unreadable", "its objects are nested too deep", self.file.name, "deliver it flat"
                ) from None


@dataclass(frozen=True)
class JsonGrid:
    """The list of records at one path of a document."""

    document: _Document
    path: Path
    headings: tuple[Heading, ...]
    sheet: str | None = None

    def pieces(self, positions: Sequence[int], size: int) -> Iterator[Piece]:
        """Rows in the order of the list; those blank in these columns but not in others are kept."""
        names = [self.headings[position].header for position in positions]
        rows: list[int] = []
        cells: list[list[str | None]] = [[] for _ in names]
        number = 0
        for path, record in self.document.records():
            if path != self.path or record is EMPTY:
                continue
            number += 1
            row = _cells(record, self.document.file.name, number)
            if not any(row.values()):
                continue
            rows.append(number)
            for column, name in zip(cells, names, strict=True):
                column.append(row.get(name))
            if len(rows) == size:
                yield _piece(rows, cells)
                rows, cells = [], [[] for _ in names]
        if rows:
            yield _piece(rows, cells)

    def split(self, n: int) -> list[Grid]:
        """Only itself: where a record begins is known only by reading from the start."""
        return [self]


def _piece(rows: list[int], cells: list[list[str | None]]) -> Piece:
    return Piece(np.asarray(rows, dtype=np.int64), [pa.array(column, pa.string()) for column in cells])


@dataclass
class _Found:
    """What a pass over the document found at one path: its columns in the order they came up, and its records."""

    columns: dict[str, None] = field(default_factory=dict)
    records: int = 0
    geojson: bool = False


def open_grids(files: Sequence[DeliveredFile], source: Source) -> tuple[dict[str, Grid], dict[str, object]]:
    """The one table of a `json` source: the list of records that is declared, or the only one there is."""
    declared = source.format
    if declared.kind != "json":
        raise TypeError(declared.kind)
    if len(files) != 1:
        raise Refused(
            "delivery.wrong_source", f"{len(files)} files, one is expected", source.source, "deliver one file at a time"
        )
    document, found = _survey(files[0])
    if declared.records is not None:
        path = tuple(declared.records.strip("/").split("/"))
        if path not in found:
            raise Refused(
                "delivery.wrong_source",
                f"there is no list of records {declared.records}",
                files[0].name,
                "correct format.records",
            )
    elif len(found) > 1:
        raise Refused(
            "delivery.wrong_source",
            f"{len(found)} lists of records",
            files[0].name,
            f"declare one as format.records: {', '.join('/'.join(path) for path in list(found)[:10])}",
        )
    else:
        path = next(iter(found))
    if not found[path].records:
        raise Refused("delivery.empty", "its list of records is empty", files[0].name, "deliver the file again")
    grid = _grid(document, path, found[path])
    return {source.tables[0].name: grid}, _facts(document, path, found)


def look(file: DeliveredFile, form: DeliveredFile | None = None) -> tuple[dict[str, Grid], dict[str, object]]:
    """Every list of records of the file as a table, named by its path."""
    document, found = _survey(file)
    filled = {path: seen for path, seen in found.items() if seen.records}
    if not filled:
        raise Refused("delivery.empty", "its list of records is empty", file.name, "deliver the file again")
    grids: dict[str, Grid] = {"/".join(path) or "main": _grid(document, path, seen) for path, seen in filled.items()}
    return grids, _facts(document, next(iter(filled)), found)


def _survey(file: DeliveredFile) -> tuple[_Document, dict[Path, _Found]]:
    """One pass over the whole file: how it is written, and every list of records in it."""
    with file.open() as handle:
        encoding, mark = detect(handle.read(_SAMPLE), None, "en", file.name)
        if not encoding.startswith("utf"):
            raise Refused(
                "delivery.wrong_encoding", "some bytes are no UTF-8, as JSON is", file.name, "save it as UTF-8"
            )
        handle.seek(mark)
        lines = json_stream.is_lines(handle, encoding, file.name)
    document = _Document(file, encoding, mark, lines)
    found = _lists(document)
    if not found:
        # An object without any list of objects is one record.
        document = _Document(file, encoding, mark, lines=True)
        found = _lists(document)
    return document, found


def _lists(document: _Document) -> dict[Path, _Found]:
    found: dict[Path, _Found] = {}
    for path, record in document.records():
        seen = found.setdefault(path, _Found())
        if record is EMPTY:
            continue
        seen.records += 1
        seen.geojson |= _is_feature(record)
        seen.columns.update(dict.fromkeys(_cells(record, document.file.name, seen.records)))
        if len(seen.columns) > MAX_COLUMNS or len(found) > _MAX_TABLES:
            raise Refused(
                "delivery.unreadable",
                f"more than {MAX_COLUMNS} columns or {_MAX_TABLES} lists",
                document.file.name,
                "deliver a list of records that have the same members",
            )
    return found


def _grid(document: _Document, path: Path, seen: _Found) -> JsonGrid:
    return JsonGrid(document, path, numbered(list(seen.columns), document.file.name))


def _facts(document: _Document, path: Path, found: dict[Path, _Found]) -> dict[str, object]:
    seen = found[path]
    kind = "geojson" if seen.geojson else "json_lines" if document.lines and seen.records > 1 else "json"
    return {
        "format": kind,
        "encoding": document.encoding,
        "records_at": "/".join(path),
        "records": seen.records,
    }


def _is_feature(record: Any) -> bool:
    return isinstance(record, Members) and {"type", "geometry", "properties"} <= {name for name, _ in record}


def _cells(record: Any, file: str, number: int) -> dict[str, str | None]:
    """A record's cells by the path of their column."""
    try:
        return _flat(record)
    except _Unusable as unusable:
        raise Refused(
            "delivery.unreadable", str(unusable), f"{file}, record {number}", "deliver the file again"
        ) from None


def _flat(record: Any) -> dict[str, str | None]:
    cells: dict[str, str | None] = {}
    if _is_feature(record):
        parts = dict(record)
        for name, value in record:
            if name not in ("type", "geometry", "properties", "bbox"):
                _add(cells, f"_{name}", value)
        _flatten(cells, "", parts["properties"] or Members())
        for name, value in zip(_GEOMETRY, _geometry(parts["geometry"]), strict=True):
            _add(cells, name, value)
    elif isinstance(record, Members):
        _flatten(cells, "", record)
    else:
        _add(cells, _PLAIN, record)
    return cells


def _flatten(cells: dict[str, str | None], prefix: str, members: Any) -> None:
    if not isinstance(members, Members):
        _add(cells, prefix.rstrip("/") or _PLAIN, members)
        return
    for name, value in members:
        if isinstance(value, Members) and value:
            _flatten(cells, f"{prefix}{name}/", value)
        else:
            _add(cells, prefix + name, value)


def _add(cells: dict[str, str | None], name: str, value: Any) -> None:
    if name in cells:
        raise _Unusable("two members of one object have one name")
    text = _text(value)
    if text is not None and not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
        raise _Unusable("an escape stands for half a letter")
    if text is not None and "\0" in text:
        raise _Unusable("a text holds a NUL")
    cells[name] = text


class _Unusable(Exception):
    """What is wrong with a record; holds no value."""


def _geometry(geometry: Any) -> tuple[Any, Any, Any, Any]:
    """Longitude and latitude of a point, its type, and of any other shape its coordinates as JSON."""
    if not isinstance(geometry, Members):
        return None, None, None, None
    parts = dict(geometry)
    kind, places = parts.get("type"), parts.get("coordinates")
    if kind == "Point" and isinstance(places, list) and len(places) >= 2:
        return places[0], places[1], kind, None
    return None, None, kind, geometry


def _text(value: Any) -> str | None:
    match value:
        case str():
            return str(value) if value.strip() else None
        case None:
            return None
        case bool():
            return "true" if value else "false"
        case list() if not value:
            return None  # an empty list, and an empty object, hold nothing
        case _:
            return _json(value)


def _json(value: Any) -> str:
    """JSON text of a nested value, its numbers as they were written."""
    match value:
        case Members():
            return "{" + ",".join(f"{_json(name)}:{_json(inner)}" for name, inner in value) + "}"
        case list():
            return "[" + ",".join(map(_json, value)) + "]"
        case Number():
            return str(value)
        case _:
            return json.dumps(value, ensure_ascii=False)
