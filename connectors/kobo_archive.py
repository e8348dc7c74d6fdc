"""One export inside a zip archive: its members as delivered files, streamed, never written down.

Members are read through the standard library's zip reader; encrypted, damaged or oversized archives are refused. An
archive inside an archive is not opened.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO, BinaryIO, cast

from codebook.errors import Refused
from sources.batches import DeliveredFile

MAX_MEMBERS = 1_000
MAX_UNPACKED = 4 << 30
MAX_RATIO = 1_000
"""Deflate cannot pack more than 1,032 to 1; what comes near it is a bomb, not answers."""
_READ = (".csv", ".xlsx", ".xls", ".xlsm", ".geojson")


@dataclass(frozen=True)
class Member:
    """One file in a delivered archive. Picklable: it opens the archive again."""

    archive: DeliveredFile
    path: str
    size: int

    @property
    def name(self) -> str:
        return PurePosixPath(self.path).name

    def open(self) -> BinaryIO:
        handle = self.archive.open()
        try:
            with refusing(self.archive), zipfile.ZipFile(handle) as archive:
                member = archive.open(self.path)
                return cast(BinaryIO, io.BufferedReader(_Unpacked(handle, member, self.archive)))
        except BaseException:
            handle.close()
            raise


class _Unpacked(io.RawIOBase):
    """A member's bytes; damage that shows only while reading is a refusal too."""

    def __init__(self, archive: BinaryIO, member: IO[bytes], file: DeliveredFile) -> None:
        self._archive, self._member, self._file = archive, member, file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        with refusing(self._file):
            block = self._member.read(len(buffer))
        buffer[: len(block)] = block
        return len(block)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        with refusing(self._file):
            return self._member.seek(offset, whence)

    def tell(self) -> int:
        return self._member.tell()

    def close(self) -> None:
        if not self.closed:
            self._member.close()
            self._archive.close()
        super().close()


@contextmanager
def refusing(file: DeliveredFile) -> Iterator[None]:
    """Whatever a damaged archive makes the zip reader raise is one refusal."""
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError, ValueError, KeyError):
        raise Refused(
            "delivery.unreadable", "it is no whole zip archive, or it is encrypted", file.name, "pack it again"
        ) from None


def members(file: DeliveredFile) -> list[Member]:
    """The exports in an archive, in its order; what else lies in it (media, label syntax) is left alone."""
    with refusing(file), file.open() as handle, zipfile.ZipFile(handle) as archive:
        infos = archive.infolist()
    if len(infos) > MAX_MEMBERS:
        raise _refused(file, f"it holds {len(infos)} files, at most {MAX_MEMBERS} are read")
    if any(info.file_size > MAX_RATIO * max(info.compress_size, 1) for info in infos):
        raise _refused(file, "a file in it unpacks to more than a thousand times its size")
    if sum(info.file_size for info in infos) > MAX_UNPACKED:
        raise _refused(file, f"it unpacks to more than {MAX_UNPACKED >> 20} MiB")
    found = [
        Member(file, info.filename, info.file_size)
        for info in infos
        if not info.is_dir() and info.filename.lower().endswith(_READ) and not info.filename.startswith("__MACOSX/")
    ]
    if not found:
        raise _refused(file, "there is no export (.csv, .xlsx, .geojson) in it")
    return found


def _refused(file: DeliveredFile, what: str) -> Refused:
    return Refused("delivery.unreadable", what, file.name, "deliver the export itself")
