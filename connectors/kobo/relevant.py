"""Whether a question was asked: the form's `relevant` conditions over the columns of a batch.

So "not asked" differs from "missing" (formats.md 1.5). Comparisons, `selected()`, `count-selected()`,
`string-length()`, `not()`, `and`, `or` and sums over questions of the same row are understood, with XPath's reading of
blanks (blank is '', and no number). Anything else is Unevaluable and is said so, never guessed. Expressions are cut
into tokens by pyxform.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from connectors.shapes import Text

MAX_EXPRESSION = 4_000
"""Letters of the longest condition that is read; a nested one of more would exhaust the parser's stack."""
MAX_DEPTH = 50

Truth: TypeAlias = "NDArray[np.bool_]"
Numbers: TypeAlias = "NDArray[np.float64]"
Columns = Mapping[str, Text]

_COMPARISONS = {"=", "!=", "<", ">", "<=", ">="}
_ADDITIVE = {"+", "-"}
_NUMBER = re.compile(r"^-?(\d+(\.\d*)?|\.\d+)$")


class Unevaluable(Exception):
    """The condition uses something that is not understood here; the text names the construct, no value."""


@dataclass(frozen=True)
class Strings:
    """A text for every row, blank as ''; `numeric` if it is a number or blank wherever it stands."""

    of: Callable[[Columns, int], pa.Array]
    numeric: bool = False


@dataclass(frozen=True)
class Amounts:
    """A number for every row, NaN where there is none."""

    of: Callable[[Columns, int], Numbers]


@dataclass(frozen=True)
class Truths:
    """True or false for every row."""

    of: Callable[[Columns, int], Truth]


Node: TypeAlias = Strings | Amounts | Truths


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
    node = _truths(parser.either(0))
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
            left, right = _truths(node), _truths(part())
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
        node = self._term(depth)
        while self.tokens and self.tokens[0][0] == "OPS_MATH":
            operator = self.tokens.pop(0)[1]
            if operator not in _ADDITIVE:
                raise Unevaluable(operator)
            left, right = _amounts(node), _amounts(self._term(depth))
            node = Amounts(_both_amounts(np.add if operator == "+" else np.subtract, left, right))
        return node

    def _term(self, depth: int) -> Node:
        if not self.tokens:
            raise Unevaluable("a condition that breaks off")
        kind, text = self.tokens.pop(0)
        match kind:
            case "PYXFORM_REF":
                return self._question(text)
            case "SYSTEM_LITERAL":
                return _constant_text(text[1:-1])
            case "NUMBER":
                return _constant_number(float(text))
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
        arguments: list[Node] = []
        if not self._accept("CLOSE_PAREN", ")"):
            arguments.append(self.either(depth + 1))
            while self._accept("COMMA", ","):
                arguments.append(self.either(depth + 1))
            if not self._accept("CLOSE_PAREN", ")"):
                raise Unevaluable(f"{name}()")
        return _function(name, arguments)

    def _closed(self, node: Node) -> Node:
        if not self._accept("CLOSE_PAREN", ")"):
            raise Unevaluable("a bracket that is not closed")
        return node

    def _accept(self, kind: str, text: str) -> bool:
        if self.tokens and self.tokens[0] == (kind, text):
            del self.tokens[0]
            return True
        return False


def _function(name: str, arguments: Sequence[Node]) -> Node:
    match name, arguments:
        case "selected", [Strings() as answer, Strings() as code]:
            return Truths(lambda columns, n: _selected(answer.of(columns, n), code.of(columns, n)))
        case "not", [node]:
            truth = _truths(node)
            return Truths(lambda columns, n: ~truth.of(columns, n))
        case "true" | "false", []:
            return Truths(lambda columns, n: np.full(n, name == "true"))
        case "count-selected", [Strings() as answer]:
            return Amounts(lambda columns, n: _floats(_count_words(answer.of(columns, n))))
        case "string-length", [Strings() as answer]:
            return Amounts(lambda columns, n: _floats(pc.utf8_length(answer.of(columns, n))))
        case "number", [Strings() as answer]:
            return _amounts(answer)
        case _:
            raise Unevaluable(f"{name}()")


def _selected(answers: pa.Array, codes: pa.Array) -> Truth:
    """Whether the code is one of the words of the answer; the codes are one and the same where they are a literal."""
    wanted = pc.unique(codes)
    if len(wanted) != 1:
        raise Unevaluable("selected() with a code that is no literal")
    code = wanted[0].as_py()
    if not code:
        return _flags(pc.equal(answers, ""))
    padded = pc.binary_join_element_wise(pa.scalar(""), answers, pa.scalar(""), " ")
    return _flags(pc.match_substring(padded, f" {code} "))


def _count_words(answers: pa.Array) -> pa.Array:
    return pc.count_substring_regex(answers, r"\S+")


def _constant_text(text: str) -> Strings:
    return Strings(lambda columns, n: pa.repeat(pa.scalar(text, pa.string()), n), _NUMBER.match(text) is not None)


def _constant_number(number: float) -> Amounts:
    return Amounts(lambda columns, n: np.full(n, number))


def _truths(node: Node) -> Truths:
    """XPath's boolean(): a text that is not blank, a number that is not zero."""
    match node:
        case Truths():
            return node
        case Strings(of=texts):
            return Truths(lambda columns, n: _flags(pc.not_equal(texts(columns, n), "")))
        case Amounts(of=numbers):

            def non_zero(columns: Columns, n: int) -> Truth:
                found = numbers(columns, n)
                flags: Truth = ~np.isnan(found) & (found != 0)
                return flags

            return Truths(non_zero)


def _amounts(node: Node) -> Amounts:
    """XPath's number(): what is no number is NaN, which is equal to nothing and smaller than nothing."""
    match node:
        case Amounts():
            return node
        case Strings(of=texts):
            return Amounts(lambda columns, n: _numbers(texts(columns, n)))
        case Truths():
            raise Unevaluable("a number made of a condition")


def _numbers(texts: pa.Array) -> Numbers:
    trimmed = pc.utf8_trim_whitespace(texts)
    is_number = pc.match_substring_regex(trimmed, _NUMBER.pattern)
    return _floats(pc.cast(pc.if_else(is_number, trimmed, pa.scalar(None, pa.string())), pa.float64()))


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
            return lambda columns, n: _flags(texts(left.of(columns, n), right.of(columns, n)))
        if not (left.numeric and right.numeric):
            # Dates are numbers to the device and not here.
            raise Unevaluable("the order of texts that are no numbers")
    numbers_left, numbers_right = _amounts(left), _amounts(right)

    def compared(columns: Columns, n: int) -> Truth:
        truth: Truth = compare(numbers_left.of(columns, n), numbers_right.of(columns, n))
        return truth

    return compared


def _both(of: np.ufunc, left: Truths, right: Truths) -> Callable[[Columns, int], Truth]:
    def both(columns: Columns, n: int) -> Truth:
        truth: Truth = of(left.of(columns, n), right.of(columns, n))
        return truth

    return both


def _both_amounts(of: np.ufunc, left: Amounts, right: Amounts) -> Callable[[Columns, int], Numbers]:
    def both(columns: Columns, n: int) -> Numbers:
        numbers: Numbers = of(left.of(columns, n), right.of(columns, n))
        return numbers

    return both


def _flags(column: Text) -> Truth:
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    flags: Truth = whole.to_numpy(zero_copy_only=False)
    return flags


def _floats(column: Text) -> Numbers:
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    numbers: Numbers = whole.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return numbers
