"""Words of names that are a slip of the pen: hardly anybody bears them, and one letter makes them a name of many.

A twin is called by a name that others bear as well, so that a misspelt name is told from a brother's or sister's.
Who bears a word is counted in the country; what a correction weighs is the business of `similarity`, and the keys by
which persons are found keep what was written.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from anonymization.linkage.features import PARTS, ROLES
from anonymization.linkage.frequencies import Frequencies
from anonymization.linkage.names import skeleton, sound

_KNOWN = 15
"""A name that so many bear is one that many bear."""
_ONCE = 2
"""So many bear a misspelling: it may have been copied once."""
_SLIPS_OF = 500
"""Of so many who write a frequent name, one or more make the same slip."""
_LEAST_LETTERS = 3


def corrected(persons: pa.Table, frequencies: Frequencies, words: str) -> pa.Table:
    """`prepared` persons with the words as they were meant in `_w`, `_k` and the bags, and for parts of names two
    columns more: `_c`, the sound of a corrected name, null where nothing was; `_known`, whether many bear the name.

    `words`: the column whose frequencies are those of words."""
    meant = _slips(persons, frequencies, words)
    return pa.Table.from_batches([_batch(batch, frequencies, meant) for batch in persons.to_batches()])


def _batch(persons: pa.RecordBatch, frequencies: Frequencies, meant: dict[str, str]) -> pa.RecordBatch:
    columns = dict(zip(persons.schema.names, persons.columns, strict=True))
    for role in ROLES:
        said, bare = columns[f"{role}_w"], columns[f"{role}_k"]
        names = [[meant.get(word, word) for word in name] for name in said.dictionary.to_pylist()]
        bones = [[skeleton(word) for word in name] or None for name in names]
        wrong = pc.not_equal(pc.binary_join(said.dictionary, ""), sounds := pa.array(map("".join, names), pa.string()))
        columns[f"{role}_w"] = pa.DictionaryArray.from_arrays(said.indices, pa.array(names, said.dictionary.type))
        columns[f"{role}_k"] = pa.DictionaryArray.from_arrays(bare.indices, pa.array(bones, bare.dictionary.type))
        if role in PARTS:
            columns[f"{role}_c"] = pc.if_else(wrong, sounds, pa.scalar(None, pa.string())).take(said.indices)
            heard = columns[f"{role}_s"]
            known = frequencies.counts(f"{role}_s", heard.dictionary) >= _KNOWN
            columns[f"{role}_known"] = pa.array(known).take(heard.indices)
    columns["bag"], columns["bag_k"] = _bags(columns["bag"], columns["bag_k"], meant)
    return pa.record_batch(columns)


def _bags(words: pa.ListArray, skeletons: pa.ListArray, meant: dict[str, str]) -> tuple[pa.ListArray, pa.ListArray]:
    flat, right = words.flatten(), pa.array(list(meant.values()), pa.string())
    bones = pa.array([skeleton(word) for word in meant.values()], pa.string())
    at = pc.index_in(flat, pa.array(list(meant), pa.string()))
    offsets = pa.array(np.concatenate([[0], np.cumsum(words.value_lengths().to_numpy())]), pa.int32())
    return (
        pa.ListArray.from_arrays(offsets, pc.coalesce(right.take(at), flat)),
        pa.ListArray.from_arrays(offsets, pc.coalesce(bones.take(at), skeletons.flatten())),
    )


def _slips(persons: pa.Table, frequencies: Frequencies, words: str) -> dict[str, str]:
    """The sound of a misspelt word, and of the one that was meant."""
    from rapidfuzz.distance import OSA

    names = [chunk.dictionary for role in ROLES for chunk in persons[f"{role}_n"].chunks]
    distinct = pc.unique(pc.split_pattern(pc.unique(pa.chunked_array(names, pa.string())), " ").flatten())
    written = [word for word in distinct.to_pylist() if len(word) >= _LEAST_LETTERS]
    sounds = [sound(word) for word in written]
    bearers = frequencies.counts(words, pa.array(sounds, pa.string()))
    known: dict[str, list[int]] = {}
    for at in np.flatnonzero(bearers >= _KNOWN).tolist():
        for rest in _shortened(written[at]):
            known.setdefault(rest, []).append(at)
    meant: dict[str, str] = {}
    for at in np.flatnonzero(bearers <= max(_ONCE, bearers.max(initial=0) / _SLIPS_OF)).tolist():
        word, least = written[at], 0 if bearers[at] <= _ONCE else bearers[at] * _SLIPS_OF
        near = {other for rest in _shortened(word) for other in known.get(rest, ()) if bearers[other] >= least}
        near = {other for other in near if OSA.distance(word, written[other], score_cutoff=1) <= 1}
        best = max(near, key=lambda other: (bearers[other], sounds[other]), default=at)
        if sounds[best] != sounds[at]:
            meant[sounds[at]] = sounds[best]
    return meant


def _shortened(word: str) -> Iterator[str]:
    """The word, and it without each of its letters: two words that a slip lies between have one of these in common."""
    yield word
    for at in range(len(word)):
        yield word[:at] + word[at + 1 :]
