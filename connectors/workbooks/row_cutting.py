"""An .xlsx workbook without what some rows say: their cells become `###`, and texts that no other row has go.

Only a plain workbook is cut: sheets that the source declares, without formulas, comments, links, tables, pictures or
anything else that could repeat a row's values; all other parts stay byte by byte. Any other workbook is told so, and
left to be destroyed. Whether it reads as before but for the rows is asked by `connectors.cutting`.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from connectors.workbooks.sheet_damage import parts
from sources.batches import DeliveredFile

_LARGEST = 256 << 20
"""Bytes of one part, unpacked, that are looked through in memory."""
_BLOCK = 1 << 20
_STRINGS = "xl/sharedStrings.xml"
_PLAIN_PARTS = re.compile(
    r"\[Content_Types\]\.xml|_rels/\.rels|docProps/(app|core)\.xml|xl/(workbook|styles|sharedStrings)\.xml"
    r"|xl/_rels/workbook\.xml\.rels|xl/theme/theme\d+\.xml|xl/worksheets/sheet\d+\.xml"
)
# What stands in a sheet: its rows, and how they look. Everything else may quote a cell.
_PLAIN_TAGS = frozenset(
    b"worksheet sheetPr tabColor pageSetUpPr outlinePr dimension sheetViews sheetView pane selection sheetFormatPr cols"
    b" col sheetData row c v is t r rPr b i u sz color rFont family scheme charset mergeCells mergeCell phoneticPr"
    b" autoFilter pageMargins pageSetup printOptions ignoredErrors ignoredError".split()
)
_TAG = re.compile(rb"<([^\s/>!?]+)")
_ROW = re.compile(rb"<row\b(?:[^>]*?/>|.*?</row>)", re.DOTALL)
_NUMBER = re.compile(rb"""^<row\b[^>]*?\sr=["'](\d+)["']""")
_SHARED = re.compile(rb"""<c\b[^>]*?\st=["']s["'][^>]*>\s*<v>\s*(\d+)\s*</v>""")
_TEXT = re.compile(rb"<si\b(?:[^>]*?/>|.*?</si>)", re.DOTALL)
_NO_TEXT = b"<si><t>###</t></si>"


@dataclass(frozen=True)
class SheetCut:
    """Numbers of the rows that go, and how many columns the sheet's header has."""

    rows: Collection[int]
    width: int


def without_sheet_rows(file: DeliveredFile, cuts: Mapping[str, SheetCut]) -> Iterator[bytes] | None:
    """New bytes of the workbook whose only sheets are those of `cuts`; None if it is more than a plain one."""
    with file.open() as handle:
        if not zipfile.is_zipfile(handle):
            return None
        with zipfile.ZipFile(handle) as book:
            return _cut(book, cuts)


def _cut(book: zipfile.ZipFile, cuts: Mapping[str, SheetCut]) -> Iterator[bytes] | None:
    infos = book.infolist()
    if not all(_PLAIN_PARTS.fullmatch(one.filename) and one.file_size <= _LARGEST for one in infos):
        return None
    sheets = parts(book)
    if sheets.keys() != cuts.keys():
        return None
    changed: dict[str, bytes] = {}
    used: set[int] = set()
    for sheet, cut in cuts.items():
        made = _emptied(book.read(sheets[sheet]), cut)
        if made is None:
            return None
        changed[sheets[sheet]] = made
        used.update(map(int, _SHARED.findall(made)))
    if _STRINGS in book.namelist():
        changed[_STRINGS] = _without_texts(book.read(_STRINGS), used)
    out = io.BytesIO()  # in memory: what lies in a temporary file outlives the process
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for one in infos:
            new.writestr(one.filename, changed[one.filename] if one.filename in changed else book.read(one))
    out.seek(0)
    return iter(lambda: out.read(_BLOCK), b"")


def _emptied(sheet: bytes, cut: SheetCut) -> bytes | None:
    """The sheet with these rows emptied; None if it holds more than rows and their looks."""
    if not _PLAIN_TAGS.issuperset(_TAG.findall(sheet)) or b"<!--" in sheet or b"<![CDATA[" in sheet:
        return None
    wanted, pieces, position = set(cut.rows), [], 0
    for found in _ROW.finditer(sheet):
        number = _NUMBER.match(found.group())
        if number is None:
            return None
        if (row := int(number.group(1))) in wanted:
            wanted.remove(row)
            places = (f"{_letters(at)}{row}" for at in range(cut.width))
            cells = "".join(f'<c r="{place}" t="inlineStr"><is><t>###</t></is></c>' for place in places)
            pieces += [sheet[position : found.start()], f'<row r="{row}">{cells}</row>'.encode()]
            position = found.end()
    return None if wanted else b"".join([*pieces, sheet[position:]])


def _without_texts(strings: bytes, used: Collection[int]) -> bytes:
    """Shared texts that no row has any more go; the others keep their numbers."""
    pieces, position = [], 0
    for at, found in enumerate(_TEXT.finditer(strings)):
        if at not in used:
            pieces += [strings[position : found.start()], _NO_TEXT]
            position = found.end()
    return b"".join([*pieces, strings[position:]])


def _letters(column: int) -> str:
    """The letters of a column, counted from 0."""
    letters, rest = "", column + 1
    while rest:
        rest, place = divmod(rest - 1, 26)
        letters = chr(65 + place) + letters
    return letters
