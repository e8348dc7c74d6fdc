"""Are two words one name, written twice? Asked where the consonants are not enough: Hassan and Hussein, Karim and
Karima, Luis and Luisa are brothers and sisters, and twins.

A Latin e stands for any short vowel (Ahmed, Ahmad). Arabic script writes the long ones alone, which must then be heard
in the other word too. Which words of two names are compared is the business of `agreement`.
"""

from __future__ import annotations

import re
from functools import lru_cache

from anonymization.linkage.names import skeleton, sound

_VOWELS = "aiu"
_ANY_VOWELS = f"[{_VOWELS}]*"
_CONSONANT = re.compile(f"[^{_VOWELS}]")
_ARABIC = re.compile("[\u0600-\u06ff]")
_SHORT = re.compile("[eе](?=.)")
"""Latin and Cyrillic; at a name's end it is no short one: Abebe, Abeba."""
_ENDS_OPEN = re.compile("[aeiouyj]h?$|[اهوی]$")


@lru_cache(maxsize=1 << 16)
def is_spelling(one: str, other: str) -> bool:
    """Whether two folded words may be the same name."""
    if one == other:
        return True
    if not sound(one) or consonants(one) != consonants(other) or not _end_alike(one, other):
        return False
    if _writes_all(one) == _writes_all(other):
        return not _readings(one).isdisjoint(_readings(other))
    full, short = (one, other) if _writes_all(one) else (other, one)
    return any(_is_heard(sound(short), reading) for reading in _readings(full))


@lru_cache(maxsize=1 << 16)
def consonants(word: str) -> str:
    """Of a folded word, as other spellings and scripts have them."""
    return skeleton(sound(word))


def _writes_all(word: str) -> bool:
    """Whether its script has the short vowels too."""
    return not _ARABIC.match(word)


def _is_heard(short: str, full: str) -> bool:
    """Whether between any two consonants of a sound the vowels of a shorter one are heard, among others."""
    written, heard = _between(short), _between(full)
    return len(written) == len(heard) and all(
        re.fullmatch(_ANY_VOWELS.join(["", *vowels, ""]), theirs) for vowels, theirs in zip(written, heard, strict=True)
    )


def _between(sounding: str) -> list[str]:
    """Vowels between consonants, without what is written at will: those at either end, and the h of an open end."""
    return _CONSONANT.split(sounding.lstrip(_VOWELS).rstrip(_VOWELS + "h"))


def _end_alike(one: str, other: str) -> bool:
    """Pascal is a brother of Pascale, Karim of Karima. Told of Latin and Arabic letters; of others the sound tells."""
    first, second = map(_ends_open, (one, other))
    return first is None or second is None or first == second


def _ends_open(word: str) -> bool | None:
    known = word.isascii() or not _writes_all(word)
    return bool(_ENDS_OPEN.search(word)) if known else None


def _readings(word: str) -> set[str]:
    """Its sound, and what it is with another vowel for each e."""
    return {sound(word), *(sound(_SHORT.sub(vowel, word)) for vowel in _VOWELS)}
