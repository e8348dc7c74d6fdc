"""What an expression of a form sees beyond its row: other rows of the submission, the day, a choice's label.

Here such calls are told by their words; where what they see is found is the business of `beside`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_OF_ONE = ("PYXFORM_REF", "CLOSE_PAREN")
_PART = ("PYXFORM_REF", "COMMA", "PYXFORM_REF", "COMMA")
_OWN_PART = (("FUNC_CALL", "PARENT_REF", "CLOSE_PAREN"), ("FUNC_CALL", "PYXFORM_REF", "CLOSE_PAREN"))
_AWAY: tuple[tuple[str, ...], ...] = ((), ("OPS_MATH", "NUMBER"), ("NUMBER",))
_BEYOND: tuple[tuple[str, tuple[str, ...]], ...] = (
    *((name, _OF_ONE) for name in ("count", "count-non-empty", "sum", "min", "max", "position")),
    ("position", ("PARENT_REF", "CLOSE_PAREN")),
    ("today", ("CLOSE_PAREN",)),
    ("now", ("CLOSE_PAREN",)),
    ("once", ("FUNC_CALL", "CLOSE_PAREN", "CLOSE_PAREN")),
    ("jr:choice-name", ("PYXFORM_REF", "COMMA", "SYSTEM_LITERAL", "CLOSE_PAREN")),
    ("indexed-repeat", (*_PART, "NUMBER", "CLOSE_PAREN")),
    *(("indexed-repeat", (*_PART, *own, *away, "CLOSE_PAREN")) for own in _OWN_PART for away in _AWAY),
)
"""Calls that see more than their row, by the kinds of their tokens after the bracket that opens."""


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


NOW = (Seen("now", "start"), Seen("now", "end"))
"""now() was some moment between these two, at which the form was opened and closed."""
TODAY = (Seen("today", "start"), Seen("today", "end"))
"""today() was the day of one of them, or one between: the device reads it anew whenever the form is opened again."""


def taken_from(name: str, tokens: list[tuple[str, str]]) -> Seen | None:
    """What a call sees beyond its row, if it is one that does; its tokens (kind and text) are taken."""
    for function, kinds in _BEYOND:
        begin = tokens[: len(kinds)]
        if name == function and tuple(kind for kind, _ in begin) == kinds:
            seen = _named(function, [text for _, text in begin])
            if seen is not None:
                del tokens[: len(kinds)]
                return seen
    return None


def _named(function: str, texts_: Sequence[str]) -> Seen | None:
    """What a call of this shape sees; None if its words are others."""
    match function, list(texts_):
        case "position", ["..", ")"]:
            return Seen("position")
        case "today", _:
            return TODAY[0]
        case "now", _:
            return NOW[0]
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
