"""What each word of the notes is: everyday, somebody's name, a title, a number. Decided once a word, for a whole batch.

A word is kept only if the lexicon has it, or if many notes use it, mostly in lower case, and it is nobody's name; in
a script without case, only if the lexicon has it.
What becomes of words beside each other is the business of `names`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from anonymization.redaction.folding import MARKS_IN_WORDS, fold
from anonymization.redaction.lexicon import Lexicon, frequent_names

KEEP, NAME, CAPITAL, TITLE, KIN, STOP, DIGITS, STREET, UNIT, PARTICLE, SINGLE, CASELESS, SEEN_LOWER, NAMING = (
    1 << bit for bit in range(14)
)

SPLIT = re.compile(rf"([\w{MARKS_IN_WORDS}]+)")
"""Splits a cleaned note into what is between words (even places) and words (odd places)."""

_MANY = 5
"""So many notes must use a word that the lexicon does not have."""
_CASED = re.compile("[A-ZÀ-ÖØ-ÞĀ-ſА-Я]")


class Vocabulary:
    """How often the notes of a batch use each word in lower case, and how often with a capital inside a sentence."""

    def __init__(self, split_notes: Iterable[Sequence[str]]) -> None:
        lower: Counter[str] = Counter()
        capital: Counter[str] = Counter()
        for parts in split_notes:
            words = set(parts[1::2])
            if not any(word[0].isupper() for word in words):
                continue  # where nothing has a capital, lower case says nothing
            lower.update(word for word in words if word == word.lower())
            inside = [word for gap, word in zip(parts[2::2], parts[3::2], strict=False) if gap == " "]
            capital.update({word for word in inside if word[:1].isupper()})
        self._lower: Counter[str] = Counter()
        self._capital: Counter[str] = Counter()
        for word, count in lower.items():
            self._lower[fold(word)] += count
        for word, count in capital.items():
            self._capital[fold(word)] += count

    def frequent(self, folded: str) -> bool:
        """Many notes use it, mostly in lower case."""
        lower = self._lower[folded]
        return lower >= _MANY and lower > 4 * self._capital[folded]

    def seen_lower(self, folded: str) -> bool:
        """Used in lower case more often than with a capital where none is due."""
        return self._lower[folded] > self._capital[folded]


class Words(dict[str, int]):
    """Flags of each word, found when it is first asked for.

    `names`: folded words that are names of somebody: of the vault's people.
    """

    def __init__(self, lexicon: Lexicon, vocabulary: Vocabulary, names: Collection[str]) -> None:
        super().__init__()
        self._lexicon, self._vocabulary, self._names = lexicon, vocabulary, names
        self._naming_ends = {word for _, word in lexicon.naming}

    def __missing__(self, word: str) -> int:
        flags = self[word] = self._flags(word)
        return flags

    def forms(self, word: str) -> list[str]:
        """A word folded, and without each prefix (and suffix) that its language writes joined to it."""
        folded = fold(word)
        forms = [folded]
        for prefix in self._lexicon.prefixes:
            if folded.startswith(prefix) and len(folded) >= len(prefix) + 2:
                forms.append(folded[len(prefix) :])
        for suffix in self._lexicon.suffixes:
            forms += [
                form[: -len(suffix)] for form in forms[:4] if form.endswith(suffix) and len(form) >= len(suffix) + 3
            ]
        return forms

    def _flags(self, word: str) -> int:
        if word[0].isdigit():
            return DIGITS if len(word) <= 6 else DIGITS | KEEP
        forms = self.forms(word)
        cased = word[0].lower() != word[0].upper()
        flags = self._looks(word, forms[0], cased) | self._lists(forms[0])
        everyday = any(form in self._lexicon.words for form in forms)
        name = not flags & STOP and any(form in self._names or form in frequent_names() for form in forms)
        # Without case, a name that many notes use looks like any other word: only the lexicon may keep one.
        if everyday or (cased and not name and self._vocabulary.frequent(forms[0])):
            flags |= KEEP
        if name and (flags & CAPITAL or not everyday):
            flags |= NAME
        if name and not cased:  # where letters have no case, nothing else could tell
            flags = (flags | NAME) & ~KEEP
        if not name and self._vocabulary.seen_lower(forms[0]):
            flags |= SEEN_LOWER
        return flags

    def _looks(self, word: str, folded: str, cased: bool) -> int:
        flags = SINGLE if len(folded) == 1 else 0
        if not cased:
            return flags | CASELESS
        return flags | CAPITAL if word[0].isupper() else flags

    def _lists(self, folded: str) -> int:
        """Which lists of the lexicon a word is on."""
        known, flags = self._lexicon, 0
        for flag, words in (
            (STOP, known.stop),
            (TITLE, known.titles),
            (KIN, known.kin),
            (STREET, known.streets),
            (UNIT, known.units),
            (PARTICLE, known.particles),
            (NAMING, self._naming_ends),
        ):
            if folded in words:
                flags |= flag
        return flags


def is_cased(note: str) -> bool:
    """Whether a note uses capitals at all: in one that does not, case says nothing."""
    return bool(_CASED.search(note))
