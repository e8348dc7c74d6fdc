"""A GeoJSON export as a grid: one row a feature, its properties as columns, its geometry as the server writes points.

The server leaves blank answers out of a feature, so the columns are the union over all features (formats.md 1.1).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from codebook.errors import Refused
from connectors.shapes import Grid, Heading, Piece, numbered
from connectors.workbook import cell_text
from sources.batches import DeliveredFile

MAX_BYTES = 256 << 20
"""JSON is parsed whole; a larger export is delivered as CSV or XLSX."""
GEOMETRY = "geometry"


@dataclass(frozen=True)
class FeatureGrid:
    """The features of one file; rows are numbered from 1, in file order. It is parsed again wherever it is read."""

    file: DeliveredFile
    headings: tuple[Heading, ...]
    sheet: str | None = None

    def pieces(self, positions: Sequence[int], size: int) -> Iterator[Piece]:
        headers = {heading.position: heading.header for heading in self.headings}
        features = list(_features(self.file))
        for begin in range(0, len(features), size):
            chunk = features[begin : begin + size]
            cells = [pa.array([feature.get(headers[p]) for feature in chunk], pa.string()) for p in positions]
            yield Piece(np.arange(begin + 1, begin + 1 + len(chunk), dtype=np.int64), cells)

    def split(self, n: int) -> list[Grid]:
        return [self]


def open_features(file: DeliveredFile) -> FeatureGrid:
    """The file as a grid; Refused if it is no collection of features or an empty one."""
    headers: dict[str, None] = {}
    for feature in _features(file):
        headers.update(dict.fromkeys(feature))
    if not headers:
        raise Refused("delivery.empty", "there is no feature", file.name, "deliver the file again")
    return FeatureGrid(file, numbered(list(headers), file.name))


def _features(file: DeliveredFile) -> Iterator[dict[str, str | None]]:
    if file.size > MAX_BYTES:
        raise Refused(
            "delivery.unreadable", f"GeoJSON of more than {MAX_BYTES >> 20} MiB", file.name, "deliver it as CSV"
        )
    try:
        with file.open() as handle:
            # Numbers stay as they are written, however long or large.
            found = json.loads(handle.read(), parse_float=str, parse_int=str)
    except (ValueError, RecursionError):
        found = None
    features = found.get("features") if isinstance(found, dict) else None
    if not isinstance(features, list) or not all(isinstance(feature, dict) for feature in features):
        raise Refused("delivery.unreadable", "it is no GeoJSON of features", file.name, "deliver the export again")
    for feature in features:
        properties = feature.get("properties")
        answers = properties if isinstance(properties, dict) else {}
        yield {key: _text(value) for key, value in answers.items()} | {GEOMETRY: _places(feature.get("geometry"))}


def _text(value: object) -> str | None:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else cell_text(value)


def _places(geometry: object) -> str | None:
    """`lat lon [altitude]`, places of a line or an area joined by `;`, as in the server's other exports."""
    coordinates: Any = geometry.get("coordinates") if isinstance(geometry, dict) else None
    if not isinstance(coordinates, list) or not coordinates:
        return None
    while isinstance(coordinates[0], list) and coordinates[0] and isinstance(coordinates[0][0], list):
        coordinates = coordinates[0]
    places = coordinates if isinstance(coordinates[0], list) else [coordinates]
    if not all(isinstance(place, list) and len(place) > 1 for place in places):
        return None
    return ";".join(" ".join(cell_text(n) or "" for n in (place[1], place[0], *place[2:])) for place in places)
