"""Workbooks and XLSForms of a few rows, as bytes."""

import io
from collections.abc import Mapping, Sequence
from datetime import datetime

import xlsxwriter

SURVEY = ("type", "name", "label::English (en)", "label::French (fr)")
CHOICES = ("list_name", "name", "label::English (en)", "label::French (fr)")
WRITTEN = datetime(2026, 3, 1)
"""Else a workbook that is torn at some byte would be torn elsewhere each second: its date is packed."""


def workbook(sheets: Mapping[str, Sequence[Sequence[object]]]) -> bytes:
    """An xlsx with these sheets; None is an empty cell."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"default_date_format": "dd/mm/yyyy"}) as book:
        book.set_properties({"created": WRITTEN})
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for r, row in enumerate(rows):
                for c, cell in enumerate(row):
                    if isinstance(cell, str):
                        sheet.write_string(r, c, cell)
                    elif cell is not None:
                        sheet.write(r, c, cell)
    return out.getvalue()


def form(
    survey: Sequence[Sequence[str | None]],
    choices: Sequence[Sequence[str]],
    names: tuple[str, str] = ("survey", "choices"),
    version: str = "v1",
) -> bytes:
    """An XLSForm in English and French."""
    settings = [["form_title", "version"], ["RSS", version]]
    return workbook({names[0]: [SURVEY, *survey], names[1]: [CHOICES, *choices], "settings": settings})


def export(header: Sequence[str], *rows: Sequence[str]) -> bytes:
    """A CSV export as the server writes it: `;`, every cell quoted, CRLF, no byte-order mark."""
    lines = (";".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in (header, *rows))
    return ("\r\n".join(lines) + "\r\n").encode()
