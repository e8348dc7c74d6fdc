"""An XLSForm saved as CSV: sections named in the first column as pyxform reads them, or the sheet of questions alone.

A section begins with `survey`, `choices` or `settings` in a row of its own; its header and rows follow, with the first
cell blank. What the rows mean is `form`'s business.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence

from sources.batches import DeliveredFile

MAX_CSV = 64 << 20
"""The largest CSV that is taken for a form; those of real surveys are below 1 MB."""
SECTIONS = ("survey", "choices", "settings", "external_choices")
_PEEK = 1 << 16
_DELIMITERS = (",", ";", "\t")


def sections(file: DeliveredFile) -> dict[str, list[Sequence[str | None]]] | None:
    """Rows of each section, header first, blank cells None; None if the file is no form, or not in UTF-8."""
    with file.open() as handle:
        begin = handle.read(_PEEK)
        delimiter = _delimiter(begin)
        if delimiter is None or file.size > MAX_CSV:
            return None
        content = begin + handle.read(MAX_CSV)
    try:
        rows = list(csv.reader(content.decode("utf-8-sig").splitlines(keepends=True), delimiter=delimiter))
    except (UnicodeDecodeError, csv.Error):
        return None
    found: dict[str, list[Sequence[str | None]]] = {}
    section = None if rows[0][0].strip().lower() in SECTIONS else found.setdefault("survey", [])
    indent = section is None
    for row in rows:
        if indent and row and row[0].strip():
            section = found.setdefault(row[0].strip().lower(), [])
        elif section is not None and any(cell.strip() for cell in row):
            section.append([cell if cell.strip() else None for cell in row[indent:]])
    return found


def _delimiter(begin: bytes) -> str | None:
    """What stands between the cells, if this is how a form begins."""
    lines = begin.decode("utf-8-sig", "replace").splitlines()
    for delimiter in _DELIMITERS:
        try:
            first, second = [*csv.reader(lines[:2], delimiter=delimiter), [], []][:2]
        except csv.Error:
            continue
        cells = [cell.strip().lower() for cell in first]
        if cells and cells[0] in SECTIONS and not any(cells[1:]) and (len(cells) > 1 or len(second) > 1):
            return delimiter
        if {"type", "name"} <= set(cells) and any(cell.startswith("label") for cell in cells) and "_index" not in cells:
            return delimiter
    return None
