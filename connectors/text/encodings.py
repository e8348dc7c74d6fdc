"""Which letters a text file is written in: declared or detected, then proven over every byte, never replaced.

A wrong code page seldom fails: it turns n-tilde into another letter (formats.md 3). So a declared single-byte code page
is disbelieved where the bytes are UTF-8, where a byte has no letter in it, and where symbols stand inside words.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from functools import cache

from codebook.errors import BadDefinition, Refused
from connectors.text.code_pages import languages_of, mixed_readings, readings

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_SAMPLE = 1 << 20
_LEGAL_IN_WORDS = set("’‘´`·º°ª–—\xa0\xad^~")
"""Symbols that do stand between two letters in well-written text: l’eau, paral·lel, N°x."""
_MANY = 20
"""A code page is refused if more than one in so many of its non-ASCII letters is a symbol inside a word."""


def detect(
    sample: bytes, declared: str | None, language: str, name: str, country: str | None = None
) -> tuple[str, int]:
    """Encoding of the file `name` that starts with `sample`, and the length of its byte-order mark.

    A mark that contradicts the declaration is refused. Where nothing is declared and it is no UTF-8, the code pages of
    the `country` (ISO 3166-1 alpha-3) are tried, else of the supplier's `language`; more than one that fits is refused.
    """
    try:
        wanted = codecs.lookup(declared).name if declared is not None else None
    except LookupError:
        raise BadDefinition(f"unknown encoding {declared}", "source.yaml, format.encoding") from None
    for mark, encoding in _BOMS:
        if sample.startswith(mark):
            if wanted is not None and wanted.removesuffix("-sig") not in (encoding, encoding[:6]):
                raise _refusal(f"declared {wanted}, but the file says it is {encoding}", name)
            return encoding, len(mark)
    if wanted is not None:
        return wanted.removesuffix("-sig"), 0
    wide = _without_mark(sample)
    if wide is not None:
        return wide, 0
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError:
        return _guess(sample, language, country, name), 0
    return "utf-8", 0


def candidates(sample: bytes) -> list[str]:
    """The code pages that a file's first bytes may be written in, the likeliest first; none where none makes words."""
    lines = _high_lines(sample)
    return [reading.encoding for reading in readings(lines, languages_of(None)) or mixed_readings(lines)]


def is_guess(encoding: str, declared: str | None) -> bool:
    """Whether an encoding was chosen for its likely letters, and so is for a person to confirm."""
    return declared is None and is_single_byte(encoding)


def _without_mark(sample: bytes) -> str | None:
    """UTF-16 that does not say so: delimiters and digits have a zero byte, all on one side."""
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if even + odd <= len(sample) // 20:
        return None
    if even * 20 < odd:
        return "utf-16-le"
    return "utf-16-be" if odd * 20 < even else None


def decoder(encoding: str, errors: str = "strict") -> codecs.IncrementalDecoder:
    """A new decoder; `encoding` is known to the codecs."""
    return codecs.getincrementaldecoder(encoding)(errors)


def _refusal(what: str, name: str) -> Refused:
    return Refused("delivery.wrong_encoding", what, name, "save it in the declared encoding, or correct source.yaml")


_ENOUGH = 20
"""Non-ASCII bytes from which a detector may tell apart what two code pages make of them."""


def _high_lines(sample: bytes) -> bytes:
    return b"\n".join([line for line in sample.splitlines() if not line.isascii()][:2000])


def _guess(sample: bytes, language: str, country: str | None, name: str) -> str:
    """The code page that makes words of the sample; Refused if none does, or if several do and cannot be told apart."""
    import chardet

    lines = _high_lines(sample)
    known = languages_of(country) if country else (language,) if language in ("es", "fr", "ar") else languages_of(None)
    fitting = readings(lines, known)
    if not fitting and known != languages_of(None):
        fitting = readings(lines, languages_of(None))
    fitting = fitting or mixed_readings(lines)
    found = [reading.encoding for reading in fitting]
    if len(found) == 1:
        return found[0]
    answer = chardet.detect(lines).get("encoding")
    guess = codecs.lookup(answer).name if answer else None
    if guess is not None and (guess in found or (not found and not is_single_byte(guess))):
        # A detector's word on a few letters is worth nothing.
        high = len(lines) - len(lines.translate(None, bytes(range(128, 256))))
        if high >= _ENOUGH:
            return guess
    what = f"it may be {', '.join(found[:5])}" if found else "no code page makes words of it"
    raise Refused("delivery.wrong_encoding", f"it is no UTF-8; {what}", name, "declare format.encoding in source.yaml")


@cache
def is_single_byte(encoding: str) -> bool:
    """Whether each byte is one letter, ASCII as ever: then bytes can be counted and cut without decoding."""
    table = _letters(encoding)
    return table is not None and all(table[code] == chr(code) for code in range(128))


@cache
def _letters(encoding: str) -> tuple[str | None, ...] | None:
    letters: list[str | None] = []
    for code in range(256):
        try:
            letter = bytes([code]).decode(encoding)
        except UnicodeDecodeError:
            letters.append(None)
            continue
        if len(letter) != 1:
            return None
        letters.append(letter)
    return tuple(letters) if sum(letter is None for letter in letters) < 100 else None


@cache
def _suspects(encoding: str) -> tuple[bytes, bytes, re.Pattern[bytes]]:
    """Bytes without a letter; bytes that are symbols; and a symbol between two letters, for a single-byte encoding."""
    letters = _letters(encoding) or ()
    high = [(code, letter) for code, letter in enumerate(letters) if code > 127]
    void = bytes(code for code, letter in high if letter is None or unicodedata.category(letter) == "Cc")
    symbols = bytes(
        code
        for code, letter in high
        if letter is not None and unicodedata.category(letter)[0] in "SPN" and letter not in _LEGAL_IN_WORDS
    )
    alphabet = bytes(code for code, letter in high if letter is not None and letter.isalpha())
    inside = b"[A-Za-z%b]" % re.escape(alphabet)
    between = re.compile(b"%b[%b](?=[A-Za-z])" % (inside, re.escape(symbols))) if symbols else re.compile(b"(?!)")
    return void, symbols, between


class Proof:
    """Goes over a file's bytes once and refuses the encoding that cannot be true. Knows the file by name only."""

    def __init__(self, encoding: str, name: str) -> None:
        self.encoding, self.name = encoding, name
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._as_utf8: codecs.IncrementalDecoder | None = None
        if is_single_byte(encoding):
            self._as_utf8 = codecs.getincrementaldecoder("utf-8")()
        self._high = self._impossible = self._lines = 0

    def feed(self, block: bytes) -> None:
        if is_single_byte(self.encoding):
            self._refuse_nul(block)
            self._feed_single_byte(block)
        elif self.encoding != "utf-8" or not block.isascii() or self._decoder.getstate()[0]:
            try:
                self._refuse_nul(self._decoder.decode(block).encode("utf-8", "surrogatepass"))
            except UnicodeDecodeError:
                raise _refusal(f"some bytes are no {self.encoding}", self.name) from None
        else:
            self._refuse_nul(block)

    def finish(self) -> None:
        if not is_single_byte(self.encoding):
            try:
                self._decoder.decode(b"", final=True)
            except UnicodeDecodeError:
                raise _refusal(f"it breaks off inside a letter of {self.encoding}", self.name) from None
        elif self._high and self._is_utf8(b"", final=True):
            raise _refusal(f"declared {self.encoding}, but the file is UTF-8", self.name)
        elif self._impossible * _MANY > self._high:
            raise _refusal(f"as {self.encoding} it has symbols in the middle of words", self.name)

    def _feed_single_byte(self, block: bytes) -> None:
        self._is_utf8(block)
        if block.isascii():
            return
        void, symbols, between = _suspects(self.encoding)
        if len(block.translate(None, void)) != len(block):
            raise _refusal(f"some bytes have no letter in {self.encoding}", self.name)
        self._high += len(block) - len(block.translate(None, bytes(range(128, 256))))
        if len(block.translate(None, symbols)) != len(block):
            self._impossible += sum(1 for _ in between.finditer(block))

    def _refuse_nul(self, block: bytes) -> None:
        at = block.find(b"\0")
        self._lines += block.count(b"\n", 0, len(block) if at < 0 else at)
        if at >= 0:
            what, mend = "it holds NUL bytes: it is no text", "take them out there, or export it again"
            raise Refused("delivery.unreadable", what, f"{self.name}, line {self._lines + 1}", mend)

    def _is_utf8(self, block: bytes, final: bool = False) -> bool:
        if self._as_utf8 is not None:
            try:
                self._as_utf8.decode(block, final)
            except UnicodeDecodeError:
                self._as_utf8 = None
        return self._as_utf8 is not None
