"""Looks for canaries in anything: files, dumps, streams, in every form that `forms` can undo, and folded.

What is found is told by sink, place and form, never by value. What a sink is and where it lies is the caller's
knowledge; what bytes can hide is in `forms`.
"""

from __future__ import annotations

import codecs
import hashlib
import os
import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from anonymization.leaks.canaries import Canary
from anonymization.leaks.forms import WINDOW, lines_at, readings
from anonymization.linkage import names
from anonymization.redaction.folding import fold
from values.invisible import INVISIBLE

_LEGACY = ("cp1252", "cp1251", "cp1256", "iso8859-6", "koi8-r", "mac-roman")
"""Code pages of one byte, in which suppliers write these scripts; read as UTF-8 their letters would be lost."""
_GRAM = 8
"""Folded marks begin with so many letters or digits; shorter ones would be found by chance, and are not looked for."""
_WORD = re.compile("[^\x00-\x2f\x3a-\x40\x5b-\x60\x7b-\x7f]{8,}")
"""No ASCII sign in it; letters of any script with their vowel signs, which are no `\\w`."""
_NUMBER = re.compile("[0-9][0-9.,/-]{6,}[0-9]")
_BETWEEN = r" \u00a0\u2000-\u200a\u202f\u3000().\-+/\u2010-\u2015"
_SEPARATED = re.compile(f"[0-9][0-9{_BETWEEN}]{{6,}}[0-9]")
_THOUSANDS = re.compile("[0-9]{1,3}(?:[,'_\u2019][0-9]{3}){2,}")
_DEGREES = re.compile(r"[0-9]{1,3}\s?[°º]?\s?[0-9]{1,2}\s?\\*['\u2019\u2032]\s?[0-9]{1,2}(?:[.,][0-9]+)?")
"""Numbers in groups: telephones and national numbers, thousands, places. Any sign between any digits would make long
runs of columns of numbers, in which every date stands by chance."""
_GROUPED = (_SEPARATED, _THOUSANDS, _DEGREES)
_INSTANT = re.compile(r"1[0-9]{9}\.[0-9]+")
"""Seconds since 1970, of which a log has thousands: joined over the point they hold some phone by chance."""
_DIGITS_OF_A_GROUP = 9
"""Shorter numbers are not looked for in joined groups: eight digits of a day stand in them by chance."""
_AMONG_NUMBERS = re.compile(f"[0-9][0-9_,.'\u2019\u2032\\\\°º\\s{_BETWEEN}]{{6,}}")
"""What holds all of these: looked for once, and they in it."""
_NO_DIGITS = re.compile("[^0-9]")
_DECIMAL = re.compile("[0-9]+[.,][0-9]+")
_END_OF_A_PLACE = "(?:(?![0-9]{3})|[0-9]{0,2}(?:000|999))"
"""A place is written with some more digits than are looked for; as a binary number with zeros or nines behind it."""
_COMPACT_DAY = re.compile("[0-9]{8}")
_DIGEST = re.compile(".?(?=[0-9]*[a-f])[0-9a-f]{12,}", re.IGNORECASE)
"""Keys, digests and ciphertext as hexadecimal digits, the first two read as an escape (`\\x9a`) or not: eight of them
are some day by chance. What text they may hold is one of the forms that are undone."""
_LETTERS = re.compile(rb"[A-Za-z\x80-\xff]{8,}")
_RUN = re.compile(f"[^\n]{{{_GRAM},}}")


@dataclass(frozen=True)
class Leak:
    """A canary outside the vault: what it is, in which sink, where there, in which form. Never the value."""

    sink: str
    place: str
    canary: str
    form: str


@dataclass(frozen=True)
class Unread:
    """Something that could not be searched to its end: no leak, and no proof that there is none."""

    sink: str
    place: str
    form: str


@dataclass(frozen=True)
class _Found:
    """What was found in some bytes, wherever they lay: canaries by the forms that were undone, and forms that could not
    be read to their end."""

    canaries: list[tuple[Canary, tuple[str, ...]]]
    unread: list[str]


class LeakSearch:
    """One search of many sinks for the same canaries."""

    def __init__(self, canaries: Iterable[Canary]) -> None:
        self._canaries = tuple(canaries)
        self.leaks: list[Leak] = []
        self.unread: list[Unread] = []
        self.streams: Counter[str] = Counter()
        self.bytes: Counter[str] = Counter()
        self.forms: set[str] = set()
        self._searched: dict[bytes, _Found] = {}

    def look(self, data: bytes | str, sink: str, place: str) -> None:
        """Search one stream in every form."""
        raw = data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data
        self.streams[sink] += 1
        self.bytes[sink] += len(raw)
        shown = self._shown(place)
        found = self._found(raw)
        for canary, forms in found.canaries:
            self._note(sink, shown, canary, forms)
        for form in found.unread:
            if (unread := Unread(sink, shown, form)) not in self.unread:
                self.unread.append(unread)

    def _found(self, raw: bytes) -> _Found:
        """What is in these bytes, which are read once however often they come: a new database is copied from another,
        and nine in ten files of a server's folder are the same as some other."""
        digest = hashlib.blake2b(raw).digest()
        if digest not in self._searched:
            self._searched[digest] = self._read(raw)
        return self._searched[digest]

    def _read(self, raw: bytes) -> _Found:
        canaries: list[tuple[Canary, tuple[str, ...]]] = []
        unread = []
        for start in range(0, len(raw), WINDOW):
            canaries += [(canary, (page,)) for canary, page in self._in_code_pages(raw[start : start + WINDOW + 256])]
        for reading in readings(raw):
            self.forms.update(reading.forms)
            if reading.text is None:
                unread.append(" > ".join(reading.forms))
                continue
            found = self._in_text(reading.text)
            canaries += [(canary, (*reading.forms, *(() if exact else ("folded",)))) for canary, exact in found]
        return _Found(canaries, unread)

    def look_at_file(self, path: Path, sink: str, root: Path) -> None:
        """Search a file and its name; a file that vanished meanwhile held nothing that stays."""
        place = str(path.relative_to(root))
        self.look(place, f"{sink}: names", place)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return
        except OSError:
            self.unread.append(Unread(sink, self._shown(place), "the file"))
            return
        self.look(data, sink, place)

    def look_at_folder(self, folder: Path, sink: str) -> None:
        """Search every file below `folder`, and the names of the others."""
        for path in self.paths_below(folder, sink, folder):
            if path.is_file() and not path.is_symlink():
                self.look_at_file(path, sink, folder)
            elif path.is_dir() or path.is_symlink():
                self.look(str(path.relative_to(folder)), f"{sink}: names", str(path.relative_to(folder)))

    def paths_below(self, folder: Path, sink: str, root: Path) -> list[Path]:
        """What lies below `folder`, sorted: nothing below a file, or a folder that vanishes meanwhile. A folder that
        cannot be read is told as not searched."""

        def noted(error: OSError) -> None:
            if not isinstance(error, FileNotFoundError | NotADirectoryError):
                place = str(Path(error.filename).relative_to(root))
                self.unread.append(Unread(sink, self._shown(place), "the folder"))

        walked = os.walk(folder, onerror=noted)
        return sorted(Path(at, name) for at, folders, files in walked for name in (*folders, *files))

    def _note(self, sink: str, place: str, canary: Canary, forms: tuple[str, ...]) -> None:
        leak = Leak(sink, place, str(canary), " > ".join(forms) or "utf-8")
        if leak not in self.leaks:
            self.leaks.append(leak)

    def _shown(self, place: str) -> str:
        """A place may be named after somebody: then only that is said."""
        return "(a name that holds a canary)" if any(True for _ in self._in_text(place)) else place

    def _in_text(self, text: str) -> list[tuple[Canary, bool]]:
        """Canaries in `text`, each with whether it stands there as it was planted."""
        words = {word for word in _WORD.findall(text) if not _DIGEST.fullmatch(word)}
        foreign = {word for word in words if not word.isascii()}
        runs = {*"\n".join(words - foreign).lower().split("\n"), *_folded("\n".join(foreign)).split("\n")}
        digits = text if text.isascii() else f"{text}\n{_folded(_lines_with_odd_digits(text))}"
        numbers = "|".join(_AMONG_NUMBERS.findall(digits))
        # Eight digits and no more are in a word; cut out of a digest they would be some day.
        runs.update(run for run in _NUMBER.findall(numbers) if not _COMPACT_DAY.fullmatch(run))
        grouped = {run for form in _GROUPED for run in form.findall(numbers) if not _INSTANT.fullmatch(run)}
        joined = {_NO_DIGITS.sub("", run) for run in grouped}
        found = self._in_runs(runs) | self._in_runs(joined, _DIGITS_OF_A_GROUP)
        return [(canary, canary.text in text or any(_stands(mark, text) for mark in canary.marks)) for canary in found]

    def _in_runs(self, runs: Iterable[str], at_least: int = _GRAM) -> set[Canary]:
        """Canaries of which a mark of `at_least` so many signs stands anywhere in one of `runs`: by its first letters,
        however many marks there are, and then whole."""
        found = set()
        for run in runs:
            for start in {run[at : at + _GRAM] for at in range(len(run) - _GRAM + 1)} & self._marks.keys():
                found |= {canary for mark, canary in self._marks[start] if len(mark) >= at_least and _stands(mark, run)}
        return found

    @cached_property
    def _marks(self) -> dict[str, list[tuple[str, Canary]]]:
        """What is looked for, by its first letters: numbers; words folded, as the vault compares them, and as it makes
        them sound."""
        found: dict[str, list[tuple[str, Canary]]] = {}
        for canary in self._canaries:
            for mark in canary.marks:
                for form in {_folded(form) for form in _spelled(mark)}:
                    if len(form) >= _GRAM:
                        found.setdefault(form[:_GRAM], []).append((form, canary))
        return found

    def _in_code_pages(self, data: bytes) -> Iterator[tuple[Canary, str]]:
        """In runs of letters that are no UTF-8, read in the code pages in which suppliers write."""
        foreign = {run for run in _LETTERS.findall(data) if not run.isascii() and not _is_utf8(run)}
        joined = b"\n".join(foreign)
        for page, signs in self._code_pages.items() if foreign else ():
            text, _ = codecs.charmap_decode(joined, "ignore", signs)
            yield from ((canary, page) for canary in self._in_runs(set(_RUN.findall(text))))

    @cached_property
    def _code_pages(self) -> dict[str, dict[int, str]]:
        """What each byte of a code page is, folded; a line's end if no canary has that sign: of noise hardly a run is
        left."""
        signs = {sign for listed in self._marks.values() for form, _ in listed for sign in form}
        pages = {page: {byte: _folded(bytes([byte]).decode(page, "ignore")) for byte in range(256)} for page in _LEGACY}
        return {
            page: {byte: folded if signs.issuperset(folded) else "\n" for byte, folded in table.items()}
            for page, table in pages.items()
        }


def _stands(mark: str, run: str) -> bool:
    """Whether a mark is in a run; a place not as the end of a longer number, as which it ends some time of day, nor as
    the beginning of a much longer one, as which it begins some share; and a day of eight digits not within a number,
    unless a time of day follows."""
    if mark not in run:
        return False
    if _DECIMAL.fullmatch(mark):
        return re.search(f"(?<![0-9]){re.escape(mark)}{_END_OF_A_PLACE}", run) is not None
    if _COMPACT_DAY.fullmatch(mark):
        return re.search(f"(?<![0-9]){mark}(?:[0-9]{{6}})?(?![0-9])", run) is not None
    return True


def _spelled(mark: str) -> tuple[str, ...]:
    if any(sign.isalpha() for sign in mark):
        compared = names.fold(mark)
        return mark, compared, names.sound(compared)
    return mark, mark.replace(".", ",")


def _is_utf8(data: bytes) -> bool:
    """Whether it is, but for a letter that was cut off at its end."""
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return error.start > 0 and error.end >= len(data) - 3 and error.reason == "unexpected end of data"
    return True


def _lines_with_odd_digits(text: str) -> str:
    """Lines with digits of other scripts, or with invisible marks between digits."""
    odd = np.flatnonzero(_odd()[np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)])
    return lines_at(((at, at + 1) for at in odd.tolist()), text)


@cache
def _odd() -> npt.NDArray[np.bool_]:
    """Of every code point, whether it is a digit of another script or an invisible mark."""
    odd = np.zeros(sys.maxunicode + 1, dtype=bool)
    odd[list(_digits())] = True
    for first, last in INVISIBLE:
        odd[first : last + 1] = True
    return odd


@cache
def _digits() -> dict[int, str]:
    zeros = [code for code in range(0x80, 0x20000) if unicodedata.decimal(chr(code), None) == 0]
    return {zero + digit: str(digit) for zero in zeros for digit in range(10)}


def _folded(text: str) -> str:
    """One case, one form of each letter, ASCII digits; what only looks the same is the same."""
    return text.lower() if text.isascii() else fold(text).translate(_digits())
