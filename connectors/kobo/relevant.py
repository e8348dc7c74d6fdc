"""Whether a question was asked: the form's `relevant` conditions over the columns of a batch.

So "not asked" differs from "missing" (formats.md 1.5). Comparisons, `and`, `or`, arithmetic and the functions of
`xpath_functions` over questions of the same row are understood, with XPath's reading of blanks (blank is '', and no
number). Anything else is Unevaluable and is said so, never guessed. Expressions are cut into tokens by pyxform.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from connectors.kobo.xpath_functions import call, days, places
from connectors.kobo.xpath_values import (
    Amounts,
    Columns,
    Node,
    Numbers,
    Strings,
    Truth,
    Truths,
    Unevaluable,
    amounts,
    constant_number,
    constant_text,
    flags,
    truths,
)

__all__ = ["Condition", "Unevaluable", "parse"]

MAX_EXPRESSION = 4_000
"""Letters of the longest condition that is read; a nested one of more would exhaust the parser's stack."""
MAX_DEPTH = 50

POSITION = "_position"
"""The column that tells a row's place among the parts of its repeat."""
_OWN_PLACE = [("PARENT_REF", ".."), ("CLOSE_PAREN", ")")]
_COMPARISONS = {"=", "!=", "<", ">", "<=", ">="}
_ADDITIVE = {"+": np.add, "-": np.subtract}
_MULTIPLICATIVE = {"*": np.multiply, "div": np.divide, "mod": np.fmod}
"""XPath's `mod` has the sign of the first number, as C's."""


@dataclass(frozen=True)
class Condition:
    """A condition that can be evaluated: the questions that it names, and its truth for every row of a batch."""

    questions: tuple[str, ...]
    node: Truths

    def holds(self, columns: Columns, n: int) -> Truth:
        return self.node.of(columns, n)


@lru_cache(maxsize=4096)
def parse(expression: str, numeric: frozenset[str]) -> Condition:
    """The condition; Unevaluable if any part of it is not understood. `numeric`: questions that ask for a number."""
    if len(expression) > MAX_EXPRESSION:
        raise Unevaluable("a very long condition")
    parser = _Parser(list(_tokens(expression)), numeric)
    node = truths(parser.either(0))
    if parser.tokens:
        raise Unevaluable("more than one condition")
    return Condition(tuple(dict.fromkeys(parser.questions)), node)


def _tokens(expression: str) -> Iterator[tuple[str, str]]:
    """Kind and text of each token; `<` and `=` that pyxform gives one by one are put together."""
    from pyxform.parsing.expression import parse_expression

    held = ""
    for token in parse_expression(" ".join(expression.split())):
        kind, text = str(token.type), str(token).strip()
        if held:
            if text == "=":
                yield "OPS_COMP", held + "="
                held = ""
                continue
            yield "OPS_COMP", held
            held = ""
        if kind == "OPS_COMP" and text in "<>":
            held = text
        elif kind == "NAME" and text in ("and", "or"):
            yield "OPS_BOOL", text
        elif kind != "WHITESPACE":
            yield kind, text
    if held:
        yield "OPS_COMP", held


class _Parser:
    """Recursive descent over the tokens: or, and, comparison, sum, term."""

    def __init__(self, tokens: list[tuple[str, str]], numeric: Set[str]) -> None:
        self.tokens = tokens
        self._numeric = numeric
        self.questions: list[str] = []

    def either(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise Unevaluable("a deeply nested condition")
        return self._chain("or", lambda: self._chain("and", lambda: self._comparison(depth)))

    def _chain(self, word: str, part: Callable[[], Node]) -> Node:
        node = part()
        while self._accept("OPS_BOOL", word):
            left, right = truths(node), truths(part())
            node = Truths(_both(np.logical_or if word == "or" else np.logical_and, left, right))
        return node

    def _comparison(self, depth: int) -> Node:
        node = self._sum(depth)
        if self.tokens and self.tokens[0][0] == "OPS_COMP":
            operator = self.tokens.pop(0)[1]
            if operator not in _COMPARISONS:
                raise Unevaluable(operator)
            node = Truths(_compared(operator, node, self._sum(depth)))
        return node

    def _sum(self, depth: int) -> Node:
        return self._arithmetic(_ADDITIVE, lambda: self._arithmetic(_MULTIPLICATIVE, lambda: self._term(depth)))

    def _arithmetic(self, operators: Mapping[str, np.ufunc], part: Callable[[], Node]) -> Node:
        node = part()
        while self.tokens and self.tokens[0][0] == "OPS_MATH" and self.tokens[0][1] in operators:
            of = operators[self.tokens.pop(0)[1]]
            left, right = amounts(node), amounts(part())
            node = Amounts(_both_amounts(of, left, right), left.dates or right.dates)
        return node

    def _term(self, depth: int) -> Node:
        if not self.tokens:
            raise Unevaluable("a condition that breaks off")
        kind, text = self.tokens.pop(0)
        match kind:
            case "PYXFORM_REF":
                return self._question(text)
            case "SYSTEM_LITERAL":
                return constant_text(text[1:-1])
            case "NUMBER":
                return constant_number(float(text))
            case "OPEN_PAREN":
                return self._closed(self.either(depth + 1))
            case "FUNC_CALL":
                return self._call(text[:-1], depth)
            case "NAME" if self._accept("OPEN_PAREN", "("):
                return self._call(text, depth)
            case _:
                raise Unevaluable(kind.lower())

    def _question(self, reference: str) -> Strings:
        name = reference[2:-1]
        if name.startswith("last-saved#"):
            raise Unevaluable("last-saved")
        self.questions.append(name)
        return Strings(lambda columns, n: pc.fill_null(columns[name].cast(pa.string()), ""), name in self._numeric)

    def _call(self, name: str, depth: int) -> Node:
        if name == "position" and self.tokens[:2] == _OWN_PLACE:
            del self.tokens[:2]
            self.questions.append(POSITION)
            return Amounts(lambda columns, n: places(columns[POSITION].cast(pa.string())))
        arguments: list[Node] = []
        if not self._accept("CLOSE_PAREN", ")"):
            arguments.append(self.either(depth + 1))
            while self._accept("COMMA", ","):
                arguments.append(self.either(depth + 1))
            if not self._accept("CLOSE_PAREN", ")"):
                raise Unevaluable(f"{name}()")
        return call(name, arguments)

    def _closed(self, node: Node) -> Node:
        if not self._accept("CLOSE_PAREN", ")"):
            raise Unevaluable("a bracket that is not closed")
        return node

    def _accept(self, kind: str, text: str) -> bool:
        if self.tokens and self.tokens[0] == (kind, text):
            del self.tokens[0]
            return True
        return False


def _compared(operator: str, left: Node, right: Node) -> Callable[[Columns, int], Truth]:
    """XPath compares as numbers if one side is a number or the order is asked for, and as texts otherwise."""
    if isinstance(left, Truths) or isinstance(right, Truths):
        raise Unevaluable("a comparison of conditions")
    compare = {
        "=": np.equal, "!=": np.not_equal, "<": np.less, ">": np.greater, "<=": np.less_equal, ">=": np.greater_equal,
    }[operator]  # fmt: skip
    if isinstance(left, Strings) and isinstance(right, Strings):
        if operator in ("=", "!="):
            texts = pc.equal if operator == "=" else pc.not_equal
            return lambda columns, n: flags(texts(left.of(columns, n), right.of(columns, n)))
        if not (left.numeric and right.numeric):
            # Dates are numbers to the device and not here.
            raise Unevaluable("the order of texts that are no numbers")
    dates = any(isinstance(side, Amounts) and side.dates for side in (left, right))
    numbers_left, numbers_right = (_days(side) if dates else amounts(side) for side in (left, right))

    def compared(columns: Columns, n: int) -> Truth:
        truth: Truth = compare(numbers_left.of(columns, n), numbers_right.of(columns, n))
        return truth

    return compared


def _days(node: Node) -> Amounts:
    """A side of a comparison of dates: an answer counts the days that its date does."""
    if isinstance(node, Strings):
        answer = node
        return Amounts(lambda columns, n: days(answer.of(columns, n)), dates=True)
    return amounts(node)


def _both(of: np.ufunc, left: Truths, right: Truths) -> Callable[[Columns, int], Truth]:
    def both(columns: Columns, n: int) -> Truth:
        truth: Truth = of(left.of(columns, n), right.of(columns, n))
        return truth

    return both


def _both_amounts(of: np.ufunc, left: Amounts, right: Amounts) -> Callable[[Columns, int], Numbers]:
    def both(columns: Columns, n: int) -> Numbers:
        with np.errstate(divide="ignore", invalid="ignore"):  # division by zero is no number, as on the device
            numbers: Numbers = of(left.of(columns, n), right.of(columns, n))
        return numbers

    return both
