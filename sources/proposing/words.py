"""How alike two names or labels are, in any language of a delivery: words weighed by how rare they are.

Headers shorten words (`FECHA_NAC`) and labels wrap them into questions, so a word also meets one that it begins.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import cache

_SPLIT = re.compile(r"[\W_]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z]{2})(?=[A-Z][a-z])")
_BEGINS, _ALIKE = 0.9, 0.85
_SHORTEST = 3
_OF_ANYBODY = frozenset(
    re.findall(
        r"\w+",
        """respondent resp interviewee person individual member beneficiary returnee returnees migrant given is was
        has have please total enquete enquetee repondant repondante personne individu beneficiaire retourne migrante
        encuestado encuestada entrevistado persona beneficiario retornado tiene total مستجيب شخص فرد مستفيد عائد""",
    )
)
"""Words that say of whom or in which sentence something is asked: beside another word they say little."""
_LITTLE = 0.2


_NUMBERED = re.compile(r"(?:(?:[a-z]{1,2}|var|col|item|preg) ?)?\d+(?: ?[a-z])?(?: \d+)*")


def is_number_of_a_question(name: str) -> bool:
    """Whether a folded name (`p10`, `q 3 a`, `v0101`) counts questions: in another form it is another question's."""
    return _NUMBERED.fullmatch(name) is not None


def plain(text: str) -> str:
    """Lower case, without accents, words parted by one space."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", _CAMEL.sub(" ", text)) if not unicodedata.combining(c))
    return " ".join(word for word in _SPLIT.split(unicodedata.normalize("NFKC", bare).casefold()) if word)


@cache
def _meets(one: str, other: str) -> float:
    """1 for the same word, less for a word that begins the other or is spelt nearly the same, else 0."""
    from rapidfuzz import fuzz

    if one == other:
        return 1.0
    short, long = sorted((one, other), key=len)
    if len(short) >= _SHORTEST and long.startswith(short):
        return _BEGINS
    if len(short) < 5 or short[0] != long[0]:
        return 0.0
    return _ALIKE if fuzz.ratio(one, other) >= 82 else 0.0


class Likeness:
    """Weighs words by their rarity among `texts`: `de` and `the` say little, `nacimiento` says much."""

    def __init__(self, texts: Iterable[str]) -> None:
        documents = [set(plain(text).split()) for text in texts]
        counts = Counter(word for words in documents for word in words)
        self._weights = {word: math.log(1 + len(documents) / count) for word, count in counts.items()}
        self._unknown = math.log(1 + len(documents))

    def of(self, one: str, other: str) -> float:
        """0 to 1: the harmonic mean of how much of either text is met in the other."""
        left, right = tuple(dict.fromkeys(one.split())), tuple(dict.fromkeys(other.split()))
        if not left or not right:
            return 0.0
        met_left, met_right = self._met(left, right), self._met(right, left)
        return 2 * met_left * met_right / (met_left + met_right) if met_left and met_right else 0.0

    def _met(self, words: tuple[str, ...], others: tuple[str, ...]) -> float:
        weights = [self._weight(word) for word in words]
        met = [max(_meets(word, other) for other in others) for word in words]
        return sum(w * m for w, m in zip(weights, met, strict=True)) / sum(weights)

    def _weight(self, word: str) -> float:
        weight = self._weights.get(word, self._unknown)
        return weight * _LITTLE if word in _OF_ANYBODY else weight
