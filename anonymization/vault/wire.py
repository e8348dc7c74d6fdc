"""PostgreSQL's binary formats from numpy arrays: COPY, the way into the vault for whole batches, and array parameters.

Columns of fixed width are built without a loop over rows. What is copied and asked is the business of `enrolment`.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from psycopg import Cursor

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"

Column = npt.NDArray[Any]
"""Integers, or a uint8 matrix with the bytes of one value in each row."""


@dataclass(frozen=True)
class Uuids:
    """A parameter of type uuid[]: a uint8 matrix of 16 columns."""

    values: Column


@dataclass(frozen=True)
class Bigints:
    """A parameter of type bigint[]."""

    values: Column


def know_arrays(cursor: Cursor[Any]) -> None:
    """From now on the cursor takes `Uuids` and `Bigints` as parameters."""
    from psycopg.adapt import Dumper
    from psycopg.pq import Format

    class OfUuids(Dumper):
        format, oid = Format.BINARY, 2951

        def dump(self, obj: Uuids) -> bytes:
            return _array(2950, obj.values, obj.values.shape[1])

    class OfBigints(Dumper):
        format, oid = Format.BINARY, 1016

        def dump(self, obj: Bigints) -> bytes:
            return _array(20, obj.values, 8)

    cursor.adapters.register_dumper(Uuids, OfUuids)
    cursor.adapters.register_dumper(Bigints, OfBigints)


def _array(element: int, values: Column, width: int) -> bytes:
    """The binary form of a one-dimensional array without nulls: a header, then each value after its length."""
    value = ("value", "u1", (width,)) if values.ndim == 2 else ("value", f">i{width}")
    block = np.empty(len(values), dtype=[("length", ">i4"), value])
    block["length"], block["value"] = width, values
    return struct.pack(">iiIii", 1, 0, element, len(values), 1) + block.tobytes()


def rows(columns: Sequence[Column]) -> bytes:
    """A whole binary COPY of columns of fixed width."""
    return HEADER + _block(columns, len(columns)).tobytes() + TRAILER


def rows_with_tail(columns: Sequence[Column], lengths: npt.NDArray[np.int32]) -> bytes:
    """For each row all but the bytes of a last column of varying width: each row of equal size, no header."""
    return _block(columns, len(columns) + 1, lengths).tobytes()


def _block(columns: Sequence[Column], count: int, lengths: npt.NDArray[np.int32] | None = None) -> Column:
    fields: list[Any] = [("count", ">i2")]
    for position, column in enumerate(columns):
        value = ("u1", (column.shape[1],)) if column.ndim == 2 else (f">i{column.dtype.itemsize}",)
        fields += [(f"length{position}", ">i4"), (f"value{position}", *value)]
    block = np.empty(len(columns[0]), dtype=fields if lengths is None else [*fields, ("tail", ">i4")])
    block["count"] = count
    for position, column in enumerate(columns):
        block[f"length{position}"] = column.shape[1] if column.ndim == 2 else column.dtype.itemsize
        block[f"value{position}"] = column
    if lengths is not None:
        block["tail"] = lengths
    return block


def answer(cursor: Cursor[Any], statement: str, values: tuple[object, ...], row: np.dtype[np.void]) -> npt.NDArray[Any]:
    """The rows that a statement aggregates into one value."""
    know_arrays(cursor)
    (joined,) = cursor.execute(statement.encode(), values, binary=True).fetchone() or (None,)
    return np.frombuffer(joined or b"", dtype=row)


def copy_in(cursor: Cursor[Any], target: str, rows: bytes) -> None:
    """A whole binary COPY into a table, named with its columns."""
    with cursor.copy(f"COPY {target} FROM STDIN (FORMAT BINARY)") as copy:
        copy.write(rows)
