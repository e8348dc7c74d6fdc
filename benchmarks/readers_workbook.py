"""Prints the seconds a workbook of 50,000 rows x 30 columns takes and python-calamine's; medians of five pairs.

Run as `python -m benchmarks.readers_workbook [ROWS]`. python-calamine's own time is opening the file and taking the
sheet as Python values; ours is the same file as batches of text, its child process and the search for damage included.

A sheet is cut into slices that two threads parse; python-calamine goes over a sheet twice, the second time for merged
cells, and a slice only once. On a quiet machine 50,000 rows took 1.19 x of python-calamine's processor time and 0.89 x
by the clock; before sheets were cut 1.50 and 1.33. What is added are the start of the child, one unpacking of the
sheet to cut it and to look for damage, and text. The slices of a sheet that unpacks to more than 64 MiB are not
kept, so that memory does not grow with it, and it is passed over once more for its size.
"""

from __future__ import annotations

import resource
import sys
import tempfile
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import xlsxwriter

from benchmarks.in_turn import compared
from connectors.workbooks.workbook import Workbook, open_sheet
from sources.batches import PlainFile

COLUMNS = 30


def write(path: Path, rows: int) -> None:
    """Text, dates, whole and broken numbers and blanks, as registries have them."""
    with xlsxwriter.Workbook(path, {"constant_memory": True, "default_date_format": "dd/mm/yyyy"}) as book:
        sheet = book.add_worksheet("people")
        sheet.write_row(0, 0, [f"column {n}" for n in range(COLUMNS)])
        for row in range(1, rows + 1):
            for column in range(12):
                sheet.write_string(row, column, f"text {row * column % 5000}")
            for column in (12, 13):
                sheet.write_datetime(row, column, date(2020, 1, 1) + timedelta(days=row % 1000))
            for column in range(14, 26):
                sheet.write_number(row, column, row * column % 1000)
            for column in (26, 27):
                sheet.write_number(row, column, row / 7)


def calamine(path: Path) -> int:
    from python_calamine import CalamineWorkbook

    with path.open("rb") as handle:
        return len(CalamineWorkbook.from_filelike(handle).get_sheet_by_name("people").to_python()) - 1


def ours(path: Path) -> int:
    grid = open_sheet(Workbook(PlainFile(path)), "people")
    return sum(len(piece.rows) for piece in grid.pieces(range(COLUMNS), 50_000))


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "people.xlsx"
        write(path, rows)
        assert calamine(path) == ours(path) == rows
        peaks = [resource.getrusage(who).ru_maxrss >> 10 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        print(f"{rows} rows x {COLUMNS}:", compared("python-calamine", partial(calamine, path), partial(ours, path)))
    print(f"peak memory: {peaks[0]} MB in this process, {peaks[1]} MB in the child")


if __name__ == "__main__":
    main()
