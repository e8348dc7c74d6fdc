"""Cells of a worksheet that hold an error (#N/A) or a formula never calculated; the parser shows both as blank.

Runs inside the child process of `sheet_process` and imports nothing of Homeward. Formulas are never evaluated.
"""

from __future__ import annotations

import io
import posixpath
import re
import struct
import zipfile
from abc import abstractmethod
from collections.abc import Iterator
from typing import IO, Generic, TypeVar
from xml.etree import ElementTree
from xml.parsers import expat

Found = TypeVar("Found")
_BLOCK = 1 << 20
_SUSPECTS = {
    b'"': (b'="e"',),
    b"'": (b"='e'",),
    b"f": (b"<f>", b"<f ", b"<f/", b":f>", b":f ", b":f/"),
}
"""An attribute that may say error, and a formula with or without a prefix; each with a sign of it that is quickly
looked for: most sheets have no `'` and no small `f` anywhere."""
_MARKED = re.compile(rb"<(?:[\w.-]+:)?v(?:\s[^<>]*)?>[^<]*<!")
_TAIL = 64
"""A number and what is looked for around it is no longer."""
_ERROR_RECORDS = (3, 11)
"""BrtCellError and BrtFmlaError ([MS-XLSB] 2.3.1)."""
ROW_HEADER = 0
"""BrtRowHdr ([MS-XLSB] 2.3.1)."""


class Marked(Exception):
    """A comment or a marked section within a value: of `13<!-- -->14` the parser takes 13."""


def in_zipped(content: bytes, sheet: str) -> Iterator[tuple[int, int]]:
    """Row and column (from 0) of the damaged cells of a sheet in .xlsx, .xlsm or .xlsb; .ods shows errors as text."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = set(archive.namelist())
        if "xl/workbook.xml" in names:
            part = parts(archive).get(sheet)
            if part in names and _holds_suspects(archive, part):
                with archive.open(part) as stream:
                    yield from _Damaged().through(stream)
        elif "xl/workbook.bin" in names:
            part = parts_of_binary(archive).get(sheet)
            if part in names:
                yield from _in_binary(archive.read(part))


def in_legacy(content: bytes, sheet: str) -> Iterator[tuple[int, int]]:
    """Row and column (from 0) of the cells of an .xls sheet that hold an error; its formulas are always calculated."""
    import xlrd

    with xlrd.open_workbook(file_contents=content, on_demand=True, logfile=io.StringIO()) as book:
        found = book.sheet_by_name(sheet)
        for row in range(found.nrows):
            kinds = found.row_types(row)
            if xlrd.XL_CELL_ERROR in kinds:
                yield from ((row, column) for column, kind in enumerate(kinds) if kind == xlrd.XL_CELL_ERROR)


def parts(archive: zipfile.ZipFile) -> dict[str, str]:
    """Sheet names and the archive members that hold them."""
    targets = _targets(archive, "xl/_rels/workbook.xml.rels")
    # A workbook that declares entities was refused before.
    book = ElementTree.fromstring(archive.read("xl/workbook.xml"))  # noqa: S314
    return {
        element.get("name", ""): targets.get(value, "")
        for element in book.iter()
        if element.tag.rpartition("}")[2] == "sheet"
        for key, value in element.items()
        if key.rpartition("}")[2] == "id"
    }


def _targets(archive: zipfile.ZipFile, part: str) -> dict[str, str]:
    relations = ElementTree.fromstring(archive.read(part))  # noqa: S314
    return {
        relation.get("Id", ""): posixpath.normpath(posixpath.join("/xl", relation.get("Target", ""))).lstrip("/")
        for relation in relations
    }


def _holds_suspects(archive: zipfile.ZipFile, part: str) -> bool:
    """Whether the sheet's bytes have an error or a formula anywhere: most have none, and need no second parsing."""
    tail, found = b"", False
    with archive.open(part) as stream:
        while block := stream.read(_BLOCK):
            joined = tail + block
            refuse_marked(joined)
            found = found or suspicious(joined)
            tail = block[-_TAIL:]
    return found


def refuse_marked(content: bytes) -> None:
    """Marked if a value among some bytes of a sheet is one that the parser reads in part, or not at all."""
    if b"<!" in content and _MARKED.search(content):
        raise Marked


def suspicious(content: bytes) -> bool:
    """Whether some bytes of a sheet may hold a damaged cell."""
    return any(sign in content and any(map(content.__contains__, of)) for sign, of in _SUSPECTS.items())


def in_rows(head: bytes, rows: bytes) -> list[tuple[int, int]]:
    """The same in some rows of an .xlsx sheet that say where they lie; `head` is all that stands before its rows."""
    cells = _Damaged()
    cells.parser.Parse(head, False)
    cells.parser.Parse(rows, False)
    return cells.taken()


class CellWalk(Generic[Found]):
    """Goes through a sheet's XML in pieces and knows the row and column (from 0) it has come to, counted where they are
    not given. What is looked for is said by who inherits: `begins`, `ends` and `says` see elements and their text."""

    def __init__(self) -> None:
        self.parser = expat.ParserCreate(namespace_separator="}")
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self.says
        self.row = self.column = -1
        self.found: list[Found] = []

    def through(self, stream: IO[bytes]) -> Iterator[Found]:
        while block := stream.read(_BLOCK):
            self.parser.Parse(block, False)
            yield from self.taken()
        self.parser.Parse(b"", True)
        yield from self.taken()

    def taken(self) -> list[Found]:
        """What was found since the last time."""
        found, self.found = self.found, []
        return found

    @abstractmethod
    def begins(self, name: str, attributes: dict[str, str]) -> None: ...

    @abstractmethod
    def ends(self, name: str) -> None: ...

    @abstractmethod
    def says(self, text: str) -> None: ...

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        match local := name.rpartition("}")[2]:
            case "row":
                self.row = int(attributes["r"]) - 1 if "r" in attributes else self.row + 1
                self.column = -1
            case "c":
                self.column = column_of(attributes["r"]) if "r" in attributes else self.column + 1
        self.begins(local, attributes)

    def _end(self, name: str) -> None:
        self.ends(name.rpartition("}")[2])


class _Damaged(CellWalk[tuple[int, int]]):
    """Follows formulas and cached values."""

    def __init__(self) -> None:
        super().__init__()
        self._kind: str | None = None
        self._formula = self._value = self._within = False

    def begins(self, name: str, attributes: dict[str, str]) -> None:
        match name:
            case "c":
                self._kind = attributes.get("t")
                self._formula = self._value = False
            case "f":
                self._formula = True
            case "v" | "t":
                self._within = True

    def ends(self, name: str) -> None:
        match name:
            case "v" | "t":
                self._within = False
            case "c":
                # A formula whose text is empty is calculated: t="str" and an empty value.
                uncalculated = self._formula and not self._value and self._kind != "str"
                if self._kind == "e" or uncalculated:
                    self.found.append((self.row, self.column))

    def says(self, text: str) -> None:  # that there is one is enough
        self._value = self._value or self._within


def column_of(reference: str) -> int:
    """Column, from 0, of a cell that is named as in A1."""
    number = 0
    for letter in reference:
        if not letter.isalpha():
            break
        number = number * 26 + ord(letter.upper()) - 64
    return number - 1


def parts_of_binary(archive: zipfile.ZipFile) -> dict[str, str]:
    """As `parts`, from the records BrtBundleSh ([MS-XLSB] 2.4.313): state, id, relation and name of each sheet."""
    targets = _targets(archive, "xl/_rels/workbook.bin.rels")
    parts = {}
    for kind, body in records(archive.read("xl/workbook.bin")):
        if kind == 156:
            relation, rest = _wide_string(body[8:])
            parts[_wide_string(rest)[0]] = targets.get(relation, "")
    return parts


def _in_binary(content: bytes) -> Iterator[tuple[int, int]]:
    row = -1
    for kind, body in records(content):
        if kind == ROW_HEADER:
            (row,) = struct.unpack_from("<I", body)
        elif kind in _ERROR_RECORDS:
            yield row, struct.unpack_from("<I", body)[0]


def records(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Records of a binary part: a type of one or two bytes, a length of up to four, seven bits in each byte."""
    at = 0
    while at < len(content):
        kind = content[at]
        at += 1
        if kind & 0x80:
            kind = (kind & 0x7F) | (content[at] & 0x7F) << 7
            at += 1
        length = shift = 0
        while True:
            byte = content[at]
            at += 1
            length |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80 or shift == 28:
                break
        yield kind, content[at : at + length]
        at += length


def _wide_string(content: bytes) -> tuple[str, bytes]:
    (length,) = struct.unpack_from("<I", content)
    end = 4 + 2 * length
    return content[4:end].decode("utf-16-le"), content[end:]
