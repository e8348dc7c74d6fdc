"""The types that pass from room to room: delivered files, batches of text, batches that are safe, issues.

They live here because a safe batch's schema *is* the source's allow-list, and because the rooms do not know each
other. Nothing here reads a format or changes a value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Protocol

import pyarrow as pa

ISSUES = pa.schema(
    [
        ("table", pa.string()),
        ("row", pa.int64()),
        ("column", pa.string()),
        ("variable", pa.string()),
        ("rule", pa.string()),
        ("severity", pa.string()),
    ]
)
"""One finding a row; `row` is the supplier's row number (null: a whole column, table or delivery). No value, ever."""

KEY = pa.binary(16)
WITHDRAWN = pa.schema([("entity", pa.string()), ("record_key", KEY)])
"""Records that a row would make if it had consent: what was published of them before has to go."""
ROW, ROW_KEY, PERSON, PARENT = "_row", "_key", "_person", "_parent"
ENTITY_KEY_PREFIX = "_key_"


class DeliveredFile(Protocol):
    """A file of a delivery, wherever it lies: in the inbox, or sealed in the vault's store. Picklable."""

    @property
    def name(self) -> str: ...

    @property
    def size(self) -> int: ...

    def open(self) -> BinaryIO:
        """A seekable handle on the plain bytes; the caller closes it."""
        ...


@dataclass(frozen=True)
class PlainFile:
    """A delivered file that still lies in the clear, as the supplier put it."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def size(self) -> int:
        return self.path.stat().st_size

    def open(self) -> BinaryIO:
        return self.path.open("rb")


@dataclass(frozen=True)
class TextBatch:
    """Cells of one table as text, with each row's place in the supplier's file. It knows no meaning.

    `cells`: columns named as in source.yaml, string or dictionary<int32, string>, blank is null; `rows`: int64.
    """

    table: str
    rows: pa.Array
    cells: pa.Table

    def __len__(self) -> int:
        return len(self.rows)


class UnsafeColumn(TypeError):
    """A column outside the allow-list was about to leave the vault side: a fault in the gate, not in the data."""


def require_safe(data: pa.Table, table: str, passing: Sequence[str]) -> None:
    """UnsafeColumn unless `data` holds system columns and columns that are declared to pass, and nothing else."""
    allowed = {ROW, ROW_KEY, PERSON, PARENT, *passing}
    for number, name in enumerate(data.column_names):
        if name not in allowed and not name.startswith(ENTITY_KEY_PREFIX):
            # Not by its name, which may be somebody's.
            raise UnsafeColumn(f"column {number} of table {table!r} is not declared to pass")


@dataclass(frozen=True)
class SafeBatch:
    """The gate's product, and the only thing that leaves it: pseudonymous rows in the source's allow-list of columns.

    `data`: `_row` int64, `_key` binary(16), optional `_person`, `_parent`, `_key_<entity>` binary(16), then passing
    columns as text. `issues`: schema ISSUES. `rejected_rows`: rows that the gate itself holds back (in no `data`).
    `withdrawn`: schema WITHDRAWN, of rows without consent.
    """

    table: str
    data: pa.Table
    issues: pa.Table
    rejected_rows: pa.Array
    passing: Sequence[str]
    withdrawn: pa.Table = field(default_factory=WITHDRAWN.empty_table)

    def __post_init__(self) -> None:
        require_safe(self.data, self.table, self.passing)
        if not self.issues.schema.equals(ISSUES):
            raise UnsafeColumn(f"issues of table {self.table!r} do not have the schema of issues")
        if not self.withdrawn.schema.equals(WITHDRAWN):
            raise UnsafeColumn(f"withdrawn records of table {self.table!r} are more than keys")


def issues_table(
    table: str, rows: pa.Array, rule: str, severity: str, column: str | None = None, variable: str | None = None
) -> pa.Table:
    """One issue for each of `rows` (int64; a null row means the whole column or table)."""
    n = len(rows)

    def same(value: str | None) -> pa.Array:
        return pa.nulls(n, pa.string()) if value is None else pa.repeat(pa.scalar(value, pa.string()), n)

    return pa.Table.from_arrays(
        [same(table), rows.cast(pa.int64()), same(column), same(variable), same(rule), same(severity)], schema=ISSUES
    )
