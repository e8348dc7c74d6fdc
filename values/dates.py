"""Reads a column of text as dates in one declared form. What does not fit the form is bad, never guessed.

Forms: strptime patterns (`%d/%m/%Y`, with a time of day if declared), `iso` (a date, or a moment with or without its
zone: the day as written counts), `year` (1 January), and a calendar before a pattern: `ethiopian:%d/%m/%Y`,
`jalali:%Y/%m/%d`, `hijri:%Y-%m-%d`. A two-digit year says no century and is always bad.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from values.calendars import CALENDARS, Ints
from values.digits import with_ascii_digits
from values.distinct import TextColumn, over_distinct, trimmed

_YEAR = r"(?P<year>[0-9]{4})"
_DIRECTIVES = {
    "Y": _YEAR,
    "m": r"(?P<month>[0-9]{1,2})",
    "d": r"(?P<day>[0-9]{1,2})",
    "b": r"(?P<word>\p{L}+\.?)",
    "B": r"(?P<word>\p{L}+\.?)",
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

_MONTH_WORDS = """
jan january janv janvier ene enero
feb february févr février fév fevr fevrier febrero
mar march mars marzo
apr april avr avril abr abril
may mai mayo
jun june juin junio
jul july juil juillet julio
aug august août aout ago agosto
sep sept september septembre septiembre set setiembre
oct october octobre octubre
nov november novembre noviembre
dec december déc décembre decembre dic diciembre
"""
_MONTHS = {word: number for number, line in enumerate(_MONTH_WORDS.split("\n")) for word in line.split()}


@dataclass(frozen=True)
class Form:
    """A declared form: the calendar, and the expression that finds year, month and day in the text."""

    calendar: str
    expression: str

    @property
    def parts(self) -> frozenset[str]:
        return frozenset(re.findall(r"\(\?P<(\w+)>", self.expression))


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
    month = {"month", "word"} & read.parts
    if "year" not in read.parts or len(month) != 1 or "day" not in read.parts:
        raise ValueError(f"form `{form}` must have %d, %m and %Y (or be `iso` or `year`)")
    if "word" in read.parts and calendar != "gregorian":
        raise ValueError(f"form `{form}`: names of months are read in the gregorian calendar only")
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
    (found,) = over_distinct(
        column, lambda texts: [pc.match_substring_regex(with_ascii_digits(trimmed(texts)), expression)]
    )
    return pc.fill_null(found, False)


def _days_and_bad(texts: pa.Array, form: Form) -> tuple[pa.Array, pa.Array]:
    texts = with_ascii_digits(trimmed(texts))
    parts = pc.extract_regex(texts, form.expression)
    fits = np.asarray(parts.is_valid())
    year = _number(parts, "year", fits)
    first = np.ones_like(year)
    day = _number(parts, "day", fits) if "day" in form.parts else first
    month = _number(parts, "month", fits) if "month" in form.parts else first
    if "word" in form.parts:
        month = _month_of_word(parts, fits)
    days, exists = CALENDARS[form.calendar](year, month, day)
    good = fits & exists
    values = pa.array(np.where(good, days, 0).astype(np.int32), mask=~good).cast(pa.date32())
    return values, pa.array(np.asarray(texts.is_valid()) & ~good)


def _number(parts: pa.StructArray, name: str, fits: NDArray[np.bool_]) -> Ints:
    texts = pc.if_else(pa.array(fits), pc.struct_field(parts, name), "0")
    return np.asarray(texts.cast(pa.int64()), np.int64)


def _month_of_word(parts: pa.StructArray, fits: NDArray[np.bool_]) -> Ints:
    words = pc.utf8_rtrim(pc.utf8_lower(pc.if_else(pa.array(fits), pc.struct_field(parts, "word"), "")), ".")
    encoded = words.dictionary_encode()
    months = [_MONTHS.get(word, 0) for word in encoded.dictionary.to_pylist()]
    found: Ints = np.array(months or [0], np.int64)[np.asarray(encoded.indices)]
    return found
