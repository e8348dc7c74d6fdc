"""Arrow to PostgreSQL: batches encoded as binary COPY by whole columns, without a Python loop over rows.

A batch is laid out as a grid of bytes, one line per row, one slot per column as wide as its widest cell: the line of an
average row is copied n times, the cells are written through strided views, and the unused bytes of nulls and short
texts are masked away. It knows types only; tables and deliveries are not its business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.compute as pc
from psycopg import sql

HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
TRAILER = b"\xff\xff"
INT2_OID = 21
POSTGRES_EPOCH = 10_957
"""Days from 1970-01-01 to 2000-01-01, where PostgreSQL's dates begin."""

Bytes = np.ndarray[Any, np.dtype[np.uint8]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]


class Cells:
    """One column of a batch, ready to be laid out: its bytes, n x width, and the length of each cell (-1: null)."""

    def __init__(self, grid: Bytes, lengths: np.ndarray[Any, np.dtype[np.int32]]) -> None:
        self.grid, self.lengths = grid, lengths
        self.width = grid.shape[1]
        self.usual = self.width or int(lengths[0])
        """The length in the line of an average row: the slot is full; without a slot, null or an empty text."""


def _fixed(values: np.ndarray[Any, Any], dtype: str, valid: Mask | None) -> Cells:
    encoded = np.ascontiguousarray(values.astype(dtype))
    grid = encoded.view(np.uint8).reshape(len(values), -1)
    return Cells(grid, _lengths(np.full(len(values), grid.shape[1], np.int32), valid))


def _nothing(n: int) -> Cells:
    """A column without a value takes no room."""
    return Cells(np.empty((n, 0), np.uint8), np.full(n, -1, np.int32))


def _lengths(lengths: np.ndarray[Any, Any], valid: Mask | None) -> np.ndarray[Any, np.dtype[np.int32]]:
    if valid is not None:
        lengths = np.where(valid, lengths, -1)
    return lengths.astype(np.int32)


def _valid(column: pa.Array) -> Mask | None:
    return None if column.null_count == 0 else column.is_valid().to_numpy(zero_copy_only=False)


def _numbers(column: pa.Array, zero: Any = 0) -> np.ndarray[Any, Any]:
    filled = column if column.null_count == 0 else pc.fill_null(column, zero)
    numbers: np.ndarray[Any, Any] = filled.to_numpy(zero_copy_only=False)
    return numbers


def _integers(dtype: str) -> Callable[[pa.Array], Cells]:
    return lambda column: _fixed(_numbers(column), dtype, _valid(column))


def _dates(column: pa.Array) -> Cells:
    return _fixed(_numbers(column.cast(pa.int32())) - POSTGRES_EPOCH, ">i4", _valid(column))


def _booleans(column: pa.Array) -> Cells:
    return _fixed(_numbers(column, False), "u1", _valid(column))


def _sixteen_bytes(column: pa.Array) -> Cells:
    buffer = column.buffers()[1]
    every = np.frombuffer(buffer, np.uint8).reshape(-1, 16)[column.offset : column.offset + len(column)]
    return Cells(every, _lengths(np.full(len(column), 16, np.int32), _valid(column)))


def _money(column: pa.Array) -> Cells:
    """numeric(18,2) as PostgreSQL sends it: four base-10,000 digits before the point and one after it."""
    n = len(column)
    halves = np.frombuffer(column.buffers()[1], "<i8").reshape(-1, 2)[column.offset : column.offset + n]
    cents = np.abs(halves[:, 0])  # 18 digits fit the lower half of the 128 bits; its sign is the number's
    whole, parts = np.divmod(cents, 100)
    digits = np.empty((n, 9), ">i2")
    digits[:, 0], digits[:, 1], digits[:, 3] = 5, 3, 2
    digits[:, 2] = np.where(halves[:, 0] < 0, 0x4000, 0)
    for place in range(7, 3, -1):
        whole, digits[:, place] = np.divmod(whole, 10_000)
    digits[:, 8] = parts * 100
    return Cells(digits.view(np.uint8).reshape(n, 18), _lengths(np.full(n, 18, np.int32), _valid(column)))


def _texts(column: pa.Array) -> Cells:
    """UTF-8 bytes, each cell at the left of a slot as wide as the longest; a dictionary is laid out once and taken."""
    if pa.types.is_dictionary(column.type):
        entries = _texts(column.dictionary.cast(pa.string()))
        if len(column.dictionary) == 0:
            return Cells(np.empty((len(column), 0), np.uint8), np.full(len(column), -1, np.int32))
        codes = _numbers(column.indices)
        return Cells(entries.grid[codes], _lengths(entries.lengths[codes], _valid(column)))
    column = column.cast(pa.large_string())
    starts = np.frombuffer(column.buffers()[1], "<i8")[column.offset : column.offset + len(column) + 1]
    sizes = np.diff(starts)
    valid = _valid(column)
    if valid is not None:
        sizes = np.where(valid, sizes, 0)
    width = int(sizes.max(initial=0))
    grid = np.zeros((len(column), width), np.uint8)
    if width:
        data = np.frombuffer(column.buffers()[2], np.uint8)
        inside = np.arange(width) < sizes[:, None]
        if sizes.sum() == starts[-1] - starts[0]:
            grid[inside] = data[starts[0] : starts[-1]]
        else:  # bytes may lie under a null
            grid[inside] = data[(starts[:-1, None] + np.arange(width))[inside]]
    return Cells(grid, _lengths(sizes, valid))


def _code_lists(column: pa.Array) -> Cells:
    """smallint[]: a header of 20 bytes (12 for an empty array), then length and value of each element."""
    n = len(column)
    sizes = _numbers(pc.list_value_length(column)).astype(np.int64)
    longest = int(sizes.max(initial=0))
    grid = np.zeros((n, 20 + 6 * longest), np.uint8)
    header = grid[:, :20].copy().view(">i4").reshape(n, 5)
    header[:, 0], header[:, 2], header[:, 3], header[:, 4] = sizes > 0, INT2_OID, sizes, 1
    grid[:, :20] = header.view(np.uint8).reshape(n, 20)
    elements = np.zeros((n, longest), [("length", ">i4"), ("value", ">i2")])
    elements["length"] = 2
    elements["value"][np.arange(longest) < sizes[:, None]] = _numbers(column.flatten())
    grid[:, 20:] = elements.view(np.uint8).reshape(n, 6 * longest)
    return Cells(grid, _lengths(np.where(sizes > 0, 20 + 6 * sizes, 12), _valid(column)))


def _encoder(arrow: pa.DataType) -> Callable[[pa.Array], Cells]:
    plain: dict[pa.DataType, Callable[[pa.Array], Cells]] = {
        pa.int16(): _integers(">i2"),
        pa.int32(): _integers(">i4"),
        pa.int64(): _integers(">i8"),
        pa.bool_(): _booleans,
        pa.date32(): _dates,
        pa.binary(16): _sixteen_bytes,
        pa.decimal128(18, 2): _money,
        pa.string(): _texts,
        pa.large_string(): _texts,
    }
    if pa.types.is_dictionary(arrow):
        return _texts
    if pa.types.is_list(arrow) and arrow.value_type == pa.int16():
        return _code_lists
    if arrow not in plain:
        raise TypeError(f"no binary COPY for Arrow type {arrow}")
    return plain[arrow]


def encode(batch: pa.RecordBatch) -> memoryview[int]:
    """The rows of one batch as binary COPY tuples (without the stream's header and trailer)."""
    n = batch.num_rows
    columns = [_nothing(n) if c.null_count == n else _encoder(c.type)(c) for c in batch.columns]
    template = _template(columns)
    stride = len(template)
    grid = np.empty((n, stride), np.uint8)
    grid[:] = template
    kept: Bytes | None = None
    place = 2
    for column in columns:
        start = place + 4
        if column.width:
            _slot(grid, start, column.width)[:] = np.ascontiguousarray(column.grid).view(f"V{column.width}")[:, 0]
        unusual = np.flatnonzero(column.lengths != column.usual)
        if len(unusual):
            lengths = column.lengths[unusual]
            _slot(grid, place, 4)[unusual] = lengths.astype(">i4").view("V4")
            if column.width:
                kept = np.ones((n, stride), np.uint8) if kept is None else kept
                _slot(kept, start, column.width)[unusual] = _used(lengths, column.width)
        place = start + column.width
    flat = grid.reshape(-1)
    return (flat if kept is None else flat[kept.reshape(-1).view(np.bool_)]).data


def _used(lengths: np.ndarray[Any, Any], width: int) -> np.ndarray[Any, Any]:
    """Which bytes of its slot each cell fills, as one opaque item a cell; few lengths occur, so each is made once."""
    distinct, which = np.unique(np.maximum(lengths, 0), return_inverse=True)
    patterns = (np.arange(width) < distinct[:, None]).astype(np.uint8)
    items: np.ndarray[Any, Any] = patterns.view(f"V{width}")[:, 0][which]
    return items


def _template(columns: Sequence[Cells]) -> Bytes:
    """A row whose every cell has its column's usual length."""
    line = bytearray(len(columns).to_bytes(2, "big"))
    for column in columns:
        line += column.usual.to_bytes(4, "big", signed=True) + bytes(column.width)
    return np.frombuffer(bytes(line), np.uint8)


def _slot(grid: Bytes, start: int, width: int) -> np.ndarray[Any, Any]:
    """One column's place in every row, as one opaque item a row: a strided copy instead of n small ones."""
    return np.ndarray((grid.shape[0],), f"V{width}", buffer=grid.data, offset=start, strides=(grid.shape[1],))


def copy_in(
    conn: psycopg.Connection[Any],
    table: sql.Composable,
    columns: Sequence[str],
    batches: Iterable[pa.RecordBatch],
    freeze: bool = False,
) -> int:
    """COPY the batches' columns, in this order, into `table`; returns rows. `freeze`: the table is new in this
    transaction, so its rows can be written as old ones and are never rewritten."""
    rows = 0
    options = sql.SQL("FORMAT binary, FREEZE") if freeze else sql.SQL("FORMAT binary")
    statement = sql.SQL("COPY {} ({}) FROM STDIN ({})").format(
        table, sql.SQL(", ").join(map(sql.Identifier, columns)), options
    )
    with conn.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(HEADER)
        for encoded, count in _ahead(batches, list(columns)):
            copy.write(encoded)
            rows += count
        copy.write(TRAILER)
    return rows


def _ahead(batches: Iterable[pa.RecordBatch], columns: list[str]) -> Iterator[tuple[memoryview[int], int]]:
    """Encoded batches; the next one is read and encoded while the server takes the last."""
    waiting = iter(batches)

    def following() -> tuple[memoryview[int], int] | None:
        for batch in waiting:
            if batch.num_rows:
                return encode(batch.select(columns)), batch.num_rows
        return None

    with ThreadPoolExecutor(1) as encoder:
        coming = encoder.submit(following)
        while (ready := coming.result()) is not None:
            coming = encoder.submit(following)
            yield ready
