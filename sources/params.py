"""The closed set of what a crosswalk row may say in `param`, as typed values. ValueError says what would be right.

`number` and `age`: words such as `decimal=,`, `thousands=.`, `unit=week>month` (a duration) and `per=week>month` (an
amount per period), separated by spaces. `geography`: `adm1` to `adm4`. `constant`: the value itself. Forms of dates
belong to `values.dates`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from codebook.reading import nearest
from values.numbers import check_marks

# The mean Gregorian year, so that twelve months are a year and no conversion depends on the day it is made.
_DAYS = {"day": Fraction(1), "week": Fraction(7), "month": Fraction(3652425, 120000), "year": Fraction(3652425, 10000)}


@dataclass(frozen=True)
class NumberForm:
    """How a number is written, and by what it is multiplied to get the variable's unit."""

    decimal: str = "."
    thousands: str = ""
    factor: Fraction = Fraction(1)


def number_form(param: str, decimal: str = ".") -> NumberForm:
    """The form that `param` declares; `decimal` is the source's own mark, where `param` names none."""
    words: dict[str, str] = {}
    for word in param.split():
        name, equals, value = word.partition("=")
        if name not in ("decimal", "thousands", "unit", "per"):
            raise ValueError(f"unknown param `{name}`: {nearest(name, ('decimal', 'thousands', 'unit', 'per'))}")
        if not equals or not value or name in words:
            raise ValueError(f"write param `{name}` once, as {name}=...")
        words[name] = value
    if "unit" in words and "per" in words:
        raise ValueError("`unit` converts a duration and `per` an amount per period: keep one")
    form = NumberForm(words.get("decimal", decimal), words.get("thousands", ""), _factor(words))
    check_marks(form.decimal, form.thousands)
    return form


def _factor(words: dict[str, str]) -> Fraction:
    """Two weeks are 14/30.4 months, but two a week are 2 x 30.4/7 a month."""
    conversion = words.get("unit") or words.get("per")
    if conversion is None:
        return Fraction(1)
    given, arrow, wanted = conversion.partition(">")
    for period in (given, wanted):
        if not arrow or period not in _DAYS:
            raise ValueError(f"`{conversion}` is no conversion: write week>month, with {', '.join(_DAYS)}")
    ratio = _DAYS[given] / _DAYS[wanted]
    return ratio if "unit" in words else 1 / ratio


def admin_level(param: str) -> int:
    """The administrative level that `adm1` ... `adm4` names."""
    levels = {f"adm{level}": level for level in range(1, 5)}
    if param not in levels:
        raise ValueError(f"a place needs its level as param: {nearest(param, levels)}")
    return levels[param]


def constant_value(type: str, param: str) -> str | int | Decimal | date:
    """The value of a constant of a variable of this type: text as it is, a number, or a date as YYYY-MM-DD."""
    try:
        match type:
            case "integer":
                return int(param)
            case "decimal":
                return Decimal(param)
            case "date":
                return date.fromisoformat(param)
    except (ValueError, ArithmeticError):
        raise ValueError(f"`{param}` is no {type}") from None
    return param
