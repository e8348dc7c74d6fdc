"""What a feature of a GeoJSON export answers: its properties, and its geometry as the server's other exports write it.

The server leaves blank answers out of a feature (formats.md 1.1). How the file is read is the business of `json_files`.
"""

from __future__ import annotations

from typing import Any

from connectors.text.json_stream import Members

GEOMETRY = "geometry"


def answers(record: Any) -> Members | None:
    """The questions and answers of one feature; None if it is none."""
    if not isinstance(record, Members):
        return None
    parts = dict(record)
    if not {"geometry", "properties"} <= set(parts):
        return None
    properties = parts["properties"]
    found = Members(properties if isinstance(properties, Members) else ())
    found.append((GEOMETRY, _places(parts["geometry"])))
    return found


def _places(geometry: Any) -> str | None:
    """`lat lon [altitude]`, places of a line or an area joined by `;`."""
    coordinates: Any = dict(geometry).get("coordinates") if isinstance(geometry, Members) else None
    if not isinstance(coordinates, list) or not coordinates:
        return None
    while isinstance(coordinates[0], list) and coordinates[0] and isinstance(coordinates[0][0], list):
        coordinates = coordinates[0]
    places = coordinates if isinstance(coordinates[0], list) else [coordinates]
    if not all(isinstance(place, list) and len(place) > 1 for place in places):
        return None
    return ";".join(" ".join(str(number) for number in (place[1], place[0], *place[2:])) for place in places)
