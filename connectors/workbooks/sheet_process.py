"""The child process in which workbooks are parsed: a file's bytes come in, rows of text go out as Arrow.

The native parser ends its whole process on some damaged workbooks (a stack or an allocation without end), which no
`except` can catch; here that ends a child, and the memory it may take is bounded by the system. `workbook` starts this
file as a program of its own, so it imports nothing of Homeward and starts in milliseconds. It decides nothing: what a
header is, and which cells are wanted, is asked for.
"""

from __future__ import annotations

import gc
import io
import json
import os
import re
import sys
import threading
from collections.abc import Callable, Sequence
from datetime import date, datetime, time
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from connectors.workbooks.sheet_slices import SlicedSheet

MEMORY = 4 << 30
"""Bytes of data that the child may hold at most; a sheet that needs more is refused."""
_AT_HAND = 15_000
"""Cells that are turned into columns together: they are still in the processor's own memory, which halves the time."""
_LONGEST = 8 << 20
"""Bytes of a cell; as long as a record of a text file may be, and hundreds of times what Excel can hold."""
_HEADER_WITHIN, _MOST_MERGED = 1_000, 50_000
"""Rows in which a header stands, and merged cells in them: three for each column that a sheet can have."""

_DAYS = (date, datetime, time)
_SPREADSHEET = b"application/vnd.oasis.opendocument.spreadsheet"
"""What an .ods begins with, uncompressed (ODF 1.2, part 3, 3.3)."""
_COMPOUND = b"\xd0\xcf\x11\xe0"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
"""The stream in which a password-protected .xlsx lies inside a compound file ([MS-OFFCRYPTO] 2.3.4.4)."""
_LOCKED = re.compile(rb"\x09\x08(?:\x08\0\0\x05\x05\0.{4}|\x10\0\0\x06\x05\0.{12})(?:\x86\0\0\0)?\x2f\0", re.DOTALL)
"""The first records of an .xls of either kind, FILEPASS after them ([MS-XLS] 2.1.7.20.1). Looked for in the bytes: who
follows the file's sectors to them goes round in a circle where a damaged table of sectors has one."""


class Unfit(Exception):
    """Why the workbook is not read: a key of what `workbook_process` says of it."""


class Book:
    """An opened workbook; `damaged` cells are those that hold an error or a formula that was never calculated."""

    def __init__(self, content: bytes) -> None:
        from python_calamine import CalamineError, CalamineWorkbook, PasswordError

        if content[:4] == _COMPOUND and _ENCRYPTED in content:
            raise Unfit("password")
        self.zipped = content[:2] == b"PK"
        self.content = content = _zipped(content) if self.zipped else content
        try:
            self.book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        except PasswordError:
            raise Unfit("password") from None
        except CalamineError:
            raise Unfit("password" if _says_encrypted(content) else "unreadable") from None
        self._durations = _SPREADSHEET in content[:200]
        self._name: str | None = None
        self._odd: dict[tuple[int, int], str] | None = None
        self.sheet: Any = None
        self.left = self.height = self.width = 0

    def sheets(self) -> list[dict[str, object]]:
        """Worksheets in the order of their tabs; charts and macro sheets hold no table."""
        return [
            {"name": sheet.name, "hidden": str(sheet.visible).rpartition(".")[2] != "Visible"}
            for sheet in self.book.sheets_metadata
            if str(sheet.typ).rpartition(".")[2] == "WorkSheet"
        ]

    def select(self, name: str) -> dict[str, object]:
        """Make a sheet the one that is read; its extent and its merged cells (from 0, both ends inside)."""
        if name != self._name:
            from sheet_damage import Marked

            self._name = self.sheet = self._odd = None
            try:
                self._parse(name)
            except Marked:
                raise Unfit("marked") from None
            self._name = name
            empty = not self.sheet.height or not self.sheet.width
            above, self.left = (0, 0) if empty else (self.sheet.start or (0, 0))
            self.height = 0 if empty else above + self.sheet.height
            self.width = 0 if empty else self.left + self.sheet.width
            # The parser's extent ends at its last value; damaged cells may lie beyond.
            self.height = max([self.height, *(row + 1 for row, _ in self.damaged)])
            self.width = max([self.width, *(column + 1 for _, column in self.damaged)])
            self._restart()
        return {"height": self.height, "width": self.width, "merged": self._merged()}

    def _parse(self, name: str) -> None:
        cut = self._cut(name)
        if cut is not None:
            self.sheet, self.damaged = cut, sorted(cut.damaged)
        else:
            damage = _Damage(self, name)
            self.sheet = self.book.get_sheet_by_name(name)
            self.damaged = damage.cells()

    def _merged(self) -> list[tuple[int, ...]]:
        """Merged cells that can be of a header: each once, though a sheet says so a million times."""
        ranges = self.sheet.merged_cell_ranges or []
        found = dict.fromkeys((*start, *end) for start, end in ranges if start[0] < _HEADER_WITHIN)
        if len(found) > _MOST_MERGED:
            raise Unfit("unbounded")
        return list(found)

    def _cut(self, name: str) -> SlicedSheet | None:
        if not self.zipped:
            return None
        from sheet_slices import Unbounded, sliced

        try:
            found: SlicedSheet | None = sliced(self.content, name)
        except Unbounded:
            raise Unfit("unbounded") from None
        return found

    def _restart(self) -> None:
        # The parser leaves out blank columns before the first value (`left`), but no blank rows.
        self._at, self._rows = 0, iter(self.sheet.iter_rows() if self.sheet.height else ())

    def read(self, first: int, count: int, columns: Sequence[int] | None, width: int) -> tuple[dict[str, object], Any]:
        """Rows `first` to `first + count - 1` (from 0) that hold anything: their numbers, which have cells at or
        beyond `width`, the text of `columns`, and which of those cells are damaged."""
        import pyarrow as pa
        import pyarrow.compute as pc
        from sheet_text import text_column

        wanted = list(range(self.width)) if columns is None else list(columns)
        if first < self._at:
            self._restart()
        next(islice(self._rows, max(0, first - self._at), max(0, first - self._at)), None)
        start = max(first, self._at)
        self._at = min(first + count, self.height)
        taken = max(0, self._at - start)
        found = self._columns(taken)
        damaged = [(row, column) for row, column in self.damaged if start <= row < start + taken]
        texts = {c: self._text(found, c, start) for c in wanted if taken and 0 <= c - self.left < len(found)}
        if any(text.nbytes > _LONGEST and pc.max(pc.binary_length(text)).as_py() > _LONGEST for text in texts.values()):
            raise Unfit("long")
        if any(map(_holds_nul, texts.values())):
            raise Unfit("nul")
        marked = {row - start for row, _ in damaged}
        filled = pa.array([row in marked for row in range(taken)], pa.bool_())
        for column in texts.values():
            filled = pc.or_(filled, column.is_valid())
        beyond = pa.array([False] * taken, pa.bool_())
        for place, values in enumerate(found, start=self.left):
            if place >= width or (place not in texts and not pc.all(filled).as_py()):
                valid = text_column(values).is_valid()
                filled = pc.or_(filled, valid)
                beyond = pc.or_(beyond, valid) if place >= width else beyond
        rows = pc.add(pc.indices_nonzero(filled).cast(pa.int64()), start)
        none = pa.nulls(taken, pa.string())
        cells = [beyond, *(texts.get(column, none) for column in wanted)]
        if len(rows) < taken:
            cells = [column.filter(filled) for column in cells]
        batch = pa.record_batch([rows, *cells], names=["row", "beyond", *map(str, wanted)])
        return {"more": self._at < self.height, "damaged": damaged}, batch

    def _text(self, found: Sequence[Sequence[object]], column: int, start: int) -> Any:
        """A column of text; numbers that are no day are told as what they are (`sheet_serials`)."""
        import pyarrow as pa
        import pyarrow.compute as pc
        from sheet_serials import SUSPECT, odd_cells
        from sheet_text import long_duration, text_column

        met: set[type] = set()
        texts = text_column(found[column - self.left], met)
        if self._durations:
            return pa.array([None if text is None else long_duration(text) for text in texts.to_pylist()], pa.string())
        if met.isdisjoint(_DAYS):
            return texts
        suspects = pc.fill_null(pc.match_substring_regex(texts, SUSPECT), False)
        if not pc.any(suspects).as_py():
            return texts
        if self._odd is None:
            self._odd = odd_cells(self.content, self._name or "", self.zipped)
        told = texts.to_pylist()
        for place in pc.indices_nonzero(suspects).to_pylist():
            told[place] = self._odd.get((start + place, column), told[place])
        return pa.array(told, pa.string())

    def _columns(self, count: int) -> list[list[Any]]:
        """The cells of the next rows, column by column; those below the parser's last row are blank."""
        columns: list[list[Any]] = [[] for _ in range(self.sheet.width)]
        at_once = max(1, _AT_HAND // max(1, self.sheet.width))
        left = count
        while left and (rows := list(islice(self._rows, min(at_once, left)))):
            left -= len(rows)
            for column, cells in zip(columns, zip(*rows, strict=True), strict=True):
                column.extend(cells)
        for column in columns:
            column.extend([""] * left)
        return columns


def _holds_nul(text: Any) -> bool:
    """Looked for in all of a column's bytes together, which takes a tenth of the time."""
    import pyarrow.compute as pc

    told = text.buffers()[2]
    return told is not None and b"\0" in told.to_pybytes() and pc.any(pc.match_substring(text, "\0")).as_py() is True


def _zipped(content: bytes) -> bytes:
    """The workbook as the parser can read it: within bounds, and with nothing in a cell that it would leave out."""
    import zipfile

    from sheet_marks import with_characters
    from sheet_slices import Unbounded, check_strings

    try:
        check_strings(content)
        readable: bytes = with_characters(content)
        return readable
    except Unbounded:
        raise Unfit("unbounded") from None
    except (zipfile.BadZipFile, NotImplementedError, OSError, EOFError, ValueError):
        raise Unfit("unreadable") from None


def _says_encrypted(content: bytes) -> bool:
    """Whether an .xls says so: the parser, given bytes and no name, then says it knows no such format."""
    return _LOCKED.search(content) is not None


class _Damage:
    """Looks for damaged cells beside the parser, which lets go of the interpreter; the parser shows them as blank."""

    def __init__(self, book: Book, sheet: str) -> None:
        self._found: list[tuple[int, int]] = []
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._look, args=(book, sheet), daemon=True)
        self._thread.start()

    def _look(self, book: Book, sheet: str) -> None:
        try:
            import sheet_damage

            look = sheet_damage.in_zipped if book.zipped else sheet_damage.in_legacy
            self._found = sorted(look(book.content, sheet))
        except BaseException as error:
            self._error = error

    def cells(self) -> list[tuple[int, int]]:
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._found


def serve(source: BinaryIO, answer: Callable[[dict[str, object], bytes], None]) -> None:
    """Answer one request a line until the parent closes the pipe."""
    length, memory = (int.from_bytes(source.read(8), "big") for _ in range(2))
    _bound_memory(memory)
    content = source.read(length)
    book: Book | None = None
    warm = threading.Thread(target=_import_arrow, daemon=True)
    warm.start()
    for line in iter(source.readline, b""):
        asked = json.loads(line)
        payload = b""
        try:
            book = book or Book(content)
            if asked["what"] == "sheets":
                told: dict[str, object] = {"sheets": book.sheets()}
            elif asked["what"] == "extent":
                told = book.select(asked["sheet"])
            else:
                warm.join()
                book.select(asked["sheet"])
                told, batch = book.read(asked["first"], asked["count"], asked["columns"], asked["width"])
                payload = _packed(batch)
        except (KeyboardInterrupt, SystemExit):
            raise
        except MemoryError:
            told = {"unfit": "too_large"}
        except Unfit as unfit:
            told = {"unfit": str(unfit)}
        except BaseException:
            # A panic of the native parser is no Exception; its words may quote cells and go nowhere.
            told = {"unfit": "unreadable"}
        answer(told, payload)


def _bound_memory(most: int) -> None:
    try:
        import resource
    except ImportError:
        return  # Windows has no such bound
    most = min(most, MEMORY)
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _import_arrow() -> None:
    import pyarrow.compute

    _ = pyarrow


def _packed(batch: Any) -> bytes:
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return bytes(sink.getvalue())


class _ArrowAlone:
    """pyarrow loads pandas to look at the first list it is given, for 0.4 s, and numpy for 0.1 s; neither is needed."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> None:
        if name in ("numpy", "pandas"):
            raise ModuleNotFoundError(name)


def main() -> None:
    """Keep the answers' pipe for answers alone, and serve."""
    # At the end of the path: no module of this folder may stand before Python's own.
    sys.meta_path.insert(0, _ArrowAlone)
    sys.path += [*sys.argv[1:], os.path.dirname(os.path.abspath(__file__))]
    # Rows are lists in their thousands that hold no cycles: looking for some took half of the time of making them.
    gc.disable()
    # Arrow's own allocator reserves a gigabyte at once, which would count as taken.
    os.environ["ARROW_DEFAULT_MEMORY_POOL"] = "system"
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)

    def answer(told: dict[str, object], payload: bytes) -> None:
        out.write(json.dumps({**told, "bytes": len(payload)}).encode() + b"\n" + payload)
        out.flush()

    serve(sys.stdin.buffer, answer)


if __name__ == "__main__":
    main()
