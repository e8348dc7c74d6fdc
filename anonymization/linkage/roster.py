"""Persons of a country held in memory to be compared: each name, day and word once, and of a person their numbers.

In: persons as `features` prepares them, page by page. Out: columns of any persons, as Arrow dictionaries. A name that
came with another person costs four bytes. What is compared, and how, is the business of `similarity`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from anonymization.linkage import candidates
from anonymization.linkage.features import ROLES

Ids = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]
NONE = -1
BAGS = ("bag", "bag_k")
_OF_A_WORD = ("word", "latin")
"""What tells words apart and is compared with nothing."""


@dataclass(frozen=True)
class Said:
    """What some columns hold: a row of `values` for each distinct value, and by person the place of theirs, or NONE."""

    values: pa.Table
    code: Codes

    def but(self, persons: npt.NDArray[np.bool_]) -> Said:
        """The same, but that some persons have said nothing."""
        return replace(self, code=np.where(persons, np.int32(NONE), self.code))

    def bearers(self, among: npt.NDArray[np.bool_] | None = None) -> Ids:
        """How many persons, or persons among these, have said each value."""
        said = self.code != NONE if among is None else among & (self.code != NONE)
        return np.bincount(self.code[said], minlength=len(self.values))

    def column(self, name: str, rows: npt.NDArray[np.integer]) -> pa.Array:
        """Of persons in `rows`: a dictionary, or the values themselves where the dictionary would be longer."""
        (values,), codes = self.values[name].chunks, self.code[rows]
        if len(values) > len(codes):
            return values.take(pa.array(codes, mask=codes == NONE))
        missing = codes == NONE
        if values.null_count:  # a null lies among the codes, where everybody looks for it
            missing |= values.is_null().to_numpy(zero_copy_only=False)[codes]
        return pa.DictionaryArray.from_arrays(pa.array(codes, mask=missing), values)


@dataclass(frozen=True)
class Roster:
    """Persons: `ids`, `keys` as numbers, what they said by its first column; `words` of all names, `ends` of each bag.

    All columns of a role depend on its folded name, `<role>_n`; each other column stands for itself."""

    ids: Ids
    keys: pa.ChunkedArray
    said: Mapping[str, Said]
    words: Said
    ends: Ids

    @classmethod
    def of(cls, pages: Iterable[pa.Table]) -> Roster:
        """One page of `prepared` persons at a time is held as it came."""
        ids: list[Ids] = [np.empty(0, np.int64)]
        lengths: list[Codes] = [np.zeros(1, np.int32)]
        keys: list[pa.Array] = []
        said: dict[str, _Growing] = {}
        words = _Growing()
        for page in pages:
            columns = {name: decoded(page[name].combine_chunks()) for name in page.column_names}
            ids.append(columns.pop("unique_id").to_numpy())
            keys += candidates.numbered(columns.pop("keys")).chunks
            bag, bones = (columns.pop(name) for name in BAGS)
            lengths.append(bag.value_lengths().to_numpy())
            latin = columns["bag_latin"].take(pc.list_parent_indices(bag))
            both = pc.binary_join_element_wise(bag.flatten(), bones.flatten(), latin.cast(pa.string()), "\n")
            words.add({"word": both, "bag": bag.flatten(), "bag_k": bones.flatten(), "latin": latin})
            for key in [name for name in columns if _key(name) == name]:
                said.setdefault(key, _Growing()).add(
                    {key: columns[key]} | {name: columns[name] for name in columns if _key(name) == key}
                )
        return cls(
            np.concatenate(ids),
            pa.chunked_array(keys, pa.list_(pa.uint64())),
            {key: one.grown() for key, one in said.items()},
            words.grown(),
            np.cumsum(np.concatenate(lengths), dtype=np.int64),
        )

    def __len__(self) -> int:
        return len(self.ids)

    def but(self, key: str, persons: npt.NDArray[np.bool_]) -> Roster:
        """The same persons, some of whom have not said this."""
        return replace(self, said={**self.said, key: self.said[key].but(persons)})

    def with_values(self, key: str, values: Mapping[str, pa.Array]) -> Roster:
        """With other or more columns beside column `key`, a value for each of its distinct ones."""
        one = self.said[key]
        return replace(self, said={**self.said, key: replace(one, values=_with(one.values, values))})

    def with_each(self, name: str, values: pa.Array) -> Roster:
        """With one column more that depends on no other: a value for each person."""
        encoded = values.dictionary_encode()
        codes = encoded.indices.fill_null(NONE).to_numpy()
        return replace(self, said={**self.said, name: Said(pa.table({name: encoded.dictionary}), codes)})

    def with_words(self, values: Mapping[str, pa.Array]) -> Roster:
        """The same of words: lists of them, or of something else, in place of or beside the bags."""
        return replace(self, words=replace(self.words, values=_with(self.words.values, values)))

    def columns(self, names: Iterable[str], rows: npt.NDArray[np.integer], ending: str = "") -> dict[str, pa.Array]:
        """Columns of persons in `rows`, named with an `ending`."""
        of = {name: key for key, one in self.said.items() for name in one.values.column_names}
        return {
            name + ending: self.said[of[name]].column(name, rows) if name in of else self._bags(name, rows)
            for name in names
        }

    @property
    def names(self) -> list[str]:
        """Of all columns."""
        words = [name for name in self.words.values.column_names if name not in _OF_A_WORD]
        return [name for one in self.said.values() for name in one.values.column_names] + words

    def _bags(self, name: str, rows: npt.NDArray[np.integer]) -> pa.ListArray:
        starts, ends = self.ends[rows], self.ends[rows + 1]
        offsets = np.concatenate([[0], np.cumsum(ends - starts)])
        places = np.arange(offsets[-1]) + np.repeat(starts - offsets[:-1], ends - starts)
        (values,) = self.words.values[name].chunks
        # No dictionary: DuckDB refuses a batch of nothing but empty lists over one.
        return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values.take(pa.array(self.words.code[places])))


class _Growing:
    """`Said`, while pages of persons are added. The first of its columns is the one that the others depend on."""

    def __init__(self) -> None:
        self._values: list[pa.Table] = []
        self._known: pa.ChunkedArray | None = None
        self._code: list[Codes] = [np.empty(0, np.int32)]

    def add(self, columns: Mapping[str, pa.Array]) -> None:
        key = next(iter(columns))
        encoded = columns[key].dictionary_encode()
        codes = encoded.indices.fill_null(NONE).to_numpy()
        filled = np.flatnonzero(codes != NONE)[::-1]
        first = np.zeros(len(encoded.dictionary), np.int64)
        first[codes[filled]] = filled
        if self._known is None:
            self._known = pa.chunked_array([], encoded.dictionary.type)
        place = pc.index_in(encoded.dictionary, value_set=self._known).fill_null(NONE).to_numpy().copy()
        new = np.flatnonzero(place == NONE)
        place[new] = len(self._known) + np.arange(len(new))
        self._values.append(pa.table({name: column.take(pa.array(first[new])) for name, column in columns.items()}))
        self._known = pa.chunked_array([*self._known.chunks, self._values[-1][key].chunk(0)])
        self._code.append(np.append(place, NONE)[codes].astype(np.int32))

    def grown(self) -> Said:
        return Said(pa.concat_tables(self._values).combine_chunks(), np.concatenate(self._code))


def _key(column: str) -> str:
    role = column.partition("_")[0]
    return f"{role}_n" if role in ROLES else column


def _with(table: pa.Table, columns: Mapping[str, pa.Array]) -> pa.Table:
    kept = {name: table[name] for name in table.column_names}
    return pa.table(kept | dict(columns)).combine_chunks()


def decoded(values: pa.Array) -> pa.Array:
    """A dictionary as the values that it stands for; other values as they are."""
    return values.dictionary.take(values.indices) if isinstance(values, pa.DictionaryArray) else values
