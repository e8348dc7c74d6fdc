"""What each word of the notes is: everyday, somebody's name, a title, a number. Decided once a word.

What a word is depends on its language's lexicon and on the vault's names, never on the other notes of its batch: a
delivery that comes again in other batches is redacted alike.
What becomes of words beside each other is the business of `names`.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache, reduce
from operator import or_

from anonymization.redaction import papers
from anonymization.redaction.folding import MARKS_IN_WORDS, fold
from anonymization.redaction.lexicon import (
    Lexicon,
    family_names,
    frequent_names,
    given_names,
    months,
    months_as_written,
    names_as_written,
    names_of_function_words,
    secret_words,
    weekdays,
)

(
    KEEP,
    NAME,
    CAPITAL,
    TITLE,
    KIN,
    STOP,
    DIGITS,
    STREET,
    UNIT,
    PARTICLE,
    SINGLE,
    CASELESS,
    DERIVED,
    NAMING,
    MONTH,
    LISTED,
    LOOSELY,
    FORMED,
    STREET_NAME,
    NUMERAL,
    WEEKDAY,
    PAPER,
    SMALL,
    COMMON,
    SECRET,
) = (1 << bit for bit in range(25))

SPLIT = re.compile(rf"([\w{MARKS_IN_WORDS}]+)")
"""Splits a cleaned note into what is between words (even places) and words (odd places)."""

_LONG_ENOUGH, _LONG_FORM = 5, 4
_WU = "ዉ"
"""Written at will for ው in Amharic. Folding leaves it: names that the vault holds are folded as they were."""
_OF_A_PLACE, _THE, _ALEF = "ي", "ال", "ى"
"""Ends what is made of a place or a trade in Arabic and Persian, and family names: العراقي, اربابی."""
_CARELESS = re.compile(
    r"[a-zß-öø-ÿ](?=.{0,4000}?[^\W\d_]{5}[.!?]\s+[a-zß-öø-ÿ])(?!.{0,4000}?[.!?]\s+[^a-zß-öø-ÿ\s])", re.DOTALL
)
_SIGNS = tuple(map(chr, range(0x10000)))
_UPPER, _LOWER = "".join(filter(str.isupper, _SIGNS)), "".join(filter(str.islower, _SIGNS))
_CASED = re.compile(f"[{_UPPER}][{_LOWER}]|^[AÀEÈÉOY] [a-zß-öø-ÿ]")


class Words(dict[str, int]):
    """Flags of each word, found when it is first asked for.

    `names`: folded words that are names of somebody: of the vault's people.
    """

    def __init__(self, lexicon: Lexicon, names: Collection[str]) -> None:
        super().__init__()
        self._lexicon, self._names = lexicon, names
        self._lists = _lists(lexicon)

    def __missing__(self, word: str) -> int:
        flags = self[word] = self._flags(word)
        return flags

    def forms(self, word: str) -> list[str]:
        """A word folded, and without each prefix (and suffix) that its language writes joined to it."""
        folded = fold(word)
        forms = [folded]
        if _WU in folded:
            forms.append(folded.replace(_WU, "ው"))
        for base in forms[:]:
            for prefix in self._lexicon.prefixes:
                if base.startswith(prefix) and len(base) >= len(prefix) + 2:
                    forms.append(base[len(prefix) :])
        for suffix in self._lexicon.suffixes:
            forms += [
                form[: -len(suffix)] for form in forms[:4] if form.endswith(suffix) and len(form) >= len(suffix) + 3
            ]
        return forms

    def _flags(self, word: str) -> int:
        if word[0].isdigit():
            return DIGITS if len(word) <= 6 else DIGITS | KEEP
        forms = self.forms(word)
        if not forms[0]:
            return KEEP | SINGLE  # a mark without a letter
        cased = word[0].lower() != word[0].upper()
        flags = self._looks(word, forms[0], cased) | self._on_lists(word, forms, cased)
        if flags & CAPITAL and self._lexicon.is_street(word):
            flags |= STREET
        exactly = forms[0] in self._lexicon.words
        if flags & CAPITAL and exactly and self._is_foreign_name(forms[0]):
            return flags & ~STOP | NAME
        if flags & STREET and not exactly and word.lower().endswith(self._lexicon.street_name_endings):
            flags |= STREET_NAME
        bases = self._lexicon.of_language if cased else self._lexicon.words  # Baye is no form of an English bay
        everyday = exactly or any(form in bases for form in forms)
        asked = forms[:1] if exactly else forms  # "the age" is a word, though "age" without its article is a name
        known = bool(self._names) and any(form in self._names for form in forms)
        name = not flags & STOP and (known or self._is_frequent(asked, exactly and cased))
        flags |= (KEEP if exactly else KEEP | LOOSELY) if everyday else self._formed(word, forms, flags)
        if everyday and not cased and not flags & STOP and self._is_of_a_place(word, forms[0], exactly):
            flags |= FORMED | LOOSELY
        if flags & STOP and not cased and word in names_as_written():
            flags |= LISTED  # Ali is written like "on" but for its last letter
        if word.istitle() and word.lower() in names_of_function_words():
            flags &= ~STOP  # a name where none of its language's function words has a capital: "I asked Will"
        if not name and not flags & STOP:
            name = self._is_listed(word, asked, cased)
            if name and everyday:
                name, flags = False, flags | LISTED
        elif everyday and cased and not flags & (CAPITAL | STOP):
            flags |= LISTED
        if name and (flags & CAPITAL or not everyday):
            flags |= NAME
            flags |= 0 if known or not cased or flags & CAPITAL else self._commonly(forms)
        # where letters have no case, nothing else could tell
        return (flags | NAME) & ~KEEP if name and not cased else flags

    def _is_foreign_name(self, folded: str) -> bool:
        """Whether a word that begins with a capital is a given name, and a word of English only: "Can" in German."""
        return folded in self._lexicon.small and folded not in self._lexicon.of_language and folded in given_names()

    def _is_frequent(self, forms: list[str], exactly: bool) -> bool:
        """Whether so many people have a name that it is listed as frequent; "by August" is a month."""
        if exactly and forms[0] in self._lexicon.calendar:
            return False
        return any(form in frequent_names() for form in forms)

    def _commonly(self, forms: list[str]) -> int:
        """COMMON if a word without a capital is more often a word than a name."""
        return 0 if self._lexicon.common.isdisjoint(forms) else COMMON

    def _on_lists(self, word: str, forms: list[str], cased: bool) -> int:
        """On which lists a word is; of relatives and titles also what is joined to a prefix: "from his brother"."""
        flags = self._lists.get(forms[0], 0)
        if cased:
            accented = flags & MONTH and not word.isascii() and word.lower() not in months_as_written()
            return flags & ~MONTH if accented else flags  # Spanish marcó is no março
        if not months().isdisjoint(forms[1:]):
            flags |= MONTH  # "in May" is one word
        if flags & (KIN | TITLE):
            return flags
        return reduce(or_, (self._lists.get(one, 0) & (KIN | TITLE) for one in forms[1:] if len(one) > 2), flags)

    def _is_of_a_place(self, word: str, folded: str, exactly: bool) -> bool:
        """Whether an everyday word ends as family names do: العراقي; not with the letter that folding makes the same:
        المستشفى."""
        return folded[-1] == _OF_A_PLACE and word[-1] != _ALEF and (not exactly or folded.startswith(_THE))

    def _formed(self, word: str, forms: list[str], flags: int) -> int:
        """How far a word that is on no list has a form to be an everyday one."""
        caseless = flags & CASELESS
        if caseless and len(forms[0]) >= _LONG_FORM and self._lexicon.has_form_of_words(forms[0]):
            return KEEP | LOOSELY | FORMED if self._lexicon.formed_loosely else KEEP
        if caseless:
            return KEEP | LOOSELY | FORMED if self._lexicon.has_known_stem(forms[0]) else 0
        if flags & CAPITAL and self._lexicon.nouns_are_capital and self._is_compound(forms):
            return KEEP
        if not flags & CAPITAL and self._lexicon.is_verb(word, forms[0]):
            return KEEP
        if self._lexicon.derived(word):
            return KEEP if not flags & CAPITAL or self._lexicon.nouns_are_capital else DERIVED
        return 0

    def _is_compound(self, forms: list[str]) -> bool:
        """Whether a noun ends in another that is long and nobody's name: Kindertagesstätte, not Rosenberg."""
        return any(
            form[start:] in self._lexicon.words
            and form[start:] not in family_names()
            and form[start:] not in given_names()
            for form in forms
            for start in range(3, len(form) - _LONG_ENOUGH)
        )

    def _is_listed(self, word: str, forms: list[str], cased: bool) -> bool:
        """Whether a word is somebody's name somewhere; short ones in lower case are words of too many languages."""
        if not cased:
            return any(form in given_names() or form in family_names() for form in forms)
        if word[0].isupper():
            return (forms[0] in given_names() or forms[0] in family_names()) and forms[0] not in self._lexicon.calendar
        return len(word) >= _LONG_ENOUGH and forms[0] in given_names()

    def _looks(self, word: str, folded: str, cased: bool) -> int:
        flags = SINGLE if len(folded) == 1 else 0
        if not cased:
            return flags | CASELESS
        inverted = len(word) >= _LONG_ENOUGH and word[1:].isupper()  # "oLUWASEUN", with the key for capitals held
        return flags | CAPITAL if word[0].isupper() or inverted else flags


@lru_cache(maxsize=32)
def _lists(lexicon: Lexicon) -> dict[str, int]:
    """Of each word that is on a list of the lexicon, on which: one look-up instead of one for each list."""
    flags: dict[str, int] = {}
    for flag, words in (
        (STOP, lexicon.stop),
        (TITLE, lexicon.titles),
        (KIN, lexicon.kin),
        (STREET, lexicon.streets),
        (UNIT, lexicon.units),
        (PARTICLE, lexicon.particles),
        (NAMING, {word for _, word in lexicon.naming}),
        (MONTH, months()),
        (NUMERAL, lexicon.numerals),
        (WEEKDAY, weekdays()),
        (SMALL, lexicon.small),
        (PAPER, map(fold, papers.WORDS.split())),
        (SECRET, secret_words()),
    ):
        for word in words:
            flags[word] = flags.get(word, 0) | flag
    return flags


def flags_of(text: str, parts: list[str], words: Words) -> list[int]:
    """What each word of a note is; a note in capitals throughout is read like one in lower case."""
    shouted = text.isupper()
    return [words[word.lower()] for word in parts[1::2]] if shouted else [words[word] for word in parts[1::2]]


def is_cased(note: str) -> bool:
    """Whether a note tells by capitals where a word is a name: one in capitals or lower case throughout does not, nor
    one of whose sentences none begins with a capital: "called yokasta. her husband El Chino was out." """
    return bool(_CASED.search(note)) and not _CARELESS.match(note)
