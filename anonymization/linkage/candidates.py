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

_PART = 1_000_000
"""So many pairs are made at a time, counted once for each key that their persons share."""
_SORTED = 1_000_000
"""So many keys are sorted at a time: sorting those of a country at once would double its memory."""


def numbered(keys: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray:
    """Lists of keys as numbers, a third of the memory of their texts; numbers stay as they are."""
    chunks = keys.chunks if isinstance(keys, pa.ChunkedArray) else [keys]
    return pa.chunked_array([_numbered(chunk) for chunk in chunks], pa.list_(pa.uint64()))


def _numbered(keys: pa.ListArray) -> pa.ListArray:
    if keys.type.value_type == pa.uint64():
        return keys
    from pandas.util import hash_array

    hashed = hash_array(keys.flatten().to_numpy(zero_copy_only=False), categorize=False)
    offsets = np.concatenate([[0], np.cumsum(keys.value_lengths().to_numpy())])
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(hashed, pa.uint64()))


@dataclass(frozen=True)
class _Blocks:
    """Persons who share a key: ranks of the members, block by block and rising in each, and where each block ends;
    `made`: by rank, how many pairs a person makes with those behind them in their blocks."""

    members: Numbers
    ends: Numbers
    made: Rows

    def pairs(self, lowest: int, highest: int) -> tuple[Rows, Rows]:
        """Those that the persons of these ranks make, once for each key."""
        places = np.flatnonzero((self.members >= lowest) & (self.members < highest))
        more = self.ends[np.searchsorted(self.ends, places, side="right")] - places - 1
        behind = np.cumsum(more, dtype=np.int64)
        nth = np.arange(behind[-1] if len(behind) else 0) - np.repeat(behind - more, more)
        first = np.repeat(self.members[places].astype(np.int64), more)
        return first, self.members[np.repeat(places + 1, more) + nth].astype(np.int64)


def in_parts(keys: pa.ChunkedArray, asked: npt.NDArray[np.bool_], crowd: int) -> Iterator[tuple[Rows, Rows]]:
    """Pairs of rows that share one of the `numbered` keys, and one of whom is asked for: each pair once.

    A key that finds nobody else, or more than `crowd` persons, counts for nothing: finer keys lie beside it.
    """
    # Who is asked for stands first in each block, and the first of two makes their pair: nobody else makes one.
    order = np.argsort(~asked, kind="stable")
    blocks = _blocks(keys, np.argsort(order).astype(np.int32), crowd, int(np.count_nonzero(asked)))
    # All pairs of the person who makes them are in one part, where a pair of two keys is seen to be one.
    part = np.cumsum(blocks.made) // _PART
    bounds = np.concatenate([[0], np.flatnonzero(np.diff(part)) + 1, [len(part)]])
    for lowest, highest in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        first, other = blocks.pairs(lowest, highest)
        # Sorted and compared: numpy.unique takes ten times as long for large integers.
        pairs = np.sort(first * len(order) + other)
        pairs = pairs[np.diff(pairs, prepend=-1) != 0]
        yield order[pairs // len(order)], order[pairs % len(order)]


def _blocks(keys: pa.ChunkedArray, rank: Numbers, crowd: int, asked: int) -> _Blocks:
    """Blocks of 2 to `crowd` persons, told apart by their ranks; those whose rank is below `asked` make pairs."""
    members, ends = [np.empty(0, np.int32)], [np.empty(0, np.int32)]
    made, before = np.zeros(asked, np.int64), 0
    slices = 1 + sum(len(chunk.flatten()) for chunk in keys.chunks) // _SORTED
    for some in range(slices):
        key, owner = _slice(keys, rank, some, slices)
        order = np.lexsort((owner, key))
        key, owner = key[order], owner[order]
        starts = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]])) if len(key) else np.empty(0, np.int64)
        sizes = np.diff(np.append(starts, len(key)))
        fit = (sizes > 1) & (sizes <= crowd)
        owner, sizes = owner[np.repeat(fit, sizes)], sizes[fit]
        closed = np.cumsum(sizes)
        more = np.repeat(closed, sizes) - np.arange(1, len(owner) + 1)
        makes = owner < asked
        made += np.bincount(owner[makes], weights=more[makes], minlength=asked).astype(np.int64)
        members.append(owner)
        ends.append((closed + before).astype(np.int32))
        before += len(owner)
    return _Blocks(np.concatenate(members), np.concatenate(ends), made)


def _slice(keys: pa.ChunkedArray, rank: Numbers, some: int, slices: int) -> tuple[npt.NDArray[np.uint64], Numbers]:
    """The keys of one slice, and the ranks of the persons who have them."""
    found, owners, row = [np.empty(0, np.uint64)], [np.empty(0, np.int32)], 0
    for chunk in keys.chunks:
        flat = chunk.flatten().to_numpy()
        chosen = flat % slices == some
        found.append(flat[chosen])
        owners.append(np.repeat(rank[row : row + len(chunk)], chunk.value_lengths().to_numpy())[chosen])
        row += len(chunk)
    return np.concatenate(found), np.concatenate(owners)
