"""One form of words that look or sound the same: no invisible marks, one case, one form of each letter.

Folding is for comparing only. What a note says is never changed by it: `clean` keeps the place of every character.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Set as AbstractSet
from functools import lru_cache

from values.invisible import INVISIBLE, character_class

_INVISIBLE = character_class() + "\u20e3"  # the frame of a digit's emoji, which stands behind it
_HAS_INVISIBLE = re.compile(f"[{_INVISIBLE}]")
_ZEROS = (
    *(code for code in range(0x0660, 0x10000) if unicodedata.decimal(chr(code), -1) == 0),
    *(0x104A0, 0x1E950, 0x1D7CE, 0x1D7D8, 0x1D7E2, 0x1D7EC, 0x1D7F6),  # Osmanya, Adlam, and bold and the like
)
_BLANKS = (0x00A0, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000)
_HYPHENS = (0x2010, 0x2011, 0x2012, 0x2212, 0xFE63)
_STYLED = (*range(0xFF01, 0xFF5F), *range(0x1D400, 0x1D7CC))
"""ASCII of double width, and letters of mathematics: bold, slanted and the like."""
_FRAMED = (*range(0x2460, 0x24EB), *range(0x2776, 0x2794))
_ETHIOPIC_NUMERALS = range(0x1369, 0x137D)
_PLAIN = {code: form for code in _STYLED if len(form := unicodedata.normalize("NFKC", chr(code))) == 1}
_PLAIN |= {zero + digit: str(digit) for zero in _ZEROS for digit in range(10)}
_PLAIN |= {code: str(digit) for code in _FRAMED if (digit := unicodedata.digit(chr(code), None)) is not None}
_PLAIN |= {code: f"{unicodedata.numeric(chr(code)):.0f}"[0] for code in _ETHIOPIC_NUMERALS}  # ፲፬ as 14, ፻ as one digit
_PLAIN |= dict.fromkeys(_BLANKS, " ") | dict.fromkeys(_HYPHENS, "-")
"""Digits, blanks, hyphens and letters that other keyboards and word processors write. Of a number in Ethiopic numerals
its shape is looked for, not its value."""
_FAR = 0x10000
_TO_CLEAN = re.compile(
    "[\u20e3"
    + "".join(f"{chr(first)}-{chr(last)}" for first, last in INVISIBLE if last < _FAR)
    + "".join(chr(code) for code in _PLAIN if code < _FAR)
    + "\U00010000-\U0010ffff]"
)
"""Any sign beyond the plane that most scripts are in is reason enough to look closer: one range is soon asked."""
_MARKS = re.compile(
    "[\u0300-\u036f\u0483-\u0489\u0591-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06ed\u135d-\u135f]"
)
# Alef, yeh, kaf and teh forms; Persian and Urdu letters as Arabic keyboards write them (domain.md 5.4).
_ARABIC = {
    "أ": "ا",
    "إ": "ا",
    "آ": "ا",
    "ٱ": "ا",
    "ى": "ي",
    "ی": "ي",
    "ئ": "ي",
    "ؤ": "و",
    "ک": "ك",
    "ة": "ه",
    "ۀ": "ه",
    "ہ": "ه",
    "ھ": "ه",
}
# Ethiopic series that sound alike in Amharic and are written at will: ha/hha/xa, sza/sa, the two tsa, the two glottals.
_ETHIOPIC = {
    chr(spelled + order): chr(same + order)
    for spelled, same in ((0x1210, 0x1200), (0x1280, 0x1200), (0x1220, 0x1230), (0x1340, 0x1338), (0x12D0, 0x12A0))
    for order in range(7)
} | {"ኣ": "አ", "ዓ": "አ", "ሃ": "ሀ", "ሓ": "ሀ", "ኃ": "ሀ", "ኻ": "ሀ"}
_LETTERS = str.maketrans(_ARABIC | _ETHIOPIC)
_VOWELS = re.compile("[aeiouyw'`]+")
_DOUBLED = re.compile(r"(.)\1+")
_SOUNDS = str.maketrans({"c": "k", "q": "k", "z": "s", "v": "b", "p": "b", "g": "j"})

MARKS_IN_WORDS = (
    "\u0300-\u036f\u0483-\u0489\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u0900-\u0dff\u135d-\u135f"
    "\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ece\u102b-\u103e\u1056-\u1059\u17b4-\u17d3"
)
"""Combining marks, which are no letters to a regular expression."""


def fold(word: str) -> str:
    """The form under which a word is compared in its own script."""
    if word.isascii():
        return word.lower()
    plain = _MARKS.sub("", unicodedata.normalize("NFKD", _HAS_INVISIBLE.sub("", word)))
    return unicodedata.normalize("NFC", plain.casefold()).translate(_LETTERS)


@lru_cache(maxsize=1 << 16)
def sound(word: str) -> str:
    """The consonants of a word in Latin letters: one form for a name in two scripts; blank if too few to tell."""
    from anyascii import anyascii

    consonants = _VOWELS.sub("", anyascii(fold(word)).lower()).translate(_SOUNDS)
    letters = _DOUBLED.sub(r"\1", "".join(sign for sign in consonants if sign.isalpha()))
    return letters if len(letters) >= 3 else ""


def clean(text: str) -> tuple[str, list[int] | None]:
    """A note without invisible characters, with ASCII digits, blanks, hyphens and plain letters; the place of each
    character if any has moved."""
    if text.isascii() or not _TO_CLEAN.search(text):
        return text, None
    places = None
    if _HAS_INVISIBLE.search(text):
        places = [place for place, sign in enumerate(text) if not _HAS_INVISIBLE.match(sign)]
        text = _HAS_INVISIBLE.sub("", text)
    return text.translate(_PLAIN), places


class RowNames:
    """The names that a row itself says: folded, and as they sound in Latin letters."""

    def __init__(self, words: AbstractSet[str]) -> None:
        self.folded = words
        self.sounds = {heard for word in words if (heard := sound(word))}
