"""Numbers under a date format that are no day: negative ones, and the 29th of February 1900 that Excel counts.

The parser makes a time of day of the first and the day before of the second, so two different cells would be one text.
Runs inside the child process of `sheet_process`, and only on sheets that hold such a day or times; imports nothing of
Homeward.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from xml.parsers import expat

from sheet_damage import column_of, parts

SUSPECT = r"^([0-2][0-9]:[0-9:.]+|1900-02-28(T.*)?)$"
"""What the parser makes of such a number, and of others."""
_BLOCK = 1 << 20
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
        part = parts(archive).get(sheet) if "xl/workbook.xml" in names else None
        if part not in names:
            return  # .xlsb and .ods: the first is not looked into, the second writes days as they are
        numbers = _Numbers()
        with archive.open(part) as stream:
            while block := stream.read(_BLOCK):
                numbers.parser.Parse(block, False)
                yield from numbers.taken()


def _in_legacy(content: bytes, sheet: str) -> Iterator[tuple[tuple[int, int], float]]:
    import xlrd

    with xlrd.open_workbook(file_contents=content, on_demand=True, logfile=io.StringIO()) as book:
        found = book.sheet_by_name(sheet)
        for row in range(found.nrows):
            for column, kind in enumerate(found.row_types(row)):
                if kind in (xlrd.XL_CELL_DATE, xlrd.XL_CELL_NUMBER):
                    yield (row, column), float(found.cell_value(row, column))


class _Numbers:
    """Handlers that follow rows, cells and their numbers; positions are counted where they are not given."""

    def __init__(self) -> None:
        self.parser = expat.ParserCreate(namespace_separator="}")
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters
        self._row = self._column = -1
        self._digits: list[str] | None = None
        self._number = False
        self._found: list[tuple[tuple[int, int], float]] = []

    def taken(self) -> list[tuple[tuple[int, int], float]]:
        found, self._found = self._found, []
        return found

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        match name.rpartition("}")[2]:
            case "row":
                self._row = int(attributes["r"]) - 1 if "r" in attributes else self._row + 1
                self._column = -1
            case "c":
                self._column = column_of(attributes["r"]) if "r" in attributes else self._column + 1
                self._number = attributes.get("t", "n") == "n"
            case "v":
                self._digits = [] if self._number else None

    def _end(self, name: str) -> None:
        if name.rpartition("}")[2] == "v" and self._digits:
            self._found.append(((self._row, self._column), float("".join(self._digits))))
            self._digits = None

    def _characters(self, text: str) -> None:
        if self._digits is not None:
            self._digits.append(text)
