"""What the operators of a form's expressions do over the rows of a batch: comparisons, `and`, `or`, arithmetic.

XPath's rules, as devices apply them: what is no number is equal to nothing, dates count days. Truth is three-valued:
where an answer is not known, what rests on it is not, unless the rest decides. How expressions are read is the business
of `relevant`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from connectors.kobo.xpath_beyond import Seen
from connectors.kobo.xpath_functions import days, moments
from connectors.kobo.xpath_values import (
    Amounts,
    Columns,
    Doubts,
    Node,
    Numbers,
    Strings,
    Truth,
    Truths,
    Unevaluable,
    amounts,
    flags,
)

COMPARISONS = {
    "=": np.equal, "!=": np.not_equal, "<": np.less, ">": np.greater, "<=": np.less_equal, ">=": np.greater_equal,
}  # fmt: skip
ADDITIVE = {"+": np.add, "-": np.subtract}
MULTIPLICATIVE = {"*": np.multiply, "div": np.divide, "mod": np.fmod}
"""XPath's `mod` has the sign of the first number, as C's."""


def compared(operator: str, left: Node, right: Node) -> Callable[[Columns, int], Truth]:
    """XPath compares as numbers if one side is a number or the order is asked for, and as texts otherwise."""
    if isinstance(left, Truths) or isinstance(right, Truths):
        raise Unevaluable("a comparison of conditions")
    compare = COMPARISONS[operator]
    if isinstance(left, Strings) and isinstance(right, Strings):
        if operator in ("=", "!="):
            texts = pc.equal if operator == "=" else pc.not_equal
            return lambda columns, n: flags(texts(left.of(columns, n), right.of(columns, n)))
        if not (left.numeric and right.numeric) and not (left.dates and right.dates):
            # One device takes a text for the date that it reads like, the other for no number.
            raise Unevaluable("the order of texts that are no numbers")
    dates = any(not isinstance(side, Truths) and side.dates for side in (left, right))
    numbers_left, numbers_right = (in_days(side) if dates else amounts(side) for side in (left, right))

    def holds(columns: Columns, n: int) -> Truth:
        truth: Truth = compare(numbers_left.of(columns, n), numbers_right.of(columns, n))
        return truth

    return holds


def within(
    operator: str, holds: Callable[[Columns, int], Truth], named: Sequence[str | Seen], between: tuple[Seen, Seen]
) -> Truths:
    """A comparison with now() or today(), which was some moment `between` the opening of the form and its closing:
    known where it is the same at both, of `=` and `!=` only within one day. What rests on it goes one way from one to
    the other."""
    begin, end = (seen.name for seen in between)
    others = resting_on([one for one in named if one not in between])

    def unknown(columns: Columns, n: int, doubts: Doubts) -> Truth:
        moments_ = [columns[name].cast(pa.string()) for name in (begin, end)]
        found = others(columns, n, doubts) | (holds(columns, n) != holds({**columns, begin: columns[end]}, n))
        days_ = [pc.utf8_slice_codeunits(moment, 0, 10) for moment in moments_]
        told = pc.equal(*days_) if operator in ("=", "!=") else pc.and_(*(moment.is_valid() for moment in moments_))
        open_: Truth = found | ~flags(pc.fill_null(told, False))
        return open_

    return Truths(holds, unknown)


def in_days(node: Node) -> Amounts:
    """A side of what is told in days: an answer counts those that its date does."""
    if isinstance(node, Strings):
        answer = node
        return Amounts(lambda columns, n: (moments if answer.dates else days)(answer.of(columns, n)), dates=True)
    return amounts(node)


def both(word: str, left: Truths, right: Truths) -> Truths:
    """`and` or `or`; not known where neither side decides alone and one is not known."""
    of = np.logical_or if word == "or" else np.logical_and

    def holds(columns: Columns, n: int) -> Truth:
        truth: Truth = of(left.of(columns, n), right.of(columns, n))
        return truth

    def unknown(columns: Columns, n: int, doubts: Doubts) -> Truth:
        open_, decided = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
        for side in (left, right):
            doubtful = side.unknown(columns, n, doubts) if side.unknown is not None else np.zeros(n, dtype=bool)
            open_ |= doubtful
            decided |= ~doubtful & (side.of(columns, n) == (word == "or"))
        found: Truth = open_ & ~decided
        return found

    return Truths(holds, unknown)


def in_one_unit(of: np.ufunc, left: Node, right: Node) -> tuple[Amounts, Amounts]:
    """Two sides as numbers: an answer beside a date is taken for its date if it may be one."""
    sides = [in_days(side) if isinstance(side, Strings) and side.dates else side for side in (left, right)]
    if of in ADDITIVE.values() and any(isinstance(side, Amounts) and side.dates for side in sides):
        sides = [in_days(s) if isinstance(s, Strings) and not s.numeric else s for s in sides]
    return amounts(sides[0]), amounts(sides[1])


def resting_on(named: Sequence[str | Seen]) -> Callable[[Columns, int, Doubts], Truth]:
    names = [one if isinstance(one, str) else one.name for one in named]

    def unknown(columns: Columns, n: int, doubts: Doubts) -> Truth:
        found = np.zeros(n, dtype=bool)
        for name in names:
            found |= doubts.get(name, False)
        return found

    return unknown


def both_amounts(of: np.ufunc, left: Amounts, right: Amounts) -> Callable[[Columns, int], Numbers]:
    def made(columns: Columns, n: int) -> Numbers:
        with np.errstate(divide="ignore", invalid="ignore"):  # division by zero is no number, as on the device
            numbers: Numbers = of(left.of(columns, n), right.of(columns, n))
        return numbers

    return made
