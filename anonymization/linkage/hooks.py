"""Latin words whose hooks were left away, read as the Cyrillic names that they are: Dusica is Душица, Misic Мишић.

A plain c is one of three Serbian letters, s and z are one of two, and no rule tells which: the same letters in another
country's name are others. So what people of the country write in Cyrillic decides, and where nobody does, words stay as
they are. How a word sounds is the business of `names`, what a reading weighs that of `similarity`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from anonymization.linkage.names import sound

_LETTERS = dict(zip("абвгдежзијклмнопрстуфхцчш", "abvgdezzijklmnoprstufhccs", strict=True)) | {
    "љ": "lj",
    "њ": "nj",
    "џ": "dz",
}
"""Of folded names: ћ is ч by then, and ђ is дж."""
_HOOKED = frozenset("жцчџш")
_DJ = "дж"


def plain(word: str) -> list[str]:
    """How a folded Cyrillic word is written in Latin without hooks; nothing where it has none, or is not Serbian."""
    if not _HOOKED & set(word) or not set(word) <= set(_LETTERS):
        return []
    spellings = {word.replace(_DJ, letter) for letter in ("дј", "д")} if _DJ in word else {word}
    return sorted("".join(_LETTERS[letter] for letter in spelling) for spelling in spellings)


def readings(bearers: Mapping[str, int]) -> dict[str, str]:
    """The sound of a Latin word, and that of the Cyrillic name that it is without hooks; `bearers`: of
    folded words."""
    heard: dict[str, int] = {}
    spelt: dict[str, set[str]] = {}
    for word in _cyrillic(bearers):
        spoken = sound(word)
        heard[spoken] = heard.get(spoken, 0) + bearers[word]
        for spelling in plain(word):
            spelt.setdefault(spelling, set()).add(spoken)
    read: dict[str, set[str]] = {}
    for word in spelt.keys() & bearers.keys():
        read.setdefault(sound(word), set()).update(spelt[word])
    # Which of several names it is, and whether it has no hooks to begin with, most of their bearers tell.
    best = {
        spoken: max(sorted({spoken, *names}), key=lambda name: heard.get(name, 0)) for spoken, names in read.items()
    }
    return {spoken: name for spoken, name in best.items() if name != spoken}


def _cyrillic(words: Iterable[str]) -> list[str]:
    return [word for word in words if "\u0400" <= word[:1] <= "\u052f"]
