"""What a feature of a GeoJSON export answers: its properties, and its geometry as the server's other exports write it.

The server leaves blank answers out of a feature (formats.md 1.1). How the file is read is the business of `json_files`.
"""

from __future__ import annotations

from typing import Any

from connectors.text.json_cells import cell
from connectors.text.json_stream import Members, Number

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
    """`lat lon [altitude]`, places of a line or of an area's one border joined by `;`; any other shape (several places
    or areas, an area with holes) as JSON: the server's other exports have no way to write it."""
    coordinates: Any = dict(geometry).get("coordinates") if isinstance(geometry, Members) else None
    if isinstance(coordinates, list) and len(coordinates) == 1 and _is_border(coordinates[0]):
        coordinates = coordinates[0]
    places = coordinates if _is_border(coordinates) else [coordinates]
    if not all(_is_place(place) for place in places):
        return cell(geometry)
    return ";".join(" ".join(str(number) for number in (place[1], place[0], *place[2:])) for place in places)


def _is_place(place: Any) -> bool:
    return isinstance(place, list) and len(place) > 1 and all(isinstance(number, Number) for number in place)


def _is_border(places: Any) -> bool:
    return isinstance(places, list) and bool(places) and all(_is_place(place) for place in places)
