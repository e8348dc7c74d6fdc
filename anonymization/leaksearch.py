"""Looks for canaries in anything: files, dumps, streams, in every form that `leakforms` can undo, and folded.

What is found is told by sink, place and form, never by value. What a sink is and where it lies is the caller's
knowledge; what bytes can hide is in `leakforms`.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from anonymization import names
from anonymization.canaries import Canary
from anonymization.leakforms import WINDOW, readings
from anonymization.redaction.folding import fold

_LEGACY = ("cp1252", "cp1251", "cp1256", "iso8859-6", "koi8-r", "mac-roman")
"""Code pages of one byte, in which suppliers write these scripts; read as UTF-8 their letters would be lost."""
_SEPARATED = re.compile(r"\d[\d ().\-+/]{5,}\d")
_SEPARATORS = re.compile(r"[ ().\-+/]")
_MARK_LENGTH = 8
"""Shorter folded marks would be found by chance."""


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


class LeakSearch:
    """One search of many sinks for the same canaries."""

    def __init__(self, canaries: Iterable[Canary]) -> None:
        self._canaries = tuple(canaries)
        self.leaks: list[Leak] = []
        self.unread: list[Unread] = []
        self.streams: Counter[str] = Counter()
        self.bytes: Counter[str] = Counter()
        self.forms: set[str] = set()

    def look(self, data: bytes | str, sink: str, place: str) -> None:
        """Search one stream in every form."""
        raw = data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data
        self.streams[sink] += 1
        self.bytes[sink] += len(raw)
        shown = self._shown(place)
        for start in range(0, len(raw), WINDOW):
            for canary, page in self._in_code_pages(raw[start : start + WINDOW + 256]):
                self._note(sink, shown, canary, (page,))
        for reading in readings(raw):
            self.forms.update(reading.forms)
            if reading.text is None:
                unread = Unread(sink, shown, " > ".join(reading.forms))
                if unread not in self.unread:
                    self.unread.append(unread)
                continue
            for canary, exact in self._in_text(reading.text):
                self._note(sink, shown, canary, (*reading.forms, *(() if exact else ("folded",))))

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

    def look_at_folder(self, folder: Path, sink: str, beside: Iterable[Path] = ()) -> None:
        """Search every file below `folder`, except those below one of `beside`."""
        skipped = tuple(beside)
        for path in sorted(folder.rglob("*")):
            if any(path.is_relative_to(other) for other in skipped):
                continue
            if path.is_file() and not path.is_symlink():
                self.look_at_file(path, sink, folder)
            elif path.is_dir() or path.is_symlink():
                self.look(str(path.relative_to(folder)), f"{sink}: names", str(path.relative_to(folder)))

    def _note(self, sink: str, place: str, canary: Canary, forms: tuple[str, ...]) -> None:
        leak = Leak(sink, place, str(canary), " > ".join(forms) or "utf-8")
        if leak not in self.leaks:
            self.leaks.append(leak)

    def _shown(self, place: str) -> str:
        """A place may be named after somebody: then only that is said."""
        return "(a name that holds a canary)" if any(True for _ in self._in_text(place)) else place

    def _in_text(self, text: str) -> list[tuple[Canary, bool]]:
        """Canaries in `text`, each with whether it stands there as it was planted."""
        looked = _folded(text)
        found = self._matching(looked, self._words) | self._matching(looked, self._numbers)
        runs = (_SEPARATORS.sub("", run.group()) for run in _SEPARATED.finditer(looked))
        found |= self._matching("\n".join(runs), self._numbers)
        return [(canary, any(mark in text for mark in canary.marks) or canary.text in text) for canary in found]

    def _matching(self, text: str, marks: dict[str, Canary]) -> set[Canary]:
        if not text or not marks:
            return set()
        if pc.find_substring_regex(pa.array([text], pa.large_string()), self._pattern(marks))[0].as_py() < 0:
            return set()
        return {canary for mark, canary in marks.items() if mark in text}

    def _pattern(self, marks: dict[str, Canary]) -> str:
        """One automaton for all marks: linear in the text, however many there are."""
        return self._patterns[marks is self._numbers]

    @cached_property
    def _patterns(self) -> tuple[str, str]:
        either = ["|".join(re.escape(mark) for mark in marks) for marks in (self._words, self._numbers)]
        return either[0], either[1]

    @cached_property
    def _words(self) -> dict[str, Canary]:
        """Folded words, as they are, as the vault compares them, and as it makes them sound."""
        found: dict[str, Canary] = {}
        for canary in self._canaries:
            for mark in canary.marks:
                if any(sign.isalpha() for sign in mark):
                    compared = names.fold(mark)
                    for form in (mark, compared, names.sound(compared)):
                        if len(folded := _folded(form)) >= _MARK_LENGTH:
                            found[folded] = canary
        return found

    @cached_property
    def _numbers(self) -> dict[str, Canary]:
        found = {}
        for canary in self._canaries:
            for mark in canary.marks:
                if not any(sign.isalpha() for sign in mark):
                    found[mark] = canary
                    if "." in mark and canary.kind == "GPS":
                        found[mark.replace(".", ",")] = canary
        return found

    def _in_code_pages(self, data: bytes) -> list[tuple[Canary, str]]:
        if not self._paged:
            return []
        pattern = "|".join("".join(f"\\x{byte:02x}" for byte in mark) for mark in self._paged)
        if pc.find_substring_regex(pa.array([data], pa.large_binary()), pattern)[0].as_py() < 0:
            return []
        return [found for mark, found in self._paged.items() if mark in data]

    @cached_property
    def _paged(self) -> dict[bytes, tuple[Canary, str]]:
        found: dict[bytes, tuple[Canary, str]] = {}
        for canary in self._canaries:
            for mark in canary.marks:
                for spelled in {mark, mark.lower(), mark.upper()}:
                    if spelled.isascii():
                        continue
                    for page in _LEGACY:
                        try:
                            found[spelled.encode(page)] = (canary, page)
                        except UnicodeEncodeError:
                            continue
        return found


@cache
def _digits() -> dict[int, str]:
    zeros = [code for code in range(0x80, 0x20000) if unicodedata.decimal(chr(code), None) == 0]
    return {zero + digit: str(digit) for zero in zeros for digit in range(10)}


def _folded(text: str) -> str:
    """One case, one form of each letter, ASCII digits; what only looks the same is the same."""
    return text.lower() if text.isascii() else fold(text).translate(_digits())
