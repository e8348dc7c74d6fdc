"""Whether a word in a script without capitals is a known word in another form.

In Ethiopic script an ending changes the vowel of the sign before it: ወጣት, ወጣቱ, ወጣቶቹ are "youth", "the youth", "the
youths". Of verbs the consonants stay (ተናገረ, ይናገራሉ, የተናገሩት): these are compared only where a word begins or ends as
hardly any name does. In Arabic script a word has signs joined before and behind (وسياستهم). Which words are known is
the business of `lexicon`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from anonymization.redaction.folding import fold

_FIRST, _LAST, _ORDERS, _BARE = 0x1200, 0x1357, 8, 5
"""Each consonant has eight signs by vowel; the sixth is the bare consonant."""
_CONSONANTS = 3
_AFFIXES = ("prefixes", "suffixes", "beginnings", "ends")
_SPELLED = str.maketrans({"ዉ": "ው", "ሥ": "ስ"})
_OPEN, _CLOSED = "ت", "ه"
"""An Arabic feminine ending opens before what is joined to it: سياسة, سياستها."""


def bare(sign: str) -> str:
    """The consonant of a sign without its vowel."""
    code = ord(sign)
    return chr(code - (code - _FIRST) % _ORDERS + _BARE) if _FIRST <= code <= _LAST else sign


class Stems:
    """The stems of `words` (folded). `affixes`: blank-separated, what is joined before (`prefixes`) and behind words
    (`suffixes`), and what verbs begin and end with as hardly any name does (`beginnings`, `ends`)."""

    def __init__(self, words: Collection[str], affixes: Mapping[str, str]) -> None:
        joined = {kind: ("", *(fold(one) for one in affixes.get(kind, "").split())) for kind in _AFFIXES}
        self._prefixes, self._suffixes, self._beginnings, self._ends = (joined[kind] for kind in _AFFIXES)
        long = [word for word in words if len(word) >= _CONSONANTS and not word.isascii()]
        self._stems = {self._stem(word) for word in long}
        self._alphabetic = not self._ends[1:]
        self._roots = {root for word in long for root in self._roots_of(word)} if self._ends[1:] else set()

    def knows(self, word: str) -> bool:
        """Whether a folded word is a form of one that is known."""
        word = word.translate(_SPELLED)
        for prefix in self._prefixes:
            if not word.startswith(prefix):
                continue
            rest = word[len(prefix) :]
            for suffix in self._suffixes:
                # A letter or two more make a name of many a short word: سالم of الم, وجدان of وجد.
                least = _CONSONANTS + (self._alphabetic and (len(prefix) == 1 or 0 < len(suffix) <= _CONSONANTS - 1))
                if len(rest) - len(suffix) >= least and rest.endswith(suffix):
                    stem = self._stem(rest[: len(rest) - len(suffix)])
                    if stem in self._stems or (suffix and stem[-1] == _OPEN and stem[:-1] + _CLOSED in self._stems):
                        return True
        return bool(self._roots) and any(root in self._roots for root in self._verb(word))

    def _verb(self, word: str) -> set[str]:
        """Roots that a word has if it is a verb with a beginning or an end that tells so."""
        found: set[str] = set()
        for end in self._ends:
            rest = word[: len(word) - len(end)]
            if word.endswith(end) and len(rest) >= _CONSONANTS:
                for beginning in self._beginnings if end else self._beginnings[1:]:
                    if rest.startswith(beginning):
                        found |= self._roots_of(rest[len(beginning) :])
        return found

    def _roots_of(self, word: str) -> set[str]:
        """The consonants of a word, with and without the ተ, አ, ይ that forms of verbs begin with."""
        consonants = "".join(map(bare, word.translate(_SPELLED)))
        short = consonants[1:] if consonants[:1] in ("ት", "እ", "ይ", "ም") else consonants
        return {root for root in (consonants, short) if len(root) >= _CONSONANTS}

    @staticmethod
    def _stem(word: str) -> str:
        word = word.translate(_SPELLED)
        return word[:-1] + bare(word[-1])
