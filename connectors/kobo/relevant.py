"""Whether a question was asked: the form's `relevant` conditions over the columns of a batch, and what its calculations
give that an export left out, since conditions rest on them.

So "not asked" differs from "missing" (formats.md 1.5). Truth is three-valued: where an answer is not known, what rests
on it is not, unless the rest of the condition decides. How expressions are read is the business of `expressions`, what
they see beyond their row is found by `beside`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa

from connectors.kobo.expressions import MAX_EXPRESSION, Kinds, Parser, tokens_of
from connectors.kobo.xpath_beyond import Seen
from connectors.kobo.xpath_operators import resting_on
from connectors.kobo.xpath_values import (
    Amounts,
    Columns,
    Doubts,
    Node,
    Strings,
    Truth,
    Truths,
    Unevaluable,
    is_written_alike,
    written,
)

__all__ = ["Calculation", "Condition", "Kinds", "Needs", "Seen", "Unevaluable", "calculated", "parse"]


@dataclass(frozen=True)
class Needs:
    """What an expression names: questions, and what it sees beyond its row."""

    questions: tuple[str, ...]
    seen: tuple[Seen, ...]


@dataclass(frozen=True)
class Condition(Needs):
    """A condition that can be evaluated, and its truth for every row of a batch."""

    node: Truths

    def holds(self, columns: Columns, n: int) -> Truth:
        return self.node.of(columns, n)

    def unknown(self, columns: Columns, n: int, doubts: Doubts) -> Truth:
        """The rows of which it cannot be said whether it holds; `doubts`: rows whose answer is not known."""
        if self.node.unknown is None or not doubts:
            return np.zeros(n, dtype=bool)
        return self.node.unknown(columns, n, doubts)


@dataclass(frozen=True)
class Calculation(Needs):
    """A calculation that can be done again, and what the device stored for every row of a batch."""

    node: Strings | Amounts

    def stored(self, columns: Columns, n: int) -> pa.Array:
        """Text, blank as ''."""
        return written(self.node).of(columns, n)

    def unknown(self, columns: Columns, n: int, doubts: Doubts) -> Truth:
        """The rows of which it cannot be said: something that it names is not known, or two devices store the number
        in two ways."""
        found = resting_on((*self.questions, *self.seen))(columns, n, doubts)
        return found | ~is_written_alike(self.node.of(columns, n)) if isinstance(self.node, Amounts) else found


@lru_cache(maxsize=4096)
def parse(expression: str, kinds: Kinds) -> Condition:
    """The condition; Unevaluable if any part of it is not understood."""
    parser = _parser(expression, kinds)
    node = parser.told(lambda: parser.either(0))
    return Condition(*_named(parser), node)


@lru_cache(maxsize=4096)
def calculated(expression: str, kinds: Kinds) -> Calculation:
    """The calculation; Unevaluable if any part of it is not understood, or devices store what it gives differently."""
    parser = _parser(expression, kinds)
    node: Node = parser.either(0)
    if isinstance(node, Truths):
        raise Unevaluable("a calculation that is true or false")
    if isinstance(node, Amounts) and node.dates:
        raise Unevaluable("a date that is worked out")
    return Calculation(*_named(parser), node)


def _parser(expression: str, kinds: Kinds) -> Parser:
    if len(expression) > MAX_EXPRESSION:
        raise Unevaluable("a very long condition")
    return Parser(list(tokens_of(expression)), kinds)


def _named(parser: Parser) -> tuple[tuple[str, ...], tuple[Seen, ...]]:
    """What the parser, which must be at its end, came upon."""
    if parser.tokens:
        raise Unevaluable("more than one condition")
    named: Sequence[str | Seen] = list(dict.fromkeys(parser.named))
    return (
        tuple(name for name in named if isinstance(name, str)),
        tuple(seen for seen in named if isinstance(seen, Seen)),
    )
