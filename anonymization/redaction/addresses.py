"""Which words and numbers of a note are an address, once its names are marked: "60 Gosposka Street", "rue de la Paix".

A number beside a name or a street's word, and what stands beside that. No list of places is kept: people are called
after them.
"""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet
from functools import reduce
from itertools import islice, pairwise
from operator import or_

from anonymization.redaction.folding import fold
from anonymization.redaction.words import (
    CAPITAL,
    CASELESS,
    DIGITS,
    KIN,
    PARTICLE,
    SINGLE,
    STOP,
    STREET,
    STREET_NAME,
    UNIT,
)

SENTENCE_ENDS = frozenset('.!?:;\n\r\t|•()[]{}"“”«»…؟።፤፣،-–—*>/=')
_WITHIN_LINES = frozenset((" ", ", ", "-", ". ", ".", ",", " - "))
_WITHIN_STREETS = frozenset((" ", "'", "’"))
_INSIDE_ADDRESSES = str.maketrans("", "", "\n-/.")
_POSTCODE, _HOUSE = re.compile(r"\d{4,5}"), re.compile(r"\d{1,4}[a-zA-Z]?")
_BEFORE_CODES = frozenset((", ", " ", "\n", ",\n", " - "))
_BEHIND_COUNTS = frozenset((". ", ") ", ".) "))
_LONG_STREET, _LONG_CALLE, _SHORT_POSTCODE = 4, 7, 4
_STROKES = frozenset(("/", "/ "))
_HOUSE_PARTS = frozenset(("bis", "ter", "quater"))


_NUMBER_WORDS = frozenset(
    map(
        fold,
        ("no", "nr", "nro", "num", "numero", "número", "numéro", "number", "house", "flat", "unit", "apt"),
    )
) | frozenset(map(fold, ("رقم", "دار", "پلاک", "شماره", "واحد", "የቤት", "ቤት", "ቁጥር")))


class Addresses:
    """The words of one note, what each is, and in `hits` what was found of them: marked in place."""

    def __init__(
        self, gaps: list[str], texts: list[str], flags: list[int], hits: list[str | None], cased: bool
    ) -> None:
        self._gaps, self._texts, self._flags, self._hits, self._cased = gaps, texts, flags, hits, cased

    def spread(self) -> None:
        """Both ways from what was found, once the parts between names are known."""
        if "ADDRESS" in self._hits:
            self._mark_number_words()
            self._spread(range(1, len(self._hits)))
            self._spread(range(len(self._hits) - 2, -1, -1))

    def _mark_number_words(self) -> None:
        """Between a street and its number the words for "number": "شارع حيفا رقم 62", "ወረዳ 29 የቤት ቁጥር 293"."""
        flags, hits, last = self._flags, self._hits, len(self._hits) - 1
        for place in range(1, last):
            if (
                not hits[place - 1]
                or "ADDRESS" not in hits[max(0, place - 3) : place]
                or hits[place]
                or fold(self._texts[place]) not in _NUMBER_WORDS
            ):
                continue
            end = place + 1
            while end < last and fold(self._texts[end]) in _NUMBER_WORDS:
                end += 1
            if flags[end] & DIGITS and not "".join(self._gaps[place : end + 1]).strip(" ,،.°º#"):
                hits[place : end + 1] = ["ADDRESS"] * (end + 1 - place)

    def mark(self) -> None:
        """A number beside a name that is no amount is a house's or a postcode; a street's word beside it goes along."""
        flags, hits = self._flags, self._hits
        every = reduce(or_, flags, 0)
        numbers = [place for place, flag in enumerate(flags) if flag & DIGITS] if every & DIGITS else []
        self._mark_postcodes(numbers)
        if numbers and not _STROKES.isdisjoint(self._gaps):
            self._mark_calles(numbers)
        scores = len(numbers) > 2 and not every & STREET and self._tells_scores(numbers)
        listed = self._enumerated(numbers)
        for place in () if scores else numbers:
            if place in listed or hits[place] or self._counts_something(place) or self._counts_lines(place):
                continue
            if not every & STREET and self._is_age(place):
                continue
            last = place + self._has_house_part(place)
            if self._touches(place, -1) or self._touches(last, +1):
                hits[place : last + 1] = ["ADDRESS"] * (last + 1 - place)
        for place, flag in enumerate(flags) if every & STREET else ():
            if flag & STREET and not hits[place]:
                near = self._beside(place)
                told = flag & CAPITAL or not self._cased or "ADDRESS" in near
                if flag & STREET_NAME or (any(near) and (told or (flag & CASELESS and near[-1]))):
                    hits[place] = "ADDRESS"
            if flag & STREET and (flag & CAPITAL or not self._cased):
                self._mark_numbered(place)
            if flag & STREET:
                self._mark_reach(place, "ADDRESS", {"ADDRESS", "NAME"})

    def _mark_postcodes(self, numbers: list[int]) -> None:
        """A postcode between a house's number and a capital, and the street before: "Am Mühlgraben 17a, 06108 Hof"."""
        flags, hits, gaps = self._flags, self._hits, self._gaps
        for house, code in pairwise(numbers):
            if code != house + 1 or code + 1 == len(flags) or len(self._texts[code]) < _SHORT_POSTCODE:
                continue
            beside = gaps[code] in _BEFORE_CODES and gaps[code + 1] == " " and flags[code + 1] & CAPITAL
            if not beside or not (_POSTCODE.fullmatch(self._texts[code]) and _HOUSE.fullmatch(self._texts[house])):
                continue
            first = house
            while first > max(0, house - _LONG_STREET) and gaps[first] in (" ", "-") and flags[first - 1] & CAPITAL:
                first -= 1
            if first < house:
                hits[first : code + 2] = ["ADDRESS"] * (code + 2 - first)

    def _mark_calles(self, numbers: list[int]) -> None:
        """A Spanish street that is written with one letter, to its number: "C/ Mayor 3", "C/ de la Cruz, 12"."""
        for number in numbers:
            first = number
            while first > max(0, number - _LONG_CALLE) and self._gaps[first] in (" ", ", "):
                first -= 1
            if 0 < first < number and self._gaps[first] in _STROKES and self._texts[first - 1] in ("C", "c"):
                self._hits[first - 1 : number + 1] = ["ADDRESS"] * (number + 2 - first)

    def _tells_scores(self, numbers: list[int]) -> bool:
        """Whether at least three small numbers stand behind names, as in a list of results: "Barnet 2 Hull City 1"."""
        behind = (
            place
            for place in numbers
            if place
            and len(self._texts[place]) <= 2
            and self._hits[place - 1] == "NAME"
            and self._gaps[place].strip(" ),") == ""
        )
        return len(list(islice(behind, 3))) == 3

    def _enumerated(self, numbers: list[int]) -> set[int]:
        """Numbers that count the people of a list from one: "1. Ana Gil 2. Eva Paz"."""
        counting = [place for place in numbers if self._gaps[place + 1] in _BEHIND_COUNTS]
        if len(counting) < 2 or [self._texts[place] for place in counting[:2]] != ["1", "2"]:
            return set()
        return {place for count, place in enumerate(counting, 1) if self._texts[place] == str(count)}

    def _counts_lines(self, place: int) -> bool:
        """Whether a number begins a line of a list: "1. Ana Gil"."""
        begins = not self._gaps[place].strip(" \t") if place == 0 else "\n" in self._gaps[place]
        return begins and len(self._texts[place]) <= 2 and self._gaps[place + 1] in _BEHIND_COUNTS

    def _is_age(self, place: int) -> bool:
        """Whether a number between commas is somebody's age: "Ana Gil, 41, a carpenter, went"."""
        if not place or self._gaps[place] != ", " or self._hits[place - 1] != "NAME" or len(self._texts[place]) > 2:
            return False
        if self._gaps[place + 1] != ", " or place + 1 == len(self._flags):
            return False
        return self._cased and not self._flags[place + 1] & (CAPITAL | DIGITS | CASELESS)

    def _beside(self, place: int) -> list[str | None]:
        """What was found right before and right after a word, in its line."""
        before = self._hits[place - 1] if place and self._gaps[place] in _WITHIN_LINES else None
        follows = place + 1 < len(self._hits) and self._gaps[place + 1] in _WITHIN_LINES
        return [before, self._hits[place + 1] if follows else None]

    def _mark_reach(self, place: int, kind: str, ends: AbstractSet[str]) -> None:
        """Small words and capitals from a word to the next found one: "Calle Mayor 45", "rue de la Paix"."""
        for end in range(place + 1, min(place + 5, len(self._hits))):
            short = end == place + 1 and self._gaps[end] == ". " and len(self._texts[place]) <= _LONG_STREET
            if self._gaps[end] not in _WITHIN_STREETS and not short:  # "Avda. de la Paz, 4"
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

    def _mark_numbered(self, place: int) -> None:
        """A house's number and the capitals between it and a street's word: "88B Cathedral Street", "45 mill road"."""
        first = place
        while first > max(0, place - _LONG_STREET) and self._gaps[first] == " " and self._is_of_street(first - 1):
            first -= 1
        house = first - 1
        if first < place and house >= 0 and self._gaps[first] == " " and _HOUSE.fullmatch(self._texts[house]):
            self._hits[house : place + 1] = ["ADDRESS"] * (place + 1 - house)

    def _is_of_street(self, place: int) -> bool:
        """Whether a word may be of a street's name: with a capital; in a note without any, all but small words."""
        flag = self._flags[place]
        return bool(flag & CAPITAL) or not (self._cased or flag & (STOP | UNIT | KIN | DIGITS | CASELESS))

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
        if after & (UNIT | CAPITAL):
            return bool(after & UNIT) and not after & CAPITAL
        few = self._cased and len(self._texts[place]) <= 2 and (not place or not self._flags[place - 1] & STREET)
        return few and not after & (STOP | STREET | DIGITS | SINGLE | CASELESS)  # "back from Lagos 3 wks ago"

    def _touches(self, place: int, step: int) -> bool:
        """Whether the next word in a direction is a found one, or a street's word."""
        other = place + step
        if not 0 <= other < len(self._flags):
            return False
        gap = self._gaps[max(place, other)]
        if len(gap) > 3 or not SENTENCE_ENDS.isdisjoint(gap.translate(_INSIDE_ADDRESSES)):
            return False
        return bool(self._hits[other]) or bool(self._flags[other] & STREET)

    def _spread(self, order: range) -> None:
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
