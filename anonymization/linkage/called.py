"""Which word of a whole name is the person's own: offices write it first, last, or behind the family's name.

A given name is borne by one sex; a family's, a father's and a clan's by both. So it is told from who is compared: the
word whose bearers in this place are of one sex, or else its bearers anywhere, or else all who stand in this place.
Where sexes are not said, it is the first word that is no patronymic. All words that are surely borne by one sex are
its given names: twins may share the first of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from anonymization.linkage.roster import Roster, Said

Ids = npt.NDArray[np.int64]
_IMAGINED = 4.0
"""So many bearers a word has of the kind that is usual in its place."""
_UNKNOWN = 0.75
_FIRST = 0.05
"""What being first counts where nothing else tells."""
_PLACES = 8
_GIVEN = 0.95
"""A word of which so many bearers are of one sex is a given name, if that is no chance."""
_CHANCE = 0.02
_FAMILY = re.compile("(?:[iu]b(?:na|iʃ)|nku|sk|ska(?:ia)?)$")
"""Sounds that patronymics and Slavic family names end in."""
_DAUGHTER = re.compile("(?:(?<=..[iu]b)|(?<=..sk)|(?<=....in))a$")
_LEAST_LETTERS = 5


def with_called(persons: Roster) -> Roster:
    """`persons` with `called`, `called_k` and `called_n`: sound and skeleton of the word that a whole name calls them
    by, and how it is written, if no word lost its sound; `givens`: sounds of all words that are surely given names;
    `further_n`: how the first of them but that by which they are called is written."""
    whole = persons.said["full_n"]
    listed, bones = (whole.values[name].combine_chunks() for name in ("full_w", "full_k"))
    lengths = listed.value_lengths().fill_null(0).to_numpy()
    words = listed.flatten()
    starts = np.cumsum(lengths) - lengths
    name = np.repeat(np.arange(len(lengths)), lengths)
    place = np.minimum(np.arange(len(words)) - starts[name], _PLACES - 1)
    sexes = [whole.bearers(of_one) for of_one in _sexes(persons.said["sex"])]
    bearers = _Bearers(whole.bearers()[name], [one[name] for one in sexes])
    own = _of_one_sex(words, place, bearers)
    given = np.flatnonzero((own >= _GIVEN) & _no_chance(words, bearers))
    many = np.bincount(name[given], minlength=len(lengths))
    ends = pa.array(np.concatenate([[0], np.cumsum(many)]), pa.int32())
    givens = pa.ListArray.from_arrays(ends, words.take(pa.array(given)), mask=pa.array(many == 0))
    # The best of each name comes first, and the first place among equals.
    order = np.lexsort((place, -own, name))
    named = np.flatnonzero(lengths > 0)
    chosen = np.full(len(lengths), -1, dtype=np.int64)
    chosen[named] = order[starts[named]]
    at = pa.array(chosen, mask=chosen < 0)
    said = {"called": words.take(at), "called_k": bones.flatten().take(at), "givens": givens}
    further = np.full(len(lengths), -1, dtype=np.int64)
    others = given[given != chosen[name[given]]]
    further[name[others[::-1]]] = others[::-1]
    written = whole.values["full_n"].combine_chunks()
    said |= {
        f"{which}_n": _written(written, lengths, at - starts)
        for which, at in (("called", chosen), ("further", further))
    }
    return persons.with_values("full_n", said)


def _written(names: pa.Array, sounds: Ids, chosen: Ids) -> pa.Array:
    """Of each name the word number `chosen` (less than 0: none), if it has as many words as `sounds`."""
    listed = pc.split_pattern(names.cast(pa.string()), " ")
    lengths = listed.value_lengths().fill_null(0).to_numpy()
    at = np.cumsum(lengths) - lengths + chosen
    return listed.flatten().take(pa.array(at, mask=(chosen < 0) | (lengths != sounds)))


@dataclass(frozen=True)
class _Bearers:
    """Of each word of each name: how many bear that name, and how many of them are of the one and the other sex."""

    all: npt.NDArray[np.int64]
    sexes: list[npt.NDArray[np.int64]]


def _sexes(sex: Said) -> list[npt.NDArray[np.bool_]]:
    """Who is of each of the two sexes that are most often said."""
    said = sorted(zip((-sex.bearers()).tolist(), sex.values["sex"].to_pylist(), range(len(sex.values)), strict=True))
    return [sex.code == at for _, _, at in said[:2]]


def _of_one_sex(words: pa.Array, place: npt.NDArray[np.int64], bearers: _Bearers) -> npt.NDArray[np.float64]:
    """For each word in its place the share of its bearers who are of one sex: of that of who bears the whole name."""
    coded = words.dictionary_encode()
    stems = pa.array([_stem(word) for word in coded.dictionary.to_pylist()], pa.string()).dictionary_encode()
    stem = stems.indices.to_numpy()[coded.indices.to_numpy()].astype(np.int64)
    family = np.array([_is_family(word) for word in coded.dictionary.to_pylist()], dtype=bool)[coded.indices.to_numpy()]
    anywhere, often = _purity(stem, bearers, np.full(len(stem), _UNKNOWN))
    usual = np.full(_PLACES, _UNKNOWN)
    for one in np.unique(place[often]).tolist():
        here = often & (place == one)
        usual[one] = np.average(anywhere[here], weights=bearers.all[here])
    anywhere, _ = _purity(stem, bearers, usual[place])
    usual = np.minimum(anywhere, _borne_here(stem, place, anywhere, bearers)[place])
    usual = np.minimum(usual, _purity(stem, bearers, usual, of_its_own=True)[0])
    own, _ = _purity(stem * _PLACES + place, bearers, usual, of_its_own=True)
    own[place == 0] += _FIRST
    own[family] = 0.0
    own[pc.utf8_length(words).to_numpy() == 1] = 0.0  # an initial, or what is left of a title
    return own


def _borne_here(stem: Ids, place: Ids, anywhere: npt.NDArray[np.float64], bearers: _Bearers) -> npt.NDArray[np.float64]:
    """For each place the share of those who bear a given name there and are of its sex: daughters too have their
    father's name behind their own. A name is of the sex that bears it in the place where most do."""
    if not bearers.sexes:
        return np.ones(_PLACES)
    here, often = _purity(stem * _PLACES + place, bearers, anywhere)
    standing = np.unique(stem * _PLACES + place, return_inverse=True)[1]
    counted = np.array([np.bincount(standing, of_one)[standing] for of_one in bearers.sexes])
    # Of each stem its most frequent place comes first.
    order = np.lexsort((-counted.sum(axis=0), stem))
    found, first = np.unique(stem[order], return_index=True)
    usual = order[first][np.searchsorted(found, stem)]
    given = (here >= _GIVEN)[usual] & often[usual]
    agreeing = np.take_along_axis(np.array(bearers.sexes), counted.argmax(axis=0)[usual][None], axis=0)[0]
    borne = np.bincount(place, np.sum(bearers.sexes, axis=0) * given, minlength=_PLACES)
    share: npt.NDArray[np.float64] = (np.bincount(place, agreeing * given, minlength=_PLACES) + _IMAGINED) / (
        borne + _IMAGINED
    )
    return share


def _purity(
    kind: npt.NDArray[np.int64], bearers: _Bearers, usual: npt.NDArray[np.float64], of_its_own: bool = False
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """For each word the share of its kind who are of one sex, `usual` where few are; whether they are not few.

    `of_its_own`: of the sex that bears this whole name, where it is said; Marko is no given name of Jasmina Marko."""
    at = np.unique(kind, return_inverse=True)[1]
    counted = [np.bincount(at, sex)[at] for sex in bearers.sexes]
    by_sex = np.array(counted) if counted else np.zeros((1, len(at)))
    most, everybody = by_sex.max(axis=0), by_sex.sum(axis=0)
    if of_its_own and counted:
        said = np.array(bearers.sexes)
        theirs = np.take_along_axis(by_sex, said.argmax(axis=0)[None], axis=0)[0]
        most = np.where(said.sum(axis=0) > 0, theirs, most)
    return (most + _IMAGINED * usual) / (everybody + _IMAGINED), everybody >= _IMAGINED


def _no_chance(words: pa.Array, bearers: _Bearers) -> npt.NDArray[np.bool_]:
    """Whether so many bear each word that they would not be of one sex by chance, as most of them are where men are."""
    at = words.dictionary_encode().indices.to_numpy()
    counted = np.array([np.bincount(at, sex) for sex in bearers.sexes] or [np.zeros(len(words), dtype=np.int64)])
    usual = counted.sum(axis=1).max() / max(1, counted.sum())
    likely: npt.NDArray[np.bool_] = (usual ** counted.sum(axis=0) <= _CHANCE)[at]
    return likely


def _stem(word: str) -> str:
    """Without the ending that tells a daughter's Slavic family name from a son's; Karima is no form of Karim."""
    return _DAUGHTER.sub("", word)


def _is_family(word: str) -> bool:
    return len(word) >= _LEAST_LETTERS and bool(_FAMILY.search(word))
