"""Delivered files as they came, sealed: AES-256-GCM in frames of 1 MiB, addressed by the sha256 of the plain bytes.

A sealed file is a header (its own random key, wrapped, and the supplier's file name, encrypted: file names hold names
of people) and frames. Frame number, a final flag and the header are authenticated, so a changed, shortened or reordered
file is noticed; the wrapped key alone can be replaced, which is how a rotation reaches it (`sealed_keys`). Not its
business: what is in the file, and when it may be deleted.
"""

from __future__ import annotations

import hashlib
import io
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

from anonymization.keys.ring import Keyring
from anonymization.vault.seal_format import (
    FIRST_MAGIC,
    FRAME,
    KEY,
    MAGIC,
    NAME_NONCE,
    SALT,
    SLOT,
    SUFFIX,
    TAG,
    TEMPORARY,
    cipher,
    damaged,
    destroyed,
    frame_nonce,
    salted_cipher,
    sync_folder,
    unwrapped,
    unwritable,
    was_shredded,
    wrapped,
)
from codebook.errors import Unavailable

_ABANDONED_AFTER = 24 * 3600


@dataclass(frozen=True)
class Sealed:
    """What sealing a file found out: hash and size of the plain bytes, and where they now lie."""

    sha256: str
    size: int
    file: SealedFile


def seal(source: Path | BinaryIO | Iterable[bytes], name: str, folder: Path, keyring: Keyring) -> Sealed:
    """Hash and encrypt `source` in one pass into `folder/<sha256>.sealed`; on any failure nothing is left there.

    `name` is the supplier's name of the file, kept inside the seal only.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _sweep_abandoned(folder)
        temporary = folder / f"{TEMPORARY}{os.urandom(8).hex()}"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise unwritable(folder, error) from None
    try:
        with os.fdopen(descriptor, "wb", buffering=0) as out:
            sha256, size = _write_sealed(source, name, out, keyring, folder)
        path = folder / f"{sha256}{SUFFIX}"
        try:
            temporary.replace(path)
            sync_folder(folder)
        except OSError as error:
            raise unwritable(folder, error) from None
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return Sealed(sha256, size, SealedFile(path, keyring))


def open_sealed(sha256: str, folder: Path, keyring: Keyring) -> SealedFile:
    """The file that was sealed into `folder` with this sha256. Unavailable if it is not there."""
    path = Path(folder) / f"{sha256}{SUFFIX}"
    if not path.is_file():
        raise Unavailable("a received file is missing from the sealed store", sha256[:8], "restore the store")
    return SealedFile(path, keyring)


@dataclass(frozen=True)
class SealedFile:
    """A delivered file in the sealed store (`sources.batches.DeliveredFile`). Pickles without any key or name."""

    path: Path
    keyring: Keyring

    @cached_property
    def name(self) -> str:
        return self._opened().name

    @cached_property
    def size(self) -> int:
        return self._opened().size

    def open(self) -> BinaryIO:
        return io.BufferedReader(_FrameReader(self.path, self.keyring), buffer_size=FRAME)

    def _opened(self) -> _Facts:
        with _FrameReader(self.path, self.keyring) as reader:
            return _Facts(reader.name, reader.size)

    def __getstate__(self) -> dict[str, object]:
        return {"path": self.path, "keyring": self.keyring}


@dataclass(frozen=True)
class _Facts:
    name: str
    size: int


class _FrameReader(io.RawIOBase):
    """Seekable plain bytes of a sealed file; one frame is decrypted at a time, when it is asked for."""

    def __init__(self, path: Path, keyring: Keyring) -> None:
        super().__init__()
        self._where = path.name[:8]
        self.name = ""
        self._position, self._frame, self._number = 0, b"", -1
        try:
            self._file = path.open("rb", buffering=0)
        except OSError as error:
            if was_shredded(path):
                raise destroyed(self._where) from None
            raise Unavailable("a sealed file cannot be opened", self._where, os.strerror(error.errno or 0)) from None
        try:
            self._read_header(keyring)
            self._frames, self.size = self._extent(path.stat().st_size - self._body)
            # The last frame carries the final flag: reading it now tells a shortened file before its first row is used.
            self._load(self._frames - 1)
        except BaseException:
            self._file.close()
            raise

    def _read_header(self, keyring: Keyring) -> None:
        magic = self._file.read(len(MAGIC)) or b""
        key = (self._file.read(SALT if magic == FIRST_MAGIC else SLOT)) or b""
        length = self._file.read(4) or b""
        size = int.from_bytes(length, "big")
        if magic not in (MAGIC, FIRST_MAGIC) or len(length) < 4 or size > 4096 + TAG:
            raise damaged(self._where)
        sealed_name = self._file.read(size) or b""
        if magic == FIRST_MAGIC:
            self._cipher, prefix = salted_cipher(keyring, key), magic + key + length
        else:
            self._cipher, prefix = cipher(unwrapped(keyring, key, self._where)), magic + length
        self._bound = hashlib.sha256(prefix + sealed_name).digest()
        self._body = len(magic) + len(key) + len(length) + size
        self.name = self._decrypt(NAME_NONCE, sealed_name, prefix).decode("utf-8", "surrogateescape")

    def _extent(self, body: int) -> tuple[int, int]:
        frames = max(1, -(-body // (FRAME + TAG)))
        size = body - frames * TAG
        if size < 0:
            raise damaged(self._where)
        return frames, size

    def _load(self, number: int) -> None:
        self._file.seek(self._body + number * (FRAME + TAG))
        sealed = self._file.read(FRAME + TAG) or b""
        self._frame = self._decrypt(frame_nonce(number, number == self._frames - 1), sealed, self._bound)
        self._number = number

    def _decrypt(self, nonce: bytes, sealed: bytes, bound: bytes) -> bytes:
        from cryptography.exceptions import InvalidTag

        try:
            return self._cipher.decrypt(nonce, sealed, bound)
        except InvalidTag:
            raise damaged(self._where) from None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size}[whence]
        if start + offset < 0:
            raise ValueError("negative seek position")
        self._position = start + offset
        return self._position

    def readinto(self, buffer: object, /) -> int:
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        if self._position >= self.size or not len(view):
            return 0
        number, start = divmod(self._position, FRAME)
        if number != self._number:
            self._load(number)
        count = min(len(view), len(self._frame) - start)
        view[:count] = memoryview(self._frame)[start : start + count]
        self._position += count
        return count

    def close(self) -> None:
        if not self.closed and hasattr(self, "_file"):
            self._file.close()
        super().close()


def _write_sealed(
    source: Path | BinaryIO | Iterable[bytes], name: str, out: io.RawIOBase | BinaryIO, keyring: Keyring, folder: Path
) -> tuple[str, int]:
    """Header and frames to `out`, synced; sha256 and size of the plain bytes."""
    key = os.urandom(KEY)
    aead = cipher(key)
    plain_name = name.encode("utf-8", "surrogateescape")
    prefix = MAGIC + (len(plain_name) + TAG).to_bytes(4, "big")
    sealed_name = aead.encrypt(NAME_NONCE, plain_name, prefix)
    bound = hashlib.sha256(prefix + sealed_name).digest()
    header = MAGIC + wrapped(keyring, key, keyring.newest) + prefix[len(MAGIC) :] + sealed_name
    digest, size = hashlib.sha256(), 0
    _write(out, header, folder)
    for number, (frame, final) in enumerate(_frames(source)):
        digest.update(frame)
        size += len(frame)
        _write(out, aead.encrypt(frame_nonce(number, final), frame, bound), folder)
    try:
        os.fsync(out.fileno())
    except OSError as error:
        raise unwritable(folder, error) from None
    return digest.hexdigest(), size


def _write(out: io.RawIOBase | BinaryIO, block: bytes, folder: Path) -> None:
    """All of `block`, since a raw file may take part of it only; a full disk becomes one line."""
    rest = memoryview(block)
    try:
        while rest:
            rest = rest[out.write(rest) or 0 :]
    except OSError as error:
        raise unwritable(folder, error) from None


def _frames(source: Path | BinaryIO | Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """`source` cut into frames of 1 MiB, each with whether it is the last; an empty source is one empty frame."""
    waiting = bytearray()
    for chunk in _chunks(source):
        waiting += chunk
        while len(waiting) > FRAME:  # not >=: what is full may still turn out to be the last
            yield bytes(waiting[:FRAME]), False
            del waiting[:FRAME]
    yield bytes(waiting), True


def _chunks(source: Path | BinaryIO | Iterable[bytes]) -> Iterator[bytes]:
    if isinstance(source, Path):
        with source.open("rb") as stream:
            yield from iter(lambda: stream.read(FRAME), b"")
    elif hasattr(source, "read"):
        read = source.read
        yield from iter(lambda: read(FRAME), b"")
    else:
        yield from source


def _sweep_abandoned(folder: Path) -> None:
    """Remove what a killed process left half-written; another process may be writing now, so only what is old."""
    for path in folder.glob(f"{TEMPORARY}*"):
        if time.time() - path.stat().st_mtime > _ABANDONED_AFTER:
            path.unlink(missing_ok=True)
