"""A stream of bytes in a file, sealed under a passphrase or a key file: AES-256-GCM in frames of 1 MiB.

Frame number, a final flag and the header are authenticated: what was changed, cut or reordered is noticed. Not its
business: what the bytes are.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Self

from anonymization.keys.roots import refuse_if_others_can_read
from codebook.errors import HomewardError, Unavailable

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_MAGIC = b"HOMEWARD BACKUP 1\n"
_SALT, _CHECK, _FRAME, _TAG = 16, 8, 1 << 20, 16
_HEADER = len(_MAGIC) + _SALT + _CHECK
_SHORTEST = 12


def secret_of_file(path: Path) -> bytes:
    """The bytes of a key file that only its owner can read."""
    try:
        refuse_if_others_can_read(path)
        secret = path.read_bytes()
    except (FileNotFoundError, IsADirectoryError):
        raise HomewardError(
            "there is no such key file", path.name, "name a file of 32 random bytes, mode 0600"
        ) from None
    except OSError as error:
        raise Unavailable("the key file cannot be read", path.name, os.strerror(error.errno or 0)) from None
    if len(secret) < 32:
        raise HomewardError("the key file is too short", path.name, "it needs 32 random bytes")
    return secret


def secret_of_passphrase(text: str) -> bytes:
    if len(text) < _SHORTEST:
        raise HomewardError("the passphrase is too short", "backup", f"at least {_SHORTEST} signs")
    return text.encode()


class Writer:
    """Write bytes; `close` writes the final frame, without which the file is no whole one."""

    def __init__(self, out: BinaryIO, secret: bytes) -> None:
        salt = os.urandom(_SALT)
        key = _key(secret, salt)
        header = _MAGIC + salt + _check(key)
        self._out, self._cipher, self._bound = out, _cipher(key), hashlib.sha256(header).digest()
        self._waiting, self._number = bytearray(), 0
        out.write(header)

    def write(self, block: bytes | memoryview) -> None:
        self._waiting += block
        while len(self._waiting) > _FRAME:
            self._frame(bytes(self._waiting[:_FRAME]), final=False)
            del self._waiting[:_FRAME]

    def close(self) -> None:
        self._frame(bytes(self._waiting), final=True)

    def _frame(self, frame: bytes, final: bool) -> None:
        self._out.write(self._cipher.encrypt(_nonce(self._number, final), frame, self._bound))
        self._number += 1


class Reader:
    """Read such a file from its beginning. HomewardError: another secret, or not whole as it was written."""

    def __init__(self, path: Path, secret: bytes) -> None:
        self._path, self._secret = path, secret

    @classmethod
    def verified(cls, path: Path, secret: bytes) -> Self:
        """A reader of a file whose every frame was tried: nothing is done with the first row of a damaged one."""
        reader = cls(path, secret)
        for _ in reader.frames():
            pass
        return reader

    @property
    def mark(self) -> str:
        """Tells this file from every other: a hash of its random salt."""
        with self._path.open("rb") as file:
            return hashlib.sha256(file.read(_HEADER)).hexdigest()[:16]

    def frames(self) -> Iterator[bytes]:
        from cryptography.exceptions import InvalidTag

        try:
            with self._path.open("rb") as file:
                header = file.read(_HEADER)
                if not header.startswith(_MAGIC) or len(header) < _HEADER:
                    raise HomewardError("this is no backup of a vault", self._path.name, "name another file")
                key = _key(self._secret, header[len(_MAGIC) : -_CHECK])
                if not hmac.compare_digest(_check(key), header[-_CHECK:]):
                    raise HomewardError(
                        "the passphrase or key file is not the one of this backup", self._path.name, "give that one"
                    )
                cipher, bound, number = _cipher(key), hashlib.sha256(header).digest(), 0
                frame = file.read(_FRAME + _TAG)
                while True:
                    following = file.read(_FRAME + _TAG)
                    yield cipher.decrypt(_nonce(number, not following), frame, bound)
                    if not following:
                        return
                    frame, number = following, number + 1
        except InvalidTag:
            raise HomewardError(
                "the backup is damaged, cut short or was changed", self._path.name, "use another backup"
            ) from None
        except (FileNotFoundError, IsADirectoryError):
            raise HomewardError("there is no such backup", self._path.name, "name the archive's file") from None
        except OSError as error:
            raise Unavailable("the backup cannot be read", self._path.name, os.strerror(error.errno or 0)) from None


def _key(secret: bytes, salt: bytes) -> bytes:
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    return Scrypt(salt=salt, length=32, n=1 << 16, r=8, p=1).derive(secret)


def _check(key: bytes) -> bytes:
    return hmac.digest(key, b"homeward backup check", hashlib.sha256)[:_CHECK]


def _cipher(key: bytes) -> AESGCM:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key)


def _nonce(number: int, final: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([final])
