"""Delivered files as they came, sealed: AES-256-GCM in frames of 1 MiB, addressed by the sha256 of the plain bytes.

A sealed file is a header (its own random key, wrapped, and the supplier's file name, encrypted: file names hold names
of people) and frames. Frame number, a final flag and the header are authenticated, so a changed, shortened or reordered
file is noticed; the wrapped key alone can be replaced, which is how a rotation reaches it. Not its business: what is in
the file, and when it may be deleted.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from anonymization.keys.ring import Keyring
from codebook.errors import HomewardError, Unavailable

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

FRAME = 1 << 20
TAG = 16
SUFFIX = ".sealed"
SHREDDED = ".shredded"
"""Ending of the empty file that stands where a sealed one was destroyed on purpose."""
_MAGIC = b"HOMEWARD SEAL 2\n"
_FIRST_MAGIC = b"HOMEWARD SEAL 1\n"
"""Files from before keys were wrapped: theirs is a hash of a salt in the header. They are read, and no longer made."""
_SALT = 32
_NONCE, _KEY = 12, 32
_SLOT = 4 + _NONCE + _KEY + TAG
"""Epoch, nonce and wrapped key. Within the first 512 bytes of the file, which a disk writes whole or not at all."""
_NAME_NONCE = b"name".ljust(12, b"\0")
_TEMPORARY = ".sealing-"
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
        temporary = folder / f"{_TEMPORARY}{os.urandom(8).hex()}"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise _unwritable(folder, error) from None
    try:
        with os.fdopen(descriptor, "wb", buffering=0) as out:
            sha256, size = _write_sealed(source, name, out, keyring, folder)
        path = folder / f"{sha256}{SUFFIX}"
        try:
            temporary.replace(path)
            _sync_folder(folder)
        except OSError as error:
            raise _unwritable(folder, error) from None
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
                raise _destroyed(self._where) from None
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
        magic = self._file.read(len(_MAGIC)) or b""
        key = (self._file.read(_SALT if magic == _FIRST_MAGIC else _SLOT)) or b""
        length = self._file.read(4) or b""
        size = int.from_bytes(length, "big")
        if magic not in (_MAGIC, _FIRST_MAGIC) or len(length) < 4 or size > 4096 + TAG:
            raise _damaged(self._where)
        sealed_name = self._file.read(size) or b""
        if magic == _FIRST_MAGIC:
            self._cipher, prefix = _salted_cipher(keyring, key), magic + key + length
        else:
            self._cipher, prefix = _cipher(_unwrapped(keyring, key, self._where)), magic + length
        self._bound = hashlib.sha256(prefix + sealed_name).digest()
        self._body = len(magic) + len(key) + len(length) + size
        self.name = self._decrypt(_NAME_NONCE, sealed_name, prefix).decode("utf-8", "surrogateescape")

    def _extent(self, body: int) -> tuple[int, int]:
        frames = max(1, -(-body // (FRAME + TAG)))
        size = body - frames * TAG
        if size < 0:
            raise _damaged(self._where)
        return frames, size

    def _load(self, number: int) -> None:
        self._file.seek(self._body + number * (FRAME + TAG))
        sealed = self._file.read(FRAME + TAG) or b""
        self._frame = self._decrypt(_frame_nonce(number, number == self._frames - 1), sealed, self._bound)
        self._number = number

    def _decrypt(self, nonce: bytes, sealed: bytes, bound: bytes) -> bytes:
        from cryptography.exceptions import InvalidTag

        try:
            return self._cipher.decrypt(nonce, sealed, bound)
        except InvalidTag:
            raise _damaged(self._where) from None

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
    key = os.urandom(_KEY)
    cipher = _cipher(key)
    plain_name = name.encode("utf-8", "surrogateescape")
    prefix = _MAGIC + (len(plain_name) + TAG).to_bytes(4, "big")
    sealed_name = cipher.encrypt(_NAME_NONCE, plain_name, prefix)
    bound = hashlib.sha256(prefix + sealed_name).digest()
    header = _MAGIC + _wrapped(keyring, key) + prefix[len(_MAGIC) :] + sealed_name
    digest, size = hashlib.sha256(), 0
    _write(out, header, folder)
    for number, (frame, final) in enumerate(_frames(source)):
        digest.update(frame)
        size += len(frame)
        _write(out, cipher.encrypt(_frame_nonce(number, final), frame, bound), folder)
    try:
        os.fsync(out.fileno())
    except OSError as error:
        raise _unwritable(folder, error) from None
    return digest.hexdigest(), size


def _write(out: io.RawIOBase | BinaryIO, block: bytes, folder: Path) -> None:
    """All of `block`, since a raw file may take part of it only; a full disk becomes one line."""
    rest = memoryview(block)
    try:
        while rest:
            rest = rest[out.write(rest) or 0 :]
    except OSError as error:
        raise _unwritable(folder, error) from None


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


def rewrap(path: Path, keyring: Keyring) -> bool:
    """Wrap the key of a sealed file anew if it is of an older epoch; False if it was not. The frames stay.

    Readers that have the file open are not disturbed: they have its key.
    """
    try:
        with path.open("r+b", buffering=0) as file:
            magic = file.read(len(_MAGIC))
            if magic == _MAGIC:
                slot = file.read(_SLOT)
                if int.from_bytes(slot[:4], "big") >= keyring.present:
                    return False
                os.pwrite(file.fileno(), _wrapped(keyring, _unwrapped(keyring, slot, path.name[:8])), len(_MAGIC))
                os.fsync(file.fileno())
                return True
        old = SealedFile(path, keyring)
        with old.open() as stream:
            seal(stream, old.name, path.parent, keyring)
    except OSError as error:
        raise _unwritable(path.parent, error) from None
    return True


def shred(path: Path, leave_word: bool) -> None:
    """Destroy a sealed file: first its key, without which no copy of its frames can be read, then the file.

    `leave_word`: who looks for it later is told that it was destroyed on purpose.
    """
    try:
        with path.open("r+b", buffering=0) as file:
            os.pwrite(file.fileno(), bytes(_SLOT), len(_MAGIC))
            os.fsync(file.fileno())
        if leave_word:
            path.with_suffix(SHREDDED).touch(0o600)
        path.unlink()
        _sync_folder(path.parent)
    except FileNotFoundError:
        return
    except OSError as error:
        raise _unwritable(path.parent, error) from None


def was_shredded(path: Path) -> bool:
    return path.with_suffix(SHREDDED).exists()


def _wrapped(keyring: Keyring, key: bytes) -> bytes:
    """The slot of the header that holds a file's key."""
    epoch, nonce = keyring.present, os.urandom(_NONCE)
    wrapped = _cipher(keyring.derive("", "store", epoch=epoch)).encrypt(nonce, key, _MAGIC)
    return epoch.to_bytes(4, "big") + nonce + wrapped


def _unwrapped(keyring: Keyring, slot: bytes, where: str) -> bytes:
    from cryptography.exceptions import InvalidTag

    try:
        root = keyring.derive("", "store", epoch=int.from_bytes(slot[:4], "big"))
        return _cipher(root).decrypt(slot[4 : 4 + _NONCE], slot[4 + _NONCE :], _MAGIC)
    except (InvalidTag, ValueError, HomewardError):  # an epoch that was never there is damage too
        raise _damaged(where) from None


def _cipher(key: bytes) -> AESGCM:
    """The cipher of one file: its key is used for this file only, so frame numbers may serve as nonces."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key)


def _salted_cipher(keyring: Keyring, salt: bytes) -> AESGCM:
    """The cipher of a file from before keys were wrapped."""
    return _cipher(hashlib.blake2b(salt, key=keyring.derive("", "store"), digest_size=32).digest())


def _frame_nonce(number: int, final: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([final])


def _sweep_abandoned(folder: Path) -> None:
    """Remove what a killed process left half-written; another process may be writing now, so only what is old."""
    for path in folder.glob(f"{_TEMPORARY}*"):
        if time.time() - path.stat().st_mtime > _ABANDONED_AFTER:
            path.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unwritable(folder: Path, error: OSError) -> Unavailable:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return Unavailable("the sealed store has no room left", str(folder), "free some space and run again")
    return Unavailable("the sealed store cannot be written", str(folder), os.strerror(error.errno or 0))


def _destroyed(where: str) -> HomewardError:
    return HomewardError(
        "the file of this delivery was destroyed when a person in it was erased",
        where,
        "what was published of the others stays; to run it again, have it delivered without the person",
    )


def _damaged(where: str) -> HomewardError:
    return HomewardError(
        "a sealed file is damaged, was changed, or was sealed with another key",
        where,
        "restore the store and its keys from the same backup, or ask the supplier to deliver again",
    )
