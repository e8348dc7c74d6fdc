"""Looks at each different value of a text column once, and spreads what was found over the rows.

Every reader of this room goes through here; what is read is not its business.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

TextColumn: TypeAlias = pa.Array | pa.ChunkedArray


def whole(column: TextColumn) -> pa.Array:
    """A column as one array; a single chunk as it is, since combining would copy it."""
    if not isinstance(column, pa.ChunkedArray):
        return column
    if column.num_chunks == 1:
        return column.chunk(0)
    array = column.combine_chunks()
    if isinstance(array, pa.ChunkedArray):  # combine_chunks of very long text, or of no chunk at all
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], array.type)
    return array


def distinct(column: TextColumn) -> pa.DictionaryArray:
    """The column as one dictionary array of strings (already encoded columns keep their encoding)."""
    array = whole(column)
    if pa.types.is_dictionary(array.type):
        return array
    if pa.types.is_null(array.type):
        array = array.cast(pa.string())
    return pc.dictionary_encode(array)


def used(encoded: pa.DictionaryArray) -> pa.DictionaryArray:
    """The same cells with a dictionary of the values that they have: filtered rows leave theirs behind in it."""
    size = len(encoded.dictionary)
    indices = encoded.indices.drop_null().to_numpy(zero_copy_only=False)
    needed = np.bincount(indices, minlength=size) > 0
    if needed.all():
        return encoded
    places = pa.array(np.cumsum(needed) - 1, encoded.indices.type)
    return pa.DictionaryArray.from_arrays(places.take(encoded.indices), encoded.dictionary.filter(pa.array(needed)))


def over_distinct(column: TextColumn, read: Callable[[pa.Array], Sequence[pa.Array]]) -> tuple[pa.Array, ...]:
    """`read` gets the different values (strings) and gives arrays as long as they are; here they get the rows' length.

    A null row is null in every result.
    """
    encoded = distinct(column)
    return tuple(pc.take(found, encoded.indices) for found in read(encoded.dictionary.cast(pa.string())))


def trimmed(texts: pa.Array) -> pa.Array:
    """Without white space around (no-break spaces too); a text of nothing else is null."""
    bare = pc.utf8_trim_whitespace(texts)
    return pc.if_else(pc.equal(bare, ""), pa.scalar(None, pa.string()), bare)
