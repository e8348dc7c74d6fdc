"""The store's Parquet without the rows of a person who is erased, those that hang on theirs included.

Who is erased, and everything that is not Parquet, is the business of `vault_erasure`.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from assets import parquet, progress
from assets.stages import harmonize, pseudonymize
from assets.workplace import Workplace
from sources.batches import PARENT, PERSON, ROW, ROW_KEY
from sources.models import Source

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from anonymization.vault.unfinished import Begun

_KEYS = (ROW, ROW_KEY, PERSON, PARENT)


@dataclass
class Found:
    """The person's rows in the store: keys of rows, and the supplier's table and row by source and delivery."""

    keys: set[bytes] = field(default_factory=set)
    rows: dict[tuple[str, str], list[tuple[str, int]]] = field(default_factory=dict)


def find(workplace: Workplace, sources: list[Source], persons: Sequence[UUID]) -> Found:
    """Row keys and rows of the person in the store, rows that hang on theirs included."""
    found = Found()
    tokens = pa.array([token.bytes for token in persons], pa.binary(16))
    for source in sources:
        before = -1
        while len(found.keys) != before:  # children of children: until nothing is found any more
            before = len(found.keys)
            for folder in _deliveries(workplace, source):
                rows = []
                for path in parquet.files(folder / pseudonymize.STAGE, "data"):
                    data, table = _read(path, _KEYS)
                    mine = data.filter(_mine(data, tokens, found.keys))
                    found.keys.update(mine[ROW_KEY].to_pylist())
                    rows += [(table, row) for row in mine[ROW].to_pylist()]
                if rows:
                    found.rows[source.source, folder.name] = rows
    return found


def rewrite(workplace: Workplace, sources: list[Source], begun: Begun) -> dict[str, int]:
    """The store's Parquet files without the person; how many files and rows that were."""
    files = rows = 0
    tokens = pa.array([token.bytes for token in begun.tokens], pa.binary(16))
    for source in sources:
        for folder in _deliveries(workplace, source):
            listed = begun.rows.get((source.source, folder.name), [])
            for path in parquet.files(folder / pseudonymize.STAGE, "data"):
                data, _ = _read(path)
                gone = _replace(path, data, pc.invert(_mine(data, tokens, begun.row_keys)))
                files, rows = files + bool(gone), rows + gone
            for path in parquet.files(folder / pseudonymize.STAGE, "rows"):
                files += _without_keys(path, begun.row_keys)
            for path in sorted((folder / harmonize.STAGE).glob("*.parquet")):
                data, _ = _read(path)
                if "person_token" in data.column_names:
                    gone = _replace(path, data, pc.invert(_made_of(data, tokens, listed)))
                    files, rows = files + bool(gone), rows + gone
        progress.report("store", files)
    return {"files": files, "rows": rows}


def _deliveries(workplace: Workplace, source: Source) -> list[Path]:
    folder = workplace.home / "store" / source.source
    return sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


def _read(path: Path, columns: Sequence[str] | None = None) -> tuple[pa.Table, str]:
    """The file, or those of `columns` that it has, and the supplier's table that its rows are of."""
    wanted = None if columns is None else [name for name in pq.read_schema(path).names if name in columns]
    data = pq.read_table(path, columns=wanted)
    return data, (data.schema.metadata or {}).get(b"table", b"").decode()


def _mine(data: pa.Table, tokens: pa.Array, keys: AbstractSet[bytes]) -> pa.ChunkedArray:
    """Rows with the person's token or a row key of theirs, and rows that hang on such a one."""
    listed = pa.array(list(keys), pa.binary(16))
    mine = pc.is_in(data[ROW_KEY], listed)
    for name, values in ((PERSON, tokens), (PARENT, listed)):
        if name in data.column_names:
            mine = pc.or_(mine, pc.is_in(data[name], values))
    return mine


def _made_of(data: pa.Table, tokens: pa.Array, rows: list[tuple[str, int]]) -> pa.ChunkedArray:
    """Harmonized rows with the person's token, or made of one of these rows."""
    mine = pc.is_in(data["person_token"], tokens)
    for table in {table for table, _ in rows}:
        numbers = pa.array([row for name, row in rows if name == table], pa.int64())
        here = pc.and_(pc.equal(data["source_table"], table), pc.is_in(data["source_row"], numbers))
        mine = pc.or_(mine, here)
    return mine


def _replace(path: Path, data: pa.Table, kept: pa.ChunkedArray) -> int:
    """Write the file anew without what is not kept; how many rows that were."""
    left = data.filter(kept)
    gone: int = data.num_rows - left.num_rows
    if gone:
        parquet.swap(left, path)
    return gone


def _without_keys(path: Path, keys: AbstractSet[bytes]) -> bool:
    """The row ledger counts the row on, and forgets its key."""
    data = pq.read_table(path)
    mine = pc.is_in(data["row_key"], pa.array(list(keys), pa.binary(16)))
    if not pc.any(mine).as_py():
        return False
    place = data.schema.get_field_index("row_key")
    blank = pc.if_else(mine, pa.scalar(None, pa.binary(16)), data["row_key"])
    parquet.swap(data.set_column(place, data.schema.field(place), blank), path)
    return True
