"""Whether a question was asked: the form's `relevant` conditions over the columns of a batch.

So "not asked" differs from "missing" (formats.md 1.5). Comparisons, `and`, `or`, arithmetic and the functions of
`xpath_functions` are understood, with XPath's reading of blanks (blank is '', and no number). What a condition sees
beyond its row (`count()`, `sum()`, `today()`) is named here as Seen and found by `beside`. Anything else is Unevaluable
and is said so, never guessed. Expressions are cut into tokens by pyxform.

Truth is three-valued: where an answer is not known, what rests on it is not, unless the rest of the condition decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from connectors.kobo.xpath_functions import call, days, moments, places
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
    constant_number,
    constant_text,
    flags,
    truths,
)

__all__ = ["Condition", "Kinds", "Seen", "Unevaluable", "parse"]

MAX_EXPRESSION = 4_000
"""Letters of the longest condition that is read; a nested one of more would exhaust the parser's stack."""
MAX_DEPTH = 50

_OF_ONE = ("PYXFORM_REF", "CLOSE_PAREN")
_PART = ("PYXFORM_REF", "COMMA", "PYXFORM_REF", "COMMA")
_OWN_PART = (("FUNC_CALL", "PARENT_REF", "CLOSE_PAREN"), ("FUNC_CALL", "PYXFORM_REF", "CLOSE_PAREN"))
_AWAY: tuple[tuple[str, ...], ...] = ((), ("OPS_MATH", "NUMBER"), ("NUMBER",))
_BEYOND: tuple[tuple[str, tuple[str, ...]], ...] = (
    *((name, _OF_ONE) for name in ("count", "count-non-empty", "sum", "min", "max", "position")),
    ("position", ("PARENT_REF", "CLOSE_PAREN")),
    ("today", ("CLOSE_PAREN",)),
    ("once", ("FUNC_CALL", "CLOSE_PAREN", "CLOSE_PAREN")),
    ("jr:choice-name", ("PYXFORM_REF", "COMMA", "SYSTEM_LITERAL", "CLOSE_PAREN")),
    ("indexed-repeat", (*_PART, "NUMBER", "CLOSE_PAREN")),
    *(("indexed-repeat", (*_PART, *own, *away, "CLOSE_PAREN")) for own in _OWN_PART for away in _AWAY),
)
"""Calls that see more than their row, by the kinds of their tokens after the bracket that opens."""
_COMPARISONS = {"=", "!=", "<", ">", "<=", ">="}
_ADDITIVE = {"+": np.add, "-": np.subtract}
_MULTIPLICATIVE = {"*": np.multiply, "div": np.divide, "mod": np.fmod}
"""XPath's `mod` has the sign of the first number, as C's."""


@dataclass(frozen=True)
class Kinds:
    """Questions of a form by what they ask for: a number, a date."""

    numeric: frozenset[str] = frozenset()
    dates: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Seen:
    """What a condition sees beyond its row: a function over a question or a repeat; `at`: which part of the repeat, its
    number or how far it is from the row's own (`+0`, `-1`)."""

    function: str
    of: str = ""
    at: str = ""

    @property
    def name(self) -> str:
        """As no question is called."""
        return f"{self.function}({self.of}{',' if self.at else ''}{self.at})"


@dataclass(frozen=True)
class Condition:
    """A condition that can be evaluated: the questions that it names, what it sees beyond its row, and its truth for
    every row of a batch."""

    questions: tuple[str, ...]
    seen: tuple[Seen, ...]
    node: Truths

    def holds(self, columns: Columns, n: int) -> Truth:
        return self.node.of(columns, n)

    def unknown(self, columns: Columns, n: int, doubts: Doubts) -> Truth:
        """The rows of which it cannot be said whether it holds; `doubts`: rows whose answer is not known."""
        if self.node.unknown is None or not doubts:
            return np.zeros(n, dtype=bool)
        return self.node.unknown(columns, n, doubts)


@lru_cache(maxsize=4096)
def parse(expression: str, kinds: Kinds) -> Condition:
    """The condition; Unevaluable if any part of it is not understood."""
    if len(expression) > MAX_EXPRESSION:
        raise Unevaluable("a very long condition")
    parser = _Parser(list(_tokens(expression)), kinds)
    node = parser.told(lambda: parser.either(0))
    if parser.tokens:
        raise Unevaluable("more than one condition")
    named = dict.fromkeys(parser.named)
    return Condition(
        tuple(name for name in named if isinstance(name, str)),
        tuple(seen for seen in named if isinstance(seen, Seen)),
        node,
    )


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

    def __init__(self, tokens: list[tuple[str, str]], kinds: Kinds) -> None:
        self.tokens = tokens
        self._kinds = kinds
        self.named: list[str | Seen] = []

    def either(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise Unevaluable("a deeply nested condition")
        return self._chain("or", lambda: self._chain("and", lambda: self._comparison(depth)))

    def _chain(self, word: str, part: Callable[[], Node]) -> Node:
        before = len(self.named)
        node = part()
        while self._accept("OPS_BOOL", word):
            left, right = self._resting(node, before), self.told(part)
            node = _both(word, left, right)
        return node

    def told(self, part: Callable[[], Node]) -> Truths:
        """A part of the condition that says of which rows it is not known."""
        before = len(self.named)
        return self._resting(part(), before)

    def _resting(self, node: Node, before: int) -> Truths:
        """What rests on the answers that were named since `before`."""
        truth = truths(node)
        return truth if truth.unknown is not None else replace(truth, unknown=_resting_on(self.named[before:]))

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
        while self.tokens and self._operator() in operators:
            of = operators[self._operator()]
            if self.tokens[0][0] == "OPS_MATH":
                self.tokens.pop(0)
            else:  # `${age} -1` comes as two numbers: the second is what is added
                of = np.add
            left, right = _in_one_unit(of, node, part())
            # A date and a number of days are a date, two dates are a number of days.
            node = Amounts(_both_amounts(of, left, right), of in _ADDITIVE.values() and left.dates != right.dates)
        return node

    def _operator(self) -> str:
        """The operator that comes next, if one does; a number below zero behind another one is taken off it."""
        kind, text = self.tokens[0]
        return text if kind == "OPS_MATH" else "-" if kind == "NUMBER" and text.startswith("-") else ""

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
            case "OPS_MATH" if text == "-" and depth < MAX_DEPTH:
                minus = amounts(self._term(depth + 1))
                return Amounts(lambda columns, n: -minus.of(columns, n))
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
        self.named.append(name)
        return self._answer(name, name in self._kinds.numeric, name in self._kinds.dates)

    def _answer(self, name: str, numeric: bool = False, dates: bool = False) -> Strings:
        return Strings(
            lambda columns, n: pc.fill_null(columns[name].cast(pa.string()), ""), numeric=numeric, dates=dates
        )

    def _call(self, name: str, depth: int) -> Node:
        seen = self._seen(name)
        if seen is not None:
            self.named.append(seen)
            return self._beyond(seen)
        arguments: list[Node] = []
        if not self._accept("CLOSE_PAREN", ")"):
            arguments.append(self.either(depth + 1))
            while self._accept("COMMA", ","):
                arguments.append(self.either(depth + 1))
            if not self._accept("CLOSE_PAREN", ")"):
                raise Unevaluable(f"{name}()")
        return call(name, arguments)

    def _beyond(self, seen: Seen) -> Node:
        answer = self._answer(seen.name)
        match seen.function:
            case "jr:choice-name":
                return answer
            case "indexed-repeat":
                return replace(answer, numeric=seen.of in self._kinds.numeric, dates=seen.of in self._kinds.dates)
            case "today" | "once(today)":
                return Amounts(lambda columns, n: days(answer.of(columns, n)), dates=True)
            case "position":
                return Amounts(lambda columns, n: places(columns[seen.name].cast(pa.string())))
        if seen.function in ("min", "max") and seen.of in self._kinds.dates:
            return _days(replace(answer, dates=True))
        return amounts(replace(answer, numeric=True))

    def _seen(self, name: str) -> Seen | None:
        """What a call sees beyond its row, if it is one that does; its tokens are taken."""
        for function, kinds in _BEYOND:
            tokens = self.tokens[: len(kinds)]
            if name != function or tuple(kind for kind, _ in tokens) != kinds:
                continue
            texts_ = [text for _, text in tokens]
            seen = _named(function, texts_)
            if seen is not None:
                del self.tokens[: len(kinds)]
                return seen
        return None

    def _closed(self, node: Node) -> Node:
        if not self._accept("CLOSE_PAREN", ")"):
            raise Unevaluable("a bracket that is not closed")
        return node

    def _accept(self, kind: str, text: str) -> bool:
        if self.tokens and self.tokens[0] == (kind, text):
            del self.tokens[0]
            return True
        return False


def _named(function: str, texts_: Sequence[str]) -> Seen | None:
    """What a call of this shape sees; None if its words are others."""
    match function, list(texts_):
        case "position", ["..", ")"]:
            return Seen("position")
        case "today", _:
            return Seen("today")
        case "once", [inner, *_]:
            return Seen("once(today)") if inner == "today(" else None
        case "jr:choice-name", [of, _, label, _]:
            return Seen(function, of[2:-1]) if label[1:-1] == of else None
        case "indexed-repeat", [of, _, repeat, _, number, ")"] if number.isdigit():
            return Seen(function, of[2:-1], f"{number} of {repeat[2:-1]}")
        case "indexed-repeat", [of, _, repeat, _, "position(", own, ")", *away, ")"]:
            far = "".join(away) or "+0"
            here = own in ("..", repeat) and far[0] in "+-"
            return Seen(function, of[2:-1], f"{far} of {repeat[2:-1]}") if here else None
        case _, [of, ")"]:
            return Seen(function, of[2:-1])
    return None


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
        if not (left.numeric and right.numeric) and not (left.dates and right.dates):
            # One device takes a text for the date that it reads like, the other for no number.
            raise Unevaluable("the order of texts that are no numbers")
    dates = any(not isinstance(side, Truths) and side.dates for side in (left, right))
    numbers_left, numbers_right = (_days(side) if dates else amounts(side) for side in (left, right))

    def compared(columns: Columns, n: int) -> Truth:
        truth: Truth = compare(numbers_left.of(columns, n), numbers_right.of(columns, n))
        return truth

    return compared


def _days(node: Node) -> Amounts:
    """A side of what is told in days: an answer counts those that its date does."""
    if isinstance(node, Strings):
        answer = node
        return Amounts(lambda columns, n: (moments if answer.dates else days)(answer.of(columns, n)), dates=True)
    return amounts(node)


def _both(word: str, left: Truths, right: Truths) -> Truths:
    """`and` or `or`; not known where neither side decides alone and one is not known."""
    of = np.logical_or if word == "or" else np.logical_and

    def both(columns: Columns, n: int) -> Truth:
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

    return Truths(both, unknown)


def _in_one_unit(of: np.ufunc, left: Node, right: Node) -> tuple[Amounts, Amounts]:
    """Two sides as numbers: an answer beside a date is taken for its date if it may be one."""
    sides = [_days(side) if isinstance(side, Strings) and side.dates else side for side in (left, right)]
    if of in _ADDITIVE.values() and any(isinstance(side, Amounts) and side.dates for side in sides):
        sides = [_days(s) if isinstance(s, Strings) and not s.numeric else s for s in sides]
    return amounts(sides[0]), amounts(sides[1])


def _resting_on(named: Sequence[str | Seen]) -> Callable[[Columns, int, Doubts], Truth]:
    names = [one if isinstance(one, str) else one.name for one in named]

    def unknown(columns: Columns, n: int, doubts: Doubts) -> Truth:
        found = np.zeros(n, dtype=bool)
        for name in names:
            found |= doubts.get(name, False)
        return found

    return unknown


def _both_amounts(of: np.ufunc, left: Amounts, right: Amounts) -> Callable[[Columns, int], Numbers]:
    def both(columns: Columns, n: int) -> Numbers:
        with np.errstate(divide="ignore", invalid="ignore"):  # division by zero is no number, as on the device
            numbers: Numbers = of(left.of(columns, n), right.of(columns, n))
        return numbers

    return both
