"""Reads a column of text as numbers with declared marks. What does not fit the marks is bad, never guessed.

`1.500` is 1500 where the point groups thousands and 1.5 where it is the decimal mark: only the source's declaration
can tell. Groups must be whole, exponents are not read (a sheet that shows 1,2E+05 has lost the digits).
"""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

from values.digits import with_ascii_digits
from values.distinct import TextColumn, over_distinct, trimmed

DECIMAL = pa.decimal128(18, 2)
_MINUS_SIGNS = "\u2212"
_SPACES = "[ \u00a0\u2009\u202f]"
_WIDE = pa.decimal128(38, 10)
_INTEGER_DIGITS, _FRACTION_DIGITS = 16, 10


def read_numbers(
    column: TextColumn, decimal: str = ".", thousands: str = "", kind: pa.DataType = DECIMAL
) -> tuple[pa.Array, pa.Array]:
    """Numbers of type `kind` (null where blank or bad) and which cells are bad (bool, never null).

    A decimal is rounded half away from zero to the scale of `kind`; an integer kind takes whole numbers only (12.0 is
    one). A number too large for `kind` is bad. ValueError: marks that cannot be told apart.
    """
    check_marks(decimal, thousands)
    values, bad = over_distinct(column, lambda texts: _values_and_bad(texts, decimal, thousands, kind))
    return values, pc.fill_null(bad, False)


def check_marks(decimal: str, thousands: str) -> None:
    """ValueError where decimal and thousands marks are not two different marks."""
    if len(decimal) != 1 or len(thousands) > 1 or decimal == thousands or (decimal + thousands).strip("., '٫٬"):
        raise ValueError("decimal mark is one of . , ٫ and thousands mark another one of . , ' ٬ space, or none")


def _values_and_bad(texts: pa.Array, decimal: str, thousands: str, kind: pa.DataType) -> tuple[pa.Array, pa.Array]:
    texts = with_ascii_digits(trimmed(texts))
    plain = pc.replace_substring(texts, _MINUS_SIGNS, "-")
    fits = pc.match_substring_regex(plain, _expression(decimal, thousands))
    plain = pc.if_else(fits, plain, pa.scalar(None, pa.string()))
    if thousands:
        plain = pc.replace_substring_regex(plain, _group_mark(thousands), "")
    if decimal != ".":
        plain = pc.replace_substring(plain, decimal, ".")
    small = pc.match_substring_regex(plain, rf"^[+-]?0*[0-9]{{0,{_INTEGER_DIGITS}}}(\.[0-9]{{0,{_FRACTION_DIGITS}}})?$")
    exact = pc.if_else(small, plain, pa.scalar(None, pa.string())).cast(_WIDE)
    values = _as_kind(exact, kind)
    return values, pc.and_(texts.is_valid(), values.is_null())


def _expression(decimal: str, thousands: str) -> str:
    fraction = rf"(?:{re.escape(decimal)}[0-9]+)?"
    whole = "[0-9]+"
    if thousands:
        whole = rf"(?:[0-9]+|[0-9]{{1,3}}(?:{_group_mark(thousands)}[0-9]{{3}})+)"
    return rf"^[+-]?{whole}{fraction}$"


def _group_mark(thousands: str) -> str:
    return _SPACES if thousands == " " else re.escape(thousands)


def _as_kind(exact: pa.Array, kind: pa.DataType) -> pa.Array:
    if pa.types.is_floating(kind):
        return exact.cast(kind)
    if pa.types.is_integer(kind):
        whole = pc.equal(pc.floor(exact), exact)
        limit = 2 ** (kind.bit_width - 1)
        fits = pc.and_(whole, pc.and_(pc.less(exact, limit), pc.greater_equal(exact, -limit)))
        return pc.if_else(fits, exact, pa.scalar(None, _WIDE)).cast(kind)
    rounded = pc.round(exact, ndigits=kind.scale, round_mode="half_towards_infinity")
    limit = 10 ** (kind.precision - kind.scale)
    fits = pc.less(pc.abs(rounded), limit)
    return pc.if_else(fits, rounded, pa.scalar(None, rounded.type)).cast(kind)
