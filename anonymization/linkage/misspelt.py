"""Words of names that are a slip of the pen: hardly anybody bears them, and one letter makes them a name of many.
Words without their hooks (`hooks`) are meant otherwise too.

A twin is called by a name that others bear as well, so that a misspelt name is told from a brother's or sister's.
Who bears a word is counted in the country; what a correction weighs is the business of `similarity`, and the keys by
which persons are found keep what was written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from anonymization.linkage.features import PARTS, ROLES
from anonymization.linkage.frequencies import Frequencies
from anonymization.linkage.hooks import readings
from anonymization.linkage.names import bare, sound
from anonymization.linkage.roster import Roster

_KNOWN = 15
"""A name that so many bear is one that many bear."""
_ONCE = 2
"""So many bear a misspelling: it may have been copied once."""
_NAME = 5
"""So many do not write one slip by chance: it is a name of its own."""
_SLIPS_OF = 500
"""Of so many who write a frequent name, one or more make the same slip."""
_LEAST_LETTERS = 3


def corrected(persons: Roster, frequencies: Frequencies, words: str) -> Roster:
    """`persons` with the words as they were meant in `_w`, `_k` and the bags, and for parts of names two columns more:
    `_c`, the sound of a corrected name, null where nothing was; `_known`, whether many bear the name.

    `words`: the column whose frequencies are those of words."""
    bearers = _bearers(persons)
    hooked = readings(bearers)
    slips = _slips(list(bearers), frequencies, words)
    meant = {False: slips, True: {written: hooked.get(right, right) for written, right in slips.items()} | hooked}
    for role in ROLES:
        columns = persons.said[f"{role}_n"].values
        said, consonants, heard = (columns[f"{role}_{form}"].combine_chunks() for form in ("w", "k", "s"))
        spoken, written = said.to_pylist(), consonants.to_pylist()
        right = [meant[latin] for latin in columns[f"{role}_latin"].to_pylist()]
        names = [[of.get(word, word) for word in name] for name, of in zip(spoken, right, strict=True)]
        bones = [
            its and [bare(of[word]) if word in of else bone for word, bone in zip(name, its, strict=True)]
            for name, its, of in zip(spoken, written, right, strict=True)
        ]
        values = {f"{role}_w": pa.array(names, said.type), f"{role}_k": pa.array(bones, consonants.type)}
        if role in PARTS:
            sounds = pa.array(map("".join, names), pa.string())
            wrong = pc.not_equal(pc.binary_join(said, ""), sounds)
            values[f"{role}_c"] = pc.if_else(wrong, sounds, pa.scalar(None, pa.string()))
            known = pa.array(names_of_many(frequencies, f"{role}_s", heard))
            values[f"{role}_known"] = pc.if_else(heard.is_null(), pa.scalar(None, pa.bool_()), known)
        persons = persons.with_values(f"{role}_n", values)
    return persons.with_words(_words(persons.words.values, meant))


def names_of_many(frequencies: Frequencies, column: str, names: pa.Array) -> npt.NDArray[np.bool_]:
    """Which of these are names of their own, and no slips for a name of many."""
    bearers = frequencies.counts(column, names)
    of_many: npt.NDArray[np.bool_] = bearers >= max(_NAME, bearers.max(initial=0) / _SLIPS_OF)
    return of_many


def _words(words: pa.Table, meant: Mapping[bool, dict[str, str]]) -> dict[str, pa.Array]:
    bags, bones = (words[name].combine_chunks() for name in ("bag", "bag_k"))
    for latin, of in meant.items():
        at = pc.index_in(bags, pa.array(list(of), pa.string()))
        at = pc.if_else(pc.equal(words["latin"].combine_chunks(), latin), at, pa.scalar(None, pa.int32()))
        bones = pc.coalesce(pa.array(map(bare, of.values()), pa.string()).take(at), bones)
        bags = pc.coalesce(pa.array(of.values(), pa.string()).take(at), bags)
    return {"bag": bags, "bag_k": bones}


def _bearers(persons: Roster) -> dict[str, int]:
    """Of each folded word how many bear it in a name."""
    words, often = [pa.array([], pa.string())], [np.empty(0, np.int64)]
    for role in ROLES:
        said = persons.said[f"{role}_n"]
        split = pc.split_pattern(said.values[f"{role}_n"].combine_chunks(), " ")
        words.append(split.flatten())
        often.append(np.repeat(said.bearers(), split.value_lengths().fill_null(0).to_numpy()))
    coded = pa.chunked_array(words).combine_chunks().dictionary_encode()
    counted = np.bincount(coded.indices.to_numpy(), np.concatenate(often), minlength=len(coded.dictionary))
    return dict(zip(coded.dictionary.to_pylist(), counted.astype(np.int64).tolist(), strict=True))


def _slips(folded: list[str], frequencies: Frequencies, words: str) -> dict[str, str]:
    """The sound of a misspelt word, and of the one that was meant."""
    from rapidfuzz.distance import OSA

    written = [word for word in folded if len(word) >= _LEAST_LETTERS]
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
