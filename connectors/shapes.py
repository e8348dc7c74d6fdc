"""What a reader of any format gives: a grid of text with headers, and the shapes and parts that are made of grids.

A grid is one table as it lies in the supplier's file: columns by position, cells as text, rows by the supplier's own
number. Which columns are declared, and under which name, is the business of `delivery`; formats are the readers'.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from codebook.errors import Refused
from sources.batches import DeliveredFile

MAX_COLUMNS = 16_384
"""As many columns as a worksheet can have; a file with more is no table."""

Text: TypeAlias = "pa.Array | pa.ChunkedArray"
"""A column of text: string, or dictionary<int32, string>; blank is null."""


@dataclass(frozen=True)
class Finding:
    """Rows of a piece that a rule caught while reading; `column` is its position, None for the row as a whole."""

    rule: str
    severity: str
    rows: NDArray[np.int64]
    column: int | None = None


@dataclass(frozen=True)
class Piece:
    """Some rows of a grid: the supplier's row numbers, the columns that were asked for, and what was found."""

    rows: NDArray[np.int64]
    cells: Sequence[Text]
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Heading:
    """One column of a grid: its place, its header as the supplier wrote it, and every name it answers to.

    `label` is what the format says the column asks; `missing` are codes (an interval is written `lo..hi`).
    A column that the file does not hold and that is worked out while reading has no header.
    """

    header: str
    position: int
    names: tuple[str, ...]
    value_labels: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    date: bool = False
    label: str = ""


class Grid(Protocol):
    """One table of a delivered file. Picklable: it opens its file when it is read."""

    @property
    def headings(self) -> Sequence[Heading]: ...

    @property
    def sheet(self) -> str | None: ...

    def pieces(self, positions: Sequence[int], size: int) -> Iterator[Piece]:
        """The columns at `positions`, in that order, at most `size` rows a piece; wholly blank rows are left out."""
        ...

    def split(self, n: int) -> Sequence[Grid]:
        """At most `n` grids that together are this one; only itself where the format cannot be split."""
        ...


@dataclass(frozen=True)
class ColumnShape:
    """A declared column as it was found: `name` as in source.yaml, `header` as in the file, `position` from 0.

    `value_labels` and `missing` are what a statistical file says about its codes (an interval is written `lo..hi`).
    """

    name: str
    header: str
    position: int
    value_labels: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class TableShape:
    """A declared table as it was found; `sheet` is the worksheet it lies on, if the format has worksheets."""

    name: str
    columns: tuple[ColumnShape, ...]
    sheet: str | None = None


def numbered(headers: Sequence[str], file: str) -> tuple[Heading, ...]:
    """Headings of a plain table. The second column of one name is `<name>.1`, as pandas and R would call it.

    A header that is broken over lines also answers to the same words on one line.
    """
    if len(headers) > MAX_COLUMNS:
        raise Refused(
            "delivery.unreadable",
            f"{len(headers)} columns, at most {MAX_COLUMNS} can be read",
            file,
            "check the delimiter",
        )
    seen: dict[str, int] = {}
    headings = []
    for position, header in enumerate(headers):
        times = seen.get(header, 0)
        seen[header] = times + 1
        name = f"{header}.{times}" if times else header
        headings.append(Heading(header, position, tuple(dict.fromkeys([name, " ".join(name.split())]))))
    return tuple(headings)


def blank_rows(n: int, cells: Sequence[Text]) -> NDArray[np.bool_]:
    """Which of `n` rows hold no value in any of the cells; free where one column is filled throughout."""
    blank = np.ones(n, dtype=bool)
    if any(column.null_count == 0 for column in cells):
        return ~blank
    for column in cells:
        blank &= column.is_null().to_numpy(zero_copy_only=False)
    return blank


def the_only(files: Sequence[DeliveredFile], where: str) -> DeliveredFile:
    """The one file of a delivery; Refused if there are several, or none."""
    if len(files) != 1:
        raise Refused(
            "delivery.wrong_source", f"{len(files)} files, one is expected", where, "deliver one file at a time"
        )
    return files[0]
