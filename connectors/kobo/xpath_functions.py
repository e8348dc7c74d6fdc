"""The functions of a form's conditions that depend on nothing but the row: what ODK XForms says they do.

What asks other rows (`count()`, `sum()`), the day (`today()`) or the form (`jr:choice-name()`) is no business of this
module; what only the device knew (`random()`, `pulldata()`) is Unevaluable. Dates are numbers of days since 1970 as on
the device, a text that is no ISO date is none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

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
    constant_text,
    flags,
    floats,
    texts,
    truths,
    written,
)

_DAY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}"
_PARTS = {"%Y": (0, 4, False), "%m": (5, 7, False), "%d": (8, 10, False), "%n": (5, 7, True), "%e": (8, 10, True)}
"""Of an ISO date: from where to where, and whether zeros before it are left out."""


def call(name: str, arguments: Sequence[Node]) -> Node:
    """What the function makes of its arguments; Unevaluable if it is not known, or not with these."""
    match name, arguments:
        case "selected", [Strings() as answer, code]:
            wanted = texts(code)
            return Truths(lambda columns, n: _selected(answer.of(columns, n), wanted.of(columns, n)))
        case "not", [node]:
            truth = truths(node)
            return Truths(lambda columns, n: ~truth.of(columns, n), truth.unknown)
        case "boolean", [node]:
            return truths(node)
        case "true" | "false", []:
            return Truths(lambda columns, n: np.full(n, name == "true"))
        case "contains" | "starts-with", [Strings() as answer, Strings(literal=str(part))]:
            find = pc.match_substring if name == "contains" else pc.starts_with
            return Truths(lambda columns, n: flags(find(answer.of(columns, n), part)))
        case "ends-with", [Strings() as answer, Strings(literal=str(part))]:
            return Truths(lambda columns, n: flags(pc.ends_with(answer.of(columns, n), part)))
        case "regex", [Strings() as answer, Strings(literal=str(pattern))]:
            return _regex(answer, pattern)
        case "if", [condition, left, right]:
            return _either(truths(condition), left, right)
        case "coalesce", [Strings() as left, Strings() as right]:
            return _coalesced(left, right)
        case _:
            return _text(name, arguments)


def _text(name: str, arguments: Sequence[Node]) -> Node:
    match name, arguments:
        case "substr", [Strings() as answer, Amounts(literal=float(start)), *stop] if len(stop) < 2:
            return _cut(answer, start, stop[0] if stop else None)
        case "substring-before" | "substring-after", [Strings() as answer, Strings(literal=str(mark))]:
            return _beside(answer, mark, after=name == "substring-after")
        case "normalize-space", [Strings() as answer]:
            return Strings(lambda columns, n: _single_spaced(answer.of(columns, n)), answer.numeric)
        case "string", [Strings() as answer]:
            return Strings(answer.of, answer.numeric)
        case "concat", [first, *more] if all(isinstance(node, Strings) for node in (first, *more)):
            parts = [texts(node) for node in (first, *more)]
            return Strings(lambda columns, n: pc.binary_join_element_wise(*(part.of(columns, n) for part in parts), ""))
        case "selected-at", [Strings() as answer, Amounts() as place]:
            return Strings(lambda columns, n: _selected_at(answer.of(columns, n), place.of(columns, n)))
        case "format-date" | "format-date-time", [Strings() as date, Strings(literal=str(pattern))]:
            return _formatted(date, pattern)
        case "format-date" | "format-date-time", [Amounts(dates=True) as day, Strings(literal=str(pattern))]:
            return _formatted(Strings(lambda columns, n: _as_dates(day.of(columns, n))), pattern)
        case "translate", [Strings() as answer, Strings(literal=str(old)), Strings(literal=str(new))]:
            changed = {ord(letter): new[at : at + 1] or None for at, letter in reversed(list(enumerate(old)))}
            return Strings(lambda columns, n: _translated(answer.of(columns, n), changed))
        case _:
            return _number(name, arguments)


def _number(name: str, arguments: Sequence[Node]) -> Amounts:
    match name, arguments:
        case "count-selected", [Strings() as answer]:
            return Amounts(lambda columns, n: floats(pc.count_substring_regex(answer.of(columns, n), r"\S+")))
        case "string-length", [Strings() as answer]:
            return Amounts(lambda columns, n: floats(pc.utf8_length(answer.of(columns, n))))
        case "number", [node]:
            return amounts(node)
        case "int", [node]:
            whole = amounts(node)
            return Amounts(lambda columns, n: np.trunc(whole.of(columns, n)))
        case "round", [node]:
            exact = amounts(node)
            return Amounts(lambda columns, n: np.floor(exact.of(columns, n) + 0.5))
        case "round", [node, Amounts() as places]:
            exact = amounts(node)
            return Amounts(lambda columns, n: _rounded(exact.of(columns, n), places.of(columns, n)))
        case "abs", [node]:
            size = amounts(node)
            return Amounts(lambda columns, n: np.abs(size.of(columns, n)))
        case "pow", [node, exponent]:
            base, power = amounts(node), amounts(exponent)
            return Amounts(lambda columns, n: np.power(base.of(columns, n), power.of(columns, n)))
        case "min" | "max", [_, _, *_]:
            return _extreme(np.fmin if name == "min" else np.fmax, [amounts(node) for node in arguments])
        case _:
            return _day(name, arguments)


def _day(name: str, arguments: Sequence[Node]) -> Amounts:
    match name, arguments:
        case "date", [Amounts(dates=True) as moment]:
            return Amounts(lambda columns, n: np.floor(moment.of(columns, n)), dates=True)
        case "decimal-date-time", [Amounts(dates=True) as date]:
            return date
        case "date", [Strings() as date]:
            return Amounts(lambda columns, n: days(date.of(columns, n)), dates=True)
        case "decimal-date-time", [Strings() as moment]:
            return Amounts(lambda columns, n: moments(moment.of(columns, n)), dates=True)
        case _:
            raise Unevaluable(f"{name}()")


def days(dates: pa.Array) -> Numbers:
    """Days since 1970 of ISO dates, of moments that of their day; NaN where there is none."""
    day = pc.utf8_slice_codeunits(dates, 0, 10)
    told = pc.if_else(pc.match_substring_regex(dates, _DAY), day, pa.scalar(None, pa.string()))
    numbers: Numbers = np.full(len(told), np.nan)
    known = pc.unique(told).drop_null()
    parsed = pc.strptime(known, format="%Y-%m-%d", unit="s", error_is_null=True)
    # A day that no month has would be taken for one of the next month.
    real = pc.equal(pc.strftime(parsed, format="%Y-%m-%d"), known)
    at = pc.index_in(told, known)
    by_place = np.where(
        np.asarray(pc.fill_null(real, False)),
        np.asarray(pc.fill_null(parsed.cast(pa.int64()), 0)) // 86_400,
        np.nan,
    )
    filled = np.asarray(at.is_valid())
    numbers[filled] = by_place[np.asarray(at.drop_null())]
    return numbers


def moments(written: pa.Array) -> Numbers:
    """Days since 1970 and the part of the day by the device's own clock, of ISO dates and moments; NaN where neither.

    The clock's distance from Greenwich is left out: a date has none, and only differences are told in days.
    """
    clock = pc.extract_regex(written, r"^.{10}T(?P<h>[0-9]{2}):(?P<m>[0-9]{2}):?(?P<s>[0-9]*)")
    parts = [pc.fill_null(pc.struct_field(clock, name), "0") for name in ("h", "m", "s")]
    hours, minutes, seconds = (floats(pc.cast(pc.if_else(pc.equal(p, ""), "0", p), pa.float64())) for p in parts)
    numbers: Numbers = days(written) + hours / 24 + minutes / 1_440 + seconds / 86_400
    return numbers


def _as_dates(counted: Numbers) -> pa.Array:
    told = ~np.isnan(counted)
    whole = np.where(told, np.floor(counted), 0).astype("datetime64[D]")
    return pa.array(np.where(told, whole.astype(str), ""), pa.string())


def _extreme(of: np.ufunc, sides: Sequence[Amounts]) -> Amounts:
    """The least or the most of several numbers, without those that are none, as KoboCollect does it."""

    def found(columns: Columns, n: int) -> Numbers:
        numbers: Numbers = of.reduce([side.of(columns, n) for side in sides])
        return numbers

    return Amounts(found, dates=all(side.dates for side in sides))


def _translated(answers: pa.Array, changed: dict[int, str | None]) -> pa.Array:
    told = pc.dictionary_encode(answers)
    return pa.array([text.translate(changed) for text in told.dictionary.to_pylist()], pa.string()).take(told.indices)


def places(positions: pa.Array) -> Numbers:
    """The place among its parent's parts that a position ends with: 1 of `2.1` and of `2/1`."""
    last = pc.replace_substring_regex(positions, r"^.*[./]", "")
    return floats(pc.cast(last, pa.float64()))


def _selected(answers: pa.Array, codes: pa.Array) -> Truth:
    """Whether the code is one of the words of the answer."""
    padded = pc.binary_join_element_wise(pa.scalar(""), answers, pa.scalar(""), " ")
    wanted = pc.unique(codes)
    if len(wanted) == 1:
        code = wanted[0].as_py()
        return flags(pc.equal(answers, "") if not code else pc.match_substring(padded, f" {code} "))
    found = np.zeros(len(answers), dtype=bool)
    for code in wanted.to_pylist():
        of_code = flags(pc.equal(codes, code))
        found |= of_code & flags(pc.equal(answers, "") if not code else pc.match_substring(padded, f" {code} "))
    return found


def _selected_at(answers: pa.Array, places: Numbers) -> pa.Array:
    """The word at each place, from 0; '' beyond the last."""
    words = pc.utf8_split_whitespace(pc.utf8_trim_whitespace(answers)).to_pylist()
    found = [
        words[row][int(place)] if 0 <= place < len(words[row]) else ""  # NaN is no place
        for row, place in enumerate(places)
    ]
    return pa.array(found, pa.string())


def _cut(answer: Strings, start: float, stop: Node | None) -> Strings:
    """Letters from `start`, counted from 0, to before `stop`; from the end where they are negative."""
    end = None
    if stop is not None:
        if not isinstance(stop, Amounts) or stop.literal is None:
            raise Unevaluable("substr() to a place that is worked out")
        end = int(stop.literal)
    return Strings(lambda columns, n: pc.utf8_slice_codeunits(answer.of(columns, n), int(start), end))


def _beside(answer: Strings, mark: str, after: bool) -> Strings:
    """What stands before or after the first `mark`; '' where there is none."""

    def cut(columns: Columns, n: int) -> pa.Array:
        parts = [text.partition(mark) if mark else ("", mark, text) for text in answer.of(columns, n).to_pylist()]
        return pa.array(
            [(rest if found or not mark else "") if after else (head if found else "") for head, found, rest in parts],
            pa.string(),
        )

    return Strings(cut)


def _single_spaced(answers: pa.Array) -> pa.Array:
    return pc.replace_substring_regex(pc.utf8_trim_whitespace(answers), r"\s+", " ")


def _regex(answer: Strings, pattern: str) -> Truths:
    """The whole text fits, as on the device; RE2 reads the pattern, in time that no pattern can exhaust."""
    whole = f"^(?:{pattern})$"
    try:
        pc.match_substring_regex(pa.array([""]), whole)
    except pa.ArrowInvalid:
        raise Unevaluable("regex() with a pattern that RE2 does not know") from None
    return Truths(lambda columns, n: flags(pc.match_substring_regex(answer.of(columns, n), whole)))


def _either(condition: Truths, left: Node, right: Node) -> Node:
    if isinstance(left, Strings) and isinstance(right, Strings):
        return _one_text(condition, left, right)
    if isinstance(left, Truths) and isinstance(right, Truths):
        yes, no = left, right
        return Truths(lambda columns, n: np.where(condition.of(columns, n), yes.of(columns, n), no.of(columns, n)))
    if isinstance(left, Truths) or isinstance(right, Truths):
        raise Unevaluable("if() between a condition and something else")
    if any(isinstance(node, Strings) and not node.numeric for node in (left, right)):
        if any(isinstance(node, Amounts) and node.dates for node in (left, right)):
            raise Unevaluable("if() between a date that is worked out and a text")
        return replace(_one_text(condition, written(left), written(right)), mixed=True)
    more, less = amounts(left), amounts(right)
    return Amounts(lambda columns, n: np.where(condition.of(columns, n), more.of(columns, n), less.of(columns, n)))


def _one_text(condition: Truths, left: Strings, right: Strings) -> Strings:
    return Strings(
        lambda columns, n: pc.if_else(pa.array(condition.of(columns, n)), left.of(columns, n), right.of(columns, n)),
        left.numeric and right.numeric,
        mixed=left.mixed or right.mixed,
    )


def _coalesced(left: Strings, right: Strings) -> Strings:
    def first(columns: Columns, n: int) -> pa.Array:
        answers = left.of(columns, n)
        return pc.if_else(pc.equal(answers, ""), right.of(columns, n), answers)

    return Strings(first, left.numeric and right.numeric)


def _formatted(date: Strings, pattern: str) -> Strings:
    """A date in parts; a part that is the name of a month is written in the device's language and is not known here."""
    pieces: list[Callable[[pa.Array], pa.Array]] = []
    rest = pattern
    while rest:
        part = rest[:2]
        if part in _PARTS:
            pieces.append(_part(*_PARTS[part]))
            rest = rest[2:]
            continue
        if part.startswith("%"):
            raise Unevaluable(f"format-date() with {part}")
        letter, rest = rest[0], rest[1:]
        pieces.append(lambda days, letter=letter: pa.repeat(letter, len(days)))  # type: ignore[misc]

    def of(columns: Columns, n: int) -> pa.Array:
        answers = date.of(columns, n)
        told = pc.match_substring_regex(answers, _DAY)
        written = pc.binary_join_element_wise(*(piece(answers) for piece in pieces), "")
        return pc.if_else(told, written, pa.scalar(""))

    return Strings(of) if pieces else constant_text("")


def _part(start: int, stop: int, bare: bool) -> Callable[[pa.Array], pa.Array]:
    def cut(answers: pa.Array) -> pa.Array:
        digits = pc.utf8_slice_codeunits(answers, start, stop)
        return pc.utf8_ltrim(digits, "0") if bare else digits

    return cut


def _rounded(exact: Numbers, places: Numbers) -> Numbers:
    """Halves away from zero, as the device's decimals are rounded."""
    factor = np.power(10.0, places)
    return np.sign(exact) * np.floor(np.abs(exact) * factor + 0.5) / factor
