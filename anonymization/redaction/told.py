"""Which everyday words with a capital are names by what stands beside them, or since they are part of one elsewhere.

What is a name by itself is the business of `names`.
"""

from __future__ import annotations

from anonymization.redaction.addresses import SENTENCE_ENDS
from anonymization.redaction.folding import fold
from anonymization.redaction.lexicon import Lexicon, family_names, given_names
from anonymization.redaction.words import (
    CAPITAL,
    CASELESS,
    DIGITS,
    KIN,
    LISTED,
    MONTH,
    SINGLE,
    SMALL,
    STOP,
    TITLE,
    UNIT,
)

_AND = frozenset(("and", "or", "et", "ou", "y", "e", "o", "en", "of", "&", "iyo"))


_WITH = frozenset(("مع", "برفقة", "با", "همراه"))
_NOBODY = DIGITS | KIN | MONTH | SINGLE | STOP | TITLE | UNIT


def begins_a_sentence(gaps: list[str], place: int) -> bool:
    """Whether a word is the first of a note, a line, a cell, or behind a full stop and the like."""
    return place == 0 or not SENTENCE_ENDS.isdisjoint(gaps[place])


class ToldNames:
    """The words of one note that has capitals, what each is, and in `hits` what was found of them: marked in place."""

    def __init__(
        self, gaps: list[str], texts: list[str], flags: list[int], hits: list[str | None], lexicon: Lexicon
    ) -> None:
        self._gaps, self._texts, self._flags, self._hits, self._lexicon = gaps, texts, flags, hits, lexicon

    def mark(self) -> None:
        """Everyday words that are names by what stands beside them, or since they are part of a name elsewhere."""
        flags, hits, texts, gaps = self._flags, self._hits, self._texts, self._gaps
        named = {text for text, flag, hit in zip(texts, flags, hits, strict=True) if hit and flag & CAPITAL}
        for place, flag in enumerate(flags):
            if not flag & CAPITAL or hits[place]:
                continue
            if flag & (KIN | SINGLE | DIGITS | (0 if flag & MONTH else STOP)):  # "May said"
                continue
            after = texts[place + 1] if place + 1 < len(texts) and gaps[place + 1] == " " else ""
            says = flag & (LISTED | MONTH) and fold(after) in self._lexicon.says
            says = says or (flag & LISTED and self._is_subject(place, after))
            cut_short = flag & (LISTED | MONTH) and len(after) == 1 and after.isupper() and gaps[place + 2][:1] == "."
            says = says or self._is_joined(place, flag) or self._begins_a_list(place, flag)
            says = says or self._is_before_given_name(place, flag)
            if says or cut_short or (texts[place] in named and not flag & (MONTH | TITLE)):
                hits[place] = "NAME"
                hits[place + 1 : place + 1 + bool(cut_short)] = ["NAME"] * bool(cut_short)

    def mark_where_letters_have_no_case(self) -> None:
        """Everyday words that people are called, which are a name elsewhere in the note, stand behind "with" in a
        note that names somebody (الهاتف مع طالب), or beside what one does to people: ለፍቅር ላክ, به باران زنگ بزن."""
        flags, hits, texts, gaps = self._flags, self._hits, self._texts, self._gaps
        named = {text for text, hit in zip(texts, hits, strict=True) if hit}
        for place, flag in enumerate(flags):
            if hits[place] or not flag & LISTED or not flag & CASELESS or flag & _NOBODY:
                continue
            along = place > 0 and gaps[place] == " " and texts[place - 1] in _WITH
            along = along and bool(named) and fold(texts[place]) in given_names()
            if texts[place] in named or along or self._is_spoken_to(place):
                hits[place] = "NAME"

    def _is_spoken_to(self, place: int) -> bool:
        """Whether the word before or behind is what one does to people: to call, to ask, to tell."""
        before = place > 0 and self._gaps[place] == " " and fold(self._texts[place - 1]) in self._lexicon.speaks_to
        behind = place + 1 < len(self._texts) and self._gaps[place + 1] == " "
        return bool(before) or (behind and fold(self._texts[place + 1]) in self._lexicon.speaks_to)

    def _is_joined(self, place: int, flag: int) -> bool:
        """Whether "and" is between a name and a word: "Evan and April"; "Ana Gil of Kenya" is of a country."""
        if place < 2 or self._gaps[place] != " " or self._hits[place - 2] != "NAME" or flag & (TITLE | UNIT):
            return False
        word = self._texts[place - 1]
        if word not in _AND or self._lexicon.nouns_are_capital or (word == "of" and not flag & (LISTED | SMALL)):
            return False
        return not flag & MONTH or fold(self._texts[place]) in given_names()

    def _begins_a_list(self, place: int, flag: int) -> bool:
        """Whether a given name begins a list of names: "There were six: Jan, Kristi, Nina"."""
        if not flag & (LISTED | MONTH) or self._gaps[place].strip() != ":" or self._gaps[place + 1] != ", ":
            return False
        return self._hits[place + 1 : place + 2] == ["NAME"] and fold(self._texts[place]) in given_names()

    def _is_before_given_name(self, place: int, flag: int) -> bool:
        """Whether a word is a family name with the given one behind a comma: "Patientin: Jung, Shirin, geb. 1971"."""
        if self._gaps[place + 1] != ", " or flag & (TITLE | UNIT | MONTH):
            return False
        if self._hits[place + 1 : place + 2] != ["NAME"]:
            return False
        if self._gaps[place].strip() == ":":
            return True
        listed = flag & LISTED and begins_a_sentence(self._gaps, place) and fold(self._texts[place]) in family_names()
        return bool(listed) and fold(self._texts[place + 1]) in given_names()

    def _is_subject(self, place: int, after: str) -> bool:
        """Whether a given name that is an everyday word begins a sentence as somebody, or signs: "Faith is a girl",
        "Faith's house", "Faith and her brother"."""
        texts, flags = self._texts, self._flags
        if not begins_a_sentence(self._gaps, place) or fold(texts[place]) not in given_names():
            return False
        if place + 1 == len(texts):
            return "\n" in self._gaps[place]
        if fold(after) in self._lexicon.follows_subject:
            return True
        if after in _AND:
            return place + 3 < len(texts) and bool(flags[place + 3] & KIN) and not flags[place + 2] & CAPITAL
        return texts[place + 1 : place + 2] == ["s"] and self._gaps[place + 1] in ("'", "’")
