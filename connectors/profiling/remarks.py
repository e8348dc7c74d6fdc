"""What somebody has to know of a table before declaring it: what may be another table, and what is no record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def remarks(table: Mapping[str, Any]) -> list[str]:
    """Lines about one table of a profile; none where it is a plain table."""
    told = []
    for other in table["other_tables"]:
        ((what, place),) = other.items()
        told.append(f"Another table may begin in {what} {place}: deliver each on a sheet or in a file of its own.")
    if table["header_again"]:
        told.append(f"Rows that only say the header again, counted among the rows: {table['header_again']:,}")
    if table["total_rows"]:
        told.append(f"Rows that say they are totals, and so are no records: {table['total_rows']:,}")
    if table["note_rows"]:
        told.append(f"Notes below the table, which are not counted as its rows: {table['note_rows']:,}")
    return [*told, *(f"{rule}: {count:,} rows" for rule, count in table["findings"].items())]
