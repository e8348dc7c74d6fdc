"""Rules that read a value: number, age, date, geography, copy - and constants that are no codes.

Special codes come first (98 is dont_know, not the number 98), then the rows that read, in file order. Of several
columns the first filled one counts. What cannot be read is a `map.*` error and missing_unexpected, never a guess.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from codebook.models import Place
from harmonization.cells import Cells, Encoded, Mask
from harmonization.coded import UNKNOWN_CODE
from harmonization.made import Made, Trouble, troubles
from harmonization.matching import UNMATCHED, CodeRow, Codes, Matching
from sources.crosswalk import BLANK, Condition
from sources.params import NumberForm
from values.dates import read_dates, two_digit_years
from values.numbers import read_numbers

OLDEST = 120
_GIVEN, _EXACT = pa.decimal128(26, 8), pa.decimal128(38, 10)

Rejected = dict[str, np.ndarray]
Read = Callable[[pa.StringArray], tuple[pa.Array, Rejected]]
"""Different texts -> a value for each (null where unreadable), and by rule id which texts that rule finds wrong."""


@dataclass(frozen=True)
class ReadRow:
    """A crosswalk row that reads the value of a column, under conditions."""

    column: str
    when: tuple[Condition, ...]
    read: Read


class Reading:
    """One variable that is read from its columns."""

    def __init__(self, special: Sequence[CodeRow], rows: Sequence[ReadRow], missing: int, kind: pa.DataType) -> None:
        columns = dict.fromkeys([*(row.column for row in rows), *(row.column for row in special)])
        self._special = {column: Matching(row for row in special if row.column == column) for column in columns}
        self._rows = {column: [row for row in rows if row.column == column] for column in columns}
        self._blank = Matching(row for row in special if row.code == BLANK)
        self._missing, self._kind = missing, kind

    def make(self, cells: Cells) -> Made:
        states = self._blank.match(cells)
        values: pa.Array | None = None
        undecided, answered, wrong = np.ones(cells.rows, bool), np.zeros(cells.rows, bool), []
        for column, rows in self._rows.items():
            turn = undecided & cells[column].filled
            undecided &= ~turn
            if self._special[column]:
                states = np.where(turn, self._special[column].match(cells), states)
            unread = turn & (states == UNMATCHED)
            for row in rows:
                mine = unread & cells.hold(row.when) if row.when else unread
                read, mistakes = _read(row, cells[column], mine)
                wrong += mistakes
                values = read if values is None else pc.if_else(pa.array(mine), read, values)
                answered |= mine
                unread = unread & ~mine
            wrong += troubles(column, UNKNOWN_CODE, unread)
        values = pa.nulls(cells.rows, self._kind) if values is None else values.cast(self._kind)
        return self._made(values, states, answered & np.asarray(values.is_valid()), wrong)

    def _made(self, values: pa.Array, states: Codes, answered: Mask, wrong: list[Trouble]) -> Made:
        states = np.where(states == UNMATCHED, np.int16(self._missing), states)
        if not answered.all():
            values = pc.if_else(pa.array(answered), values, pa.scalar(None, values.type))
        return Made(values, pa.array(states, pa.int16(), mask=answered), wrong)


def _read(row: ReadRow, column: Encoded, mine: Mask) -> tuple[pa.Array, list[Trouble]]:
    values, rejected = row.read(column.texts)
    found: list[Trouble] = []
    for rule, texts in rejected.items():
        if texts.any():
            found += troubles(row.column, rule, mine & np.asarray(column.spread(texts, False), bool))
    return column.take(values), found


class ConstantValue:
    """The same value, or the same answer state, in every row of a variable that is no code."""

    def __init__(self, value: object, state: int | None, kind: pa.DataType) -> None:
        self._value, self._state, self._kind = pa.scalar(value, kind), state, kind

    def make(self, cells: Cells) -> Made:
        state = pa.scalar(self._state, pa.int16())
        return Made(pa.repeat(self._value, cells.rows), pa.repeat(state, cells.rows))


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
        return values, {"map.unreadable_date": wrong & ~short, "map.two_digit_year": short}

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
