"""Samples of columns that share one vocabulary: what is asked of a text is asked once for all columns that hold it.

A call into Arrow makes its pattern ready and costs as much as looking at a hundred short texts, and a worksheet may
have 16,384 columns of few different values. What is asked is the business of the modules that judge a column.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from values.distinct import distinct

Mask: TypeAlias = NDArray[np.bool_]
Places: TypeAlias = NDArray[np.int64]
Question: TypeAlias = "str | Callable[[Vocabulary], Mask]"
"""A pattern of RE2, or a function that says of each text yes or no; a function is remembered by what it is."""
Found = TypeVar("Found")

_TOGETHER = 30_000
"""Texts of several columns that share a vocabulary; a column with as many has one of its own."""


class Vocabulary:
    """Texts (strings, none null) and all that has been asked of them."""

    def __init__(self, array: pa.Array) -> None:
        self.array = array
        self._known: dict[Hashable, object] = {}

    @cached_property
    def texts(self) -> list[str]:
        texts: list[str] = self.array.to_pylist()
        return texts

    def told(self, of: Callable[[Vocabulary], Found]) -> Found:
        """What this function finds in the texts, worked out once."""
        if of not in self._known:
            self._known[of] = of(self)
        return self._known[of]  # type: ignore[return-value]

    def which(self, asked: Question) -> Mask:
        """Which texts have this shape, or of which this holds."""
        if not isinstance(asked, str):
            return self.told(asked)
        found = self._known.get(asked)
        if found is None:
            found = self._known[asked] = np.asarray(pc.match_substring_regex(self.array, asked))
        return found  # type: ignore[return-value]


@dataclass(frozen=True, eq=False)
class Sample:
    """Different values of one column, in the order in which they were met, with digits of ASCII."""

    vocabulary: Vocabulary
    places: Places

    @staticmethod
    def of(texts: pa.Array) -> Sample:
        """Texts with a vocabulary of their own."""
        return Sample(Vocabulary(texts), np.arange(len(texts)))

    def __len__(self) -> int:
        return len(self.places)

    @cached_property
    def texts(self) -> list[str]:
        every = self.vocabulary.texts
        return [every[place] for place in self.places.tolist()]

    def which(self, asked: Question) -> Mask:
        return self.vocabulary.which(asked)[self.places]

    def share(self, asked: Question) -> float:
        """How much of the sample has this shape; none of an empty one."""
        return int(np.count_nonzero(self.which(asked))) / len(self) if len(self) else 0.0

    def where(self, mask: Mask) -> Sample:
        return self if mask.all() else Sample(self.vocabulary, self.places[mask])

    def first(self, most: int) -> Sample:
        """At most so many of the texts, with a vocabulary of their own where that leaves some out."""
        if len(self) <= most:
            return self
        return Sample.of(self.vocabulary.array.take(pa.array(self.places[:most])))


def sampled(columns: Sequence[Sequence[pa.Array]]) -> Iterator[Sample]:
    """A sample of each column from the texts that were kept of it: trimmed, each once.

    Columns that stand together share a vocabulary, as many as fit into it.
    """
    begin, held = 0, 0
    for end, arrays in enumerate(columns):
        size = sum(map(len, arrays))
        if end > begin and held + size > _TOGETHER:
            yield from _sharing(columns[begin:end])
            begin, held = end, 0
        held += size
    if columns:
        yield from _sharing(columns[begin:])


def _sharing(columns: Sequence[Sequence[pa.Array]]) -> Iterator[Sample]:
    every = [array for arrays in columns for array in arrays]
    # Exports of fixed-width registers pad their cells with spaces.
    encoded = distinct(pc.utf8_trim_whitespace(pa.concat_arrays(every) if every else pa.array([], pa.string())))
    vocabulary = Vocabulary(encoded.dictionary)
    sizes = np.array([sum(map(len, arrays)) for arrays in columns], np.int64)
    for places in first_met(np.asarray(encoded.indices, np.int64), sizes, len(encoded.dictionary)):
        yield Sample(vocabulary, places)


def first_met(places: Places, sizes: Places, width: int) -> list[Places]:
    """The different places of each column, in the order in which they are met; `places` of all columns, one after the
    other, `sizes` of them each, none of them `width` or more."""
    column = np.repeat(np.arange(len(sizes)), sizes)
    _, first = np.unique(column * width + places, return_index=True)
    first.sort()
    return np.split(places[first], np.searchsorted(column[first], np.arange(1, len(sizes))))
