"""The parent's side of workbook parsing: what is refused before parsing, and the child process that parses.

Whatever the native parser does (panics, aborts, takes all memory, never ends) comes out as one Refused. Cells and
tables are the business of `workbook`.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import threading
import weakref
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa

from codebook.errors import HomewardError, Refused
from connectors.reading_process import command, environment
from sources.batches import DeliveredFile

MAX_UNPACKED = 4 << 30
"""A workbook that claims to unpack to more bytes than this is a bomb or a mistake."""
MAX_RATIO, _SMALL = 200, 64 << 20
"""Sheets of the same row over and over are packed fifty to one; what is both larger and packed tighter is a bomb."""
MAX_SIZE = 1 << 30
"""The parser holds the whole file in memory."""
MAX_MEMBERS = 10_000
_MEMORY, _TIMES = 400 << 20, 24
"""A child may hold so many bytes, and so many more for each byte of the workbook: a cell takes at least six bytes in an
.xls and ten in other kinds, and a hundred and more while it is parsed. What needs more repeats cells, or has some far
from all others, and would fill the memory of the machine."""
_PROGRAM = Path(__file__).with_name("sheet_process.py")
_PATIENCE = 60.0
_BYTES_A_SECOND = 2 << 20
"""A child is given a minute, and a second more for each of these: a tenth of what the parser does on a slow machine."""
_ROOT = re.compile(rb"<[A-Za-z_]")
_PROLOG = 64 << 10
_BEFORE_XML = b"\xef\xbb\xbf\xff\xfe \t\r\n"
_XML = (".xml", ".rels", ".vml")
_PICTURES = frozenset({"media", "Pictures"})
"""Folders of what is shown and never read; an SVG may say what type of document it is."""
_MANIFEST = "META-INF/manifest.xml"
_ZIP, _COMPOUND = b"PK", b"\xd0\xcf\x11\xe0"
_SAVE = "save it as .xlsx and deliver it again"


@dataclass(frozen=True)
class Extent:
    """A sheet's size from its first row and column, and its merged cells (from 0, both ends inside)."""

    height: int
    width: int
    merged: tuple[tuple[int, int, int, int], ...]


class WorkbookProcess:
    """A child that holds one opened workbook; it ends with this object."""

    def __init__(self, file: DeliveredFile) -> None:
        self._name = file.name
        self._asked: dict[str, object] | None = None
        """What the child was asked and has not been heard about: it works while its last answer is looked at."""
        unpacked = _refuse_unsafe(file)
        self._seconds = _PATIENCE + unpacked / _BYTES_A_SECOND
        self._child = subprocess.Popen(  # noqa: S603
            command(_PROGRAM, "pyarrow", "python_calamine", "xlrd"),
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        weakref.finalize(self, _end, self._child)
        try:
            with file.open() as handle:
                for number in (file.size, _MEMORY + _TIMES * unpacked):
                    self._stdin.write(number.to_bytes(8, "big"))
                shutil.copyfileobj(handle, self._stdin, 1 << 20)
        except BrokenPipeError:
            raise self._refusal("gave_up") from None

    @property
    def _stdin(self) -> Any:
        return self._child.stdin

    def sheets(self) -> list[tuple[str, bool]]:
        """Names of the worksheets in order, and whether each is hidden."""
        told, _ = self._ask({"what": "sheets"})
        return [(sheet["name"], sheet["hidden"]) for sheet in told["sheets"]]

    def extent(self, sheet: str) -> Extent:
        told, _ = self._ask({"what": "extent", "sheet": sheet})
        return Extent(told["height"], told["width"], tuple(tuple(cells) for cells in told["merged"]))

    def rows(
        self, sheet: str, rows: range, columns: Sequence[int] | None, width: int, ahead: bool = False
    ) -> tuple[pa.RecordBatch, list[tuple[int, int]], bool]:
        """Of some rows (from 0) those that hold anything, as `row`, `beyond` and one text column per position; the
        damaged cells among them; and whether rows follow. `ahead`: as many that follow will be asked for next."""
        asked = {"what": "rows", "sheet": sheet, "count": len(rows), "columns": columns, "width": width}
        told, payload = self._ask({**asked, "first": rows.start})
        if ahead and told["more"]:
            self._say({**asked, "first": rows.stop})
        with pa.ipc.open_stream(pa.py_buffer(payload)) as reader:
            batch = reader.read_next_batch()
        return batch, [(row, column) for row, column in told["damaged"]], told["more"]

    def _ask(self, question: dict[str, object]) -> tuple[dict[str, Any], bytes]:
        if self._asked not in (None, question):
            self._heard()  # nobody wants it any more
        if self._asked is None:
            self._say(question)
        return self._heard()

    def _say(self, question: dict[str, object]) -> None:
        self._asked = question
        try:
            self._stdin.write(json.dumps(question).encode() + b"\n")
            self._stdin.flush()
        except BrokenPipeError:
            raise self._refusal("gave_up") from None

    def _heard(self) -> tuple[dict[str, Any], bytes]:
        """The answer to what was asked last."""
        self._asked = None
        late, child = threading.Event(), self._child

        def stop() -> None:  # holds no `self`: its thread may outlive this object for a moment
            late.set()
            child.kill()

        timer = threading.Timer(self._seconds, stop)
        timer.start()
        try:
            stdout: Any = self._child.stdout
            line = stdout.readline()
            told: dict[str, Any] = json.loads(line) if line else {"unfit": "gave_up", "bytes": 0}
            payload = stdout.read(told["bytes"])
        except json.JSONDecodeError:
            raise self._refusal("too_large" if late.is_set() else "gave_up") from None
        finally:
            timer.cancel()
        if late.is_set():
            raise self._refusal("too_large")
        if "unfit" in told:
            raise self._refusal(told["unfit"])
        return told, payload

    def _refusal(self, why: str) -> Refused:
        what, mend = {
            "password": ("it is protected by a password", "save it without a password and deliver it again"),
            "too_large": ("it needs too much memory or time", "clear the unused rows, or deliver it as CSV"),
            "gave_up": ("it is damaged, or has a cell in the far corner of a sheet", "clear the unused rows; " + _SAVE),
            "unbounded": (
                "a sheet has a row without an end, or a cell in its far corner",
                "clear the unused cells; " + _SAVE,
            ),
            "long": ("a cell is longer than 8 MiB", "look at its long texts; " + _SAVE),
            "nul": ("a text holds a NUL", _SAVE),
            "marked": ("a value has a comment or a marked section within it", _SAVE),
            "unreadable": ("it is no whole Excel workbook", _SAVE),
        }[why]
        return Refused("delivery.unreadable", what, self._name, mend)


def _end(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    child.wait()
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            # What a child that died left unread in the pipe is lost on purpose.
            try:
                pipe.close()
            except BrokenPipeError:
                continue


def _refuse_unsafe(file: DeliveredFile) -> int:
    """Refuse what is no workbook or a trap, from the file's first bytes and its directory; the bytes it unpacks to."""
    if file.size > MAX_SIZE:
        raise _too_large(file, f"it is larger than {MAX_SIZE >> 20} MiB")
    with file.open() as handle:
        start = handle.read(4)
        if start == _COMPOUND:
            return file.size
        try:
            if start[:2] != _ZIP:
                raise zipfile.BadZipFile
            with zipfile.ZipFile(handle) as archive:
                return _refuse_trap(archive, file)
        except HomewardError:
            raise
        except Exception:
            # zipfile raises whatever a damaged directory makes it trip over.
            raise Refused("delivery.unreadable", "it is no whole Excel workbook", file.name, _SAVE) from None


def _refuse_trap(archive: zipfile.ZipFile, file: DeliveredFile) -> int:
    members = archive.infolist()
    unpacked = sum(member.file_size for member in members)
    if unpacked > MAX_UNPACKED:
        raise _too_large(file, f"it unpacks to more than {MAX_UNPACKED >> 20} MiB")
    if unpacked > max(_SMALL, MAX_RATIO * file.size):
        raise _too_large(file, f"it unpacks to more than {MAX_RATIO} times its size")
    if len(members) > MAX_MEMBERS:
        raise _too_large(file, f"it holds more than {MAX_MEMBERS} parts")
    if _locked(archive):
        raise Refused("delivery.unreadable", "it is protected by a password", file.name, "save it without one")
    for member in members:
        path = PurePosixPath(member.filename.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts:
            raise _trap(file, "a part of it names a place outside the workbook")
        if _PICTURES.isdisjoint(path.parts) and _declares_entities(archive, member, path.suffix in _XML):
            raise _trap(file, "a part of it declares XML entities, which no workbook does")
    return unpacked


def _declares_entities(archive: zipfile.ZipFile, member: zipfile.ZipInfo, xml: bool) -> bool:
    """Does a part, whatever its name, begin as XML with a document type; `xml`: by its name it must be some."""
    if not member.file_size:
        return False
    with archive.open(member) as part:
        prolog = part.read(_PROLOG).replace(b"\0", b"")
    if not xml and not prolog.lstrip(_BEFORE_XML).startswith(b"<"):
        return False
    root = _ROOT.search(prolog)
    return root is None or b"<!DOCTYPE" in prolog[: root.start()]


def _locked(archive: zipfile.ZipFile) -> bool:
    """Does a part say that it is encrypted, or of an .ods the manifest, which is in clear (ODF 1.2, part 3, 3.8)?"""
    if any(member.flag_bits & 1 for member in archive.infolist()):
        return True
    if _MANIFEST not in archive.namelist():
        return False
    with archive.open(_MANIFEST) as part:
        return b":encryption-data" in part.read(_PROLOG)


def _trap(file: DeliveredFile, what: str) -> Refused:
    return Refused("delivery.unreadable", what, file.name, "find out where it comes from; " + _SAVE)


def _too_large(file: DeliveredFile, what: str) -> Refused:
    return Refused("delivery.unreadable", what, file.name, "clear the unused rows, or deliver it as CSV")
