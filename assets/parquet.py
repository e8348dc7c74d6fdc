"""Folders of Parquet files that a stage writes as a whole or not at all, and the reading of them.

A stage writes into a draft beside the final folder and swaps it in at the end, so that a killed stage leaves the last
whole result standing. Only pseudonymous and coded columns ever come here.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from assets.workplace import PRIVATE
from codebook.errors import Unavailable
from values.distinct import distinct, used


@contextmanager
def whole_folder(final: Path) -> Iterator[Path]:
    """A draft folder that takes the place of `final` when the block ends well, and vanishes when it does not."""
    draft = final.with_name(f".{final.name}-{os.getpid()}")
    try:
        for abandoned in final.parent.glob(f".{final.name}-*"):  # of a killed run: whoever writes here holds the source
            shutil.rmtree(abandoned, ignore_errors=True)
        draft.mkdir(mode=PRIVATE, parents=True)
        yield draft
        shutil.rmtree(final, ignore_errors=True)
        draft.rename(final)
    except OSError as error:
        raise Unavailable(
            f"could not write the store: {os.strerror(error.errno or 0)}",
            where=final.name,
            mend="mend the disk and run again",
        ) from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def write(table: pa.Table, path: Path) -> None:
    """One Parquet file; fast light compression, dictionaries kept. Keys are random: nothing would shorten them. Row
    numbers all differ: a dictionary of them is given up when it is full, their steps take a bit each."""
    numbers = [field.name for field in table.schema if pa.types.is_int64(field.type)]
    columns = [_leaf(field) for field in table.schema if not pa.types.is_fixed_size_binary(field.type)]
    pq.write_table(
        table,
        path,
        compression=dict.fromkeys(columns, "lz4"),
        use_dictionary=[name for name in columns if name not in numbers],
        column_encoding=dict.fromkeys(numbers, "DELTA_BINARY_PACKED"),
        write_statistics=False,
    )


def _leaf(field: pa.Field) -> str:
    """The path of a column's values inside the file."""
    return f"{field.name}.list.element" if pa.types.is_list(field.type) else field.name


def swap(table: pa.Table, path: Path) -> None:
    """Put a table in the place of a file, whole or not at all; values of rows that are gone are not in it."""
    temporary = path.with_name(f".{path.name}")
    columns = [used(distinct(column)) if pa.types.is_dictionary(column.type) else column for column in table.columns]
    write(pa.Table.from_arrays(columns, schema=table.schema), temporary)
    temporary.replace(path)


def files(folder: Path, kind: str) -> list[Path]:
    """The files `<kind>-*.parquet` of a stage's folder, in the order of their numbers."""
    return sorted(folder.glob(f"{kind}-*.parquet"))


def read(paths: Iterable[Path], schema: pa.Schema) -> pa.Table:
    """All `paths` as one table; an empty one of `schema` where there are none."""
    tables = [pq.read_table(path) for path in paths]
    return pa.concat_tables(tables) if tables else schema.empty_table()


def by_rule(issues: pa.Table) -> dict[str, int]:
    """How many issues each rule has, by rule id."""
    counted = issues.group_by("rule").aggregate([([], "count_all")])
    return dict(sorted(zip(counted["rule"].to_pylist(), counted["count_all"].to_pylist(), strict=True)))
