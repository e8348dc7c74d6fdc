"""Workbooks that a test makes: of the old kind, an OpenDocument one, a binary one, or with a member changed."""

import io
import struct
import zipfile
from collections.abc import Callable
from typing import Any

import xlwt


def legacy(write: Callable[[Any], None]) -> bytes:
    book, out = xlwt.Workbook(), io.BytesIO()
    write(book.add_sheet("people"))
    book.save(out)
    return out.getvalue()


def replaced(book: bytes, member: str, change: Callable[[str], str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, change(content.decode()).encode() if name == member else content)
    return out.getvalue()


def open_document(rows: str) -> bytes:
    """An .ods of one sheet, `people`, with these rows in its XML."""
    namespaces = "".join(
        f' xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{prefix}:1.0"'
        for prefix in ("office", "table", "text")
    )
    content = (
        f'<?xml version="1.0"?><office:document-content{namespaces}><office:body><office:spreadsheet>'
        f'<table:table table:name="people">{rows}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet", zipfile.ZIP_STORED)
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
        archive.writestr("content.xml", content)
    return out.getvalue()


def record(kind: int, body: bytes = b"") -> bytes:
    """A record of a binary part ([MS-XLSB] 2.1.4): type and length in bytes of seven bits, low ones first."""

    def sevens(number: int) -> bytes:
        return bytes([number]) if number < 128 else bytes([number & 127 | 128]) + sevens(number >> 7)

    return (bytes([kind]) if kind < 128 else bytes([kind & 127 | 128, kind >> 7])) + sevens(len(body)) + body


def wide(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")


def binary_workbook(rows_of_cells: list[list[bytes]], number_format: int = 0) -> bytes:
    """The smallest .xlsb: cells are given as type and content, all under one of the formats that every workbook knows
    ([MS-XLSB] 2.3.1, 2.4.313, 2.4.846)."""
    book = record(131) + record(143) + record(156, struct.pack("<II", 0, 1) + wide("rId1") + wide("people"))
    last = max(map(len, rows_of_cells)) - 1
    sheet = record(129) + record(148, struct.pack("<4I", 0, len(rows_of_cells) - 1, 0, last)) + record(145)
    for row, cells in enumerate(rows_of_cells):
        sheet += record(0, struct.pack("<IIH3xI", row, 0, 300, 1) + struct.pack("<II", 0, last))
        for column, cell in enumerate(cells):
            sheet += record(cell[0], struct.pack("<II", column, 0) + cell[1:])
    office = "http://schemas.openxmlformats.org"
    types = "".join(
        f'<Override PartName="/xl/{part}" ContentType="application/vnd.ms-excel.{kind}"/>'
        for part, kind in (("workbook.bin", "sheet.binary.macroEnabled.main"), ("worksheets/sheet1.bin", "worksheet"))
    )
    relation = f'<Relationships xmlns="{office}/package/2006/relationships">'
    relation += '<Relationship Id="rId1" Type="{}" Target="{}"/></Relationships>'
    kinds = f"{office}/officeDocument/2006/relationships/"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("[Content_Types].xml", f'<Types xmlns="{office}/package/2006/content-types">{types}</Types>')
        archive.writestr("_rels/.rels", relation.format(kinds + "officeDocument", "xl/workbook.bin"))
        archive.writestr("xl/_rels/workbook.bin.rels", relation.format(kinds + "worksheet", "worksheets/sheet1.bin"))
        archive.writestr("xl/workbook.bin", book + record(144) + record(132))
        style = record(617, struct.pack("<I", 1)) + record(47, struct.pack("<HH12x", 0, number_format)) + record(618)
        archive.writestr("xl/styles.bin", record(278) + style + record(279))
        archive.writestr("xl/worksheets/sheet1.bin", sheet + record(146) + record(130))
    return out.getvalue()
