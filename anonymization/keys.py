"""The root key of an installation, and the keys that are derived from it.

One 32-byte root key lies in a folder that only its owner can read; every other key is HKDF-SHA256 of it for one
country, purpose, field and epoch, so that no two uses share a key. Not its business: what is encrypted with them, and
the random keys of countries and persons, which the vault keeps wrapped.
"""

from __future__ import annotations

import os
import stat
from functools import lru_cache
from pathlib import Path
from typing import Self

from codebook.errors import HomewardError, Unavailable

ROOT_FILE = "root.key"
ROOT_BYTES = 32
_VERSION = b"homeward-1"


class Keyring:
    """Derives keys from one root key. It pickles as its folder, so no key travels between processes."""

    def __init__(self, root: bytes, folder: Path | None = None) -> None:
        self._root, self.folder = root, folder
        self.derive = lru_cache(maxsize=1024)(self._derive)

    @classmethod
    def open(cls, folder: Path) -> Self:
        """The keyring of `folder`; on the first run the root key is made there (key 0600, folder 0700)."""
        folder = Path(folder).absolute()
        path = folder / ROOT_FILE
        try:
            if not path.exists():
                _make_root(folder, path)
            _refuse_if_others_can_read(folder)
            _refuse_if_others_can_read(path)
            root = path.read_bytes()
        except OSError as error:
            raise Unavailable("the key folder cannot be used", str(folder), os.strerror(error.errno or 0)) from None
        if len(root) != ROOT_BYTES:
            raise HomewardError("the root key is damaged", str(path), "restore it from your backup of the key folder")
        return cls(root, folder)

    @classmethod
    def throwaway(cls) -> Self:
        """A keyring for a dry run: its keys exist nowhere else and nothing that they protect is kept."""
        return cls(os.urandom(ROOT_BYTES))

    def _derive(self, country: str, purpose: str, field: str = "", epoch: int = 1) -> bytes:
        """The 32-byte key of one use."""
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        parts = (_VERSION, country.encode(), purpose.encode(), field.encode(), str(epoch).encode())
        # Each part carries its length: ("ab", "c") and ("a", "bc") must not give one key.
        info = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
        return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(self._root)

    def __reduce__(self) -> tuple[object, ...]:
        return (Keyring, (self._root,)) if self.folder is None else (Keyring.open, (self.folder,))

    def __repr__(self) -> str:
        return f"Keyring({str(self.folder) if self.folder else 'throwaway'})"


def _make_root(folder: Path, path: Path) -> None:
    """Write a new root key whole or not at all; of two first runs at once, one key wins and both use it."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    temporary = folder / f".{ROOT_FILE}.{os.urandom(8).hex()}"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(os.urandom(ROOT_BYTES))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(temporary, path)  # a link, not a rename: it never replaces a key that is already there
        except FileExistsError:
            return
    finally:
        temporary.unlink()


def _refuse_if_others_can_read(path: Path) -> None:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        wanted = "700" if path.is_dir() else "600"
        raise HomewardError(
            f"others on this machine can read the keys, mode is {mode:o}", str(path), f"chmod {wanted} {path}"
        )
