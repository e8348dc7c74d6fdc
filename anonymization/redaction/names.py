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
    DIGITS,
    KEEP,
    KIN,
    NAME,
    NAMING,
    PARTICLE,
    SEEN_LOWER,
    SINGLE,
    STOP,
    STREET,
    TITLE,
    UNIT,
    Words,
)

_ENDS = frozenset(".!?:;\n\r\t|•()[]{}\"“”«»…؟።፤፣،-–—*>/=")
_PLAIN = KEEP | STOP
_NEEDS_A_LOOK = ~(KEEP | STOP | UNIT | PARTICLE | SEEN_LOWER | CASELESS | DIGITS)


class RowNames:
    """The names that a row itself says: folded, and as they sound in Latin letters."""

    def __init__(self, words: AbstractSet[str]) -> None:
        self.folded = words
        self.sounds = {heard for word in words if (heard := sound(word))}


def find(
    parts: list[str], words: Words, lexicon: Lexicon, own: RowNames | None, shaped: list[Span], cased: bool
) -> list[Span]:
    """Names and addresses in a note split by `words.SPLIT`; `shaped`: what was found by its shape."""
    texts = parts[1::2]
    flags = [words[word] for word in texts]
    if own is None and not any(flag & _NEEDS_A_LOOK or not flag & (KEEP | DIGITS) for flag in flags):
        return []
    hits = _name_hits(parts, texts, flags, words, lexicon, own, cased)
    starts = list(accumulate(map(len, parts), initial=0))[1::2]
    _mark_shaped(hits, starts, shaped)
    _mark_addresses(parts, texts, flags, hits)
    _mark_between(parts, flags, hits)
    if "ADDRESS" in hits:
        for order in (range(1, len(hits)), range(len(hits) - 2, -1, -1)):
            _spread_addresses(parts, flags, hits, order)
    return [
        Span(start, start + len(text), kind)
        for start, text, kind in zip(starts, texts, hits, strict=False)
        if kind and kind != "SHAPED"
    ]


def _name_hits(
    parts: list[str],
    texts: list[str],
    flags: list[int],
    words: Words,
    lexicon: Lexicon,
    own: RowNames | None,
    cased: bool,
) -> list[str | None]:
    """For each word NAME or None."""
    hits: list[str | None] = [None] * len(texts)
    expecting = 0  # how many words of a name may still come: after "Mr", "my brother", "se llama"
    for place, flag in enumerate(flags):
        if flag & DIGITS:
            expecting = 0
            continue
        gap = parts[2 * place]
        fresh = place == 0 or not _ENDS.isdisjoint(gap)
        if place and fresh and gap != ". " and gap.strip(" .:،") != "":
            expecting = 0
        name = False
        if flag & NAME:
            name = True
        elif own is not None and not flag & STOP and _is_own(texts[place], flag, words, own):
            name = True
        elif expecting and not flag & STOP and (flag & CAPITAL or not flag & KEEP):
            name = True
        elif flag & CAPITAL:
            if not flag & KEEP:
                name = not (flag & SINGLE) and not (fresh and flag & SEEN_LOWER)
            elif not fresh and place and hits[place - 1] and gap == " " and not flag & (STOP | TITLE):
                name = True
        elif not flag & KEEP and not flag & SINGLE:
            # A rare word in lower case right after a name is more often the rest of it than a verb.
            name = not cased or bool(flag & CASELESS) or (place > 0 and bool(hits[place - 1]) and gap == " ")
        if name:
            hits[place] = "NAME"
            expecting = max(0, expecting - 1)
        elif flag & PARTICLE and expecting:
            pass
        else:
            expecting = 0
        if flag & (TITLE | KIN | NAMING) and not (hits[place] and flag & KIN):
            expecting = _expected(texts, flags, place, lexicon) or expecting
    return hits


def _expected(texts: list[str], flags: list[int], place: int, lexicon: Lexicon) -> int:
    """How many words of a name this word announces."""
    flag = flags[place]
    if flag & NAMING:
        before = fold(texts[place - 1]) if place else ""
        word = fold(texts[place])
        if ("", word) in lexicon.naming or (before, word) in lexicon.naming:
            return 4
    if flag & TITLE:
        return 3
    return 2 if flag & KIN else 0


def _is_own(text: str, flag: int, words: Words, own: RowNames) -> bool:
    if not own.folded.isdisjoint(words.forms(text)):
        return True
    return not flag & KEEP and sound(text) in own.sounds


def _mark_shaped(hits: list[str | None], starts: list[int], shaped: list[Span]) -> None:
    """Words inside what was found by its shape are neighbours, and no words of their own."""
    place = 0
    for span in shaped:
        while place < len(starts) and starts[place] < span.start:
            place += 1
        while place < len(starts) and starts[place] < span.end:
            hits[place] = "SHAPED"
            place += 1


def _mark_addresses(parts: list[str], texts: list[str], flags: list[int], hits: list[str | None]) -> None:
    """A number beside a name that is no amount is a house's or a postcode; a street's word beside it belongs to it."""
    for place, flag in enumerate(flags):
        if not flag & DIGITS or hits[place]:
            continue
        before = _beside(parts, flags, hits, place, -1)
        after = _beside(parts, flags, hits, place, +1)
        following = flags[place + 1] if place + 1 < len(flags) else 0
        if following & UNIT and not following & CAPITAL and parts[2 * place + 2] == " ":
            continue
        if before or after or len(texts[place]) == 6 and texts[place][0] != "0":
            hits[place] = "ADDRESS"
    for place, flag in enumerate(flags):
        if flag & STREET and not hits[place]:
            near = [hits[other] for other in (place - 1, place + 1) if 0 <= other < len(hits)]
            if any(near) and (flag & CAPITAL or "ADDRESS" in near):
                hits[place] = "ADDRESS"


def _spread_addresses(parts: list[str], flags: list[int], hits: list[str | None], order: range) -> None:
    """Capitals, numbers and street words beside an address are more of it: "Apt 4, Melo, CA 13241, Cape Verde"."""
    for place in order:
        other = place - order.step
        if hits[other] == "ADDRESS" and flags[place] & (CAPITAL | DIGITS | STREET) and not flags[place] & (STOP | KIN):
            gap = parts[2 * max(place, other)]
            if len(gap) <= 5 and not gap.strip(" ,.-#|>/()\n\r"):
                hits[place] = "ADDRESS"


def _beside(parts: list[str], flags: list[int], hits: list[str | None], place: int, step: int) -> bool:
    """Whether the next word in a direction is a found one, or a street's word."""
    other = place + step
    if not 0 <= other < len(flags):
        return False
    gap = parts[2 * max(place, other)]
    if len(gap) > 3 or not _ENDS.isdisjoint(gap.replace("\n", "").replace("-", "").replace("/", "").replace(".", "")):
        return False
    return bool(hits[other]) or bool(flags[other] & STREET)


def _mark_between(parts: list[str], flags: list[int], hits: list[str | None]) -> None:
    """Titles, particles and initials between or before parts of a name are parts of it."""
    for place, flag in enumerate(flags):
        if hits[place] or not flag & (PARTICLE | SINGLE | TITLE) or flag & DIGITS:
            continue
        after = place + 1 < len(hits) and hits[place + 1] == "NAME" and parts[2 * place + 2] in (" ", ". ", "'", "’", "-", "- ")
        before = place > 0 and hits[place - 1] == "NAME" and parts[2 * place] in (" ", "-", "'", "’")
        if flag & TITLE and after:
            hits[place] = "NAME"
            continue
        initial = flag & SINGLE and flag & CAPITAL and (after or before)
        if (after and before) or (initial and not flag & STOP):
            hits[place] = "NAME"


def merged(text: str, spans: list[Span]) -> list[Span]:
    """Spans that touch or have only blanks, commas, dots and dashes between them as one: part of a name names too."""
    joined: list[Span] = []
    for span in sorted(spans):
        if joined and span.start <= joined[-1].end:
            last = joined[-1]
            joined[-1] = Span(last.start, max(last.end, span.end), last.type if last.end - last.start >= span.end - span.start else span.type)
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
