"""Days and months that are named in a note: "12 May 1990", "May 12", "15 مارس", "March 2019". The year alone stays.

A month with its year goes like a day does: of dates only the year is left by those who must not tell a person (HIPAA's
safe harbor, 45 CFR 164.514(b)(2)(i)(C)). Dates in numerals are the business of `patterns`.
"""

from __future__ import annotations

import re

from anonymization.redaction.folding import fold
from anonymization.redaction.lexicon import weekdays
from anonymization.redaction.patterns import Span
from anonymization.redaction.words import MONTH, Words

_DAY_MONTH = re.compile(
    r"(?<![0-9A-Za-zÀ-ɏ_.,/-])\d{1,2}(?:st|nd|rd|th|er|º|ª|\.)?(?:\s{1,2}(?:de\s|of\s|d'|፣)?\s?|[-/.])([^\W\d_]{2,12})\.?"
    r"(?:\sال(?:[أا]ولى?|[آا]خرة?|ثاني[ةه]?|قعد[ةه]|حج[ةه]))?"
    r"(?:(?:,?\s{1,2}(?:de\s|del\s|of\s)?(?:ዓ\.?ም\.?\s)?|[-/.])\d{2,4}(?![\d]))?(?:\s?[рг]\.)?",
    re.IGNORECASE,
)
_MONTH_DAY = re.compile(
    r"\b([^\W\d_]{2,12})(?:\.?,?\s{1,2}(?:(?:the\s)?\d{1,2}(?:st|nd|rd|th|er)?(?:\sቀን)?(?:,?\s{1,2}\d{2,4})?|(?:de\s|del\s|of\s)?(?:1[34]|19|20)\d\d)"
    r"|[-/](?:\d{4}|\d{2}))(?!\w)",
    re.IGNORECASE,
)
_WEEKDAY = re.compile(
    r"([^\W\d_]{2,12})(?:[ -]([^\W\d_]{3,6}))??\.?[,،፣]?\s{1,2}"
    r"(?:(?:the|le|el|il|den|der|am) )?$",
    re.IGNORECASE,
)
_LONGEST = 28
"""So many signs a day of the week has at most, with what stands between it and its date."""


def named_days(text: str, words: Words) -> list[Span]:
    """Days and months of a cleaned note that are named: no expression knows all months, so they are looked up."""
    return [
        Span(match.start(), match.end(), "DATE")
        for form in (_DAY_MONTH, _MONTH_DAY)
        for match in form.finditer(text)
        if words[match[1]] & MONTH
    ]


def with_weekday(text: str, date: Span) -> Span:
    """A date with the day of the week before it: "Sunday, 28 January 2001", "jeudi 16 octobre"."""
    before = _WEEKDAY.search(text, max(0, date.start - _LONGEST), date.start)
    while before:
        first, second = before[1], before[2] or ""
        if fold(first + second) in weekdays():
            return date._replace(start=before.start())
        before = _WEEKDAY.search(text, before.start(2), date.start) if second else None
    return date
