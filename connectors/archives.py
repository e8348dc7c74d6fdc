"""Files inside a zip or a gz: delivered files like any other, unpacked while they are read and never written down; and
an archive packed anew with other bytes in some of its files.

Whatever an archive could do to the house is refused before a byte is unpacked: too many files, too many bytes, names
that lead outside, links, passwords, archives in archives. Which reader a member needs is not this module's business.
"""

from __future__ import annotations

import gzip
import io
import stat
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import PurePosixPath
from typing import IO, BinaryIO, cast

from codebook.errors import Refused
from connectors.shapes import Grid
from sources.batches import DeliveredFile, ending

MAX_MEMBERS = 1_000
MAX_UNPACKED = 8 << 30
MAX_RATIO, _SMALL = 200, 64 << 20
"""As of workbooks: tables are packed five to fifty to one, and what is both larger and packed tighter is a bomb. Two
gigabytes of blank lines lie in two megabytes, 900 to one."""
_BLOCK = 1 << 20
_ZIP, _GZ = b"PK\x03\x04", b"\x1f\x8b"
_NESTED = (_GZ, b"7z\xbc\xaf", b"Rar!", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")
_LITTER = ("__MACOSX/", ".DS_Store", "Thumbs.db", "desktop.ini")


@dataclass(frozen=True)
class Member:
    """One file in a delivered archive; `path` is None in a gz, which holds one file. Picklable."""

    archive: DeliveredFile
    path: str | None
    name: str
    size: int

    def open(self) -> BinaryIO:
        """A seekable handle; seeking back unpacks from the start again."""
        outer = self.archive.open()
        try:
            with _refusing(self.archive):
                inner = self._inside(outer)
            return cast(BinaryIO, io.BufferedReader(_Unpacked(outer, inner, self.archive), _BLOCK))
        except BaseException:
            outer.close()
            raise

    def _inside(self, outer: BinaryIO) -> IO[bytes]:
        if self.path is None:
            return cast(IO[bytes], gzip.GzipFile(fileobj=outer))
        with zipfile.ZipFile(outer) as archive:
            return archive.open(self.path)


class _Unpacked(io.RawIOBase):
    """A member's bytes; damage that shows only while reading is a refusal too."""

    def __init__(self, outer: BinaryIO, inner: IO[bytes], file: DeliveredFile) -> None:
        self._outer, self._inner, self._file = outer, inner, file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        with _refusing(self._file):
            block = self._inner.read(len(buffer))
        buffer[: len(block)] = block
        return len(block)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        with _refusing(self._file):
            return self._inner.seek(offset, whence)

    def tell(self) -> int:
        return self._inner.tell()

    def close(self) -> None:
        if not self.closed:
            self._inner.close()
            self._outer.close()
        super().close()


def unpacked(files: Sequence[DeliveredFile]) -> list[DeliveredFile]:
    """The files themselves, and in place of each archive what lies in it. A workbook is zipped and no archive."""
    found: list[DeliveredFile] = []
    for file in files:
        found += numbered(members(file)) if is_archive(file) else [file]
    return found


def numbered(found: Sequence[Member]) -> list[Member]:
    """Members named by their place in the archive: what a delivery's errors tell of a file must not be a name that its
    supplier gave it, which may be somebody's. The ending says how it is read."""
    return [
        replace(member, name=f"{member.archive.name}, file {number}{ending(member.name)}")
        for number, member in enumerate(found, start=1)
    ]


def is_archive(file: DeliveredFile) -> bool:
    """Whether a file is a gz, or a zip that is no workbook."""
    with file.open() as handle:
        head = handle.read(4)
        if head.startswith(_GZ):
            return True
        if head != _ZIP:
            return False
        handle.seek(0)
        with _refusing(file), zipfile.ZipFile(handle) as archive:
            names = set(archive.namelist())
    return "[Content_Types].xml" not in names and not {"mimetype", "content.xml"} <= names


def members(file: DeliveredFile) -> list[Member]:
    """The files in an archive in its order; Refused if it is damaged, a bomb, encrypted, or leads outside."""
    with file.open() as handle:
        gz = handle.read(2) == _GZ
    found = [_gunzipped(file)] if gz else _zipped(file)
    for member in found:
        with member.open() as inside:
            head = inside.read(512)
        if head.startswith(_NESTED) or head[257:262] == b"ustar" or (head.startswith(_ZIP) and is_archive(member)):
            raise _refused(file, "there is an archive in the archive", "pack the tables themselves")
    return found


def repacked(file: DeliveredFile, changed: Mapping[str | None, Iterator[bytes]]) -> Iterator[bytes]:
    """The archive's bytes with these in the place of the files at these paths (of a gz: None). What a computer adds of
    its own accord to an archive, comments, names of a gz and of a zip's only file are left out: nobody has looked what
    stands in them. Of several files the names tell the tables."""
    sink = _Sink()
    if None in changed:
        with gzip.GzipFile(filename="", mode="wb", fileobj=cast(BinaryIO, sink), mtime=0) as packed:
            for block in changed[None]:
                packed.write(block)
                yield sink.taken()
        yield sink.taken()
        return
    with zipfile.ZipFile(cast(BinaryIO, sink), "w", zipfile.ZIP_DEFLATED) as archive:
        for member in (found := members(file)):
            name = str(member.path) if len(found) > 1 else f"file 1{ending(str(member.path))}"
            with (
                member.open() as inside,
                archive.open(name, "w", force_zip64=member.size >= zipfile.ZIP64_LIMIT) as packed_member,
            ):
                for block in changed.get(member.path) or iter(partial(inside.read, _BLOCK), b""):
                    packed_member.write(block)
                    yield sink.taken()
    yield sink.taken()


class _Sink:
    """Takes what is written, until it is taken away: no archive lies whole in memory, or in a temporary file."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def write(self, block: bytes) -> int:
        self._waiting += block
        return len(block)

    def flush(self) -> None:
        pass

    def taken(self) -> bytes:
        taken = bytes(self._waiting)
        self._waiting.clear()
        return taken


def look(file: DeliveredFile, form: DeliveredFile | None = None) -> tuple[dict[str, Grid], dict[str, object]]:
    """Every table of every file in the archive; where there are several files, named by file and table."""
    from connectors.unknown import open_unknown

    grids: dict[str, Grid] = {}
    facts: dict[str, object] = {}
    found = members(file)
    for member in found:
        looked = open_unknown(member, form)
        for name, grid in looked.grids.items():
            grids[name if len(found) == 1 else f"{member.path}: {name}"] = grid
        told = {**looked.facts, "format": looked.format, "encoding": looked.encoding}
        facts = told if len(found) == 1 else {**facts, str(member.path): told}
    return grids, {**facts, "archive": [member.name for member in found]}


def _most(file: DeliveredFile) -> int:
    """Bytes that an archive may unpack to."""
    return min(MAX_UNPACKED, max(_SMALL, MAX_RATIO * file.size))


def _gunzipped(file: DeliveredFile) -> Member:
    """The one file of a gz. Its size stands nowhere that can be trusted, so it is unpacked once to be counted."""
    most = _most(file)
    size = 0
    with _refusing(file), file.open() as handle, gzip.GzipFile(fileobj=handle) as inside:
        while block := inside.read(_BLOCK):
            size += len(block)
            if size > most:
                raise _refused(file, "it unpacks to too many bytes", "deliver the table itself")
    name = file.name[:-3] if file.name.lower().endswith(".gz") else file.name
    return Member(file, None, name, size)


def _zipped(file: DeliveredFile) -> list[Member]:
    with _refusing(file), file.open() as handle, zipfile.ZipFile(handle) as archive:
        infos = archive.infolist()
    if len(infos) > MAX_MEMBERS:
        raise _refused(file, f"it holds {len(infos)} files, at most {MAX_MEMBERS} are read", "deliver fewer at a time")
    # Against the archive itself: its directory may name the same bytes a thousand times.
    if sum(info.file_size for info in infos) > _most(file):
        raise _refused(file, "it unpacks to too many bytes", "deliver the table itself")
    if len({info.filename for info in infos}) < len(infos):
        raise _refused(file, "two files in it have one name", "pack each file once")
    for info in infos:
        _refuse_unsafe(file, info)
    found = [
        Member(file, info.filename, PurePosixPath(info.filename).name, info.file_size)
        for info in infos
        if not info.is_dir() and not info.filename.startswith(_LITTER[0]) and not info.filename.endswith(_LITTER[1:])
    ]
    if not found:
        raise Refused("delivery.empty", "the archive is empty", file.name, "deliver the file again")
    return found


def _refuse_unsafe(file: DeliveredFile, info: zipfile.ZipInfo) -> None:
    name = info.filename
    if name.startswith(("/", "\\")) or ".." in name.replace("\\", "/").split("/") or name[1:2] == ":":
        raise _refused(file, "a file in it has a path that leads outside", "pack the files without their folders")
    if stat.S_ISLNK(info.external_attr >> 16):
        raise _refused(file, "there is a link in it", "pack the file that it points to")
    if info.flag_bits & 1:
        raise _refused(file, "it is protected by a password", "pack it without one")


@contextmanager
def _refusing(file: DeliveredFile) -> Iterator[None]:
    """Whatever a damaged archive makes its reader raise is one refusal."""
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError, ValueError, KeyError):
        raise _refused(
            file, "it is no whole archive, or packed in a way that cannot be read", "pack it again"
        ) from None


def _refused(file: DeliveredFile, what: str, mend: str) -> Refused:
    return Refused("delivery.unreadable", what, file.name, mend)
