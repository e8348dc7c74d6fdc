"""Reads a column of text as dates in one declared form. What does not fit the form is bad, never guessed.

Forms: strptime patterns (`%d/%m/%Y`, with a time of day if declared; `%B` is a month's name in any language of
`months`), `iso` (a date, or a moment with or without its zone: the day as written counts), `year`, and a calendar
before a pattern: `ethiopian:%d/%m/%Y`, `jalali:%Y/%m/%d`, `hijri:%Y-%m-%d` (Umm al-Qura, AH 1343 to 1500),
`hijri_civil:%Y-%m-%d` (arithmetic, any year). A pattern without a day, or without month and day, has the precision of a
month or a year, and is read as its first day. A two-digit year says no century and is always bad.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Literal, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from values.calendars import CALENDARS, Ints
from values.digits import with_ascii_digits
from values.distinct import TextColumn, over_distinct, trimmed
from values.letters import is_ascii
from values.months import letters_of, month_names

_YEAR = r"(?P<year>[0-9]{4})"
_WORD = r"(?P<word>\p{L}[\p{L}\p{M}]*\.?(?:[ \x{a0}\x{200c}'\x{2019}\x{2bc}-]{1,2}[\p{L}\p{M}]+)*\.?)"
_INVISIBLE = "[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]"
"""Marks of writing direction, which programs put around dates in right-to-left text."""
_DIRECTIVES = {
    "Y": _YEAR,
    "m": r"(?P<month>[0-9]{1,2})",
    "d": r"(?P<day>[0-9]{1,2})",
    "b": _WORD,
    "B": _WORD,
    "H": r"(?:[01]?[0-9]|2[0-3])",
    "I": r"(?:0?[1-9]|1[0-2])",
    "M": r"[0-5]?[0-9]",
    "S": r"[0-5]?[0-9]",
    "f": r"[0-9]{1,9}",
    "p": r"(?i:[ap]\.?\s?m\.?)",
    "z": r"(?:Z|[+-][0-9]{2}(?::?[0-9]{2})?)",
    "%": "%",
}
_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:[.,][0-9]{1,9})?)?"
_ISO = rf"{_YEAR}-(?P<month>[0-9]{{2}})-(?P<day>[0-9]{{2}})(?:[T ]{_TIME}\s?{_DIRECTIVES['z']}?)?"

Precision: TypeAlias = Literal["day", "month", "year"]


@dataclass(frozen=True)
class Form:
    """A declared form: the calendar, and the expression that finds year, month and day in the text."""

    calendar: str
    expression: str

    @property
    def parts(self) -> frozenset[str]:
        return frozenset(re.findall(r"\(\?P<(\w+)>", self.expression))

    @property
    def precision(self) -> Precision:
        """How much of a date the form tells; the rest is the first of the month, or of the year."""
        if "day" in self.parts:
            return "day"
        return "month" if {"month", "word"} & self.parts else "year"


@cache
def date_form(form: str) -> Form:
    """The form that a source declares; ValueError says what is wrong with it."""
    if form == "iso":
        return Form("gregorian", f"^{_ISO}$")
    if form == "year":
        return Form("gregorian", f"^{_YEAR}$")
    calendar, separate, pattern = form.partition(":")
    if "%" in calendar or not separate:
        calendar, pattern = "gregorian", form
    if calendar not in CALENDARS:
        raise ValueError(f"unknown calendar `{calendar}`: use one of {', '.join(CALENDARS)}")
    read = Form(calendar, f"^{_expression(pattern)}$")
    months = len({"month", "word"} & read.parts)
    if "year" not in read.parts or months > 1 or (months == 0 and "day" in read.parts):
        raise ValueError(f"form `{form}` must have %Y, or %m and %Y, or %d, %m and %Y (or be `iso` or `year`)")
    return read


def _expression(pattern: str) -> str:
    found = ""
    for literal, directive in re.findall(r"([^%]*)(%.|%$|$)", pattern):
        found += re.escape(literal)
        if not directive:
            continue
        if directive == "%y":
            raise ValueError("a two-digit year (%y) says no century: the supplier must deliver four digits")
        if directive[1:] not in _DIRECTIVES:
            raise ValueError(f"unknown part `{directive}`: use {' '.join('%' + name for name in _DIRECTIVES)}")
        if _DIRECTIVES[directive[1:]] in found and "?P<" in _DIRECTIVES[directive[1:]]:
            raise ValueError(f"part `{directive}` stands twice")
        found += _DIRECTIVES[directive[1:]]
    return found


def read_dates(column: TextColumn, form: str) -> tuple[pa.Array, pa.Array]:
    """Dates (date32; null where blank or bad) and which cells are bad (bool, never null). ValueError: unknown form."""
    declared = date_form(form)
    days, bad = over_distinct(column, lambda texts: _days_and_bad(texts, declared))
    return days, pc.fill_null(bad, False)


def two_digit_years(column: TextColumn, form: str) -> pa.Array:
    """Which cells fit the form but for a year of two digits (bool): bad as well, with a reason of their own."""
    expression = date_form(form).expression.replace("[0-9]{4}", "[0-9]{2}")
    (found,) = over_distinct(column, lambda texts: [pc.match_substring_regex(_legible(texts), expression)])
    return pc.fill_null(found, False)


def _legible(texts: pa.Array) -> pa.Array:
    if is_ascii(texts):
        return trimmed(texts)
    return with_ascii_digits(trimmed(pc.replace_substring_regex(texts, _INVISIBLE, "")))


def _days_and_bad(texts: pa.Array, form: Form) -> tuple[pa.Array, pa.Array]:
    texts = _legible(texts)
    parts = pc.extract_regex(texts, form.expression)
    fits = np.asarray(parts.is_valid())
    year = _number(parts, "year", fits)
    first = np.ones_like(year)
    day = _number(parts, "day", fits) if "day" in form.parts else first
    month = _number(parts, "month", fits) if "month" in form.parts else first
    if "word" in form.parts:
        month = _month_of_word(parts, fits, form.calendar)
    days, exists = CALENDARS[form.calendar](year, month, day)
    good = fits & exists
    values = pa.array(np.where(good, days, 0).astype(np.int32), mask=~good).cast(pa.date32())
    return values, pa.array(np.asarray(texts.is_valid()) & ~good)


def _number(parts: pa.StructArray, name: str, fits: NDArray[np.bool_]) -> Ints:
    texts = pc.if_else(pa.array(fits), pc.struct_field(parts, name), "0")
    return np.asarray(texts.cast(pa.int64()), np.int64)


def _month_of_word(parts: pa.StructArray, fits: NDArray[np.bool_], calendar: str) -> Ints:
    encoded = pc.if_else(pa.array(fits), pc.struct_field(parts, "word"), "").dictionary_encode()
    names = month_names(calendar)
    months = [names.get(letters_of(word), 0) for word in encoded.dictionary.to_pylist()]
    found: Ints = np.array(months or [0], np.int64)[np.asarray(encoded.indices)]
    return found
