"""How a row of a crosswalk reads one text: numbers, ages, dates, places, text as it is.

Shared by the gate, which lets pass what can be read, and by harmonization, which makes a variable of it: what one of
them can read, the other can. Codes are no business of this module.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from codebook.loader import PHYSICAL, Codebook
from codebook.models import Place
from sources.crosswalk import MapRow
from sources.models import Source
from sources.params import NumberForm, admin_level, number_form
from values.dates import read_dates, two_digit_years
from values.numbers import read_numbers

VERSION = r"v[A-Za-z0-9]{2,30}|v?\d{1,3}(\.\d{1,3})*|20\d{6}(\d\d)?|20\d\d-\d\d-\d\d|[A-Za-z]{1,4}-?\d{1,2}"
"""Of a form: KoboToolbox's own ids, counted versions, ODK's days with a number (docs.getodk.org, form version), and
counted ones with letters before them (`ESR-2`). The only text of a delivery that is copied as it is."""
OLDEST = 120
TWO_DIGIT_YEAR = "map.two_digit_year"
_GIVEN, _EXACT = pa.decimal128(26, 8), pa.decimal128(38, 10)

Rejected = dict[str, np.ndarray]
Read = Callable[[pa.StringArray], tuple[pa.Array, Rejected]]
"""Different texts -> a value for each (null where unreadable), and by rule id which texts that rule finds wrong."""


def reader(source: Source, codebook: Codebook, row: MapRow) -> Read:
    """What a row of number, age, date, geography or copy does with a text."""
    match row.rule:
        case "number":
            kind = PHYSICAL[codebook.entities[row.entity].variable(row.variable).type][0]
            return numbers(number_form(row.param, source.format.decimal), kind)
        case "age":
            return ages(number_form(row.param, source.format.decimal))
        case "date":
            return dates(row.param or str(source.format.date_format))
        case "geography":
            return places(codebook.places(source.country), admin_level(row.param))
    return text_as_it_is


def numbers(form: NumberForm, kind: pa.DataType) -> Read:
    """Numbers in a declared form; converted ones are exact fractions, rounded once, half away from zero."""

    def read(texts: pa.StringArray) -> tuple[pa.Array, Rejected]:
        if form.factor == 1:
            values, bad = read_numbers(texts, form.decimal, form.thousands, kind)
        else:
            exact, bad = read_numbers(texts, form.decimal, form.thousands, _GIVEN)
            values = pa.array([_converted(value, form.factor, kind) for value in exact.to_pylist()], _EXACT)
            too_large = pc.greater(pc.abs(values), _largest(kind))
            values = pc.if_else(too_large, pa.scalar(None, _EXACT), values).cast(kind)
            bad = pc.or_(bad, pc.fill_null(too_large, False))
        return values, {"map.unreadable_number": np.asarray(bad, bool)}

    return read


def ages(form: NumberForm) -> Read:
    """Completed years, 0 to 120: an age beyond is a month, a year of birth or a slip, and not known."""
    whole = numbers(form, pa.int32())

    def read(texts: pa.StringArray) -> tuple[pa.Array, Rejected]:
        years, rejected = whole(texts)
        impossible = pc.fill_null(pc.or_(pc.less(years, 0), pc.greater(years, OLDEST)), False)
        bad = rejected["map.unreadable_number"] | np.asarray(impossible, bool)
        return pc.if_else(impossible, pa.scalar(None, years.type), years), {"map.unreadable_number": bad}

    return read


def _converted(value: Decimal | None, factor: Fraction, kind: pa.DataType) -> Decimal | None:
    if value is None:
        return None
    product = Fraction(value) * factor
    digits = 0 if pa.types.is_integer(kind) else kind.scale
    scaled = Decimal(product.numerator * 10**digits) / Decimal(product.denominator)
    return scaled.quantize(Decimal(1), ROUND_HALF_UP).scaleb(-digits)


def _largest(kind: pa.DataType) -> pa.Scalar:
    if pa.types.is_integer(kind):
        return pa.scalar(Decimal(2 ** (kind.bit_width - 1) - 1), _EXACT)
    return pa.scalar(Decimal(10**kind.precision - 1).scaleb(-kind.scale), _EXACT)


def dates(form: str) -> Read:
    """Dates in a declared form; a year of two digits has a rule of its own, since its supplier can mend it easily."""

    def read(texts: pa.StringArray) -> tuple[pa.Array, Rejected]:
        values, bad = read_dates(texts, form)
        wrong = np.asarray(bad, bool)
        if not wrong.any():
            return values, {}
        short = wrong & np.asarray(two_digit_years(texts, form), bool)
        return values, {"map.unreadable_date": wrong & ~short, TWO_DIGIT_YEAR: short}

    return read


def text_as_it_is(texts: pa.StringArray) -> tuple[pa.Array, Rejected]:
    """Technical text: versions and the like."""
    return texts, {}


def places(units: Iterable[Place], level: int) -> Read:
    """P-codes of one level, found by P-code, name or alternate spelling, however cased, accented or spaced.

    A name that a closed and an open unit share is the open one; a name that several open units share is nobody's.
    """
    found: dict[str, set[str]] = {}
    closed: dict[str, set[str]] = {}
    for unit in units:
        if unit.level == level:
            names = closed if unit.valid_to else found
            for name in (unit.pcode, unit.name, *unit.alternates):
                names.setdefault(folded(name), set()).add(unit.pcode)
    for name, pcodes in closed.items():
        found.setdefault(name, pcodes)
    unique = {name: next(iter(pcodes)) for name, pcodes in found.items() if len(pcodes) == 1}

    def read(texts: pa.StringArray) -> tuple[pa.Array, Rejected]:
        pcodes = pa.array([unique.get(folded(text)) for text in texts.to_pylist()], pa.string())
        return pcodes, {"map.unknown_place": np.asarray(pcodes.is_null(), bool)}

    return read


def folded(name: str) -> str:
    """A name of a place without case, accents, punctuation and superfluous space, for comparison only."""
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    kept = "".join(
        " " if unicodedata.category(sign)[0] in "PZ" else sign
        for sign in decomposed
        if unicodedata.category(sign) != "Mn"
    )
    return " ".join(kept.split())
