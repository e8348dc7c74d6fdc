"""What leaves as an analyst's extract: rows of records come in random order, and keys that it names are its own.

The views of the marts show analysts other keys in each transaction (`veil.of_extract`), so two extracts cannot be
joined by person or record, whatever was made of a key; here their order goes, which would join them line by line, and
keys in texts are replaced once more, in case a column holds one. Officers of a country see keys and order, since they
act on persons. Who joins on dates and places is stopped by their agreement and by disclosure control, not by this.
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

OF_RECORDS = b"rows of records"
"""Metadata of an answer whose rows are records, not aggregates of them."""

# Keys with and without hyphens, and hashes that somebody made of them.
_KEY = re.compile(r"[0-9a-fA-F]{8}(?:-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12,}")


def rekeyed_for(role: str) -> bool:
    return role.removeprefix("homeward_") in ROLES


def rekeyed(answer: pa.Table, shuffle: bool) -> pa.Table:
    """`answer` with ids of its own; rows of records, or with ids, in random order where `shuffle` says so."""
    secret, mixed = os.urandom(32), OF_RECORDS in (answer.schema.metadata or {})
    for place, field in enumerate(answer.schema):
        new = _keys(answer.column(place), secret)
        if new is not None:
            mixed = True
            answer = answer.set_column(place, pa.field(field.name, new.type), new)
    if mixed and shuffle:
        answer = answer.take(pa.array(np.random.default_rng().permutation(answer.num_rows)))
    return answer.replace_schema_metadata(None)


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
