"""Which words of a note are somebody's name or address, from what each word is and what stands beside it.

No model: a capital inside a sentence, a word that nobody else uses, a title, "my brother", "se llama", "اسمه" before
it, a number beside it. What each word is by itself is the business of `words`.
"""

from __future__ import annotations

import re
from functools import cached_property, reduce
from itertools import accumulate
from operator import or_

from anonymization.redaction import initials
from anonymization.redaction.addresses import Addresses
from anonymization.redaction.folding import RowNames, fold, sound
from anonymization.redaction.joined import PARTICLES, WITHIN_NAMES, JoinedNames
from anonymization.redaction.lexicon import Lexicon, family_names, given_names, names_of_function_words
from anonymization.redaction.numbers import DIGIT
from anonymization.redaction.patterns import Span
from anonymization.redaction.told import ToldNames, begins_a_sentence
from anonymization.redaction.words import (
    CAPITAL,
    CASELESS,
    COMMON,
    DERIVED,
    DIGITS,
    FORMED,
    KEEP,
    KIN,
    LISTED,
    LOOSELY,
    MONTH,
    NAME,
    NAMING,
    NUMERAL,
    PAPER,
    PARTICLE,
    SECRET,
    SINGLE,
    SMALL,
    STOP,
    STREET,
    TITLE,
    UNIT,
    WEEKDAY,
    Words,
    is_cased,
)

_BLANKS = re.compile(" {2,}")
_OPENS, _CLOSES = (
    frozenset(("\n", "[", "{", '"', "'", "“", "«", "‘")),
    frozenset(("\n", "]", "}", '"', "'", "”", "»", "’")),
)
_BEHIND_NAMES = frozenset((" ", "-", "-\n", "-\r\n"))
_TO = frozenset(("to", "with", "a", "ao", "à", "com", "con", "avec", "an", "mit", "aan", "met"))
_APOSTROPHES = frozenset(("'", "’"))
_BEHIND_GREETED = frozenset((",", "!", "\n", "-", "،", ""))
_SHAPED = "SHAPED"
_NO_PERSON = KIN | UNIT | WEEKDAY | MONTH | STREET | NUMERAL | PAPER | SECRET | NAMING
_LONG_TITLE, _LONG_ACRONYM, _LONG_PARTICLE = 9, 4, 5
_INFLECTED = ("e", "en", "er", "es", "em", "so", "sehr")
_ANNOUNCES = TITLE | KIN | NAMING
_TELLING = (
    KEEP | CAPITAL | NAME | DIGITS | TITLE | KIN | NAMING | PARTICLE | LISTED | LOOSELY | SINGLE
)  # of an everyday word all but the first say that more must be asked
_NEEDS_A_LOOK = ~(KEEP | STOP | UNIT | PARTICLE | CASELESS | DIGITS | NUMERAL | WEEKDAY | PAPER | SECRET)


def find(
    text: str,
    parts: list[str],
    flags: list[int],
    words: Words,
    lexicon: Lexicon,
    own: RowNames | None,
    shaped: list[Span],
) -> list[Span]:
    """Names and addresses in a note, split by `words.SPLIT` and looked up; `shaped`: what was found by its shape."""
    every = reduce(or_, flags, 0)
    if own is None and not every & _NEEDS_A_LOOK and all(flag & (KEEP | DIGITS) for flag in flags):
        return []
    note = _Note(parts, flags, words, lexicon, own, is_cased(text))
    if "  " in text:
        note.narrow()
    return note.spans(shaped)


class _Note:
    """The words of one note, what each is, and of those that name somebody or a place what was found."""

    def __init__(
        self, parts: list[str], flags: list[int], words: Words, lexicon: Lexicon, own: RowNames | None, cased: bool
    ) -> None:
        self._gaps, self._texts, self._flags = parts[0::2], parts[1::2], flags
        self._starts = list(accumulate(map(len, parts), initial=0))[1::2]
        self._words, self._lexicon, self._own, self._cased = words, lexicon, own, cased
        self._hits: list[str | None] = [None] * len(flags)

    @cached_property
    def _writes_whole_names(self) -> bool:
        """Whether somewhere two words with a capital stand together that are no everyday ones: a family name in lower
        case is not to be expected."""
        unlisted = [flag & CAPITAL and not flag & (KEEP | DIGITS) for flag in self._flags]
        return any(
            one and after and gap == " "
            for one, after, gap in zip(unlisted, unlisted[1:], self._gaps[1:], strict=False)
        )

    @cached_property
    def _said(self) -> frozenset[str]:
        """Every word of the note, as it is written."""
        return frozenset(self._texts)

    def narrow(self) -> None:
        """Several blanks between two words part them no more than one does."""
        self._gaps = [_BLANKS.sub(" ", gap) for gap in self._gaps]

    def spans(self, shaped: list[Span]) -> list[Span]:
        self._mark_names()
        if "NAME" in self._hits or reduce(or_, self._flags, 0) & (LISTED | MONTH):
            told = ToldNames(self._gaps, self._texts, self._flags, self._hits, self._lexicon)
            if self._cased:
                told.mark()
            else:
                told.mark_where_letters_have_no_case()
        self._mark_shaped(shaped)
        addresses = Addresses(self._gaps, self._texts, self._flags, self._hits, self._cased)
        addresses.mark()
        joined = JoinedNames(self._gaps, self._texts, self._flags, self._hits, self._lexicon, self._cased)
        joined.mark()
        addresses.spread()
        starts, texts = self._starts, self._texts
        return [
            Span(starts[place], starts[place] + len(texts[place]), kind)
            for place, kind in enumerate(self._hits)
            if kind and kind != _SHAPED
        ]

    def _mark_names(self) -> None:
        gaps, hits, asks_row, caseless = self._gaps, self._hits, self._own is not None, not self._cased
        expecting = 0  # how many words of a name may still come: after "Mr", "my brother", "se llama"
        title = False
        for place, flag in enumerate(self._flags):
            if flag & _TELLING == KEEP and not (asks_row or title or (expecting and caseless)):
                expecting = 0
                continue
            title = bool(flag & TITLE)
            if expecting and (flag & DIGITS or (place and not self._may_follow(place))):
                expecting = 0
            if flag & SINGLE and gaps[place] == "/" and flag & CASELESS and self._ends_cut_title(place):
                hits[place - 1], title, expecting = None, True, 3
                continue
            if not flag & DIGITS and self._is_name(place, flag, expecting):
                hits[place] = "NAME"
                expecting = max(0, expecting - 1)
            elif expecting and not flag & PARTICLE:
                expecting = 0
            if flag & _ANNOUNCES and not (hits[place] and flag & KIN):
                expecting = self._announced(place, flag) or expecting

    def _may_follow(self, place: int) -> bool:
        """Whether a title or a relative may announce a word, by what stands between: "his wife (Comfort) came"."""
        gap = self._gaps[place]
        return gap in (" ", ". ") or not gap.strip(" .:،\"'") or (gap == " (" and self._gaps[place + 1][:1] == ")")

    def _is_name(self, place: int, flag: int, expecting: int) -> bool:
        if flag & NAME and not (flag & COMMON and self._cased):
            return not self._is_negated(place)
        single = flag & SINGLE and flag & (CAPITAL | CASELESS) and (expecting or self._gaps[place + 1][:1] == ".")
        if single and self._is_initial(place, flag, expecting):
            return True
        if expecting and not flag & SINGLE and (flag & CAPITAL or not flag & KEEP or self._is_called_so(place, flag)):
            return not (
                flag & KEEP and self._is_in_label(place)
            )  # "my brother Will": a capital is a name even in the most frequent words
        if self._own is not None and not flag & STOP and self._is_own(place, flag, self._own):
            return True
        follows = place > 0 and bool(self._hits[place - 1]) and self._gaps[place] in _BEHIND_NAMES
        if place and not flag & (STOP | SINGLE) and self._is_behind_cut_title(place, flag):
            return True
        if flag & CAPITAL:
            return self._is_name_by_its_capital(place, flag, follows)
        if flag & KEEP and flag & (LISTED | FORMED) and flag & CASELESS and follows:
            return not flag & (KIN | UNIT)
        if flag & LISTED and flag & CASELESS and begins_a_sentence(self._gaps, place) and self._next_says(place):
            return True  # نظری گفت
        if flag & COMMON and self._cased:
            return self._is_spoken_to(place)
        if flag & (KEEP | SINGLE) or self._is_negated(place):
            return bool(flag & LISTED and not self._cased and not flag & (STOP | CASELESS)) and self._is_spoken_to(
                place
            )
        if self._is_greeted(place) or self._stands_alone(place):
            return True  # an answer, or an item of a list
        return not self._cased or bool(flag & CASELESS) or (follows and self._is_rest_of_name(place))

    def _is_called_so(self, place: int, flag: int) -> bool:
        """Whether an everyday word may be what people are called, in a note without capitals: by its form, without its
        prefix, or on a list of names ("SU HIJA FLOR")."""
        if flag & CASELESS:
            return bool(flag & (LOOSELY | LISTED))
        if self._cased or flag & (STOP | KIN | TITLE):
            return False
        folded = fold(self._texts[place])
        return bool(flag & LISTED) or folded in given_names() or folded in family_names()

    def _is_initial(self, place: int, flag: int, expecting: int) -> bool:
        """Whether a letter is all that is told of somebody, or one of several letters with their full stops."""
        note = (self._gaps, self._texts, self._flags, self._hits)
        if expecting and flag & CAPITAL and initials.behind_title(*note, place):
            return True
        if initials.apart(*note, place - 1) or initials.apart(*note, place):
            return True
        return self._gaps[place + 1] != ". " and initials.joined(*note, place, self._lexicon.determiners)

    def _is_behind_cut_title(self, place: int, flag: int) -> bool:
        """Whether a title cut short stands before a word, in a note without capitals too: "sra. consuelo", ዶ/ር መብራት."""
        if self._gaps[place] == ". " and self._flags[place - 1] & TITLE:
            return True
        behind = flag & CASELESS and self._gaps[place] == " " and self._gaps[place - 1] == "/"
        return bool(behind) and not flag & KIN and self._ends_cut_title(place - 1)

    def _ends_cut_title(self, place: int) -> bool:
        """Whether a word and the end of the one before, with a stroke between them, are a title: ዶ/ር, ከወ/ሮ."""
        return place > 0 and fold(self._texts[place - 1][-1:] + self._texts[place]) in self._lexicon.titles

    def _next_says(self, place: int) -> bool:
        """Whether the next word is what only people do."""
        behind = place + 1 < len(self._texts) and self._gaps[place + 1] == " "
        return behind and fold(self._texts[place + 1]) in self._lexicon.says

    def _is_in_label(self, place: int) -> bool:
        """Whether an everyday word ends a form's label: "Employer ID:", "Doctor Phone:"."""
        return self._gaps[place + 1].lstrip()[:1] == ":" and not self._flags[place] & LISTED

    def _is_verb(self, place: int) -> bool:
        """Whether a pronoun is joined behind the first word of a sentence: "Pouvez-vous venir", "Mudou-se"."""
        if place + 1 == len(self._flags) or self._gaps[place + 1] != "-" or not begins_a_sentence(self._gaps, place):
            return False
        return bool(self._flags[place + 1] & STOP) and not self._flags[place + 1] & (CAPITAL | PARTICLE | NAME)

    def _is_greeted(self, place: int) -> bool:
        """Whether a word that nobody knows stands between a greeting and a comma: "hey zaynabou, are you there"."""
        if not place or self._gaps[place] != " " or fold(self._texts[place - 1]) not in self._lexicon.greetings:
            return False
        return self._gaps[place + 1][:1] in _BEHIND_GREETED

    def _is_spoken_to(self, place: int) -> bool:
        """Whether a common word in lower case is somebody: "we spoke to grace", "tell mark", "joy said"; not "the king
        said"."""
        word, gap = fold(self._texts[place]), self._gaps[place]
        before = fold(self._texts[place - 1]) if place and gap == " " else ""
        if (word not in self._lexicon.common and self._cased) or before in self._lexicon.determiners:
            return False
        after = self._texts[place + 1] if place + 1 < len(self._texts) and self._gaps[place + 1] == " " else ""
        if before and fold(after) in self._lexicon.says:
            return True
        if before in _TO and place > 1 and self._gaps[place - 1] == " ":
            before = fold(self._texts[place - 2])
        return before in self._lexicon.speaks_to

    def _is_negated(self, place: int) -> bool:
        """Whether "n't" is joined to a word: "Don't go", "he hadn't"."""
        negated = self._texts[place][-1:] == "n" and self._texts[place + 1 : place + 2] == ["t"]
        return negated and self._gaps[place + 1] in _APOSTROPHES

    def _is_rest_of_name(self, place: int) -> bool:
        """Whether a rare word in lower case behind a name is more often the rest of it than a verb: "Ana quispe", "Gyul
        utca 76"; not "Judith Krall bedankte", and not "Anwohner klagten", whose first word is on no list."""
        if self._gaps[place] != " ":
            return True
        before = self._flags[place - 1]
        if self._gaps[place + 1] == ". " and len(self._texts[place]) < _LONG_PARTICLE and self._goes_on(place + 1):
            return False  # "Ana ret. from Lagos"
        alone = place < 2 or not before & CAPITAL or self._gaps[place - 1] not in (" ", "-")
        alone = alone or not (self._hits[place - 2] or self._flags[place - 2] & PARTICLE)
        if place + 1 < len(self._flags) and self._gaps[place + 1] == " ":
            after = self._flags[place + 1]
            capital = after & CAPITAL and not after & (KEEP | STOP) and not self._lexicon.nouns_are_capital
            # "Via Appia degli Ulivi", not "Eugène Delacroix admirait Rubens"
            short = len(self._texts[place]) <= _LONG_PARTICLE
            if after & DIGITS or (capital and (short or (alone and not self._writes_whole_names))):
                return True
        return alone and not self._writes_whole_names and bool(before & (NAME | LISTED | PARTICLE))

    def _goes_on(self, place: int) -> bool:
        """Whether a word begins no sentence, though a full stop stands before it."""
        return place < len(self._flags) and not self._flags[place] & (CAPITAL | DIGITS)

    def _is_name_by_its_capital(self, place: int, flag: int, follows: bool) -> bool:
        """Whether a word with a capital is a name: what is not listed is, but for nouns and the words of titles."""
        if flag & KEEP:
            if follows and self._hits[place - 1] == "NAME" and not flag & SINGLE:
                return True  # "Mason More": no stop word has a capital behind a name
            if flag & (STOP | TITLE | SINGLE):
                return False
            inside = flag & (LISTED | SMALL) and not begins_a_sentence(self._gaps, place)
            if self._lexicon.nouns_are_capital:
                inside = inside and self._texts[place].lower() in names_of_function_words()
            if follows or inside or self._after_initial(place):
                return True
            if not place or self._gaps[place] != " " or self._flags[place - 1] & DIGITS:
                return False
            return self._is_behind_its_particle(place) or self._is_lone(place, flag)
        if flag & SINGLE or self._is_noun(place, flag) or self._is_acronym(place) or self._is_verb(place):
            return False
        if not begins_a_sentence(self._gaps, place):  # a title's words are capital too: "Admission Notification"
            return bool(follows) or not flag & DERIVED or len(self._texts[place]) < _LONG_TITLE or self._is_alone(place)
        if flag & DERIVED:  # "Diabaté a travaillé": a noun would have its article before it
            after = self._texts[place + 1] if place + 1 < len(self._texts) and self._gaps[place + 1] == " " else ""
            return fold(after) in self._lexicon.follows_subject or fold(after) in self._lexicon.says
        return self._texts[place].lower() not in self._said or self._stands_alone(place)

    def _is_alone(self, place: int) -> bool:
        """Whether a capital stands amid small words and behind no article: of "the Commission" no name is made."""
        if self._lexicon.nouns_are_capital or not place or place + 1 >= len(self._flags):
            return False
        beside = self._flags[place - 1] | self._flags[place + 1]
        return not beside & (CAPITAL | DIGITS) and fold(self._texts[place - 1]) not in self._lexicon.determiners

    def _is_lone(self, place: int, flag: int) -> bool:
        """Whether an everyday word has a capital within a sentence amid small words: "the letter that Blind wrote"; not
        "the Ministry of Health", nor what an article stands before."""
        beside = self._flags[place - 1] | (self._flags[place - 2] if place > 1 else 0)
        beside |= self._flags[place + 1] if place + 1 < len(self._flags) else 0
        if beside & (CAPITAL | DIGITS) or flag & _NO_PERSON or self._lexicon.nouns_are_capital:
            return False
        if self._gaps[place + 1][:1] in (":", "/"):
            return False
        if self._starts[place] != self._starts[place - 1] + len(self._texts[place - 1]) + 1:
            return False  # several blanks may stand for a full stop
        if fold(self._texts[place - 1]) in self._lexicon.determiners:
            return False
        return fold(self._texts[place]) not in self._lexicon.countries

    def _is_behind_its_particle(self, place: int) -> bool:
        """Whether a particle has a capital before a word within a sentence, as in family names: "che Lo Bianco ha"."""
        particle = self._flags[place - 1]
        if not particle & PARTICLE or not particle & CAPITAL or place < 2:
            return False
        return not (self._flags[place - 2] & (CAPITAL | DIGITS) or begins_a_sentence(self._gaps, place - 1))

    def _is_noun(self, place: int, flag: int) -> bool:
        """Whether an unlisted word is a noun where these are capital: "eine schwere Erkrankung", not "Frau Erk"."""
        if not self._lexicon.nouns_are_capital or flag & NAME:
            return False
        for before in range(place - 1, max(place - 4, -1), -1):
            if self._gaps[before + 1] != " ":
                return False
            if fold(self._texts[before]) in self._lexicon.determiners:
                return True
            if self._flags[before] & CAPITAL or not self._texts[before].endswith(_INFLECTED):
                return False
        return False

    def _is_acronym(self, place: int) -> bool:
        """Whether an unlisted word is an office, an illness, a document: NHC, CD56, NGOs. Beside an unlisted capital it
        is a name: "BA Aminata"."""
        text = self._texts[place].removesuffix("s")
        if not self._cased or not text.isupper() or len(text) > _LONG_ACRONYM:
            return False
        if place and self._flags[place - 1] & DIGITS and self._gaps[place] == " ":
            return False  # of a number: "27 5109 CBE"
        return not any(
            self._gaps[max(place, other)] in WITHIN_NAMES
            and self._flags[other] & CAPITAL
            and (self._flags[other] & NAME or not self._flags[other] & KEEP)
            and not DIGIT.search(self._texts[other])  # "NHC HN4471" is a number and its label
            for other in (place - 1, place + 1)
            if 0 <= other < len(self._flags)
        )

    def _stands_alone(self, place: int) -> bool:
        """Whether a word has a line, brackets or quotation marks to itself."""
        before, behind = self._gaps[place].strip(" \t"), self._gaps[place + 1].strip(" \t")
        if not behind and place + 1 == len(self._flags):
            return before[-1:] == "\n"  # the last line is who signs
        return before[-1:] in _OPENS and behind[:1] in _CLOSES and ":" not in behind and "=" not in behind

    def _after_initial(self, place: int) -> bool:
        """Whether an initial stands before a word and its particles: "J. Young", "D. De La Tour", "D'Hoop"."""
        first = max(1, place - PARTICLES)
        while place > first and self._flags[place - 1] & PARTICLE and self._gaps[place] == " ":
            place -= 1
        before = self._flags[place - 1] if place else 0
        if not (before & SINGLE and before & CAPITAL):
            return False
        return self._gaps[place] in (". ", ".") or (self._gaps[place] in ("'", "’") and not before & STOP)

    def _is_own(self, place: int, flag: int, own: RowNames) -> bool:
        text = self._texts[place]
        if not own.folded.isdisjoint(self._words.forms(text)):
            return True
        return not flag & KEEP and sound(text) in own.sounds

    def _announced(self, place: int, flag: int) -> int:
        """How many words of a name this word announces."""
        if flag & NAMING:
            before = fold(self._texts[place - 1]) if place else ""
            word = fold(self._texts[place])
            if ("", word) in self._lexicon.naming or (before, word) in self._lexicon.naming:
                return 4
        if flag & TITLE:
            return 3
        return 2 if flag & KIN else 0

    def _mark_shaped(self, shaped: list[Span]) -> None:
        """Words inside what was found by its shape are neighbours, and no words of their own."""
        place = 0
        for span in shaped:
            while place < len(self._starts) and self._starts[place] < span.start:
                place += 1
            while place < len(self._starts) and self._starts[place] < span.end:
                self._hits[place] = _SHAPED
                place += 1
