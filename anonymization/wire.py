"""PostgreSQL's binary COPY format, to and from numpy: the way in and out of the vault for whole batches.

Columns of fixed width are built and read without a loop over rows. Which tables are copied is the business of `vault`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"

Column = npt.NDArray[Any]
"""Integers, or a uint8 matrix with the bytes of one value in each row."""


def rows(columns: Sequence[Column]) -> bytes:
    """A whole binary COPY of columns of fixed width."""
    return HEADER + _block(columns, len(columns)).tobytes() + TRAILER


def rows_with_tail(columns: Sequence[Column], lengths: npt.NDArray[np.int32]) -> bytes:
    """For each row all but the bytes of a last column of varying width: each row of equal size, no header."""
    return _block(columns, len(columns) + 1, lengths).tobytes()


def read(data: bytes, widths: Sequence[int]) -> list[Column]:
    """Columns of a binary COPY without nulls. A column of 2, 4 or 8 bytes is an integer, any other a matrix."""
    fields = [("count", ">i2")]
    for position, width in enumerate(widths):
        fields += _field(position, width, integer=width in (2, 4, 8))
    block = np.frombuffer(data[len(HEADER) : -len(TRAILER)], dtype=fields)
    columns = [block[f"value{position}"] for position in range(len(widths))]
    return [column.astype(column.dtype.newbyteorder("=")) for column in columns]


def _block(columns: Sequence[Column], count: int, lengths: npt.NDArray[np.int32] | None = None) -> Column:
    widths = [column.shape[1] if column.ndim == 2 else column.dtype.itemsize for column in columns]
    fields: list[Any] = [("count", ">i2")]
    for position, (column, width) in enumerate(zip(columns, widths, strict=True)):
        fields += _field(position, width, integer=column.ndim == 1)
    block = np.empty(len(columns[0]), dtype=fields if lengths is None else [*fields, ("tail", ">i4")])
    block["count"] = count
    for position, (column, width) in enumerate(zip(columns, widths, strict=True)):
        block[f"length{position}"] = width
        block[f"value{position}"] = column
    if lengths is not None:
        block["tail"] = lengths
    return block


def _field(position: int, width: int, integer: bool) -> list[Any]:
    value = (f">i{width}",) if integer else ("u1", (width,))
    return [(f"length{position}", ">i4"), (f"value{position}", *value)]
