"""What all texts of a column are made of, seen at once: most columns have nothing of what a pattern would look for."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray


def is_ascii(values: pa.Array) -> bool:
    """Whether all of it is: told faster than any pattern."""
    return pc.all(pc.string_is_ascii(values)).as_py() is not False


def holds(values: pa.StringArray, signs: str) -> bool:
    """Whether any text may hold one of these ASCII signs; where none is found, none is there."""
    _, offsets, data = values.buffers()
    if not len(values) or data is None:
        return False
    ends = np.frombuffer(offsets, dtype=np.int32)[[values.offset, values.offset + len(values)]]
    letters: NDArray[np.uint8] = np.frombuffer(data, dtype=np.uint8)[ends[0] : ends[1]]
    if len(signs) == 1:
        return bool((letters == ord(signs)).any())
    wanted = np.zeros(256, dtype=bool)
    wanted[np.frombuffer(signs.encode("ascii"), dtype=np.uint8)] = True
    return bool(wanted[letters].any())
