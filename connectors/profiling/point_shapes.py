"""Where exactly something is: coordinates in the ways that phones, maps and registers write them.

Degrees in decimals or with minutes and seconds, well-known text, GeoJSON, MGRS, UTM, plus codes. Only shapes and
headers are looked at; which place it is, is nobody's business here.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from connectors.profiling.header_words import named, words

if TYPE_CHECKING:
    from connectors.profiling.looks_like import Seen

_DEGREES = r"-?[0-9]{1,3}\.[0-9]{2,}"
_SHAPES = (
    rf"^\s*[\[(]?\s*{_DEGREES}\s*[,; ]+\s*{_DEGREES}([,; ]+-?[0-9.]+)" + r"{0,2}\s*[\])]?\s*$",
    r"(?i)^\s*[NSEWO]?\s*[0-9]{1,3}\s*[°ºd]\s*[0-9]{1,2}([.,][0-9]+)?\s*['’′m]?\s*([0-9]{1,2}([.,][0-9]+)?\s*(\"|''|″|”|s)?)?\s*[NSEWO]?",
    r"(?i)^\s*(srid=[0-9]+;)?\s*(multi)?(point|linestring|polygon)\s*z?m?\s*\(",
    r'^\s*\{.*"coordinates"\s*:',
    r"(?i)^[0-9]{1,2}[C-HJ-NP-X] ?[A-HJ-NP-Z][A-HJ-NP-V] ?[0-9]{3,5} ?[0-9]{3,5}$",
    r"(?i)^[23456789CFGHJMPQRVWX]{4,8}\+[23456789CFGHJMPQRVWX]{2,3}( .*)?$",
)
_MOST = 0.7
_NUMBER = r"^-?[0-9]{1,8}([.,][0-9]+)?$"
_PARTNERS = {
    one: other
    for pair in (("x", "y"), ("east", "north"), ("este", "norte"), ("est", "nord"), ("ost", "nord"))
    for one, other in (pair, pair[::-1])
}
_IN_METRES = r"^[0-9]{5,8}([.,][0-9]+)?$"
_IN_DEGREES = r"^-?[0-9]{1,3}[.,][0-9]{3,}$"


def is_point(seen: Seen) -> bool:
    """Whether a column holds coordinates or one of the two numbers of such."""
    spoken = named(seen.heard, "gps")
    if not seen.filled:
        return spoken
    texts = seen.type.startswith("text")
    if (texts and any(seen.share(shape) >= _MOST for shape in _SHAPES)) or _part_of_point(seen):
        return True
    if not seen.numeric:
        return False
    in_metres = words(seen.name)[-1:] not in (("x",), ("y",)) and seen.share(_IN_METRES) >= _MOST
    return (spoken and seen.share(_NUMBER) >= _MOST) or (
        (in_metres or seen.share(_IN_DEGREES) >= _MOST) and _has_partner(seen)
    )


def _part_of_point(seen: Seen) -> bool:
    part = re.match(r"^(.*)_(altitude|precision)$", seen.name)
    return part is not None and f"{part[1]}_latitude" in seen.beside


def _has_partner(seen: Seen) -> bool:
    """A column `x` beside one called `y`, whatever stands before the letter; and so for east and north."""
    said = words(seen.name)
    if not said or said[-1] not in _PARTNERS:
        return False
    partner = (*said[:-1], _PARTNERS[said[-1]])
    return partner in _said(seen.beside)


@lru_cache(maxsize=4)
def _said(headers: frozenset[str]) -> frozenset[tuple[str, ...]]:
    """The words of all headers, once for all columns."""
    return frozenset(map(words, headers))
