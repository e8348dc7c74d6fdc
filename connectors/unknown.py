"""Which reader a file nobody has declared needs: by its first bytes, then its name, then by trying.

Gives the file's tables as any reader gives them, or one line that says why there are none. How a format is read is the
business of its own module; what the columns hold, of `profile`.
"""

from __future__ import annotations

import re
import stat
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

from codebook.errors import HomewardError, Refused, Unavailable
from connectors.shapes import Grid
from sources.batches import DeliveredFile, PlainFile

Tables = tuple[dict[str, Grid], dict[str, object]]

_HEAD = 4096
_SAS = b"SAS FILE"
"""At byte 84 of data and of catalogs."""
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_NO_TABLE: Mapping[bytes, tuple[str, str]] = {
    b"%PDF": ("a PDF document", "ask for the table it was printed from"),
    b"PAR1": ("a Parquet file", "deliver it as CSV"),
    b"RDX": ("an R workspace", "write the data frame as CSV or .sav"),
    b"\x00\x01\x00\x00Standard": ("an Access database", "export its tables as CSV"),
    b"\x89PNG": ("a picture", "deliver the table itself"),
    b"\xff\xd8\xff": ("a picture", "deliver the table itself"),
    b"7z\xbc\xaf": ("a 7z archive", "unpack it, or pack it as .zip"),
    b"Rar!": ("a RAR archive", "unpack it, or pack it as .zip"),
}
_READERS: Mapping[str, str] = {
    "xlsx": "workbooks.workbook",
    "xlsb": "workbooks.workbook",
    "xls": "workbooks.workbook",
    "ods": "workbooks.workbook",
    "sav": "statistical.reader",
    "zsav": "statistical.reader",
    "por": "statistical.reader",
    "dta": "statistical.reader",
    "xpt": "statistical.reader",
    "sas7bdat": "statistical.reader",
    "json": "text.json_files",
    "sqlite": "database_file",
    "zip": "archives",
    "gz": "archives",
    "text": "text.delimited",
}
"""Format -> the module of this room that reads it."""
_STATISTICAL = frozenset(kind for kind, reader in _READERS.items() if reader == "statistical.reader")
_EXPORTS = frozenset({"text", "xlsx", "xls"})
"""Formats in which a KoboToolbox export may come without its form."""


@dataclass(frozen=True)
class Looked:
    """A file's tables as they lie in it; `facts` are what its reader says about the file, never a value."""

    format: str
    encoding: str | None
    grids: Mapping[str, Grid]
    facts: Mapping[str, object] = field(default_factory=dict)


def delivered(path: Path) -> PlainFile:
    """The file at `path`, if it is a plain file with something in it."""
    try:
        found = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        raise Refused("delivery.unreadable", "there is no such file", str(path), "check its name") from None
    except (OSError, ValueError):
        raise Unavailable("the file cannot be looked at", path.name, "check the rights of its folder") from None
    kinds = ((stat.S_ISDIR, "a folder", "name a file in it"), (stat.S_ISLNK, "a link", "name the file it points to"))
    for is_kind, what, mend in kinds:
        if is_kind(found.st_mode):
            raise Refused("delivery.unreadable", f"it is {what} and no file", path.name, mend)
    if not stat.S_ISREG(found.st_mode):
        raise Refused("delivery.unreadable", "it is a device or a pipe and no file", path.name, "copy it to a file")
    if not found.st_size:
        raise Refused("delivery.empty", "the file is empty", path.name, "deliver the file again")
    return PlainFile(path)


def open_unknown(file: DeliveredFile, form: DeliveredFile | None = None) -> Looked:
    """The tables of a file, and of its form's labels if a form is given; Refused if no reader can make sense of it."""
    with only_our_errors(file.name):
        kind = format_of(file, _head(file))
        if form is not None and kind not in _STATISTICAL:
            return _looked(kind, file, "kobo.export", form)
        looked = _looked(kind, file, _READERS[kind], form)
        if kind in _EXPORTS and any(_is_export(grid) for grid in looked.grids.values()):
            return _looked(kind, file, "kobo.export", None)
        return looked


def _looked(kind: str, file: DeliveredFile, reader: str, form: DeliveredFile | None) -> Looked:
    look: Callable[..., Tables] = import_module(f"connectors.{reader}").look
    grids, facts = look(file, form)
    told = {"text": "csv", "json": _suffix(file.name) or kind}.get(kind, kind)
    encoding = facts.get("encoding")
    name = f"kobo_{told}" if reader == "kobo.export" else told
    return Looked(name, str(encoding) if encoding else None, grids, facts)


def _is_export(grid: Grid) -> bool:
    from connectors.kobo.options import looks_like_kobo

    return looks_like_kobo([heading.header for heading in grid.headings])


def _head(file: DeliveredFile) -> bytes:
    with file.open() as handle:
        return handle.read(_HEAD)


def format_of(file: DeliveredFile, head: bytes) -> str:
    """The format of a file that begins with `head`: a key of the readers; Refused if it is known to hold no table."""
    for magic, (what, mend) in _NO_TABLE.items():
        if head.startswith(magic):
            raise Refused("delivery.unreadable", f"it is {what}", file.name, mend)
    if head.startswith(b"PK\x03\x04"):
        return _zipped(file)
    if head.startswith(b"PK\x05\x06"):
        raise Refused("delivery.empty", "the archive is empty", file.name, "deliver the file again")
    if head.startswith(_OLE):
        return "xls"
    if head.startswith(b"\x1f\x8b"):
        return "gz"
    if head.startswith(b"SQLite format 3\0"):
        return "sqlite"
    if head[84:92] == _SAS and head[156:163] == b"CATALOG":
        mend = "name it with --form beside its .sas7bdat"
        raise Refused("delivery.unreadable", "it is a catalog of SAS labels and holds no data", file.name, mend)
    return _statistical(head) or _text(file, head)


def _zipped(file: DeliveredFile) -> str:
    """A workbook is a zip with its parts in set places; any other zip is an archive of files."""
    try:
        with file.open() as handle, zipfile.ZipFile(handle) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError, EOFError):
        raise Refused("delivery.unreadable", "the zip is damaged or cut off", file.name, "deliver it again") from None
    if "[Content_Types].xml" in names:
        if "xl/workbook.bin" in names:
            return "xlsb"
        if any(name.startswith("xl/") for name in names):
            return "xlsx"
        raise Refused("delivery.unreadable", "it is an Office document without sheets", file.name, "deliver the table")
    if names and all(name.lower().endswith(".sps") for name in names if not name.endswith("/")):
        raise _syntax(file)
    return "ods" if {"mimetype", "content.xml"} <= names else "zip"


def _syntax(file: DeliveredFile) -> Refused:
    return Refused(
        "delivery.unreadable", "it is SPSS syntax: labels without data", file.name, "deliver the data beside it"
    )


def _statistical(head: bytes) -> str | None:
    if head.startswith(b"$FL2"):
        return "sav"
    if head.startswith(b"$FL3"):
        return "zsav"
    if head[84:92] == _SAS:
        return "sas7bdat"
    if head.startswith(b"HEADER RECORD*******LIB"):
        return "xpt"
    if head.startswith(b"<stata_dta>") or (head[:1] in b"\x69\x6a\x6b\x6c\x6e\x6f\x71\x72\x73" and head[1:3] in _DTA):
        return "dta"
    # A portable file begins with the same words in five alphabets, line breaks in between.
    return "por" if b"SPSS PORT FILE" in head[:500].replace(b"\r", b"").replace(b"\n", b"") else None


_SQL = re.compile(
    rb"(?is)(?:\s|--[^\n]*\n|#[^\n]*\n|/\*.*?\*/;?)*(?:insert\s+into|create\s+(?:table|database|schema|type)|drop\s+table"
    rb"|set\s+\w+\s*=|set\s+names|begin;|begin\s+transaction|start\s+transaction|pragma\s|copy\s+\S+\s*\(|use\s+[`\w]+;)"
)
"""A dump of a database: comments, then a statement."""
_DTA = (b"\x01\x01", b"\x02\x01")
"""Byte order and file type of a Stata file before version 13, after its version's letter."""


def _text(file: DeliveredFile, head: bytes) -> str:
    wide = head.startswith((b"\xff\xfe", b"\xfe\xff")) or head[1::2].count(0) > len(head) // 4
    # Of two bytes a sign one is zero, as far as these beginnings go.
    start = (head.lstrip(b"\xff\xfe").replace(b"\0", b"") if wide else head.removeprefix(b"\xef\xbb\xbf")).lstrip()
    if start.startswith((b"{", b"[")):
        return "json"
    if start.startswith(b"<"):
        raise Refused("delivery.unreadable", "it is XML or HTML", file.name, "deliver the export as CSV or XLSX")
    if _SQL.match(start):
        what, mend = "it is an SQL script", "load it into a database and declare a source of kind database"
        raise Refused("delivery.unreadable", what, file.name, mend)
    if start.startswith((b"VARIABLE LABELS", b"VALUE LABELS")):
        raise _syntax(file)
    if b"\0" in head and not wide:
        raise Refused("delivery.unreadable", "it is no text and no format that is known", file.name, "say what it is")
    return "text"


def _suffix(name: str) -> str:
    return Path(name).suffix.lower().lstrip(".")


@contextmanager
def only_our_errors(name: str) -> Iterator[None]:
    """Whatever a damaged file makes a parser do is one line; the parser's own words could quote a cell."""
    try:
        yield
    except HomewardError:
        raise
    except MemoryError:
        raise Refused("delivery.unreadable", "it does not fit into the memory", name, "deliver it as CSV") from None
    except OSError:
        raise Unavailable("the file cannot be read", name, "check its rights and its disk") from None
    except Exception as error:
        what = f"its reader gave up ({type(error).__name__})"
        raise Refused("delivery.unreadable", what, name, "save it again, or deliver it as CSV") from None
