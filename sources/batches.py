"""The types that pass from room to room: delivered files, batches of text, batches that are safe, issues.

They live here because a safe batch's schema *is* the source's allow-list, and because the rooms do not know each
other. Nothing here reads a supplier's format or changes a value.
"""

from __future__ import annotations

from dataclasses import InitVar, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol, final

import pyarrow as pa

if TYPE_CHECKING:
    from sources.models import Source

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
"""Records that a row would make if it had consent: what was published of them before has to go. Of a row that makes
nothing but a person, who may have other rows, `entity` is ALONE and the key the row's own."""
ALONE = "row"
ROW, ROW_KEY, PERSON, PARENT = "_row", "_key", "_person", "_parent"
ENTITY_KEY_PREFIX = "_key_"


_TEXT = {".csv", ".tsv", ".txt", ".dat", ".asc", ".json", ".jsonl", ".ndjson", ".geojson", ".xml"}
_BOOKS = {".xlsx", ".xls", ".xlsm", ".xlsb", ".ods", ".sav", ".zsav", ".por", ".dta", ".sas7bdat", ".sas7bcat", ".xpt"}
_ENDINGS = frozenset({*_TEXT, *_BOOKS, ".zip", ".gz"})
"""Endings of files that are delivered; what stands behind the last dot of any other name may be somebody's."""


def ending(name: str) -> str:
    """The ending of a file's name, by which readers tell files apart; nothing where it is none of a known kind."""
    found = Path(name).suffix.lower()
    return found if found in _ENDINGS else ""


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
    """Something else than the allow-list's columns was about to leave the vault side: a fault here, not in the data."""


@final
class Seal:
    """Who holds it may make a SafeBatch."""


SEAL = Seal()
"""For the gate, and for nobody else: `tests/sources/test_sources_boundary.py` finds whoever else names it."""
_TABLE = "table"
"""Under which key a Parquet file of rows says of which table they are."""


@final
@dataclass(frozen=True, kw_only=True)
class SafeBatch:
    """The gate's product, and the only thing that leaves it: pseudonymous rows in the source's allow-list of columns.

    `data`: `_row` int64, `_key` binary(16), optional `_person`, `_parent`, `_key_<entity>` binary(16), then passing
    columns as text. `issues`: schema ISSUES. `rejected_rows`: rows that the gate itself holds back (in no `data`).
    `withdrawn`: schema WITHDRAWN, of rows without consent. Made by the gate or by `read`, and by nobody else.
    """

    source: Source = field(repr=False)
    table: str
    data: pa.Table = field(repr=False)
    issues: pa.Table = field(default_factory=ISSUES.empty_table)
    rejected_rows: pa.Array = field(default_factory=lambda: pa.array([], pa.int64()))
    withdrawn: pa.Table = field(default_factory=WITHDRAWN.empty_table)
    seal: InitVar[Seal]

    def __post_init__(self, seal: Seal) -> None:
        if seal is not SEAL:
            raise UnsafeColumn("only the gate makes a safe batch")
        self._require_allowed_columns()
        if not self.issues.schema.equals(ISSUES):
            raise UnsafeColumn(f"issues of table {self.table!r} do not have the schema of issues")
        if not pa.types.is_integer(self.rejected_rows.type):
            raise UnsafeColumn(f"rejected rows of table {self.table!r} are more than their numbers")
        if not self.withdrawn.schema.equals(WITHDRAWN):
            raise UnsafeColumn(f"withdrawn records of table {self.table!r} are more than keys")

    def _require_allowed_columns(self) -> None:
        """System columns in their types and columns of text that are declared to pass, and nothing else."""
        entities = self.source.table(self.table).entities
        keys = {ROW_KEY, PERSON, PARENT, *(ENTITY_KEY_PREFIX + entity for entity in entities)}
        system = {ROW: pa.int64(), **dict.fromkeys(keys, KEY)}
        passing = set(self.source.passing(self.table))
        for number, column in enumerate(self.data.schema):
            wanted = _is_text(column.type) if column.name in passing else system.get(column.name) == column.type
            if not wanted:
                # Not by its name, which may be somebody's.
                raise UnsafeColumn(f"column {number} of table {self.table!r} is not declared to pass")

    def to_keep(self) -> pa.Table:
        """`data` as `read` wants it kept: it says of which table it is."""
        return self.data.replace_schema_metadata({_TABLE: self.table})

    @classmethod
    def read(cls, kept: Path | BinaryIO, source: Source) -> SafeBatch:
        """The rows that were kept, if they are still what the source declares to pass.

        What the gate said beside them (issues, rejected and withdrawn rows) is kept elsewhere.
        """
        import pyarrow.parquet as pq

        data = pq.read_table(kept)
        table = (data.schema.metadata or {}).get(_TABLE.encode())
        if table is None:
            raise UnsafeColumn("a file that says of no table was not kept by the gate")
        return cls(source=source, table=table.decode(), data=data, seal=SEAL)


def _is_text(kind: pa.DataType) -> bool:
    """Whether a column holds cells, or none, and nothing within them."""
    cells = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(cells) or pa.types.is_null(cells))


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
