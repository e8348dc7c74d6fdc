"""Days and telephone numbers in words: "the third of March", "zero seven two two, 410 558"; names letter by letter.

A run of words of numbers beside a month is a date; one of digits is a telephone number, if it has as many as one has.
Amounts stay. What is written in numerals is the business of `dates` and `patterns`.
"""

from __future__ import annotations

import re
from itertools import accumulate, pairwise

from anonymization.redaction.folding import fold
from anonymization.redaction.lexicon import numeral_scales
from anonymization.redaction.patterns import Span
from anonymization.redaction.words import DIGITS, MONTH, NUMERAL

_WITHIN = frozenset((" ", "-", ", ", " - ", ". ", "  "))
_BETWEEN = frozenset(
    map(fold, ("of", "the", "and", "then", "de", "del", "du", "et", "y", "e", "von", "van", "luego", "puis"))
)
_BETWEEN |= frozenset(map(fold, ("من", "و", "እና", "ከዚያ")))
_VERBS_TOO = frozenset(("may", "march"))
_FEWEST_DIGITS, _FEWEST_WORDS = 7, 2
_LETTERS = re.compile(r"(?<![\w.-])[^\W\d_]( ?[.,،·/*–—-] ?| {1,3})[^\W\d_](?:\1[^\W\d_]){2,}(?!\w)")
"""However many: the end of a long name is a name too. A run that cannot go on stops a letter before."""


def numbers(parts: list[str], flags: list[int]) -> list[Span]:
    """Dates and telephone numbers in words, in a note that was split into words; in order of place."""
    gaps, texts = parts[0::2], parts[1::2]
    starts = list(accumulate(map(len, parts), initial=0))[1::2]
    found, place = [], 0
    while place < len(flags):
        end = _end_of_run(place, gaps, texts, flags)
        kind = _kind(texts[place:end], flags[place:end]) if end > place + 1 else None
        if kind:
            found.append(Span(starts[place], starts[end - 1] + len(texts[end - 1]), kind))
        place = max(end, place + 1)
    return found


def letters(text: str) -> list[Span]:
    """Names that are spelt letter by letter: "X-i-o-m-a-r-a", "B i n t a", "B, i, n, t, a"; not the letters of an
    office (U.N.H.C.R.), those of a list (A, B, C, D), nor marks (x x x x)."""
    return [Span(*one.span(), "NAME") for one in _LETTERS.finditer(text) if not _is_no_name(one.group(), one[1])]


def _is_no_name(said: str, between: str) -> bool:
    signs = [ord(letter) for letter in said.lower() if letter.isalpha()]
    listed = all(after == before + 1 for before, after in pairwise(signs))
    return listed or len(set(signs)) == 1 or (between.strip() == "." and said.isupper())


def _end_of_run(place: int, gaps: list[str], texts: list[str], flags: list[int]) -> int:
    """Behind the last number or month of a run that begins at a place; the place itself if none does."""
    end = place
    for here in range(place, len(flags)):
        if here > place and gaps[here] not in _WITHIN:
            break
        if flags[here] & (NUMERAL | MONTH | DIGITS):
            end = here + 1
        elif here == place or fold(texts[here]) not in _BETWEEN:
            break
    return end


def _kind(texts: list[str], flags: list[int]) -> str | None:
    """What a run of numbers is; None if it is an amount, or has no number in words."""
    if not any(flag & NUMERAL for flag in flags):
        return None
    months = [t for t, flag in zip(texts, flags, strict=True) if flag & MONTH and not flag & NUMERAL]
    if any(month not in _VERBS_TOO for month in months):
        return "DATE"
    said = [fold(text) for text in texts]
    if months or not numeral_scales().isdisjoint(said):
        return None
    words = sum(bool(flag & NUMERAL) for flag in flags)
    digits = sum(len(text) if flag & DIGITS else bool(flag & NUMERAL) for text, flag in zip(texts, flags, strict=True))
    return "PHONE" if digits >= _FEWEST_DIGITS and words >= _FEWEST_WORDS else None
