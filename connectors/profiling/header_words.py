"""What the words of a header say its column holds.

Whole words of a header, folded (no accents, lower case), against those of `header_vocabulary`. How much they say is
`looks_like`'s business.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import pairwise

from connectors.profiling.header_vocabulary import LISTS, STEMS
from values.months import ethiopic_homophones

_FUNCTION_WORDS = frozenset(
    ["of", "the", "de", "del", "la", "el", "du", "des", "le", "a", "y", "et", "and", "n", "no", "num", "number", "full"]
)
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z0-9])(?=[A-Z][a-z])")
_LETTERS = str.maketrans(
    {
        "ی": "ي",
        "ى": "ي",
        "ک": "ك",
        "ة": "ه",
        "ہ": "ه",
        "ھ": "ه",
        "ۀ": "ه",
        "ı": "i",
        "ł": "l",
        "ø": "o",
        "đ": "d",
        "ƙ": "k",
        "ɗ": "d",
        "ɓ": "b",
        **ethiopic_homophones(),
    }
)
"""Letters that languages write apart and headers mix, and those of Amharic that sound alike. Latin ones that are here
have no accent that could be taken off."""
_ARTICLE = re.compile(r"^(?:وال|بال|ال|[የበከለ]|[dl]')(?=\w{3})")
"""What Arabic, Amharic, French and Italian write before a word and as one with it."""
_UNPARTED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]{3}")
"""Thai, Lao, Burmese and Khmer are written without blanks between words."""
_HEADERS = 50_000
"""Headers and labels whose words are kept: those of a worksheet of all columns, each asked for several times."""
_ALONE = re.compile(r"^[a-z]{3,}$")


def folded(text: str) -> str:
    """Lower case, without accents; scripts stay what they are."""
    if text.isascii():
        return text.lower()
    bare = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return unicodedata.normalize("NFKC", bare).casefold()


def _word(text: str) -> str:
    """A word as it is compared: Arabic without its article, in one form of the letters that languages write apart."""
    return _ARTICLE.sub("", text.strip("'").removesuffix("'s").translate(_LETTERS))


@lru_cache(maxsize=_HEADERS)
def words(text: str) -> tuple[str, ...]:
    """The words of a header: `FECHA_NAC`, `fechaNac` and `Fecha Nac.` have the same."""
    spaced = "".join(letter if _is_of_word(letter) else " " for letter in folded(_CAMEL.sub(" ", text)))
    return tuple(word for part in spaced.split() if (word := _word(part)))


def _is_of_word(letter: str) -> bool:
    """Vowel signs too: they are no letters of their own in Bengali and Devanagari, and part no word."""
    return letter == "'" or unicodedata.category(letter)[0] in "LMN"


def own_part(header: str) -> str:
    """What a header says of its own column: `module/group/question` is the question; a group of one word, as in
    `address/street`, goes with it."""
    *above, last = header.split("/")
    return f"{above[-1]} {last}" if above and _ALONE.match(folded(above[-1])) else last


def named(text: str, *kinds: str) -> bool:
    """Whether a header has a word of one of these kinds."""
    listed, found = _forms(text)
    unparted = [word for word in listed if _UNPARTED.search(word)]
    return any(
        found & _FOLDED[kind]
        or ((stems := _BEGINNINGS.get(kind)) and any(word.startswith(stems) for word in listed))
        or any(known in word for word in unparted for known in _WITHIN[kind])
        for kind in kinds
    )


@lru_cache(maxsize=_HEADERS)
def _forms(text: str) -> tuple[tuple[str, ...], frozenset[str]]:
    """The words of a header; and all that may be listed: its words, two as one (`soc_sec`), several of a thing.
    An `and` of one letter belongs to no word before it: `ime i prezime` is no IMEI."""
    listed = words(text)
    joined = (one + two for one, two in pairwise(listed) if len(two) > 1 or len(one) < 3)
    singular = (word[:-1] for word in listed if len(word) > 4 and word.endswith("s") and word.isascii())
    return listed, frozenset({*listed, "".join(listed), *joined, *singular})


def only_named(text: str, *kinds: str) -> bool:
    """Whether a header has words of these kinds and, but for articles and numbers, no others."""
    telling = [word for word in words(text) if word not in _FUNCTION_WORDS and not word.isdigit()]
    return bool(telling) and all(any(word in _FOLDED[kind] for kind in kinds) for word in telling)


def heads_columns(text: str) -> bool:
    """Whether a text has no words but those by which tables name their columns."""
    telling = [word for word in words(text) if word not in _FUNCTION_WORDS and not word.isdigit()]
    return bool(telling) and all(word in _HEADING or word.startswith(_BEGUN) for word in telling)


KNOWN = {kind: frozenset(listed.split()) for kind, listed in LISTS.items()}
_FOLDED = {kind: frozenset(_word(folded(word)) for word in listed) for kind, listed in KNOWN.items()}
_BEGINNINGS = {kind: tuple(_word(folded(stem)) for stem in stems.split()) for kind, stems in STEMS.items()}
_WITHIN = {kind: [word for word in listed if _UNPARTED.search(word)] for kind, listed in _FOLDED.items()}
_HEADING = frozenset[str]().union(*(_FOLDED[kind] for kind in (*STEMS, "name", "email", "gps", "device_id", "heading")))
_HEADING -= _FOLDED["free_text"] - _FOLDED["heading"]
_BEGUN = tuple(beginning for beginnings in _BEGINNINGS.values() for beginning in beginnings)
