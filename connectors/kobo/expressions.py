"""Expressions of a form read into what they do over rows: conditions (`relevant`) and calculations.

Comparisons, `and`, `or`, arithmetic and the functions of `xpath_functions` are understood, with XPath's reading of
blanks (blank is '', and no number). What is seen beyond the row is named as Seen. Anything else is Unevaluable and is
said so, never guessed. Expressions are cut into tokens by pyxform.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from connectors.kobo.xpath_beyond import NOW, TODAY, Seen, taken_from
from connectors.kobo.xpath_functions import call, days, moments, places
from connectors.kobo.xpath_operators import (
    ADDITIVE,
    COMPARISONS,
    MULTIPLICATIVE,
    both,
    both_amounts,
    compared,
    in_days,
    in_one_unit,
    resting_on,
    within,
)
from connectors.kobo.xpath_values import (
    Amounts,
    Node,
    Strings,
    Truths,
    Unevaluable,
    amounts,
    constant_number,
    constant_text,
    truths,
)

MAX_EXPRESSION = 4_000
"""Letters of the longest expression that is read; a nested one of more would exhaust the parser's stack."""
MAX_DEPTH = 50
_ONE_WAY = frozenset(
    {"now", "today", "once", "int", "round", "number", "date", "decimal-date-time", "format-date", "format-date-time"}
)
"""Functions whose result never goes back while time goes on."""


@dataclass(frozen=True)
class Kinds:
    """Questions of a form by what they ask for: a number, a date."""

    numeric: frozenset[str] = frozenset()
    dates: frozenset[str] = frozenset()


def tokens_of(expression: str) -> Iterator[tuple[str, str]]:
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


def _in_the_way(tokens: Sequence[tuple[str, str]]) -> str | None:
    """What in a comparison with now() or today() lets it hold between two moments at which it does not."""
    times = sum(text in ("now(", "today(") for _, text in tokens)
    others = (text for kind, text in tokens if text == "mod" or (kind == "FUNC_CALL" and text[:-1] not in _ONE_WAY))
    return "another moment" if times > 1 else next((text.rstrip("(") for text in others), None)


class Parser:
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
            node = both(word, left, right)
        return node

    def told(self, part: Callable[[], Node]) -> Truths:
        """A part of the condition that says of which rows it is not known."""
        before = len(self.named)
        return self._resting(part(), before)

    def _resting(self, node: Node, before: int) -> Truths:
        """What rests on the answers that were named since `before`."""
        truth = truths(node)
        return truth if truth.unknown is not None else replace(truth, unknown=resting_on(self.named[before:]))

    def _comparison(self, depth: int) -> Node:
        before, tokens = len(self.named), list(self.tokens)
        node = self._sum(depth)
        if self.tokens and self.tokens[0][0] == "OPS_COMP":
            operator = self.tokens.pop(0)[1]
            if operator not in COMPARISONS:
                raise Unevaluable(operator)
            node = Truths(compared(operator, node, self._sum(depth)))
            node = self._at_some_time(operator, node, before, tokens[: len(tokens) - len(self.tokens)])
        return node

    def _at_some_time(self, operator: str, node: Truths, before: int, tokens: Sequence[tuple[str, str]]) -> Truths:
        """A comparison; if it is one with now() or today(), as far as it is the same at all times that it may mean."""
        named = self.named[before:]
        between = next((pair for pair in (NOW, TODAY) if pair[0] in named), None)
        if between is None:
            return node
        in_the_way = _in_the_way(tokens)
        if in_the_way is None:
            return within(operator, node.of, named, between)
        if between is NOW:
            raise Unevaluable(f"now() beside {in_the_way}")
        return node  # known where the form was opened and closed on one day

    def _sum(self, depth: int) -> Node:
        return self._arithmetic(ADDITIVE, lambda: self._arithmetic(MULTIPLICATIVE, lambda: self._term(depth)))

    def _arithmetic(self, operators: Mapping[str, np.ufunc], part: Callable[[], Node]) -> Node:
        node = part()
        while self.tokens and self._operator() in operators:
            of = operators[self._operator()]
            if self.tokens[0][0] == "OPS_MATH":
                self.tokens.pop(0)
            else:  # `${age} -1` comes as two numbers: the second is what is added
                of = np.add
            left, right = in_one_unit(of, node, part())
            # A date and a number of days are a date, two dates are a number of days.
            node = Amounts(both_amounts(of, left, right), of in ADDITIVE.values() and left.dates != right.dates)
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
        seen = taken_from(name, self.tokens)
        if seen is not None:
            self.named += next((pair for pair in (NOW, TODAY) if seen in pair), (seen,))
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
            case "now":
                return Amounts(lambda columns, n: moments(answer.of(columns, n)), dates=True)
            case "position":
                return Amounts(lambda columns, n: places(columns[seen.name].cast(pa.string())))
        if seen.function in ("min", "max") and seen.of in self._kinds.dates:
            return in_days(replace(answer, dates=True))
        return amounts(replace(answer, numeric=True))

    def _closed(self, node: Node) -> Node:
        if not self._accept("CLOSE_PAREN", ")"):
            raise Unevaluable("a bracket that is not closed")
        return node

    def _accept(self, kind: str, text: str) -> bool:
        if self.tokens and self.tokens[0] == (kind, text):
            del self.tokens[0]
            return True
        return False
