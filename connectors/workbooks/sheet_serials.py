"""Numbers under a date format that are no day: negative ones, and the 29th of February 1900 that Excel counts.

The parser makes a time of day of the first and the day before of the second, so two different cells would be one text.
Runs inside the child process of `sheet_process`, and only on sheets that hold such a day or times; imports nothing of
Homeward.
"""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Iterator
from datetime import timedelta

from sheet_damage import ROW_HEADER, CellWalk, parts, parts_of_binary, records

SUSPECT = r"^([0-2][0-9]:[0-9:.]+|1900-02-28(T.*)?)$"
"""What the parser makes of such a number, and of others."""
_PACKED_NUMBER, _LONG_NUMBERS = 2, (5, 9)
"""BrtCellRk; BrtCellReal and BrtFmlaNum ([MS-XLSB] 2.3.1)."""
_NO_DAY = 60
"""Excel's number of 1900-02-29, which no calendar has; where days are counted from 1904 it is a day like others."""


def odd_cells(content: bytes, sheet: str, zipped: bool) -> dict[tuple[int, int], str]:
    """Row and column (from 0) of the numbers that are negative or Excel's own day, and how they are told: as the number
    that they are, and as the day that Excel shows. They need not be under a date format."""
    found = _in_zipped(content, sheet) if zipped else _in_legacy(content, sheet)
    return {place: text for place, number in found if (text := _told(number))}


def _told(number: float) -> str | None:
    if number < 0:
        return str(int(number)) if number.is_integer() else repr(number)
    if not _NO_DAY <= number < _NO_DAY + 1:
        return None
    rest = timedelta(seconds=round((number - _NO_DAY) * 86_400))
    return f"1900-02-29T{rest!s:0>8}" if rest else "1900-02-29"


def _in_zipped(content: bytes, sheet: str) -> Iterator[tuple[tuple[int, int], float]]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
        if "xl/workbook.xml" in names and (part := parts(archive).get(sheet)) in names:
            with archive.open(part) as stream:
                yield from _Numbers().through(stream)
        elif "xl/workbook.bin" in names and (part := parts_of_binary(archive).get(sheet)) in names:
            yield from _in_binary(archive.read(part))


def _in_binary(content: bytes) -> Iterator[tuple[tuple[int, int], float]]:
    """Row and column (from 0) of the cells of an .xlsb sheet that hold a number, calculated ones among them."""
    row = -1
    for kind, body in records(content):
        if kind == ROW_HEADER:
            (row,) = struct.unpack_from("<I", body)
        elif kind == _PACKED_NUMBER:
            yield (row, struct.unpack_from("<I", body)[0]), _unpacked(struct.unpack_from("<I", body, 8)[0])
        elif kind in _LONG_NUMBERS:
            yield (row, struct.unpack_from("<I", body)[0]), struct.unpack_from("<d", body, 8)[0]


def _unpacked(number: int) -> float:
    """A number in 30 bits: a whole one, or the high half of a broken one; maybe of hundredths ([MS-XLSB] 2.5.123)."""
    high = number & ~3 & 0xFFFFFFFF
    whole: float = struct.unpack("<i", struct.pack("<I", high))[0] >> 2
    read: float = whole if number & 2 else struct.unpack("<d", struct.pack("<II", 0, high))[0]
    return read / 100 if number & 1 else float(read)


def _in_legacy(content: bytes, sheet: str) -> Iterator[tuple[tuple[int, int], float]]:
    import xlrd

    with xlrd.open_workbook(file_contents=content, on_demand=True, logfile=io.StringIO()) as book:
        found = book.sheet_by_name(sheet)
        for row in range(found.nrows):
            for column, kind in enumerate(found.row_types(row)):
                if kind in (xlrd.XL_CELL_DATE, xlrd.XL_CELL_NUMBER):
                    yield (row, column), float(found.cell_value(row, column))


class _Numbers(CellWalk[tuple[tuple[int, int], float]]):  # type: ignore[misc]  # known by its bare name only
    """Follows cells that hold a number."""

    def __init__(self) -> None:
        super().__init__()
        self._digits: list[str] | None = None
        self._number = False

    def begins(self, name: str, attributes: dict[str, str]) -> None:
        match name:
            case "c":
                self._number = attributes.get("t", "n") == "n"
            case "v":
                self._digits = [] if self._number else None

    def ends(self, name: str) -> None:
        if name == "v" and self._digits:
            self.found.append(((self.row, self.column), float("".join(self._digits))))
            self._digits = None

    def says(self, text: str) -> None:
        if self._digits is not None:
            self._digits.append(text)
