"""What persons are compared and found by: sounds, words and consonants of names, parts of birth dates, blocking keys.

In: persons with folded names, birth date, sex, phone, place, number. How alike two of them are is the business of
`similarity`; the spelling of names that of `names`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import combinations
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from anonymization.linkage.hooks import plain
from anonymization.linkage.names import bare, bones, sound

PARTS = ("given", "father", "grandfather", "family")
ROLES = (*PARTS, "full")
PERSONS = pa.schema(
    [
        ("person_id", pa.int64()),
        *((role, pa.string()) for role in ROLES),
        ("born", pa.string()),
        ("sex", pa.string()),
        ("phone", pa.string()),
        ("place", pa.string()),
        ("number", pa.string()),
    ]
)
"""Persons as they are compared. Names are folded; `born` is YYYY, YYYY-MM or YYYY-MM-DD, as much as is known; `number`
is a national number with its scheme in front. Null: not said."""

_KEYED_WORDS = 4
_LIST = pa.list_(pa.string())
AGAIN = " again"
"""Behind a word that a name has for the second time."""


def prepared(persons: pa.Table) -> pa.Table:
    """Persons with what the model compares: sounds, words and skeletons of names, parts of the birth date, keys."""
    columns: dict[str, pa.Array] = {"unique_id": persons["person_id"].combine_chunks()}
    for role in ROLES:
        columns |= spoken(role, whole(persons[role]))
    columns |= _dated(whole(persons["born"]))
    for name in ("sex", "phone", "number"):
        columns[name] = whole(persons[name])
    columns |= _placed(whole(persons["place"]))
    columns["scheme"] = _mapped(columns["number"], lambda number: number.partition(":")[0])
    columns["bag"], columns["bag_k"] = _bags(columns)
    columns["bag_vowels"] = pc.coalesce(*(columns[f"{role}_vowels"] for role in ROLES))
    columns["bag_latin"] = pc.coalesce(*(columns[f"{role}_latin"] for role in ROLES))
    columns["keys"] = blocking_keys(columns)
    return pa.table(columns)


def blocking_keys(columns: Mapping[str, pa.Array]) -> pa.Array:
    """For each person the texts under which they are looked for (list<string>).

    Never a name alone: a key is a name with a date or phone, two names with a year, a day or a place, or three names,
    so that no count of keys tells which name is the most frequent one (stack.md, rank matching). The rougher keys find
    who lost most, and count for nothing where a crowd shares them; the finer ones stay.
    """
    rough = zip(*(_rough(columns[f"{role}_k"]).to_pylist() for role in ROLES), strict=True)
    as_g, with_dj, with_d = (
        zip(*(_rough(_mapped(columns[f"{role}_n"], read, _LIST)).to_pylist() for role in ROLES), strict=True)
        for read in (_with_g, _with_dj, _with_d)
    )
    known = zip(*(columns[name].to_pylist() for name in _Known._fields), strict=True)
    keys = []
    for names, *others, said in zip(rough, as_g, with_dj, with_d, known, strict=True):
        mine = _keys(_first_words(names), _Known(*said))
        # A name read in several ways is looked for under all of them.
        for read in filter(any, others):
            mine |= _keys(
                _first_words(tuple(one or usual for one, usual in zip(read, names, strict=True))), _Known(*said)
            )
        keys.append(sorted(mine))
    return pa.array(keys, _LIST)


class _Known(NamedTuple):
    """What a person says beside names, as keys hold it."""

    date: str | None
    year: int | None
    month_day: str | None
    phone: str | None
    place_j: str | None


def _keys(words: list[str], said: _Known) -> set[str]:
    date, year, day, phone, place = said
    # Whose day is unknown may have another year at each office.
    years = [] if not year else [year] if date else [year - 1, year, year + 1]
    mine = set()
    if date:
        mine |= {f"d{date}|{word}" for word in words} | ({f"dt{date}|{place}"} if place else set())
    if year and place:
        mine |= {f"yt{year}|{place}|{word}" for word in words}
    if phone:
        mine |= {f"p{phone}|{word}" for word in words} | ({f"py{phone}|{year}"} if year else set())
    for two in combinations(words, 2):
        pair = "|".join(two)
        mine |= {f"y{near}|{pair}" for near in years}
        mine |= {f"m{day}|{pair}"} if day else set()
        mine |= {f"t{place}|{pair}"} if place else set()
        mine |= {f"yt{year}|{place}|{pair}"} if place and year else set()
    for three in combinations(words, 3):
        mine.add("n|" + "|".join(three))
        mine |= {f"n{year}|" + "|".join(three)} if year else set()
    return mine


def _first_words(names: tuple[list[str] | None, ...]) -> list[str]:
    """A few words, in one order whatever column they came in: the first of each role, then seconds."""
    ordered = [words[at] for at in range(_KEYED_WORDS) for words in names if words and len(words) > at]
    return sorted(_told_apart(ordered)[:_KEYED_WORDS])


def _rough(skeletons: pa.Array) -> pa.Array:
    """For finding only: without h, which Spanish does not speak, with j as g (Jorge and Jorje, Hernández and Ernández)
    and sh as s (Miloš without its hook)."""
    words = [None if row is None else [word.translate(_ROUGH) or word for word in row] for row in skeletons.to_pylist()]
    return pa.array(words, pa.list_(pa.string()))


def _with_g(name: str) -> list[str] | None:
    """Skeletons of a Cyrillic name with a g that `bones` reads as h; nothing for all others."""
    with_g = bare(sound(name))
    return with_g.split() if with_g != bones(name) else None


def _with_dj(name: str) -> list[str] | None:
    """Skeletons of a Cyrillic name as its Latin spelling without hooks has them; nothing for all others."""
    return _without_hooks(name, 0)


def _with_d(name: str) -> list[str] | None:
    """The same for a name with ђ, where it is written d (Dordevic) and not dj."""
    read = _without_hooks(name, -1)
    return read if read != _with_dj(name) else None


def _without_hooks(name: str, spelling: int) -> list[str] | None:
    spelt = " ".join((plain(word) or [word])[spelling] for word in name.split())
    return bare(sound(spelt)).split() if spelt != name else None


def _father(name: str) -> str:
    """The father's own name: Sergeyevich and Sergeyevna are two words of one name, and all end as all others do."""
    return " ".join(_PATRONYMIC.sub("", word) for word in name.split())


_PATRONYMIC = re.compile("(?<=..)(?:[аеиіїо]вич|[аеиіїо]вна|[oeiy]v(?:ich|ych|na))$")
_JOINED = str.maketrans({"b": None})
"""Between scripts: a Persian w is b or v in Latin."""
_ROUGH = str.maketrans({"h": None, "j": "k", "ʃ": "s"})


def whole(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _mapped(values: pa.Array, function: Any, kind: pa.DataType | None = None) -> pa.Array:
    """`function` of each text, called once for each distinct one; null stays null."""
    codes = values if isinstance(values, pa.DictionaryArray) else values.dictionary_encode()
    made = pa.array([function(value) for value in codes.dictionary.to_pylist()], kind or pa.string())
    return made.take(codes.indices)


def _coded(values: pa.Array, function: Any, kind: pa.DataType | None = None) -> pa.DictionaryArray:
    """The same, each distinct answer kept once: names recur, and a country's persons have to fit into memory."""
    codes = values.dictionary_encode()
    made = pa.array([function(value) for value in codes.dictionary.to_pylist()], kind or pa.string())
    # A null lies among the codes, where everybody looks for it, and not in the dictionary.
    known = pc.if_else(made.is_valid().take(codes.indices), codes.indices, pa.scalar(None, pa.int32()))
    return pa.DictionaryArray.from_arrays(known, made)


def spoken(role: str, names: pa.Array) -> dict[str, pa.Array]:
    """Of names in a role: `_n` the folded name, `_s` its sound without blanks, `_w` sounds of the words, `_k` their
    skeletons, `_j` those joined, as scripts have them in common, `_latin` its script, `_vowels` whether they are
    written."""
    listed = pa.list_(pa.string())
    names = _mapped(names, _father) if role == "father" else names
    return {
        f"{role}_n": names.dictionary_encode(),
        f"{role}_s": _coded(names, lambda name: sound(name).replace(" ", "") or None),
        f"{role}_w": _coded(names, lambda name: sound(name).split(), listed),
        f"{role}_k": _coded(names, lambda name: bones(name).split() or None, listed),
        f"{role}_j": _coded(names, lambda name: bones(name).replace(" ", "").translate(_JOINED) or None),
        f"{role}_latin": _mapped(names, lambda name: name[0] < "\u0250", pa.bool_()),
        f"{role}_vowels": _mapped(names, lambda name: not "\u0600" <= name[0] <= "\u06ff", pa.bool_()),
    }


def _placed(places: pa.Array) -> dict[str, pa.Array]:
    """`place` the sound of a place with its numbers, `_j` what scripts have in common of it, `_latin` its script."""
    return {
        "place": _coded(places, _place_sound),
        "place_j": _coded(places, lambda name: bones(name).replace(" ", "").translate(_JOINED)),
        "place_latin": _mapped(places, lambda name: name[0] < "\u0250", pa.bool_()),
    }


def _place_sound(place: str) -> str:
    return " ".join(word if word.isdigit() else sound(word) for word in place.split())


def _dated(born: pa.Array) -> dict[str, pa.Array]:
    """The first of January stands for an unknown day in every register of the region (domain.md 5.2)."""
    precise = _mapped(born, lambda date: date if len(date) == 10 and not date.endswith("-01-01") else None)
    return {
        "date": precise,
        "year": _mapped(born, lambda date: int(date[:4]), pa.int32()),
        "month": _mapped(born, lambda d: int(d[5:7]) if len(d) >= 7 and d[5:] != "01-01" else None, pa.int32()),
        "day": _mapped(precise, lambda date: int(date[8:]), pa.int32()),
        "month_day": _mapped(precise, lambda date: date[5:]),
    }


def _bags(columns: Mapping[str, pa.Array]) -> tuple[pa.Array, pa.Array]:
    """All words of all names, for a person whose name came as a whole, and their skeletons in the same order."""
    sounds = zip(*(columns[f"{role}_w"].to_pylist() for role in ROLES), strict=True)
    skeletons = zip(*(columns[f"{role}_k"].to_pylist() for role in ROLES), strict=True)
    bags = [
        sorted(zip(_told_apart(_listed(w)), _told_apart(_listed(k)), strict=True))
        for w, k in zip(sounds, skeletons, strict=True)
    ]
    listed = pa.list_(pa.string())
    return tuple(pa.array([[pair[side] for pair in bag] for bag in bags], listed) for side in (0, 1))


def _listed(names: Iterable[list[str] | None]) -> list[str]:
    return [word for words in names for word in words or ()]


def _told_apart(words: Iterable[str]) -> list[str]:
    """A word that comes again is a word of its own: Haile son of Haile shares two names with Haile son of Haile."""
    seen: Counter[str] = Counter()
    told = []
    for word in words:
        told.append(word + AGAIN * seen[word])
        seen[word] += 1
    return told
