"""Workbooks that a test makes: of the old kind, an OpenDocument one, or with a member changed."""

import io
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
