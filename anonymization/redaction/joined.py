"""Which small words beside a name are parts of it: titles, particles, initials; and which everyday words.

What is a name by itself is the business of `names`.
"""

from __future__ import annotations

from anonymization.redaction.folding import fold
from anonymization.redaction.lexicon import Lexicon, family_names, given_names
from anonymization.redaction.words import (
    CAPITAL,
    CASELESS,
    DIGITS,
    KEEP,
    KIN,
    LISTED,
    MONTH,
    NAME,
    NAMING,
    PARTICLE,
    SINGLE,
    STOP,
    STREET,
    TITLE,
    UNIT,
)

_BEFORE_PARTICLES = frozenset((" ", " '", " ’"))
_BEHIND_PARTICLES = frozenset((" ", "'", "’", "' ", "’ ", " '", " ’"))  # "van 't Hoff", "de' Medici"
WITHIN_NAMES = _BEFORE_PARTICLES | _BEHIND_PARTICLES | {". ", ".", "-", "- ", ".-"}
PARTICLES = 6
"""So many particles a name has at most: of more, a note would take the square of its length."""
_LONG_FAMILY, _LONG_NICKNAME = 5, 3
_OPENS_NICKNAME = frozenset((' "', " “", " «", " „", " ‘"))
_CLOSES_NICKNAME = frozenset(('" ', "” ", "» ", "“ ", "’ "))
_BORN_OF, _LIVES = "زاده", ("زندگی", "زندگي")
_ARTICLES = frozenset(("der", "den", "zum", "zur"))
_VOWELS = frozenset("aeiou")
_DUTCH, _DUTCH_ARTICLE, _DUTCH_ARTICLES = frozenset(("van", "von")), "het", frozenset(("der", "den", "t"))
_ANNOUNCES = TITLE | KIN | NAMING


class JoinedNames:
    """The words of one note, what each is, and in `hits` what was found of them: marked in place."""

    def __init__(
        self,
        gaps: list[str],
        texts: list[str],
        flags: list[int],
        hits: list[str | None],
        lexicon: Lexicon,
        cased: bool,
    ) -> None:
        self._gaps, self._texts, self._flags, self._hits = gaps, texts, flags, hits
        self._lexicon, self._cased = lexicon, cased

    def mark(self) -> None:
        """Titles, particles and initials between or before parts of a name are parts of it."""
        flags, hits = self._flags, self._hits
        # Both ways, since of "J. M. Zadi" the first initial touches a name only once the second is part of it.
        if "NAME" not in hits:
            return
        small = [place for place, flag in enumerate(flags) if flag & (PARTICLE | SINGLE | TITLE)]
        for place in (*small, *reversed(small)):
            flag = flags[place]
            if (flag & PARTICLE and self._is_article(place)) or (flag & SINGLE and self._is_conjunction(place)):
                continue
            if flag & PARTICLE and place and self._is_behind_name(place):
                if hits[place - 1] == "NAME":
                    self._mark_family_name(place)
                elif flags[place - 1] & LISTED and flags[place - 1] & CAPITAL:
                    self._mark_given_name(place)
            if flag & SINGLE and self._is_dutch_article(place):
                hits[place - 1 : place + 1] = ["NAME"] * 2
            if hits[place] or flag & DIGITS:
                continue
            after = place + 1 < len(hits) and hits[place + 1] == "NAME" and self._gaps[place + 1] in WITHIN_NAMES
            before = place > 0 and hits[place - 1] == "NAME" and self._gaps[place] in WITHIN_NAMES
            elided = after and self._gaps[place + 1] in ("'", "’", ". ")  # N'Guessan, O'Brien, J. Brou
            cut_short = self._gaps[place + 1][:1] == "."  # "D.A. Weirwood", where d is a stop word
            listed = place > 0 and hits[place - 1] == "NAME" and self._gaps[place] == ", " and cut_short
            listed = listed and not (self._gaps[place + 1] == "." and place + 1 < len(flags))  # "Gil, M.D."
            before = before or bool(listed and flag & SINGLE and flag & CAPITAL)  # "Gil, A., Paz, E."
            initial = flag & SINGLE and (elided or (flag & CAPITAL and (cut_short or not flag & STOP)))
            initial = initial or (before and flag & SINGLE and self._is_end_behind_apostrophe(place))
            ethiopic = "ሀ" <= self._texts[place] <= "ፚ" and self._gaps[place] != "/"  # ጆ ባይደን, not ዶ/ር
            initial = initial or (flag & SINGLE and not flag & KEEP and ethiopic)
            son_of = flag & STOP and flag & CASELESS  # ابن النديم
            begins = flag & PARTICLE and after and (son_of or self._leads_to_name(place))
            begins = begins and not flags[place + 1] & TITLE  # "Le Dr Yéo", "La señora Rivas"
            titled = flag & TITLE and not self._lexicon.titles_stay
            if (after and before) or begins or (after and titled) or (initial and (after or before)):
                hits[place] = "NAME"
        self._mark_first_names()
        if not _OPENS_NICKNAME.isdisjoint(self._gaps):
            self._mark_nicknames()

    def _mark_nicknames(self) -> None:
        """Up to three words in quotation marks between two parts of a name: Pedro "el Gato" Solís."""
        for place in range(1, len(self._hits) - 1):
            if self._gaps[place] not in _OPENS_NICKNAME or self._hits[place - 1] != "NAME":
                continue
            for end in range(place + 1, min(place + _LONG_NICKNAME + 1, len(self._hits))):
                if self._gaps[end] in _CLOSES_NICKNAME and self._hits[end] == "NAME":
                    self._hits[place:end] = ["NAME"] * (end - place)

    def _is_dutch_article(self, place: int) -> bool:
        """Whether "'t" stands between "van" and a name: van 't Hof."""
        if self._texts[place] != "t" or not place or place + 1 == len(self._hits) or self._hits[place + 1] != "NAME":
            return False
        return self._gaps[place] in (" '", " ’") and self._texts[place - 1].lower() in _DUTCH

    def _is_behind_name(self, place: int) -> bool:
        """Whether a particle may go on with the name before it: "Ana de la Rosa", "Maarten A. van der Meulen"."""
        initial = self._gaps[place] == ". " and self._flags[place - 1] & SINGLE and self._flags[place - 1] & CAPITAL
        return bool(initial) or self._gaps[place] in _BEFORE_PARTICLES

    def _is_end_behind_apostrophe(self, place: int) -> bool:
        """Whether a vowel ends a name, or the h of Breton: Nyong'o, Ng'ang'a, Le Floc'h; not "Ana's"."""
        breton = self._texts[place] == "h" and self._texts[place - 1][-1:] == "c"
        return self._gaps[place] in ("'", "’") and (breton or self._texts[place] in _VOWELS)

    def _is_conjunction(self, place: int) -> bool:
        """Whether a word of one letter stands between two people: "Oumie e Tiago", "Roux à Kindia", "رویا و یما"; not
        "Inés Ortega y Gasset", which no given name follows with a family name behind it."""
        flag = self._flags[place]
        if not flag & STOP or flag & CAPITAL or place + 1 == len(self._flags):
            return False
        if self._gaps[place] != " " or self._gaps[place + 1] != " ":
            return False
        if not flag & PARTICLE:
            return True
        whole = place + 2 < len(self._flags) and self._hits[place + 2] == "NAME" and self._gaps[place + 2] == " "
        alone = fold(self._texts[place - 1]) in given_names() and (place < 2 or self._hits[place - 2] != "NAME")
        both = whole and place > 1 and self._hits[place - 2] == "NAME" and self._gaps[place - 1] == " "
        return both or ((whole or alone) and fold(self._texts[place + 1]) in given_names())

    def _is_article(self, place: int) -> bool:
        """Whether a particle is the article of a German noun: "Fosse den Stoff", not "von den Driesch"."""
        if not self._lexicon.nouns_are_capital or self._texts[place].lower() not in _ARTICLES:
            return False
        return not (place and self._flags[place - 1] & PARTICLE)

    def _leads_to_name(self, place: int) -> bool:
        """Whether a particle before a name is a part of it: "De La Cruz", "Van der Velde", "mevrouw van den Berg"."""
        flags, first = self._flags, max(0, place - PARTICLES)
        while not flags[place] & CAPITAL and place > first and flags[place - 1] & PARTICLE and self._gaps[place] == " ":
            place -= 1
        titled = place and flags[place - 1] & TITLE and self._gaps[place] in (" ", ". ")
        begins = self._cased and (place == 0 or "\n" in self._gaps[place])  # "ten Brink won", "1. van Dam"
        return bool(flags[place] & CAPITAL or titled or begins or self._is_dutch(place))

    def _is_dutch(self, first: int) -> bool:
        """Whether particles are those of names alone: "the van Gijn novel"; not the German "von der"."""
        if self._lexicon.nouns_are_capital or self._texts[first].lower() not in _DUTCH:
            return False
        return _DUTCH_ARTICLE not in self._lexicon.determiners or self._texts[first + 1].lower() in _DUTCH_ARTICLES

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
            if (listed or inside) and fold(self._texts[place]) not in self._lexicon.greetings:
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
        return (folded in family_names() or folded in given_names()) and folded not in self._lexicon.calendar

    def _is_family_name_by_its_end(self, place: int) -> bool:
        """Whether an everyday word behind a name ends as family names do: Persian سعید قهرمانی, ایلخانی زاده."""
        text = self._texts[place]
        if text == _BORN_OF:
            return True
        listed = self._flags[place - 1] & NAME and not self._flags[place] & (STOP | DIGITS | _ANNOUNCES)
        return bool(listed and text[-1] in "یي" and len(text) >= _LONG_FAMILY and text not in _LIVES)

    def _is_given_inside(self, place: int, flag: int) -> bool:
        """Whether a function word with a capital before a name is a given name: "condamne Juste Bakayoko"; within a
        sentence any but an article, "met So Yeon", "not in The Hague"."""
        before = self._flags[place - 1] if place else CAPITAL
        if flag & (SINGLE | PARTICLE) or before & CAPITAL:
            return False
        folded = fold(self._texts[place])
        return folded in given_names() or (self._gaps[place] == " " and folded not in self._lexicon.determiners)

    def _is_line_of_two(self, place: int) -> bool:
        """Whether a word and the next have a line to themselves."""
        begins = place == 0 or "\n" in self._gaps[place]
        return begins and (place + 2 == len(self._flags) or "\n" in self._gaps[place + 2][:1])

    def _mark_family_name(self, place: int) -> None:
        """After a name: particles, and the word with a capital that they lead to, whatever word it is. In a note
        without capitals it is a word that people bear: "solène de la fontaine"."""
        end, last = place, min(len(self._flags) - 1, place + PARTICLES)
        while end < last and self._flags[end] & PARTICLE and self._gaps[end + 1] in _BEHIND_PARTICLES:
            end += 1
        named = self._flags[end] & CAPITAL
        if not self._cased:
            named = self._hits[end] == "NAME" or self._is_part(end, end - 1)
            named = named or (self._flags[end] & CASELESS and self._flags[end] & LISTED)  # بن علي
        if named and not self._flags[end] & PARTICLE:
            self._hits[place : end + 1] = ["NAME"] * (end + 1 - place)

    def _mark_given_name(self, place: int) -> None:
        """Before particles that lead to a name a word that people are called, though it begins a sentence: "Jan de
        Boer"."""
        end, last = place, min(len(self._flags) - 1, place + PARTICLES)
        while end < last and self._flags[end] & PARTICLE and self._gaps[end + 1] in _BEHIND_PARTICLES:
            end += 1
        if self._hits[end] == "NAME":
            self._hits[place - 1 : end] = ["NAME"] * (end - place + 1)
