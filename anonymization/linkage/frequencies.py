"""How often a name or place occurs in a country, remembered without remembering names.

Counts lie in buckets of a hash, so that a rare name shares its count with others and nothing of an erased person
remains readable; the whole is sealed under the country's key. Not its business: what a frequency weighs.
"""

from __future__ import annotations

import zlib
from hashlib import blake2b

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

_BUCKETS = 1 << 16
_IMAGINED = 500
"""So many persons with names of middling frequency stand for the country until its own are counted."""


class Frequencies:
    """Counts of the values of some columns."""

    def __init__(self, columns: tuple[str, ...], unlisted: float, counts: npt.NDArray[np.int64] | None = None) -> None:
        self._columns, self._unlisted = columns, unlisted
        # The last place of each row is the total.
        self._counts = np.zeros((len(columns), _BUCKETS + 1), dtype=np.int64) if counts is None else counts

    def loaded(self, dumped: bytes) -> Frequencies:
        """These columns with the counts that were dumped."""
        counts = np.frombuffer(zlib.decompress(dumped), dtype="<i8").reshape(self._counts.shape)
        return Frequencies(self._columns, self._unlisted, counts.astype(np.int64))

    def dumps(self) -> bytes:
        return zlib.compress(self._counts.astype("<i8").tobytes(), level=1)

    @property
    def persons(self) -> int:
        """The most persons counted in any column."""
        return int(self._counts[:, -1].max())

    def copy(self) -> Frequencies:
        return Frequencies(self._columns, self._unlisted, self._counts.copy())

    def add(self, persons: pa.Table) -> None:
        """Count the values of `persons`, of a list each of its values; null and empty lists count nowhere."""
        self._count(persons, 1)

    def remove(self, persons: pa.Table) -> None:
        """Take back what `add` counted of `persons`; no count goes below zero."""
        self._count(persons, -1)
        np.maximum(self._counts, 0, out=self._counts)

    def _count(self, persons: pa.Table, step: int) -> None:
        for row, column in enumerate(self._columns):
            values = _whole(persons[column]).drop_null()
            total = len(values)
            if pa.types.is_list(values.type):
                total -= int(pc.sum(pc.equal(pc.list_value_length(values), 0)).as_py() or 0)
                values = values.flatten()
            counted = pc.value_counts(values)
            buckets, n = _buckets(counted.field("values")), counted.field("counts").to_numpy()
            np.add.at(self._counts[row], buckets, step * n)
            self._counts[row, -1] += step * total

    def shares(self, column: str, values: pa.Array) -> npt.NDArray[np.float64]:
        """The share of persons who have each of `values` in `column`."""
        total = self._counts[self._columns.index(column), -1]
        shares: npt.NDArray[np.float64] = (self.counts(column, values) + _IMAGINED * self._unlisted) / (
            total + _IMAGINED
        )
        return shares

    def counts(self, column: str, values: pa.Array) -> npt.NDArray[np.int64]:
        """How many persons have each of `values` in `column`, and those who share its bucket."""
        counted: npt.NDArray[np.int64] = self._counts[self._columns.index(column)][_buckets(values)]
        return counted


def _buckets(values: pa.Array) -> npt.NDArray[np.int64]:
    hashed = [blake2b(str(value).encode(), digest_size=2).digest() for value in values.to_pylist()]
    return np.frombuffer(b"".join(hashed), dtype=">u2").astype(np.int64)


def _whole(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
