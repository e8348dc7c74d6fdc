"""The forms in which a value can hide in bytes: encodings, escapes, and `containers`. All are undone, in any order.

`readings(data)` gives every text that `data` can be read as. What is looked for in it is not its business.
A container in a container is opened down to a limit; what is over a limit is told as a reading that could not be made,
since a search that stopped early has not found nothing.
"""

from __future__ import annotations

import base64
import binascii
import html
import quopri
import re
import struct
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from urllib.parse import unquote_to_bytes

import numpy as np

from anonymization.leaks import containers
from anonymization.leaks.canaries import SCRIPTS

DEPTH = 7
"""So many forms around each other: a pickle in base64 in a JSON escape in a zip is four."""
WINDOW, OVERLAP = 32 << 20, 1 << 20
"""Longer streams are read in windows; what is hidden in one form over less than OVERLAP bytes lies whole in one."""

_LETTERS = np.zeros(1 << 16, dtype=bool)
"""Code points of the scripts that matter here; all of them would make text of any noise."""
_SCRIPTS = (
    *((0x09, 0x0A), (0x20, 0x7E), (0xA0, 0x1FF), (0x300, 0x36F), (0x400, 0x52F), (0x600, 0x77F), (0x900, 0xAFF)),
    *((0x1200, 0x139F), (0x1E00, 0x1EFF), (0x2000, 0x206F), (0xFB50, 0xFFEF)),
)
_LETTERS[[ord(sign) for made_of in SCRIPTS.values() for part in made_of for sign in part]] = True
for _first, _last in _SCRIPTS:
    _LETTERS[_first : _last + 1] = True
_RUN = re.compile(b"\x01{5,}")
_BLANK = re.compile(b"\x00{64,}")

_ESCAPE = re.compile(
    r"\\+(?:u\{([0-9a-fA-F]{2,6})\}|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|x([0-9a-fA-F]{2})|([0-3][0-7]{2}))"
    "|%u([0-9a-fA-F]{4})|_x([0-9a-fA-F]{4})_"
)
"""With a backslash as JSON, Python, Rust and C write them; `%u0627` of JavaScript; `_x0627_` of Office Open XML."""
_SIGNS_OF_ESCAPES = tuple(
    re.compile(begin)
    for begin in (
        r"\\u[0-9a-fA-F{]",
        r"\\U[0-9a-fA-F]",
        r"\\x[0-9a-fA-F]",
        r"\\[0-3][0-7]",
        "%u[0-9a-fA-F]",
        "_x[0-9a-fA-F]",
    )
)
"""How one begins: a pattern that begins with a sign of its own is looked for ten times as fast."""
_PERCENT = re.compile("%[0-9A-Fa-f]{2}")
_QUOTED = re.compile("=[0-9A-F]{2}(?:=[0-9A-F]{2}|[a-z])")
_SOFT_BREAK = re.compile("=\r?\n")
_BREAK = re.compile("[\x00\n]")
_ENTITY = re.compile("&(?:#[0-9]{2,7}|#[xX][0-9a-fA-F]{2,6}|[a-zA-Z]{2,31});?")
_BASE32 = re.compile("[A-Z2-7]{16,}|[a-z2-7]{16,}")
_ASCII85 = re.compile("<~[!-uz\\s]{8,}~>")
_BASE64 = re.compile("[A-Za-z0-9+/_-]{12,}")
_WRAPPED = (
    re.compile("\n(?<=[A-Za-z0-9+/]{56}\n)(?=[A-Za-z0-9+/])"),
    re.compile("\r\n(?<=[A-Za-z0-9+/]{56}\r\n)(?=[A-Za-z0-9+/])"),
)
_BETWEEN = "CgoK"
"""Three line ends in base64, between runs that are decoded together."""
_HEX = re.compile("[0-9A-Fa-f]{12,}")
_SPACED = re.compile("[ :,-](?:0x)?[0-9A-Fa-f]{2}[ :,-]{1,2}(?:0x)?[0-9A-Fa-f]{2}[ :,-]")
_SPACED_HEX = re.compile("(?:(?:0x)?[0-9A-Fa-f]{2}[ :,-]{1,2}){6,}(?:0x)?[0-9A-Fa-f]{2}")


@dataclass(frozen=True)
class Reading:
    """One way to read a stream. `forms`: what was undone, outermost first; `text` is None where it could not be."""

    forms: tuple[str, ...]
    text: str | None


@dataclass(frozen=True)
class _Stream:
    data: bytes
    forms: tuple[str, ...] = ()

    def within(self, form: str, data: bytes) -> _Stream:
        return replace(self, data=data, forms=(*self.forms, form))


def readings(data: bytes) -> Iterator[Reading]:
    """Every text that `data` can be read as, itself in UTF-8 first."""
    if len(data) <= WINDOW:
        yield from _read(_Stream(data))
        return
    opened = False
    for member in _container(_Stream(data)):
        opened = True
        yield from _readings_of(member)
    for start in range(0, len(data), WINDOW - OVERLAP):
        yield from _read(_Stream(data[start : start + WINDOW]), whole=not opened)


def _readings_of(member: _Stream | Reading) -> Iterator[Reading]:
    if isinstance(member, Reading):
        yield member
    else:
        yield from _read(member)


def _container(stream: _Stream) -> Iterator[_Stream | Reading]:
    """The members, if the stream as a whole is a container."""
    for form, member in containers.members(stream.data):
        yield Reading((*stream.forms, form), None) if member is None else stream.within(form, member)


def _embedded(stream: _Stream) -> Iterator[_Stream | Reading]:
    for form, unfolded, whole in containers.embedded(stream.data):
        yield stream.within(form, unfolded)
        if not whole:
            yield Reading((*stream.forms, form), None)


def _read(stream: _Stream, whole: bool = True) -> Iterator[Reading]:
    if len(stream.forms) > DEPTH:
        yield Reading(stream.forms, None)
        return
    contained = list(_container(stream)) if whole else []
    for member in contained:
        yield from _readings_of(member)
    if not contained:
        for member in _embedded(stream):
            yield from _readings_of(member)
    data = _BLANK.sub(b"\x00" * 12, stream.data)
    yield from _of_text(stream, data.decode("utf-8", "ignore"))
    for encoding, found in _wide(data):
        yield from _of_text(replace(stream, forms=(*stream.forms, encoding)), "\n".join(found))


def _wide(data: bytes) -> Iterator[tuple[str, list[str]]]:
    """Runs of five and more letters of two or four bytes, wherever they begin, by encoding."""
    first, second = (np.frombuffer(data, np.uint8)[at : len(data) - 1 + at].astype(np.uint16) for at in range(2))
    little, big, nothing = _LETTERS[second << 8 | first], _LETTERS[first << 8 | second], (first | second) == 0
    for encoding, letters, size in (
        ("utf-16-le", little, 2),
        ("utf-16-be", big, 2),
        ("utf-32-le", little[:-2] & nothing[2:], 4),
        ("utf-32-be", big[2:] & nothing[:-2], 4),
    ):
        found = []
        for start in range(size):
            for run in _RUN.finditer(letters[start::size].tobytes()):
                begin, end = (start + at * size for at in run.span())
                found.append(data[begin:end].decode(encoding, "ignore"))
        if found:
            yield encoding, found


def _of_text(stream: _Stream, text: str) -> Iterator[Reading]:
    yield Reading(stream.forms, text)
    for form, rewrite in _REWRITE.items():
        for rewritten in rewrite(text):
            deeper = replace(stream, forms=(*stream.forms, form))
            if len(deeper.forms) > DEPTH:
                yield Reading(deeper.forms, None)
            elif rewritten != text:
                yield from _of_text(deeper, rewritten)
    runs = _digits_of_bytes(text)
    decoded = {form: decode(runs) for form, decode in _DECODE.items()}
    for form, parts in decoded.items() | {"spaced hex": _from_spaced_hex(text), "ascii85": _from_ascii85(text)}.items():
        for part in parts:
            yield from _read(stream.within(form, part))


# Text within text --------------------------------------------------------------------------------------------------
def _unescaped(text: str) -> Iterator[str]:
    r"""JSON's and Python's `\u`, `\x`, `\U`, Rust's `\u{}`, and octal; `\x` and octal as code points and as bytes."""
    if not any(sign.search(text) for sign in _SIGNS_OF_ESCAPES):
        return
    text = _lines_with(_ESCAPE, text)
    as_points = _ESCAPE.sub(_point, text)
    yield as_points.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore")  # halves of a pair become one
    blocks, end = [], 0
    for found in _ESCAPE.finditer(text):
        byte = found[4] or found[5]
        if byte is None:
            continue
        blocks += [text[end : found.start()].encode("utf-8", "ignore"), bytes([int(byte, 16 if found[4] else 8)])]
        end = found.end()
    if blocks:
        yield b"".join([*blocks, text[end:].encode("utf-8", "ignore")]).decode("utf-8", "ignore")


def _point(found: re.Match[str]) -> str:
    number = int(found[5], 8) if found[5] else int(next(group for group in found.groups() if group), 16)
    return chr(number) if number <= 0x10FFFF else ""


def _unquoted(text: str) -> Iterator[str]:
    if "%" in text and _PERCENT.search(text):
        yield (
            unquote_to_bytes(_lines_with(_PERCENT, text).encode("utf-8", "ignore"))
            .replace(b"+", b" ")
            .decode("utf-8", "ignore")
        )


def _unquoted_mail(text: str) -> Iterator[str]:
    if "=" in text and _QUOTED.search(text):
        joined = _SOFT_BREAK.sub("", text)
        yield quopri.decodestring(_lines_with(_QUOTED, joined).encode("utf-8", "ignore")).decode("utf-8", "ignore")


def _without_entities(text: str) -> Iterator[str]:
    if "&" in text and _ENTITY.search(text):
        yield html.unescape(_lines_with(_ENTITY, text))


def _lines_with(pattern: re.Pattern[str], text: str) -> str:
    """The lines that there is something to undo in: of noise, hardly any."""
    return lines_at((found.span() for found in pattern.finditer(text)), text)


def lines_at(places: Iterable[tuple[int, int]], text: str) -> str:
    """The lines of a text, or what of binary data lies between zeros, that hold one of `places`: from, to; in order."""
    lines, last = [], 0
    for first, end in places:
        if end > last:
            begin = max(text.rfind(sign, last, first) for sign in "\0\n") + 1
            stop = _BREAK.search(text, end)
            begin, last = max(begin, last), stop.start() if stop else len(text)
            lines.append(text[begin:last])
    return "\n".join(lines)


# Bytes within text: one stream for all runs of a kind, since most are hashes of a few bytes -----------------------
def _digits_of_bytes(text: str) -> list[str]:
    """Runs of letters and digits in which bytes can be written; lines of one run as they are broken in mail joined."""
    for broken in _WRAPPED:
        text = broken.sub("", text)
    return _BASE64.findall(text)


def _from_base64(runs: list[str]) -> Iterator[bytes]:
    """A run may begin with letters that are not of it: every alignment is read."""
    long, short = _by_length("\n".join(runs).replace("-", "+").replace("_", "/").split("\n"), 344)
    for start in range(4):
        yield from (binascii.a2b_base64(_filled(run[start:])) for run in long)
        if short:
            yield binascii.a2b_base64(_BETWEEN.join([_filled(run[start:]) for run in short]))


def _filled(run: str) -> str:
    return (run + "AAA")[: (len(run) + 3) // 4 * 4]


def _from_base32(runs: list[str]) -> Iterator[bytes]:
    found = [run.group().upper() for run in _BASE32.finditer("\n".join(runs))]
    for start in range(8):
        yield from _together([base64.b32decode(run[start : start + (len(run) - start) // 8 * 8]) for run in found])


def _from_ascii85(text: str) -> Iterator[bytes]:
    """Between Adobe's marks only: without them any text is some of it."""
    for run in _ASCII85.finditer(text):
        with suppress(ValueError, struct.error):
            yield base64.a85decode(run.group(), adobe=True)


def _from_hex(runs: list[str]) -> Iterator[bytes]:
    long, short = _by_length(_HEX.findall("\n".join(runs)), 512)
    for start in range(2):
        even = [run[start : start + (len(run) - start) // 2 * 2] for run in short]
        yield from (bytes.fromhex(run[start : start + (len(run) - start) // 2 * 2]) for run in long)
        if even:
            yield bytes.fromhex("0a".join(even))


def _from_spaced_hex(text: str) -> Iterator[bytes]:
    runs = _SPACED_HEX.findall(_lines_with(_SPACED, text))
    yield from _together([bytes.fromhex(re.sub("0x|[ :,-]", "", run)) for run in runs])


def _by_length(runs: list[str], length: int) -> tuple[list[str], list[str]]:
    """The long ones, and the short ones: those can be no container of some size, and are read together."""
    return [run for run in runs if len(run) >= length], [run for run in runs if 0 < len(run) < length]


def _together(decoded: list[bytes]) -> Iterator[bytes]:
    """Small pieces as one stream, large ones each as its own: only those can be containers of some size."""
    small = [piece for piece in decoded if len(piece) < 256]
    if small:
        yield b"\n".join(small)
    yield from (piece for piece in decoded if len(piece) >= 256)


_REWRITE: dict[str, Callable[[str], Iterator[str]]] = {
    "escapes": _unescaped,
    "URL encoding": _unquoted,
    "quoted-printable": _unquoted_mail,
    "HTML entities": _without_entities,
}
_DECODE: dict[str, Callable[[list[str]], Iterator[bytes]]] = {
    "base64": _from_base64,
    "base32": _from_base32,
    "hex": _from_hex,
}
