"""PostgreSQL's binary COPY format from numpy arrays: the way into the vault for whole batches.

Columns of fixed width are built without a loop over rows. Which tables are copied is the business of `enrolment`.
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
