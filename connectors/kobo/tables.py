"""The tables of one data file as they lie in it: CSV, workbook, GeoJSON or a zip of them; main table and repeats.

Which of them a source declares, and what their headers mean, is decided elsewhere. Zipped CSV exports hold one file a
repeat, named after its path.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from codebook.errors import Refused
from connectors import archives
from connectors.kobo import geojson as kobo_geojson
from connectors.kobo import header_row as kobo_header_row
from connectors.kobo import legacy as kobo_legacy
from connectors.kobo import repeats as kobo_repeats
from connectors.kobo.options import looks_like_kobo
from connectors.shapes import Grid
from connectors.text import delimited, json_files
from connectors.text.dialects import Layout
from connectors.workbooks import workbook
from sources.batches import DeliveredFile

_WORKBOOKS = (".xlsx", ".xls", ".xlsm", ".xlsb", ".ods")
_EXPORTS = (*_WORKBOOKS, ".csv", ".geojson")
"""What of an archive is read; media and label syntax beside it are left alone."""
MAIN = "main"


@dataclass(frozen=True)
class Tables:
    """The tables of an export; `main` is the submissions' own, the others are repeats under their sheets' names."""

    main: str
    grids: Mapping[str, Grid]
    facts: dict[str, object]


def read_tables(file: DeliveredFile, book: workbook.Workbook | None, main: str | None) -> Tables:
    """Every table of a data file that has rows; `main`: the name of the main sheet or file if it is declared.

    Repeats are tied to their submissions; flattened ones of the former server are taken apart first.
    """
    grids, facts = _grids(file, book)
    first = main or _main(grids)
    called = f"sheet {main}" if main else "sheet of submissions"  # an undeclared one may be called after somebody
    if first not in grids:
        raise Refused("delivery.wrong_source", f"there is no {called}", file.name, "is this another form?")
    found = {name: grid for name, grid in grids.items() if grid is not None}
    if first not in found:
        raise Refused("delivery.empty", f"the {called} has no row", file.name, "deliver the file again")
    if kobo_legacy.is_legacy([heading.header for heading in found[first].headings]):
        found[first], flattened = kobo_legacy.unflattened(found[first])
        found = flattened | found
    tied, by_index = kobo_repeats.tie(found, first)
    if by_index:
        facts["repeats_tied_by_index"] = sorted(by_index)
    return Tables(first, tied, facts)


def _grids(file: DeliveredFile, book: workbook.Workbook | None) -> tuple[dict[str, Grid | None], dict[str, object]]:
    """Tables by the name of their sheet or file, in its order; None has no rows."""
    name = file.name.lower()
    if name.endswith(".zip"):
        return _zipped(file)
    if name.endswith(_WORKBOOKS):
        return _of_workbook(book or workbook.Workbook(file))
    if name.endswith((".geojson", ".json")):
        return {MAIN: json_files.open_records(file, kobo_geojson.answers)}, {}
    grid, facts = _delimited(file, Layout(longer="query"))
    return {MAIN: grid}, facts


def _of_workbook(book: workbook.Workbook) -> tuple[dict[str, Grid | None], dict[str, object]]:
    rows = {sheet: kobo_header_row.header_row(book.rows(sheet)) for sheet in book.sheets}
    grids: dict[str, Grid | None] = {
        sheet: workbook.sheet_with_rows(book, sheet, row, longer="query") for sheet, row in rows.items()
    }
    lowest = max(rows.values(), default=1)
    return grids, {"header_row": lowest} if lowest > 1 else {}


def _delimited(file: DeliveredFile, layout: Layout) -> tuple[Grid, dict[str, object]]:
    grid, facts = delimited.open_grid(file, layout)
    row = 1 if looks_like_kobo([heading.header for heading in grid.headings]) else kobo_header_row.of_text(grid)
    return delimited.open_grid(file, replace(layout, header_row=row)) if row > 1 else (grid, facts)


def _zipped(file: DeliveredFile) -> tuple[dict[str, Grid | None], dict[str, object]]:
    members = [member for member in archives.members(file) if member.name.lower().endswith(_EXPORTS)]
    if not members:
        raise Refused(
            "delivery.unreadable", "there is no export (.csv, .xlsx, .geojson) in it", file.name, "pack the export"
        )
    told = archives.numbered(members)
    if len(members) == 1:
        return _grids(told[0], None)
    names = [PurePosixPath(member.name).stem for member in members]
    if not all(member.name.lower().endswith(".csv") for member in members) or len(set(names)) < len(names):
        raise Refused(
            "delivery.wrong_source",
            f"{len(members)} exports in one archive",
            file.name,
            "pack one export, or the CSV files of one",
        )
    layout = Layout(longer="query", needs_rows=False)
    opened = [_delimited(member, layout) for member in told]
    return {name: grid for name, (grid, _) in zip(names, opened, strict=True)}, opened[0][1]


def _main(grids: Mapping[str, Grid | None]) -> str:
    """The table whose rows have no parent: a repeat names its parent's table, or numbers it from 1."""
    for name, grid in grids.items():
        if grid is None:
            continue
        places = [h.position for h in grid.headings if h.header in ("_parent_table_name", "_parent_index")]
        first = next(grid.pieces(places, 1), None) if places else None
        cells = [column[0].as_py() for column in first.cells] if first and len(first.rows) else []
        if all(cell is None or cell == "-1" for cell in cells):
            return name
    return next(iter(grids))
