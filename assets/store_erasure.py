"""The store's Parquet without the rows of people who are erased, those that hang on theirs included.

Who is erased, and everything that is not Parquet, is the business of `vault_erasure`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from assets import parquet, progress
from assets.stages import harmonize, pseudonymize
from assets.workplace import Workplace
from codebook.loader import load_codebook
from sources.batches import PARENT, PERSON, ROW, ROW_KEY
from sources.models import Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from uuid import UUID

    from anonymization.vault.unfinished import Begun
    from warehouse.shared_records import Row

_KEYS = (ROW, ROW_KEY, PERSON, PARENT)


@dataclass
class Found:
    """A person's rows in the store: keys of rows, and the supplier's table and row by source and delivery."""

    keys: set[bytes] = field(default_factory=set)
    rows: dict[tuple[str, str], list[tuple[str, int]]] = field(default_factory=dict)


@dataclass(frozen=True)
class _People:
    """Who is erased, each by their place: whose a token is, and whose the key of a row.

    Whose rows are is an array of these places; null: nobody's."""

    tokens: Mapping[bytes, int]
    keys: dict[bytes, int]


def find(workplace: Workplace, sources: list[Source], people: Sequence[Sequence[UUID]]) -> list[Found]:
    """Row keys and rows of each person (`people`: their tokens) in the store, rows that hang on theirs included."""
    found = [Found() for _ in people]
    known = _People(_places([token.bytes for token in tokens] for tokens in people), {})
    for source in sources:
        before = -1
        while len(known.keys) != before:  # children of children: until nothing is found any more
            before = len(known.keys)
            for folder in _deliveries(workplace, source):
                rows = _found_in(folder, known)
                for place, listed in rows.items():
                    found[place].rows[source.source, folder.name] = listed
    for key, place in known.keys.items():
        found[place].keys.add(key)
    return found


def same_records(workplace: Workplace, sources: list[Source], tokens: set[bytes]) -> tuple[set[bytes], set[bytes]]:
    """Keys of these people's records, and the tokens of all their rows: a record that once came with another number,
    or without one, has several."""
    keys = _on(workplace, sources, PERSON, tokens, ROW_KEY)
    return keys, _on(workplace, sources, ROW_KEY, keys, PERSON)


def _on(workplace: Workplace, sources: list[Source], of: str, known: set[bytes], wanted: str) -> set[bytes]:
    """What stands in the column `wanted` on rows whose column `of` holds one of `known`."""
    found: set[bytes] = set()
    for folder in (folder for source in sources for folder in _deliveries(workplace, source)):
        for path in parquet.files(folder / pseudonymize.STAGE, "data"):
            data, _ = _read(path, (of, wanted))
            if {of, wanted} <= set(data.column_names):
                theirs = data.filter(pc.is_in(data[of], pa.array(list(known), data.schema.field(of).type)))
                found.update(theirs[wanted].drop_null().to_pylist())
    return found


def _found_in(folder: Path, known: _People) -> dict[int, list[tuple[str, int]]]:
    """By person the supplier's tables and rows of one delivery; their keys are known from now on."""
    rows: dict[int, list[tuple[str, int]]] = {}
    for path in parquet.files(folder / pseudonymize.STAGE, "data"):
        data, table = _read(path, _KEYS)
        whose = _whose(data, known)
        mine = data.filter(pc.is_valid(whose))
        for place, key, row in zip(
            whose.drop_null().to_pylist(), mine[ROW_KEY].to_pylist(), mine[ROW].to_pylist(), strict=True
        ):
            known.keys.setdefault(key, place)
            rows.setdefault(place, []).append((table, row))
    return rows


def rewrite(workplace: Workplace, sources: list[Source], people: Sequence[Begun]) -> list[dict[str, int]]:
    """The store's Parquet files without these people; for each of them how many files and rows that were."""
    files, rows = Counter[int](), Counter[int]()
    known = _People(
        _places([token.bytes for token in begun.tokens] for begun in people),
        _places(begun.row_keys for begun in people),
    )

    def replace(path: Path, data: pa.Table, whose: pa.Array) -> None:
        gone = Counter(whose.drop_null().to_pylist())
        if gone:
            parquet.swap(data.filter(pc.is_null(whose)), path)
            files.update(gone.keys())
            rows.update(gone)

    for source in sources:
        for folder in _deliveries(workplace, source):
            for path in parquet.files(folder / pseudonymize.STAGE, "data"):
                data, _ = _read(path)
                replace(path, data, _whose(data, known))
            for path in parquet.files(folder / pseudonymize.STAGE, "rows"):
                files.update(_without_keys(path, known.keys))
            listed = [begun.rows.get((source.source, folder.name), []) for begun in people]
            for path in sorted((folder / harmonize.STAGE).glob("*.parquet")):
                data, _ = _read(path)
                if "person_token" in data.column_names:
                    replace(path, data, _made_of(data, known.tokens, listed))
        progress.report("store", files.total())
    return [{"files": files[place], "rows": rows[place]} for place in range(len(people))]


def told(workplace: Workplace, entity: str, rows: Sequence[Row]) -> pa.Table:
    """What rows of suppliers say of an entity, as it was harmonized; nothing of those that are no longer kept."""
    schema = load_codebook().arrow_schema(entity)
    found = [schema.empty_table()]
    for source, delivery in sorted({(row.source, row.delivery) for row in rows}):
        for path in parquet.files(workplace.store(source, delivery) / harmonize.STAGE, entity):
            data = pq.read_table(path)
            for row in rows:
                if (row.source, row.delivery) == (source, delivery):
                    here = pc.and_(pc.equal(data["source_table"], row.table), pc.equal(data["source_row"], row.number))
                    found.append(data.filter(here).select(schema.names).cast(schema))
    return pa.concat_tables(found)


def _places(people: Iterable[Iterable[bytes]]) -> dict[bytes, int]:
    return {one: place for place, own in enumerate(people) for one in own}


def _deliveries(workplace: Workplace, source: Source) -> list[Path]:
    folder = workplace.home / "store" / source.source
    return sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


def _read(path: Path, columns: Sequence[str] | None = None) -> tuple[pa.Table, str]:
    """The file, or those of `columns` that it has, and the supplier's table that its rows are of."""
    wanted = None if columns is None else [name for name in pq.read_schema(path).names if name in columns]
    data = pq.read_table(path, columns=wanted)
    return data, (data.schema.metadata or {}).get(b"table", b"").decode()


def _whose(data: pa.Table, known: _People) -> pa.Array:
    """By token, by the key of the row, or by the row that it hangs on."""
    by = ((PERSON, known.tokens), (ROW_KEY, known.keys), (PARENT, known.keys))
    return pc.coalesce(*(_looked_up(data[name], places) for name, places in by if name in data.column_names))


def _made_of(data: pa.Table, tokens: Mapping[bytes, int], rows: Sequence[Iterable[tuple[str, int]]]) -> pa.Array:
    """Of harmonized rows: by token, or made of one of these rows."""
    whose = _looked_up(data["person_token"], tokens)
    for table in {table for listed in rows for table, _ in listed}:
        numbers = {row: place for place, listed in enumerate(rows) for name, row in listed if name == table}
        here = pc.equal(data["source_table"], table).combine_chunks()
        whose = pc.coalesce(whose, pc.if_else(here, _looked_up(data["source_row"], numbers), None))
    return whose


def _looked_up(column: pa.ChunkedArray, places: Mapping[bytes, int] | Mapping[int, int]) -> pa.Array:
    values = pa.array(list(places), column.type)
    found = pc.index_in(column.combine_chunks(), value_set=values)
    return pa.array(list(places.values()), pa.int32()).take(found)


def _without_keys(path: Path, keys: Mapping[bytes, int]) -> set[int]:
    """The row ledger counts the row on, and forgets its key; whose keys it forgot."""
    data = pq.read_table(path)
    whose = _looked_up(data["row_key"], keys)
    forgotten = set(whose.drop_null().to_pylist())
    if forgotten:
        place = data.schema.get_field_index("row_key")
        blank = pc.if_else(pc.is_valid(whose), pa.scalar(None, pa.binary(16)), data["row_key"].combine_chunks())
        parquet.swap(data.set_column(place, data.schema.field(place), blank), path)
    return forgotten
