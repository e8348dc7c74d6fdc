"""Who is compared with whom: pairs of persons who share a blocking key, made in parts of bounded size.

Rows and numbers only: a key is a 64-bit hash of a text that `features` has made, and leaves this process nowhere. How
alike the two of a pair are is the business of `sieve` and `similarity`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Rows = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.int32]

_PART = 4_000_000
"""So many pairs are made at a time, counted once for each key that their persons share."""
_SLICES = 16
"""Keys are sorted in so many slices: sorting those of a country at once would double its memory."""


def numbered(keys: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray:
    """Lists of keys as numbers, a third of the memory of their texts; numbers stay as they are."""
    chunks = keys.chunks if isinstance(keys, pa.ChunkedArray) else [keys]
    return pa.chunked_array([_numbered(chunk) for chunk in chunks], pa.list_(pa.uint64()))


def with_numbers(prepared: pa.Table) -> pa.Table:
    """Prepared persons with their keys `numbered`, to be held in memory by the hundred thousand."""
    return prepared.set_column(prepared.column_names.index("keys"), "keys", numbered(prepared["keys"]))


def _numbered(keys: pa.ListArray) -> pa.ListArray:
    if keys.type.value_type == pa.uint64():
        return keys
    from pandas.util import hash_array

    hashed = hash_array(keys.flatten().to_numpy(zero_copy_only=False), categorize=False)
    offsets = np.concatenate([[0], np.cumsum(keys.value_lengths().to_numpy())])
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(hashed, pa.uint64()))


@dataclass(frozen=True)
class _Places:
    """The places of persons in the blocks that keys make, in order of the persons: `owner` has `more` persons of its
    block behind it, in `members` from `following` on."""

    members: Numbers
    owner: Numbers
    following: Numbers
    more: Numbers


def in_parts(keys: pa.ChunkedArray, asked: npt.NDArray[np.bool_], crowd: int) -> Iterator[tuple[Rows, Rows]]:
    """Pairs of rows that share one of the `numbered` keys, and one of whom is asked for: each pair once.

    A key that finds nobody else, or more than `crowd` persons, counts for nothing: finer keys lie beside it.
    """
    # Who is asked for stands first in each block, and the first of two makes their pair: nobody else makes one.
    order = np.argsort(~asked, kind="stable")
    placed = _placed(keys, np.argsort(order).astype(np.int32), crowd, int(np.count_nonzero(asked)))
    made = np.cumsum(np.bincount(placed.owner, weights=placed.more)).astype(np.int64)
    # All pairs of the person who makes them are in one part, where a pair of two keys is seen to be one.
    part = made[placed.owner] // _PART
    bounds = np.concatenate([[0], np.flatnonzero(np.diff(part)) + 1, [len(part)]])
    for start, end in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        first, other = _pairs(placed, slice(start, end))
        # Sorted and compared: numpy.unique takes ten times as long for large integers.
        pairs = np.sort(first * len(order) + other)
        pairs = pairs[np.diff(pairs, prepend=-1) != 0]
        yield order[pairs // len(order)], order[pairs % len(order)]


def _pairs(placed: _Places, some: slice) -> tuple[Rows, Rows]:
    more = placed.more[some]
    ends = np.cumsum(more, dtype=np.int64)
    nth = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - more, more)
    first = np.repeat(placed.owner[some].astype(np.int64), more)
    return first, placed.members[np.repeat(placed.following[some], more) + nth].astype(np.int64)


def _placed(keys: pa.ChunkedArray, rank: Numbers, crowd: int, asked: int) -> _Places:
    """Blocks of 2 to `crowd` persons, told apart by their ranks; places of those whose rank is below `asked`."""
    found: list[tuple[Numbers, ...]] = []
    members = 0
    for some in range(_SLICES):
        key, owner = _slice(keys, rank, some)
        order = np.lexsort((owner, key))
        key, owner = key[order], owner[order]
        starts = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]])) if len(key) else np.empty(0, np.int64)
        sizes = np.diff(np.append(starts, len(key)))
        kept = np.repeat((sizes > 1) & (sizes <= crowd), sizes)
        sizes = sizes[(sizes > 1) & (sizes <= crowd)]
        owner = owner[kept]
        following = np.arange(1, len(owner) + 1)
        more = np.repeat(np.cumsum(sizes), sizes) - following
        makes = (more > 0) & (owner < asked)
        places = (owner[makes], following[makes] + members, more[makes])
        found.append((owner, *(column.astype(np.int32) for column in places)))
        members += len(owner)
    everybody, *columns = (np.concatenate(column) for column in zip(*found, strict=True))
    by_owner = np.argsort(columns[0], kind="stable")
    return _Places(everybody, *(column[by_owner] for column in columns))


def _slice(keys: pa.ChunkedArray, rank: Numbers, some: int) -> tuple[npt.NDArray[np.uint64], Numbers]:
    """The keys of one slice, and the ranks of the persons who have them."""
    found, owners, row = [np.empty(0, np.uint64)], [np.empty(0, np.int32)], 0
    for chunk in keys.chunks:
        flat = chunk.flatten().to_numpy()
        chosen = flat % _SLICES == some
        found.append(flat[chosen])
        owners.append(np.repeat(rank[row : row + len(chunk)], chunk.value_lengths().to_numpy())[chosen])
        row += len(chunk)
    return np.concatenate(found), np.concatenate(owners)
