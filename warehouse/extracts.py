"""What leaves as an analyst's extract carries ids of its own: two extracts cannot be joined by person, record or row.

Inside one statement the warehouse's own keys join as ever; only the answer is re-keyed, under a random key that is
forgotten at once. Officers of a country see the keys themselves, since they act on persons. This is about what is
handed on: somebody who means to carry keys out in another shape, or joins on dates and places, is stopped by their
agreement and by disclosure control, not by this.
"""

from __future__ import annotations

import os
import re
from hashlib import blake2b
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Callable

ROLES = ("analyst", "release_officer")
"""Who gets ids of the extract."""

ORIGIN = b"column"
"""Metadata of a field: the column of a table that it shows, under whatever name."""
ROW = "source_row"

# Keys with and without hyphens, and hashes that somebody made of them.
_KEY = re.compile(r"[0-9a-fA-F]{8}(?:-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12,}")


def rekeyed_for(role: str) -> bool:
    return role.removeprefix("homeward_") in ROLES


def rekeyed(answer: pa.Table, shuffle: bool) -> pa.Table:
    """`answer` with ids of its own; if it has any and `shuffle`, in random order, since an order joins too."""
    secret, changed = os.urandom(32), False
    for place, field in enumerate(answer.schema):
        column = answer.column(place)
        new = _rows(column) if _shows_rows(field) else _keys(column, secret)
        if new is not None:
            changed = True
            answer = answer.set_column(place, pa.field(field.name, new.type), new)
    if changed and shuffle:
        answer = answer.take(pa.array(np.random.default_rng().permutation(answer.num_rows)))
    return answer.replace_schema_metadata(None)


def _shows_rows(field: pa.Field) -> bool:
    origin = (field.metadata or {}).get(ORIGIN, field.name.encode()).decode()
    return ROW in (origin, field.name) and pa.types.is_integer(field.type)


def _rows(column: pa.ChunkedArray) -> pa.Array:
    """Row numbers as others, one to one, in random order."""
    encoded = column.combine_chunks().dictionary_encode()
    count = len(encoded.dictionary)
    return pa.array(np.random.default_rng().permutation(count) + 1, pa.int64()).take(encoded.indices)


def _keys(column: pa.ChunkedArray, secret: bytes) -> pa.Array | None:
    """The column with every key in its texts replaced; None if there is none."""
    if pa.types.is_list(column.type) and pa.types.is_string(column.type.value_type):
        whole = column.combine_chunks()
        values = _keys(pa.chunked_array([whole.flatten()], pa.string()), secret)
        if values is None:
            return None
        ends = np.concatenate([[0], np.cumsum(pc.fill_null(pc.list_value_length(whole), 0).to_numpy())])
        return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), values, mask=whole.is_null())
    if not pa.types.is_string(column.type):
        return None
    encoded = column.combine_chunks().dictionary_encode()
    texts = encoded.dictionary.to_pylist()
    replaced = [_KEY.sub(_other(secret), text) for text in texts]
    return None if replaced == texts else pa.array(replaced, pa.string()).take(encoded.indices)


def _other(secret: bytes) -> Callable[[re.Match[str]], str]:
    def other(found: re.Match[str]) -> str:
        said = found.group().replace("-", "").lower()
        made = UUID(bytes=blake2b(said.encode(), key=secret, digest_size=16).digest())
        return str(made) if "-" in found.group() else made.hex

    return other
