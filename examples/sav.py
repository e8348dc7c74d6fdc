"""Writes an SPSS system file as an older Windows machine writes it: a code page, no compression, user-missing codes.

pyreadstat writes UTF-8 only and stamps the current time; a sample needs cp1252, as statistics offices deliver it,
and the same bytes every time. Only what the samples need: numbers, dates, strings up to 255 bytes, variable and value
labels, discrete missing values. Layout after the description of the format in the PSPP developers' guide.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Literal

CODE_PAGE = "cp1252"
_CODE_PAGE_NUMBER, _CODE_PAGE_NAME = 1252, b"windows-1252"
SYSTEM_MISSING = -sys.float_info.max
_HIGHEST, _LOWEST = sys.float_info.max, -1.7976931348623155e308
_EPOCH = date(1582, 10, 14)
_FORMATS = {
    "number": (5, 8),
    "date": (38, 10),
    "text": (1, 0),
}  # F, EDATE (dd.mm.yyyy), A; the width of text is its own

Cell = float | str | date | None
"""None is system-missing (for text: blank)."""


@dataclass(frozen=True)
class Variable:
    """One variable: `short` is its name of at most 8 characters in the record, `name` the one that users see."""

    name: str
    label: str
    type: Literal["number", "date", "text"] = "number"
    width: int = 8  # of text, in bytes of the code page
    labels: Mapping[int, str] = field(default_factory=dict)
    missing: Sequence[int] = ()

    @property
    def segments(self) -> int:
        """How many 8-byte elements a value takes."""
        return -(-self.width // 8) if self.type == "text" else 1


def write_sav(path: Path, title: str, variables: Sequence[Variable], rows: Sequence[Sequence[Cell]]) -> None:
    """Writes `rows`, one cell for each of `variables`, little-endian; ValueError where a text does not fit."""
    with path.open("wb") as file:
        file.write(_header(title, variables, len(rows)))
        for number, variable in enumerate(variables, start=1):
            file.write(_variable(variable, number))
        file.write(_value_labels(variables))
        file.write(_extensions(variables))
        file.write(struct.pack("<ii", 999, 0))
        for row in rows:
            file.write(b"".join(_cell(cell, of) for cell, of in zip(row, variables, strict=True)))


def _text(text: str, width: int) -> bytes:
    encoded = text.encode(CODE_PAGE)
    if len(encoded) > width:
        raise ValueError(f"text of {len(encoded)} bytes does not fit into {width}")
    return encoded.ljust(width)


def _header(title: str, variables: Sequence[Variable], cases: int) -> bytes:
    product = _text("@(#) SPSS DATA FILE MS Windows", 60)
    elements = sum(variable.segments for variable in variables)
    sizes = struct.pack("<iiiiid", 2, elements, 0, 0, cases, 100.0)
    return b"$FL2" + product + sizes + b"31 Jul 24" + b"09:00:00" + _text(title, 64) + b"\0\0\0"


def _short(number: int) -> str:
    return f"V{number:04d}"


def _variable(variable: Variable, number: int) -> bytes:
    kind, width = _FORMATS[variable.type]
    shown = kind << 16 | (width or variable.width) << 8
    label = variable.label.encode(CODE_PAGE)
    record = struct.pack(
        "<iiiiii", 2, variable.width if variable.type == "text" else 0, 1, len(variable.missing), shown, shown
    )
    record += _text(_short(number), 8) + struct.pack("<i", len(label)) + label.ljust(-(-len(label) // 4) * 4)
    record += b"".join(struct.pack("<d", code) for code in variable.missing)
    continuation = struct.pack("<iiiiii", 2, -1, 0, 0, 0, 0) + b" " * 8
    return record + continuation * (variable.segments - 1)


def _value_labels(variables: Sequence[Variable]) -> bytes:
    record, element = b"", 1
    for variable in variables:
        if variable.labels:
            record += struct.pack("<ii", 3, len(variable.labels))
            for code, label in variable.labels.items():
                told = label.encode(CODE_PAGE)
                room = -(-(len(told) + 1) // 8) * 8 - 1
                record += struct.pack("<dB", code, len(told)) + told.ljust(room)
            record += struct.pack("<iii", 4, 1, element)
        element += variable.segments
    return record


def _extensions(variables: Sequence[Variable]) -> bytes:
    """Machine and code page, floating point, long names, name of the encoding: record type 7, subtypes 3, 4, 13, 20."""
    names = "\t".join(f"{_short(number)}={variable.name}" for number, variable in enumerate(variables, start=1))
    return (
        struct.pack("<iiii8i", 7, 3, 4, 8, 22, 0, 0, -1, 1, 1, 2, _CODE_PAGE_NUMBER)
        + struct.pack("<iiii3d", 7, 4, 8, 3, SYSTEM_MISSING, _HIGHEST, _LOWEST)
        + struct.pack("<iiii", 7, 13, 1, len(names))
        + names.encode(CODE_PAGE)
        + struct.pack("<iiii", 7, 20, 1, len(_CODE_PAGE_NAME))
        + _CODE_PAGE_NAME
    )


def _cell(cell: Cell, of: Variable) -> bytes:
    if of.type == "text":
        return _text(str(cell or ""), of.width).ljust(of.segments * 8)
    if cell is None:
        return struct.pack("<d", SYSTEM_MISSING)
    if isinstance(cell, date):
        return struct.pack("<d", (cell - _EPOCH).days * 86_400)
    return struct.pack("<d", float(cell))
