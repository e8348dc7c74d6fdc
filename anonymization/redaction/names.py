"""Which words of a note are somebody's name or address, from what each word is and what stands beside it.

No model: a capital inside a sentence, a word that nobody else uses, a title, "my brother", "se llama", "اسمه" before
it, a number beside it. What each word is by itself is the business of `words`.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from itertools import accumulate

from anonymization.redaction.folding import fold, sound
from anonymization.redaction.lexicon import Lexicon
from anonymization.redaction.patterns import Span
from anonymization.redaction.words import (
    CAPITAL,
    CASELESS,
    DERIVED,
    DIGITS,
    KEEP,
    KIN,
    LISTED,
    LOOSELY,
    NAME,
    NAMING,
    PARTICLE,
    SINGLE,
    STOP,
    STREET,
    TITLE,
    UNIT,
    Words,
    is_cased,
)

_ENDS = frozenset('.!?:;\n\r\t|•()[]{}"“”«»…؟።፤፣،-–—*>/=')
_OPENS, _CLOSES = (
    frozenset(("\n", "[", "{", '"', "'", "“", "«", "‘")),
    frozenset(("\n", "]", "}", '"', "'", "”", "»", "’")),
)
_WITHIN_NAMES = frozenset((" ", ". ", ".", "'", "’", "-", "- "))
_WITHIN_LINES = frozenset((" ", ", ", "-", ". ", ".", ",", " - "))
_INSIDE_ADDRESSES = str.maketrans("", "", "\n-/.")
_HOUSE_PARTS = frozenset(("bis", "ter", "quater"))
_SHAPED = "SHAPED"
_LONG_TITLE = 9
_ANNOUNCES = TITLE | KIN | NAMING
_TELLING = (
    KEEP | CAPITAL | NAME | DIGITS | TITLE | KIN | NAMING | PARTICLE | LISTED | LOOSELY | SINGLE
)  # of an everyday word all but the first say that more must be asked
_NEEDS_A_LOOK = ~(KEEP | STOP | UNIT | PARTICLE | CASELESS | DIGITS)


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
    if own is None and not any(flag & _NEEDS_A_LOOK or not flag & (KEEP | DIGITS) for flag in flags):
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
        self._mark_shaped(shaped)
        self._mark_addresses()
        self._mark_between()
        if "ADDRESS" in self._hits:
            self._spread_addresses(range(1, len(self._hits)))
            self._spread_addresses(range(len(self._hits) - 2, -1, -1))
        found = zip(self._starts, self._texts, self._hits, strict=False)
        return [Span(start, start + len(text), kind) for start, text, kind in found if kind and kind != _SHAPED]

    def _mark_names(self) -> None:
        expecting = 0  # how many words of a name may still come: after "Mr", "my brother", "se llama"
        title = False
        for place, flag in enumerate(self._flags):
            if self._own is None and flag & _TELLING == KEEP and not title:
                expecting = 0
                continue
            title = bool(flag & TITLE)
            gap = self._gaps[place]
            if flag & DIGITS or (place and gap != ". " and gap.strip(" .:،\"'")):
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
        loosely = flag & CASELESS and flag & (LOOSELY | LISTED)  # a word without its prefix, by its form, or a name too
        if expecting and not flag & SINGLE and (flag & CAPITAL or not flag & KEEP or loosely):
            return True  # "my brother Will": a capital is a name even in the most frequent words
        if self._own is not None and not flag & STOP and self._is_own(place, flag, self._own):
            return True
        follows = place > 0 and bool(self._hits[place - 1]) and self._gaps[place] in (" ", "-")
        if place and self._gaps[place] == ". " and self._flags[place - 1] & TITLE and not flag & (STOP | SINGLE):
            return True  # "sra. consuelo": what follows a title cut short is a name, in a note without capitals too
        if flag & CAPITAL:
            if flag & KEEP:
                inside = flag & LISTED and not self._lexicon.nouns_are_capital and not self._begins_a_sentence(place)
                if follows and self._hits[place - 1] == "NAME" and not flag & SINGLE:
                    return True  # "Mason More": no stop word has a capital behind a name
                return bool(follows or inside or self._after_initial(place)) and not flag & (STOP | TITLE | SINGLE)
            if flag & SINGLE:
                return False
            if not self._begins_a_sentence(place):  # a title's words are capital too: "Admission Notification"
                return bool(follows) or not flag & DERIVED or len(self._texts[place]) < _LONG_TITLE
            return not flag & DERIVED and self._texts[place].lower() not in self._texts
        if flag & KEEP and flag & LISTED and flag & CASELESS and follows:
            return not flag & KIN
        if flag & (KEEP | SINGLE):
            return False
        if self._stands_alone(place):
            return True  # an answer, or an item of a list
        # A rare word in lower case right after a name is more often the rest of it than a verb.
        return not self._cased or bool(flag & CASELESS) or follows

    def _stands_alone(self, place: int) -> bool:
        """Whether a word has a line, brackets or quotation marks to itself."""
        before, behind = self._gaps[place].strip(" \t"), self._gaps[place + 1].strip(" \t")
        return before[-1:] in _OPENS and behind[:1] in _CLOSES and ":" not in behind and "=" not in behind

    def _after_initial(self, place: int) -> bool:
        """Whether an initial stands before a word and its particles: "J. Young", "D. De La Tour"."""
        while place > 1 and self._flags[place - 1] & PARTICLE and self._gaps[place] == " ":
            place -= 1
        before = self._flags[place - 1] if place else 0
        return bool(before & SINGLE and before & CAPITAL) and self._gaps[place] in (". ", ".")

    def _is_own(self, place: int, flag: int, own: RowNames) -> bool:
        text = self._texts[place]
        if not own.folded.isdisjoint(self._words.forms(text)):
            return True
        return not flag & KEEP and sound(text) in own.sounds

    def _begins_a_sentence(self, place: int) -> bool:
        return place == 0 or not _ENDS.isdisjoint(self._gaps[place])

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

    def _mark_addresses(self) -> None:
        """A number beside a name that is no amount is a house's or a postcode; a street's word beside it goes along."""
        flags, hits = self._flags, self._hits
        for place, flag in enumerate(flags):
            if not flag & DIGITS or hits[place] or self._counts_something(place):
                continue
            last = place + self._has_house_part(place)
            if self._touches(place, -1) or self._touches(last, +1):
                hits[place : last + 1] = ["ADDRESS"] * (last + 1 - place)
        for place, flag in enumerate(flags):
            if flag & STREET and not hits[place]:
                near = self._beside(place)
                told = flag & CAPITAL or not self._cased or "ADDRESS" in near
                if any(near) and (told or (flag & CASELESS and near[-1])):
                    hits[place] = "ADDRESS"
            if flag & STREET:
                self._mark_reach(place, "ADDRESS", {"ADDRESS", "NAME"})

    def _beside(self, place: int) -> list[str | None]:
        """What was found right before and right after a word, in its line."""
        before = self._hits[place - 1] if place and self._gaps[place] in _WITHIN_LINES else None
        follows = place + 1 < len(self._hits) and self._gaps[place + 1] in _WITHIN_LINES
        return [before, self._hits[place + 1] if follows else None]

    def _mark_reach(self, place: int, kind: str, ends: AbstractSet[str]) -> None:
        """Small words and capitals from a word to the next found one: "Calle Mayor 45", "rue de la Paix"."""
        for end in range(place + 1, min(place + 5, len(self._hits))):
            if self._gaps[end] != " ":
                return
            if self._flags[end] & DIGITS and not self._hits[end] and not self._counts_something(end):
                self._hits[end] = kind
            if self._hits[place] == kind and self._flags[end] & CAPITAL and not self._flags[end] & (STOP | UNIT | KIN):
                self._hits[end] = self._hits[end] or kind  # "12 rue de la Paix": an everyday word, but in an address
            if self._hits[end] in ends:
                self._hits[place + 1 : end] = [kind] * (end - place - 1)
                self._hits[place] = self._hits[place] or kind
                return
            plain = not self._cased and not self._flags[end] & (STOP | UNIT | KIN)
            if not plain and not self._flags[end] & (PARTICLE | STOP | CAPITAL):
                return

    def _has_house_part(self, place: int) -> bool:
        """Whether a letter or a "bis" behind a number belongs to it: "12/B", "12 bis"."""
        if place + 1 >= len(self._flags):
            return False
        gap, other = self._gaps[place + 1], place + 1
        if self._flags[other] & SINGLE and not self._flags[other] & DIGITS:
            return gap in ("/", "-")
        return gap == " " and self._texts[other].lower() in _HOUSE_PARTS

    def _counts_something(self, place: int) -> bool:
        """Years, children, kilometres: the number is an amount."""
        if place + 1 == len(self._flags) or self._gaps[place + 1] != " ":
            return False
        after = self._flags[place + 1]
        return bool(after & UNIT) and not after & CAPITAL

    def _touches(self, place: int, step: int) -> bool:
        """Whether the next word in a direction is a found one, or a street's word."""
        other = place + step
        if not 0 <= other < len(self._flags):
            return False
        gap = self._gaps[max(place, other)]
        if len(gap) > 3 or not _ENDS.isdisjoint(gap.translate(_INSIDE_ADDRESSES)):
            return False
        return bool(self._hits[other]) or bool(self._flags[other] & STREET)

    def _spread_addresses(self, order: range) -> None:
        """Capitals, numbers and street words beside an address are more of it: "Apt 4, Melo, CA 13241, Cape Verde"."""
        flags, hits = self._flags, self._hits
        for place in order:
            other, gap = place - order.step, self._gaps[max(place, place - order.step)]
            if hits[other] != "ADDRESS" or hits[place] not in (None, "NAME"):
                continue
            state = 2 <= len(self._texts[place]) <= 4 and self._texts[place].isupper()
            part = flags[place] & (CAPITAL | DIGITS | STREET) and not flags[place] & (STOP | KIN)
            if (part or state) and len(gap) <= 5 and not gap.strip(" ,.-#|>/()\n\r"):
                hits[place] = "ADDRESS"

    def _mark_between(self) -> None:
        """Titles, particles and initials between or before parts of a name are parts of it."""
        flags, hits = self._flags, self._hits
        # Both ways, since of "J. M. Zadi" the first initial touches a name only once the second is part of it.
        small = [place for place, flag in enumerate(flags) if flag & (PARTICLE | SINGLE | TITLE)]
        for place in (*small, *reversed(small)) if "NAME" in hits else ():
            flag = flags[place]
            if flag & PARTICLE and place and hits[place - 1] == "NAME" and self._gaps[place] == " ":
                self._mark_family_name(place)
            if hits[place] or flag & DIGITS:
                continue
            after = place + 1 < len(hits) and hits[place + 1] == "NAME" and self._gaps[place + 1] in _WITHIN_NAMES
            before = place > 0 and hits[place - 1] == "NAME" and self._gaps[place] in _WITHIN_NAMES
            elided = after and self._gaps[place + 1] in ("'", "’", ". ")  # N'Guessan, O'Brien, J. Brou
            initial = flag & SINGLE and (elided or (flag & CAPITAL and not flag & STOP))
            begins = flag & PARTICLE and flag & CAPITAL  # De La Cruz
            if (after and before) or (after and (flag & TITLE or begins)) or (initial and (after or before)):
                hits[place] = "NAME"
        if self._cased and not self._lexicon.nouns_are_capital:
            self._mark_everyday_names()
        for place in range(len(flags) - 2, -1, -1):
            told = flags[place] & CASELESS or (flags[place] & CAPITAL and self._lexicon.nouns_are_capital)
            likely = flags[place] & LISTED and told and not flags[place] & _ANNOUNCES
            if likely and hits[place + 1] == "NAME" and self._gaps[place + 1] == " " and not hits[place]:
                hits[place] = "NAME"

    def _mark_everyday_names(self) -> None:
        """A capital inside a sentence right before a name is its first part: "with Will Postlethwaite"."""
        flags, hits = self._flags, self._hits
        for place in range(len(flags) - 2, -1, -1):
            if hits[place + 1] != "NAME" or self._gaps[place + 1] not in (" ", "-") or hits[place]:
                continue
            alone = place == 0 or "\n" in self._gaps[place]
            line = alone and (place + 2 == len(flags) or "\n" in self._gaps[place + 2][:1])
            inside = (place > 0 and self._gaps[place] == " ") or flags[place] & LISTED
            if flags[place] & CAPITAL and (line or inside) and not flags[place] & (STOP | _ANNOUNCES | STREET | UNIT):
                hits[place] = "NAME"

    def _mark_family_name(self, place: int) -> None:
        """After a name: particles, and the word with a capital that they lead to, whatever word it is."""
        end = place
        while end < len(self._flags) - 1 and self._flags[end] & PARTICLE and self._gaps[end + 1] == " ":
            end += 1
        if self._flags[end] & CAPITAL and not self._flags[end] & PARTICLE:
            self._hits[place : end + 1] = ["NAME"] * (end + 1 - place)


def merged(text: str, spans: list[Span]) -> list[Span]:
    """Spans that touch or have only blanks, commas, dots and dashes between them as one: part of a name names too."""
    joined: list[Span] = []
    for span in sorted(spans):
        if joined and span.start <= joined[-1].end:
            last = joined[-1]
            joined[-1] = Span(
                last.start,
                max(last.end, span.end),
                last.type if last.end - last.start >= span.end - span.start else span.type,
            )
        elif joined and _joins(text, joined[-1], span):
            kind = joined[-1].type if joined[-1].type == span.type else "ADDRESS"
            joined[-1] = Span(joined[-1].start, span.end, kind)
        else:
            joined.append(span)
    return joined


def _joins(text: str, left: Span, right: Span) -> bool:
    if {left.type, right.type} - {"NAME", "ADDRESS"} or right.start - left.end > 5:
        return False
    gap = text[left.end : right.start]
    if left.type == right.type == "NAME":
        return not gap.strip(" .-'’")
    return not gap.strip(" .,-'’#|>\n\r/()°ºª")
