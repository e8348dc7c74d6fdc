"""How rare a whole name is: by its words wherever they stand, and by its words each in its place.

A word is rarer in its place than anywhere: of three words in a name, a grandfather's may be a grandson's given name.
How rare they are is counted in the country (`frequencies`); how often they stand in their place, among who is compared.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from anonymization.linkage.roster import Roster, Said

WHOLE = ("bag", "bag_k", "full_s")
"""Columns whose share is that of a whole name: words in any order, their consonants, words in one order."""
_IMAGINED = 2.0
"""So many bearers of a word are taken to have it in this place: few tell nothing."""


def of_whole_names(persons: Roster) -> Roster:
    """`persons` with `tf_bag`, `tf_bag_k` and `tf_full_s`; their words have `bits`, which tell how rare each is."""
    words = persons.words.values
    bits = words["bits"].to_numpy()
    for name, rare in (("tf_bag", bits), ("tf_bag_k", _of_consonants(words["bag_k"].combine_chunks(), bits))):
        persons = persons.with_each(name, pa.array(2.0 ** -_sums(rare[persons.words.code], np.diff(persons.ends))))
    names = persons.said["full_n"].values["full_w"].combine_chunks()
    at = pc.index_in(names.flatten(), words["bag"]).to_numpy()
    anywhere = 2.0 ** -_sums(bits[at], _lengths(names))
    return persons.with_values("full_n", {"tf_full_s": pa.array(anywhere * in_place(persons.said["full_n"]))})


def _of_consonants(bones: pa.Array, bits: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """How rare the consonants of each word are: many names have those of Nadia, Yunus and Niazi."""
    code = bones.dictionary_encode().indices.to_numpy()
    shared: npt.NDArray[np.float64] = -np.log2(np.minimum(np.bincount(code, 2.0**-bits), 1.0))[code]
    return shared


def in_place(whole: Said) -> npt.NDArray[np.float64]:
    """Of each whole name the chance that its words, wherever they may stand, stand where they do."""
    names = whole.values["full_w"].combine_chunks()
    words = names.flatten().dictionary_encode().indices.to_numpy().astype(np.int64)
    lengths = _lengths(names)
    bearers = np.repeat(whole.bearers(), lengths)
    place = np.arange(len(words)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    here = np.unique(words * 16 + np.minimum(place, 15), return_inverse=True)[1]
    standing, anywhere = np.bincount(here, bearers)[here], np.bincount(words, bearers)[words]
    chance: npt.NDArray[np.float64] = 2.0 ** _sums(np.log2((standing + _IMAGINED) / (anywhere + _IMAGINED)), lengths)
    return chance


def _lengths(lists: pa.ListArray) -> npt.NDArray[np.int64]:
    lengths: npt.NDArray[np.int64] = lists.value_lengths().fill_null(0).to_numpy().astype(np.int64)
    return lengths


def _sums(values: npt.NDArray[np.float64], lengths: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Of lists that follow each other in `values`."""
    before, ends = np.concatenate([[0.0], np.cumsum(values)]), np.cumsum(lengths)
    sums: npt.NDArray[np.float64] = before[ends] - before[ends - lengths]
    return sums
