"""Which words of a note are somebody's name or address, from what each word is and what stands beside it.

No model: a capital inside a sentence, a word that nobody else uses, a title, "my brother", "se llama", "اسمه" before
it, a number beside it. What each word is by itself is the business of `words`.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from functools import reduce
from itertools import accumulate
from operator import or_

from anonymization.redaction.addresses import SENTENCE_ENDS, Addresses
from anonymization.redaction.folding import fold, sound
from anonymization.redaction.lexicon import Lexicon, family_names, given_names
from anonymization.redaction.patterns import Span
from anonymization.redaction.words import (
    CAPITAL,
    CASELESS,
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
    SINGLE,
    STOP,
    STREET,
    TITLE,
    UNIT,
    WEEKDAY,
    Words,
    is_cased,
)

_OPENS, _CLOSES = (
    frozenset(("\n", "[", "{", '"', "'", "“", "«", "‘")),
    frozenset(("\n", "]", "}", '"', "'", "”", "»", "’")),
)
_BEFORE_PARTICLES = frozenset((" ", " '", " ’"))
_BEHIND_PARTICLES = frozenset((" ", "'", "’"))
_WITHIN_NAMES = _BEFORE_PARTICLES | _BEHIND_PARTICLES | {". ", ".", "-", "- "}
_SHAPED = "SHAPED"
_LONG_TITLE, _LONG_ACRONYM, _LONG_FAMILY = 9, 4, 5
_BORN_OF, _LIVES = "زاده", ("زندگی", "زندگي")
_AND = frozenset(("and", "or", "et", "ou", "y", "e", "o", "en", "of", "&", "iyo"))
_PARTICLES = 6
"""So many particles a name has at most: of more, a note would take the square of its length."""
_ARTICLES = frozenset(("der", "den", "zum", "zur"))
_INFLECTED = ("e", "en", "er", "es", "em", "so", "sehr")
_ANNOUNCES = TITLE | KIN | NAMING
_TELLING = (
    KEEP | CAPITAL | NAME | DIGITS | TITLE | KIN | NAMING | PARTICLE | LISTED | LOOSELY | SINGLE
)  # of an everyday word all but the first say that more must be asked
_NEEDS_A_LOOK = ~(KEEP | STOP | UNIT | PARTICLE | CASELESS | DIGITS | NUMERAL | WEEKDAY | PAPER)


class RowNames:
    """The names that a row itself says: folded, and as they sound in Latin letters."""

    def __init__(self, words: AbstractSet[str]) -> None:
        self.folded = words
        self.sounds = {heard for word in words if (heard := sound(word))}


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
    return _Note(parts, flags, words, lexicon, own, is_cased(text)).spans(shaped)


class _Note:
    """The words of one note, what each is, and of those that name somebody or a place what was found."""

    def __init__(
        self, parts: list[str], flags: list[int], words: Words, lexicon: Lexicon, own: RowNames | None, cased: bool
    ) -> None:
        self._gaps, self._texts, self._flags = parts[0::2], parts[1::2], flags
        self._starts = list(accumulate(map(len, parts), initial=0))[1::2]
        self._words, self._lexicon, self._own, self._cased = words, lexicon, own, cased
        self._hits: list[str | None] = [None] * len(flags)

    def spans(self, shaped: list[Span]) -> list[Span]:
        self._mark_names()
        if self._cased and ("NAME" in self._hits or reduce(or_, self._flags, 0) & (LISTED | MONTH)):
            self._mark_told()
        self._mark_shaped(shaped)
        addresses = Addresses(self._gaps, self._texts, self._flags, self._hits, self._cased)
        addresses.mark()
        self._mark_between()
        addresses.spread()
        starts, texts = self._starts, self._texts
        return [
            Span(starts[place], starts[place] + len(texts[place]), kind)
            for place, kind in enumerate(self._hits)
            if kind and kind != _SHAPED
        ]

    def _mark_names(self) -> None:
        expecting = 0  # how many words of a name may still come: after "Mr", "my brother", "se llama"
        title = False
        for place, flag in enumerate(self._flags):
            if self._own is None and flag & _TELLING == KEEP and not title:
                expecting = 0
                continue
            title = bool(flag & TITLE)
            gap = self._gaps[place]
            if expecting and (flag & DIGITS or (place and gap not in (" ", ". ") and gap.strip(" .:،\"'"))):
                expecting = 0
            if not flag & DIGITS and self._is_name(place, flag, expecting):
                self._hits[place] = "NAME"
                expecting = max(0, expecting - 1)
            elif not (flag & PARTICLE and expecting):
                expecting = 0
            if flag & _ANNOUNCES and not (self._hits[place] and flag & KIN):
                expecting = self._announced(place, flag) or expecting

    def _is_name(self, place: int, flag: int, expecting: int) -> bool:
        if flag & NAME:
            return True
        # a word without its prefix, by its form, or a name too
        loosely = flag & (LOOSELY | LISTED) if flag & CASELESS else flag & LISTED and not self._cased
        if expecting and not flag & SINGLE and (flag & CAPITAL or not flag & KEEP or loosely):
            return True  # "my brother Will": a capital is a name even in the most frequent words
        if self._own is not None and not flag & STOP and self._is_own(place, flag, self._own):
            return True
        follows = place > 0 and bool(self._hits[place - 1]) and self._gaps[place] in (" ", "-")
        if place and self._gaps[place] == ". " and self._flags[place - 1] & TITLE and not flag & (STOP | SINGLE):
            return True  # "sra. consuelo": what follows a title cut short is a name, in a note without capitals too
        if flag & CAPITAL:
            return self._is_name_by_its_capital(place, flag, follows)
        if flag & KEEP and flag & (LISTED | FORMED) and flag & CASELESS and follows:
            return not flag & KIN
        if flag & (KEEP | SINGLE):
            return False
        if self._stands_alone(place):
            return True  # an answer, or an item of a list
        return not self._cased or bool(flag & CASELESS) or (follows and self._is_rest_of_name(place))

    def _is_rest_of_name(self, place: int) -> bool:
        """Whether a rare word in lower case behind a name is more often the rest of it than a verb: "Ana quispe", "Gyul
        utca 76"; not "Judith Krall bedankte", and not "Anwohner klagten", whose first word is on no list."""
        if self._gaps[place] == "-":
            return True
        if place + 1 < len(self._flags) and self._gaps[place + 1] == " ":
            after = self._flags[place + 1]
            capital = after & CAPITAL and not after & (KEEP | STOP) and not self._lexicon.nouns_are_capital
            if after & DIGITS or capital:
                return True
        before = self._flags[place - 1]
        alone = place < 2 or not self._hits[place - 2] or self._gaps[place - 1] != " " or not before & CAPITAL
        return alone and bool(before & (NAME | LISTED | PARTICLE))

    def _is_name_by_its_capital(self, place: int, flag: int, follows: bool) -> bool:
        """Whether a word with a capital is a name: what is not listed is, but for nouns and the words of titles."""
        if flag & KEEP:
            inside = flag & LISTED and not self._lexicon.nouns_are_capital and not self._begins_a_sentence(place)
            if follows and self._hits[place - 1] == "NAME" and not flag & SINGLE:
                return True  # "Mason More": no stop word has a capital behind a name
            return bool(follows or inside or self._after_initial(place)) and not flag & (STOP | TITLE | SINGLE)
        if flag & SINGLE or self._is_noun(place, flag) or self._is_acronym(place):
            return False
        if not self._begins_a_sentence(place):  # a title's words are capital too: "Admission Notification"
            return bool(follows) or not flag & DERIVED or len(self._texts[place]) < _LONG_TITLE or self._is_alone(place)
        if flag & DERIVED:  # "Diabaté a travaillé": a noun would have its article before it
            after = self._texts[place + 1] if place + 1 < len(self._texts) and self._gaps[place + 1] == " " else ""
            return fold(after) in self._lexicon.follows_subject or fold(after) in self._lexicon.says
        return self._texts[place].lower() not in self._texts

    def _is_alone(self, place: int) -> bool:
        """Whether a capital stands amid small words and behind no article: of "the Commission" no name is made."""
        if self._lexicon.nouns_are_capital or not place or place + 1 >= len(self._flags):
            return False
        beside = self._flags[place - 1] | self._flags[place + 1]
        return not beside & (CAPITAL | DIGITS) and fold(self._texts[place - 1]) not in self._lexicon.determiners

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
            self._gaps[gap] in _WITHIN_NAMES and flag & CAPITAL and (flag & NAME or not flag & KEEP)
            for gap, flag in (
                (place, self._flags[place - 1] if place else 0),
                (place + 1, self._flags[place + 1] if place + 1 < len(self._flags) else 0),
            )
        )

    def _mark_told(self) -> None:
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
            says = says or (flag & LISTED and self._is_whose_verb_follows(place, after))
            cut_short = flag & (LISTED | MONTH) and len(after) == 1 and after.isupper() and gaps[place + 2][:1] == "."
            joined = place > 1 and gaps[place] == " " and texts[place - 1] in _AND and hits[place - 2] == "NAME"
            joined = joined and not flag & (TITLE | MONTH | UNIT) and not self._lexicon.nouns_are_capital
            if says or cut_short or joined or (texts[place] in named and not flag & (MONTH | TITLE)):
                hits[place] = "NAME"
                hits[place + 1 : place + 1 + bool(cut_short)] = ["NAME"] * bool(cut_short)

    def _is_whose_verb_follows(self, place: int, after: str) -> bool:
        """Whether a given name that is an everyday word begins a sentence whose subject it is: "Faith is a girl"."""
        if not self._begins_a_sentence(place) or fold(after) not in self._lexicon.follows_subject:
            return False
        return fold(self._texts[place]) in given_names()

    def _stands_alone(self, place: int) -> bool:
        """Whether a word has a line, brackets or quotation marks to itself."""
        before, behind = self._gaps[place].strip(" \t"), self._gaps[place + 1].strip(" \t")
        return before[-1:] in _OPENS and behind[:1] in _CLOSES and ":" not in behind and "=" not in behind

    def _after_initial(self, place: int) -> bool:
        """Whether an initial stands before a word and its particles: "J. Young", "D. De La Tour", "D'Hoop"."""
        first = max(1, place - _PARTICLES)
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

    def _begins_a_sentence(self, place: int) -> bool:
        return place == 0 or not SENTENCE_ENDS.isdisjoint(self._gaps[place])

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

    def _mark_between(self) -> None:
        """Titles, particles and initials between or before parts of a name are parts of it."""
        flags, hits = self._flags, self._hits
        # Both ways, since of "J. M. Zadi" the first initial touches a name only once the second is part of it.
        if "NAME" not in hits:
            return
        small = [place for place, flag in enumerate(flags) if flag & (PARTICLE | SINGLE | TITLE)]
        for place in (*small, *reversed(small)):
            flag = flags[place]
            if flag & PARTICLE and self._is_article(place):
                continue
            if flag & PARTICLE and place and hits[place - 1] == "NAME" and self._gaps[place] in _BEFORE_PARTICLES:
                self._mark_family_name(place)
            if hits[place] or flag & DIGITS:
                continue
            after = place + 1 < len(hits) and hits[place + 1] == "NAME" and self._gaps[place + 1] in _WITHIN_NAMES
            before = place > 0 and hits[place - 1] == "NAME" and self._gaps[place] in _WITHIN_NAMES
            elided = after and self._gaps[place + 1] in ("'", "’", ". ")  # N'Guessan, O'Brien, J. Brou
            cut_short = self._gaps[place + 1][:1] == "."  # "D.A. Weirwood", where d is a stop word
            initial = flag & SINGLE and (elided or (flag & CAPITAL and (cut_short or not flag & STOP)))
            son_of = flag & STOP and flag & CASELESS  # ابن النديم
            begins = flag & PARTICLE and after and (son_of or self._leads_to_name(place))
            titled = flag & TITLE and not self._lexicon.titles_stay
            if (after and before) or begins or (after and titled) or (initial and (after or before)):
                hits[place] = "NAME"
        self._mark_first_names()

    def _is_article(self, place: int) -> bool:
        """Whether a particle is the article of a German noun: "Fosse den Stoff", not "von den Driesch"."""
        if not self._lexicon.nouns_are_capital or self._texts[place].lower() not in _ARTICLES:
            return False
        return not (place and self._flags[place - 1] & PARTICLE)

    def _leads_to_name(self, place: int) -> bool:
        """Whether a particle before a name is a part of it: "De La Cruz", "Van der Velde", "mevrouw van den Berg"."""
        flags, first = self._flags, max(0, place - _PARTICLES)
        while not flags[place] & CAPITAL and place > first and flags[place - 1] & PARTICLE and self._gaps[place] == " ":
            place -= 1
        titled = place and flags[place - 1] & TITLE and self._gaps[place] in (" ", ". ")
        return bool(flags[place] & CAPITAL or titled)

    def _mark_first_names(self) -> None:
        """What stands right before a name and is likely its first part: "with Will Postlethwaite", "Jan Smit"."""
        flags, hits = self._flags, self._hits
        for place in range(len(flags) - 2, -1, -1):
            flag, gap = flags[place], self._gaps[place + 1]
            if hits[place + 1] != "NAME" or gap not in (" ", "-") or hits[place] or flag & (_ANNOUNCES | STREET | UNIT):
                continue
            listed = flag & (LISTED | MONTH) and flag & (CASELESS | CAPITAL)  # "Charity-Soledad"
            listed = listed or (not self._cased and not flag & STOP and (gap == "-" or self._is_part(place, place + 1)))
            inside = flag & CAPITAL and place > 0 and self._gaps[place] == " "
            if self._lexicon.nouns_are_capital:
                inside = inside and flag & STOP and not flag & (PARTICLE | SINGLE)  # "von Will Enflo": no noun
            elif inside or self._is_line_of_two(place):
                inside = flag & CAPITAL and (not flag & STOP or self._is_given_inside(place, flag))
            if listed or inside:
                hits[place] = "NAME"
        for place in range(1, len(flags)) if not self._cased else ():
            if hits[place - 1] == "NAME" and not hits[place] and self._is_part(place, place - 1):
                hits[place] = "NAME"

    def _is_part(self, place: int, other: int) -> bool:
        """Whether an everyday word is somebody's name too and stands beside one, in a note that has no capitals."""
        flag = self._flags[place]
        if self._gaps[max(place, other)] not in (" ", "-"):
            return False
        if flag & CASELESS:
            return other < place and self._is_family_name_by_its_end(place)
        if flag & (STOP | DIGITS | SINGLE | STREET | UNIT | MONTH | _ANNOUNCES) or self._flags[other] & CASELESS:
            return False
        folded = fold(self._texts[place])
        return folded in family_names() or folded in given_names()

    def _is_family_name_by_its_end(self, place: int) -> bool:
        """Whether an everyday word behind a name ends as family names do: Persian سعید قهرمانی, ایلخانی زاده."""
        text = self._texts[place]
        if text == _BORN_OF:
            return True
        listed = self._flags[place - 1] & NAME and not self._flags[place] & (STOP | DIGITS | _ANNOUNCES)
        return bool(listed and text[-1] in "یي" and len(text) >= _LONG_FAMILY and text not in _LIVES)

    def _is_given_inside(self, place: int, flag: int) -> bool:
        """Whether a function word with a capital amid small words is a given name: "condamne Juste Bakayoko"."""
        before = self._flags[place - 1] if place else CAPITAL
        return bool(
            not flag & (SINGLE | PARTICLE) and not before & CAPITAL and fold(self._texts[place]) in given_names()
        )

    def _is_line_of_two(self, place: int) -> bool:
        """Whether a word and the next have a line to themselves."""
        begins = place == 0 or "\n" in self._gaps[place]
        return begins and (place + 2 == len(self._flags) or "\n" in self._gaps[place + 2][:1])

    def _mark_family_name(self, place: int) -> None:
        """After a name: particles, and the word with a capital that they lead to, whatever word it is."""
        end, last = place, min(len(self._flags) - 1, place + _PARTICLES)
        while end < last and self._flags[end] & PARTICLE and self._gaps[end + 1] in _BEHIND_PARTICLES:
            end += 1
        named = self._flags[end] & CAPITAL or (not self._cased and self._hits[end] == "NAME")
        if named and not self._flags[end] & PARTICLE:
            self._hits[place : end + 1] = ["NAME"] * (end + 1 - place)
