"""What an expression of a form may be over the rows of a batch: texts, numbers or truths, and the ways between them.

A blank is '' and no number; what is no number is equal to nothing. How expressions are read is `relevant`'s business,
what functions do is `xpath_functions`'.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from connectors.shapes import Text

Truth: TypeAlias = "NDArray[np.bool_]"
Numbers: TypeAlias = "NDArray[np.float64]"
Columns = Mapping[str, Text]
Doubts = Mapping[str, Truth]
"""By question: the rows whose answer is not known."""

_NUMBER = re.compile(r"^-?(\d+(\.\d*)?|\.\d+)$")


_EXACT = 1e15
"""Below it a whole number has all its digits."""


class Unevaluable(Exception):
    """The condition uses something that is not understood here; the text names the construct, no value."""


@dataclass(frozen=True)
class Strings:
    """A text for every row, blank as ''; `numeric` if it is a number or blank wherever it stands, `dates` if it is a
    date or blank, `literal` if it is the same in every row, `mixed` if it is a number in some rows, written as text."""

    of: Callable[[Columns, int], pa.Array]
    numeric: bool = False
    literal: str | None = None
    dates: bool = False
    mixed: bool = False


@dataclass(frozen=True)
class Amounts:
    """A number for every row, NaN where there is none; `dates` if it counts days, `literal` if it is the same in every
    row."""

    of: Callable[[Columns, int], Numbers]
    dates: bool = False
    literal: float | None = None


@dataclass(frozen=True)
class Truths:
    """True or false for every row; `unknown` says of which rows it is not known, if that is more than whether one of
    the answers is not."""

    of: Callable[[Columns, int], Truth]
    unknown: Callable[[Columns, int, Doubts], Truth] | None = None


Node: TypeAlias = Strings | Amounts | Truths


def constant_text(text: str) -> Strings:
    is_number = _NUMBER.match(text) is not None
    return Strings(lambda columns, n: pa.repeat(pa.scalar(text, pa.string()), n), is_number, text)


def constant_number(number: float) -> Amounts:
    return Amounts(lambda columns, n: np.full(n, number), literal=number)


def texts(node: Node) -> Strings:
    """A node that is a text already: how a number is written as text is not told here."""
    if not isinstance(node, Strings):
        raise Unevaluable("a text made of a number")
    return node


def written(node: Strings | Amounts) -> Strings:
    """A node as text: whole numbers without a point, as XPath writes them."""
    if isinstance(node, Strings):
        return node
    counted = node.of

    def as_text(columns: Columns, n: int) -> pa.Array:
        numbers = counted(columns, n)
        whole = np.isfinite(numbers) & (numbers == np.trunc(numbers)) & (np.abs(numbers) < _EXACT)
        digits = pa.array(np.where(whole, numbers, 0).astype(np.int64)).cast(pa.string())
        return pc.if_else(pa.array(whole), digits, pa.array([repr(float(number)) for number in numbers], pa.string()))

    return Strings(as_text, numeric=True)


def is_written_alike(numbers: Numbers) -> Truth:
    """Which numbers every device writes in the same way: not those that are none, nor those with a power of ten."""
    size = np.abs(numbers)
    with np.errstate(invalid="ignore"):
        whole = (numbers == np.trunc(numbers)) & (size < _EXACT)
        found: Truth = whole | ((size >= 1e-3) & (size < 1e7))
    return found


def truths(node: Node) -> Truths:
    """XPath's boolean(): a text that is not blank, a number that is not zero."""
    match node:
        case Truths():
            return node
        case Strings(mixed=True):
            raise Unevaluable("the truth of what is a number or a text")
        case Strings(of=written):
            return Truths(lambda columns, n: flags(pc.not_equal(written(columns, n), "")))
        case Amounts(of=counted):

            def non_zero(columns: Columns, n: int) -> Truth:
                found = counted(columns, n)
                truth: Truth = ~np.isnan(found) & (found != 0)
                return truth

            return Truths(non_zero)


def amounts(node: Node) -> Amounts:
    """XPath's number(): what is no number is NaN, which is equal to nothing and smaller than nothing."""
    match node:
        case Amounts():
            return node
        case Strings(of=written):
            return Amounts(lambda columns, n: _numbers(written(columns, n)))
        case Truths():
            raise Unevaluable("a number made of a condition")


def _numbers(written: pa.Array) -> Numbers:
    trimmed = pc.utf8_trim_whitespace(written)
    is_number = pc.match_substring_regex(trimmed, _NUMBER.pattern)
    return floats(pc.cast(pc.if_else(is_number, trimmed, pa.scalar(None, pa.string())), pa.float64()))


def flags(column: Text) -> Truth:
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    found: Truth = whole.to_numpy(zero_copy_only=False)
    return found


def floats(column: Text) -> Numbers:
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    found: Numbers = whole.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return found
