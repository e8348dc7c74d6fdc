"""Workbooks that a test makes: of the old kind, or with a member changed."""

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
