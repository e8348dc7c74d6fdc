"""A father's name in the family's box: who has no family name writes it there, as in Ethiopia, and a list with two
boxes, as of a flight, leaves it no other place.

It is told from who is compared: a word that many bear as their father's name or grandfather's, and that hardly anybody
bears as the family's name with a father's beside it. Only what was said changes its place; nothing is made up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from anonymization.linkage.features import spoken
from anonymization.linkage.roster import NONE, Roster, Said, decoded

Flags = npt.NDArray[np.bool_]
_FORMS = ("father", "grandfather")
_MANY = 2
"""So many who bear it as their father's name make a word one."""
_SHARE = 0.5
"""As many of those as bear it as the family's name, or a share of them, are needed too."""
_BESIDE = 0.25
"""A family's name stands beside a father's in more cases than this."""


def with_fathers(persons: Roster) -> Roster:
    """`persons`, of whom those who have said no father, and as the family's name a father's, or a father's and a
    grandfather's, have said these in their places, and no family's name."""
    family = persons.said["family_n"]
    without = (persons.said["father_n"].code == NONE) & (persons.said["given_n"].code != NONE)
    words = _written(persons, "family")
    fathers = _fathers(persons, words, ~without)
    told = np.array([0 < len(some) <= len(_FORMS) and fathers.issuperset(some) for some in words], dtype=bool)
    whose = without & np.append(told, False)[family.code]
    said = {**persons.said, "family_n": family.but(whose)}
    for nth, role in enumerate(_FORMS):
        its = pa.array([some[nth] if len(some) > nth else None for some in words], pa.string())
        own = whose & (said[f"{role}_n"].code == NONE)
        said[f"{role}_n"] = _saying(said[f"{role}_n"], role, its.take(pa.array(family.code[own])), own)
    return replace(persons, said=said)


def _written(persons: Roster, role: str) -> list[list[str]]:
    """The words of each name of a role."""
    names = persons.said[f"{role}_n"].values[f"{role}_n"].combine_chunks().cast(pa.string()).to_pylist()
    return [(name or "").split() for name in names]


def _fathers(persons: Roster, words: list[list[str]], beside: Flags) -> set[str]:
    """Which of the `words` of family names are fathers' names and no family's; `beside`: who has said a father."""
    as_father: Counter[str] = Counter()
    for role in _FORMS:
        _count(as_father, _written(persons, role), persons.said[f"{role}_n"].bearers())
    here: Counter[str] = Counter()
    _count(here, words, persons.said["family_n"].bearers())
    surely: Counter[str] = Counter()
    _count(surely, words, persons.said["family_n"].bearers(beside))
    return {
        word
        for word, often in here.items()
        if as_father[word] >= max(_MANY, _SHARE * often) and surely[word] <= _BESIDE * often
    }


def _count(counted: Counter[str], words: Iterable[list[str]], bearers: npt.NDArray[np.int64]) -> None:
    for some, often in zip(words, bearers.tolist(), strict=True):
        for word in some:
            counted[word] += often


def _saying(said: Said, role: str, names: pa.Array, whose: Flags) -> Said:
    """The same, where `whose` say these `names`."""
    key = f"{role}_n"
    known = said.values[key].combine_chunks().cast(pa.string())
    new = pc.unique(names.filter(pc.is_valid(names)))
    new = new.filter(pc.invert(pc.is_in(new, value_set=known)))
    columns = {name: decoded(column) for name, column in spoken(role, new).items()}
    values = pa.concat_tables([said.values, pa.table(columns).select(said.values.column_names)]).combine_chunks()
    code = said.code.copy()
    places = pc.index_in(names, value_set=values[key].combine_chunks().cast(pa.string()))
    code[whose] = places.fill_null(NONE).to_numpy()
    return Said(values, code)
