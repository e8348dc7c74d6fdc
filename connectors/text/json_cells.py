"""One JSON record as cells by the name of their column, and the lists of records that lie inside it.

Members of members are named by their path (`admin1/name`), features by their properties and the place of their
geometry. A list stays one cell of JSON text. Where records are in a document is the business of `json_files`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from connectors.text.json_stream import Members, Number

Cells = dict[str, str | None]
Wording = Callable[[Any], Members | None]
"""What a record is taken for: its columns and values; None where it is no record at all."""

_PLAIN = "value"
"""The column of a list of plain values."""
_MEMBERS_OF_FEATURES = ("type", "geometry", "properties", "bbox")


class Unusable(Exception):
    """What is wrong with a record, and how to mend it; holds no value."""

    def __init__(self, what: str, mend: str = "deliver the file again") -> None:
        super().__init__(what)
        self.mend = mend


def as_it_is(record: Any) -> Members:
    """An object's members, a feature's id, properties and geometry, or a plain value."""
    if is_feature(record):
        return _feature(record)
    return record if isinstance(record, Members) else Members([(_PLAIN, record)])


def is_feature(record: Any) -> bool:
    return isinstance(record, Members) and {"type", "geometry", "properties"} <= {name for name, _ in record}


def cells(members: Members) -> Cells:
    """A record's cells by their column, in its order; Unusable if two have one name or a text is no text."""
    found: Cells = {}
    for name, value in _leaves(members, ""):
        if name in found:
            raise Unusable("two members of one object have one name")
        text = cell(value)
        if text is not None and not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
            raise Unusable("an escape stands for half a letter")
        if text is not None and "\0" in text:
            raise Unusable("a text holds a NUL", "take the \\u0000 out of its texts and deliver the file again")
        found[name] = text
    return found


def lists_inside(members: Members) -> Iterator[tuple[str, list[Any]]]:
    """The lists of records in a record, by the column that holds them."""
    for name, value in _leaves(members, ""):
        if (
            isinstance(value, list)
            and not isinstance(value, Members)
            and value
            and all(isinstance(v, Members) for v in value)
        ):
            yield name, value


def _leaves(members: Members, prefix: str) -> Iterator[tuple[str, Any]]:
    for name, value in members:
        if isinstance(value, Members) and value:
            yield from _leaves(value, f"{prefix}{name}/")
        else:
            yield prefix + name, value


def _feature(record: Members) -> Members:
    parts = dict(record)
    properties = parts["properties"] if isinstance(parts["properties"], Members) else Members()
    taken = {name for name, _ in properties}
    # The file's own `_id` beside a feature's `id`: both are kept.
    own = [
        (f"_feature_{name}" if f"_{name}" in taken else f"_{name}", value)
        for name, value in record
        if name not in _MEMBERS_OF_FEATURES
    ]
    return Members([*own, *properties, *_geometry(parts["geometry"])])


def _geometry(geometry: Any) -> list[tuple[str, Any]]:
    """Longitude and latitude of a point, its altitude if it has one; of any other shape its coordinates as JSON."""
    parts = dict(geometry) if isinstance(geometry, Members) else {}
    kind, places = parts.get("type"), parts.get("coordinates")
    if kind == "Point" and isinstance(places, list) and len(places) in (2, 3):
        named = zip(("_lon", "_lat", "_altitude"), places, strict=False)
        return [*named, ("_geometry_type", kind), ("_geometry", None)]
    return [("_lon", None), ("_lat", None), ("_geometry_type", kind), ("_geometry", cell(geometry))]


def cell(value: Any) -> str | None:
    """A value as text, numbers as they were written; what holds nothing is None."""
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
            return as_json(value)


def as_json(value: Any) -> str:
    """A value as JSON, numbers as they were written."""
    match value:
        case Members():
            return "{" + ",".join(f"{as_json(name)}:{as_json(inner)}" for name, inner in value) + "}"
        case list():
            return "[" + ",".join(map(as_json, value)) + "]"
        case Number():
            return str(value)
        case _:
            return json.dumps(value, ensure_ascii=False)
