"""Do two rows speak of two people? Asked only where a shared identifier would make them one person for the first time.

They do if their names have no word in common, or their birth dates differ in two of year, month and day: one slip, one
name more, a married name or an unknown day are no contradiction. What follows from it is the business of `linking`.
"""

from __future__ import annotations

from functools import cache

import pyarrow as pa

from anonymization.keys.pseudonyms import text
from anonymization.linkage.linking import Disagree
from anonymization.linkage.names import fold, skeleton, sound
from sources.models import Column, Source, Table
from values.dates import read_dates


def disagreement(table: Table, cells: pa.Table, source: Source) -> Disagree | None:
    """A question about two rows of the batch; None where the table has neither names nor a birth date."""
    declared = [(name, column) for name in cells.column_names if (column := table.column(name)) is not None]
    names = [name for name, column in declared if column.kind == "name"]
    births = [(name, column) for name, column in declared if column.kind == "birth_date" or column.keep == "year"]
    if not names and not births:
        return None

    @cache
    def words(row: int) -> frozenset[str]:
        folded = (fold(cell) for name in names if (cell := _cell(cells, name, row)))
        return frozenset(word for name in folded for word in skeleton(sound(name)).split())

    @cache
    def born(row: int) -> tuple[int, int, int] | None:
        return next((day for name, column in births if (day := _born(cells, name, row, column, source))), None)

    def disagree(one: int, other: int) -> bool:
        if words(one) and words(other) and not words(one) & words(other):
            return True
        first, second = born(one), born(other)
        if first is None or second is None or first[1:] == (1, 1) or second[1:] == (1, 1):
            return first is not None and second is not None and abs(first[0] - second[0]) > 1
        return sum(a != b for a, b in zip(first, second, strict=True)) >= 2

    return disagree


def _cell(cells: pa.Table, name: str, row: int) -> str | None:
    return text(cells[name].slice(row, 1))[0].as_py()  # type: ignore[no-any-return]


def _born(cells: pa.Table, name: str, row: int, column: Column, source: Source) -> tuple[int, int, int] | None:
    dates, _ = read_dates(text(cells[name].slice(row, 1)), column.format or source.format.date_format or "iso")
    day = dates[0].as_py()
    return (day.year, day.month, day.day) if day else None
