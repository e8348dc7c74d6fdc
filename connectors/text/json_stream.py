"""The records of a JSON document one after the other, in bounded memory, every number as it was written.

Decoding is the standard library's; this module finds where in the document lists of records are and feeds the decoder
no more text than a record needs. What becomes of a record is the business of `json_files`.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from codebook.errors import Refused

_CHUNK = 1 << 20
MAX_VALUE = 16 << 20
"""A record of more characters than this is no record; the list of records was not found, or a quote is not closed."""
_DEPTH = 4
"""Lists of records are looked for no deeper in the document than this."""
_SPACE = " \t\r\n\ufeff"

Path = tuple[str, ...]


class Number(str):
    """A number as it was written: long identifiers and trailing zeros must not pass through a float."""

    __slots__ = ()


class Members(list[tuple[str, Any]]):
    """An object's members in their order; a name that is given twice stays twice."""


_DECODER = json.JSONDecoder(object_pairs_hook=Members, parse_float=Number, parse_int=Number, parse_constant=Number)


class JsonText:
    """The text of a file from where it was read to; forgets what was taken from it."""

    def __init__(self, handle: BinaryIO, encoding: str, name: str) -> None:
        self._handle, self._name = handle, name
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._encoding = encoding
        self._text, self._at, self._ended = "", 0, False
        self._before = 0
        self.taken = 0
        self.span = (0, 0)
        """Where the last value stands: its first letter, counted from where reading began, and the one after it."""

    def peek(self) -> str:
        """The next character that is no space; empty at the end of the file."""
        while True:
            text, at = self._text, self._at
            while at < len(text) and text[at] in _SPACE:
                at += 1
            self._at = at
            if at < len(text) or not self._more():
                return text[at : at + 1] if at < len(text) else ""

    def take(self, wanted: str) -> str:
        """Pass over one of the characters `wanted` and say which; anything else is no JSON."""
        found = self.peek()
        if not found or found not in wanted:
            raise self.broken()
        self._at += 1
        return found

    def value(self) -> Any:
        """The next whole value."""
        self.peek()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError:
                end, value = len(self._text), None
                if self._ended:
                    raise self.broken() from None
            except RecursionError:
                raise self._refusal("its objects are nested too deep") from None
            if end < len(self._text) or self._ended:
                self.span = (self._before + self._at, self._before + end)
                self._at = end
                self.taken += 1
                return value
            if len(self._text) - self._at > MAX_VALUE:
                raise self._refusal(f"a value after {self.taken} others is longer than {MAX_VALUE >> 20} Mi characters")
            self._more()

    def broken(self) -> Refused:
        return self._refusal(f"it is no whole JSON: it breaks off or is damaged after {self.taken} values")

    def _more(self) -> bool:
        if self._ended:
            return False
        self._before += self._at
        self._text = self._text[self._at :]
        self._at = 0
        block = self._handle.read(max(_CHUNK, len(self._text)))
        self._ended = not block
        try:
            self._text += self._decoder.decode(block, self._ended)
        except UnicodeDecodeError:
            raise Refused(
                "delivery.wrong_encoding", f"some bytes are no {self._encoding}", self._name, "save it as UTF-8"
            ) from None
        return True

    def _refusal(self, what: str) -> Refused:
        return Refused("delivery.unreadable", what, self._name, "deliver the file again")


def is_lines(handle: BinaryIO, encoding: str, name: str) -> bool:
    """Whether the file is one value after another (JSON lines) and not one document."""
    text = JsonText(handle, encoding, name)
    if text.peek() != "{":
        return False
    try:
        text.value()
    except Refused:
        return False
    return text.peek() == "{"


def records(text: JsonText, lines: bool) -> Iterator[tuple[Path, Any]]:
    """Every record with the path of the list it stands in; a list without any gives its path and EMPTY; what is no
    record is a `Beside`.

    A list of plain values holds records only where the document is nothing else.
    """
    if lines:
        while text.peek():
            yield (), text.value()
    elif text.peek() == "[":
        yield from _elements(text, (), plain=True)
    else:
        yield from _members(text, ())
    if text.peek():
        raise text.broken()


EMPTY = object()
"""Stands for a list that has no record."""


@dataclass(frozen=True)
class Beside:
    """A value that is no record: it stands beside a list of records, or `in_list` among or in place of them."""

    value: Any
    in_list: bool = False


def _elements(text: JsonText, path: Path, plain: bool) -> Iterator[tuple[Path, Any]]:
    text.take("[")
    if text.peek() == "]":
        text.take("]")
        yield path, EMPTY
        return
    while True:
        value = text.value()
        yield path, value if plain or isinstance(value, Members) else Beside(value, in_list=True)
        if text.take(",]") == "]":
            return


def _members(text: JsonText, path: Path) -> Iterator[tuple[Path, Any]]:
    text.take("{")
    if text.peek() == "}":
        text.take("}")
        return
    while True:
        if text.peek() != '"':
            raise text.broken()
        inner = (*path, str(text.value()))
        text.take(":")
        if text.peek() == "[" and len(path) < _DEPTH:
            yield from _elements(text, inner, plain=False)
        elif text.peek() == "{" and len(path) < _DEPTH:
            yield from _members(text, inner)
        else:
            yield inner, Beside(text.value())
        if text.take(",}") == "}":
            return
