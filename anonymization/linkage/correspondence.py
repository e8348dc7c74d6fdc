"""Which spellings of a given name stand for one another in this country, told by its own pairs.

Zayd and زياد, Ranko and Ратко, Mahmoud and Mohammed are alike, and are two names: twins and brothers bear them. Who is
surely one person shows how a name is written elsewhere: of two names that many bear, how many birth dates have seen the
one for the other. A name that is written as another one hardly ever is a different name, and a pair that takes them
for one weighs less. Nothing is kept. Weights are bits; what they are made of is the business of `similarity`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, lgamma, log, log2

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from anonymization.linkage.names import bones, sound
from anonymization.linkage.roster import Roster

Bits = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.int64]

_MANY = 8
"""A name that so many bear is one that is known; of others nothing is said."""
_SLIP = 0.001
"""How often a name is written as one certain other name that it is not."""
_TWINS = 30.0
"""Of so many birth dates on which a name is borne, one may be that of twins who bear the one and the other name."""
_MOST = 8.0
"""No pair weighs less by more than this."""
_MANY_LETTERS = 4
"""Of so many consonants one may differ."""
_LATIN = "\u0250"


@dataclass(frozen=True)
class Alike:
    """Names alike in one way: how often one person's name is written so, as the model has it, and how likely two such
    names are one."""

    usual: float
    likely: float


_ONE_NAME, _TWO_SCRIPTS = Alike(0.68, 0.8), Alike(0.15, 0.5)
_SOUND, _CONSONANTS, _ONE_LETTER = Alike(0.5, 0.5), Alike(0.2, 0.4), Alike(0.03, 0.1)


@dataclass(frozen=True)
class Given:
    """Of each person which of `words` is the first word of the given name, and which the `second`; -1 where none is
    told."""

    words: list[str]
    first: Codes
    second: Codes


def given_names(persons: Roster) -> Given:
    """As they are written: the column of given names, or else by what a whole name calls them."""
    given, whole = persons.said["given_n"], persons.said["full_n"]
    written = pc.split_pattern(given.values["given_n"].combine_chunks().cast(pa.string()), " ")
    lists = [_nth(written, 0), _nth(written, 1)] + [
        whole.values[name].combine_chunks().cast(pa.string()) for name in ("called_n", "further_n")
    ]
    listed = pa.concat_arrays(lists).dictionary_encode()
    codes = np.split(listed.indices.fill_null(-1).to_numpy().astype(np.int64), np.cumsum(list(map(len, lists)))[:-1])
    # The last place stands for who has no such name.
    first, second, called, further = (
        np.append(some, -1)[said.code] for some, said in zip(codes, (given, given, whole, whole), strict=True)
    )
    by_parts = first >= 0
    return Given(listed.dictionary.to_pylist(), np.where(by_parts, first, called), np.where(by_parts, second, further))


def _nth(lists: pa.Array, place: int) -> pa.Array:
    """Of each list the word at `place`, null where there are fewer."""
    long_enough = pc.greater(lists.value_lengths(), place)
    starts = np.asarray(lists.offsets)[:-1]
    at = pa.array(starts + place, mask=~long_enough.fill_null(False).to_numpy(zero_copy_only=False))
    return lists.values.take(at)


def learned(weight: Bits, one: Codes, other: Codes, day: Codes, joined: Flags, given: Given) -> Bits:
    """Bits to add to each pair of persons (`one`, `other`: rows), 0 or less.

    `day`: the birth date that both have, -1 where they have none in common; `joined`: who would be one person;
    `given`: their names, of which the first are compared, and the second; nothing is said of names in another order
    (José Jesús, Jesús José). Each pair is judged by what other birth dates have seen."""
    names = np.concatenate([given.first, given.second])
    known = np.append(np.bincount(names[names >= 0], minlength=len(given.words)) >= _MANY, False)
    a, b = (np.concatenate([given.first[side], given.second[side]]) for side in (one, other))
    seen = _Seen(a, b, np.tile(day, 2), np.tile(joined & (day >= 0), 2) & (a >= 0) & (b >= 0), given.words)
    added = np.zeros(len(a))
    in_order = ~_crossed(given, one, other) & ~_crossed(given, other, one)
    asked = np.flatnonzero(np.tile((weight >= 0) & in_order, 2) & (a != b) & known[a] & known[b])
    pairs, which = np.unique(np.stack([a[asked], b[asked]], axis=1), axis=0, return_inverse=True)
    own = seen.own[asked].astype(np.int64)
    bits = np.array([seen.bits(first, second) for first, second in pairs.tolist()]).reshape(-1, 2)
    added[asked] = bits[which.ravel(), own]
    of_first, of_second = np.split(added, 2)
    return np.maximum(of_first + of_second, -_MOST)


def _crossed(given: Given, one: Codes, other: Codes) -> Flags:
    """Whether the first name of the one is the second of the other."""
    first = given.first[one]
    crossed: Flags = (first >= 0) & (first == given.second[other])
    return crossed


class _Seen:
    """By how many birth dates a name was seen as another one."""

    def __init__(self, a: Codes, b: Codes, day: Codes, joined: Flags, words: list[str]) -> None:
        self._words, self.own = words, joined
        latin = np.array([word < _LATIN for word in words] or [False])
        one, other = np.concatenate([a[joined], b[joined]]), np.concatenate([b[joined], a[joined]])
        days = np.tile(day[joined], 2)
        self._as_other = _distinct(one, other, days)
        self._at_all = _distinct(one, latin[other].astype(np.int64), days)
        self._latin = latin

    def bits(self, a: int, b: int) -> tuple[float, float]:
        """What two different names are worth, and the same for a pair that was itself counted."""
        alike = _alike(self._words[a], self._words[b])
        if alike is None:
            return 0.0, 0.0
        worth = []
        for own in (0, 1):
            best = max(
                _rate(
                    max(self._as_other.get((x, y), 0) - own, 0),
                    max(self._at_all.get((x, int(self._latin[y])), 0) - own, 0),
                    alike,
                )
                for x, y in ((a, b), (b, a))
            )
            worth.append(min(0.0, max(-_MOST, log2(best / alike.usual))))
        return worth[0], worth[1]


def _distinct(one: Codes, other: Codes, days: Codes) -> dict[tuple[int, int], int]:
    """For each (one, other) how many days."""
    rows = np.unique(np.stack([one, other, days], axis=1), axis=0)[:, :2]
    pairs, counts = np.unique(rows, axis=0, return_counts=True)
    return dict(zip(map(tuple, pairs.tolist()), counts.tolist(), strict=True))


def _alike(one: str, other: str) -> Alike | None:
    """In which way two written names are; None where they are not."""
    from rapidfuzz.distance import OSA

    heard, skeleton = (sound(one), sound(other)), (bones(one), bones(other))
    of_bones = skeleton[0] == skeleton[1] and skeleton[0] != ""
    slip = OSA.distance(*heard, score_cutoff=1) <= 1 or (
        min(map(len, skeleton)) >= _MANY_LETTERS and OSA.distance(*skeleton, score_cutoff=1) <= 1
    )
    if not of_bones and not slip:
        return None
    if (one < _LATIN) != (other < _LATIN):
        return _ONE_NAME if of_bones and len(skeleton[0]) > 1 else _TWO_SCRIPTS
    if heard[0] == heard[1]:
        return _SOUND
    return _CONSONANTS if of_bones else _ONE_LETTER


def _rate(times: int, of: int, alike: Alike) -> float:
    """How often a name is written as another, if it was `times` of `of`: as one name often is, or hardly ever, so that
    those who were taken for one person were twins."""
    one_name = log(alike.likely) + _chance(times, of, 1.0)
    another = log(1 - alike.likely) + _chance(times, of, _TWINS)
    share = 1 / (1 + exp(min(700.0, another - one_name)))
    return share * (times + 1) / (of + 2) + (1 - share) * _SLIP


def _chance(times: int, of: int, rest: float) -> float:
    """Log of the chance of `times` of `of`, whose share may be anything (`rest` 1) or is some 1 in `rest` + 1."""
    return log(rest) + lgamma(times + 1) + lgamma(of - times + rest) - lgamma(of + 1 + rest)
