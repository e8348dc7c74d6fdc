"""The keys of an installation: master keys by epoch, wrapped by the root key, and all that is derived from them.

`keys/ring.json` holds a random master key for each epoch, wrapped; a rotation adds one, so that what was made in an
older epoch can still be read. Every other key is HKDF-SHA256 of a master for one country, programme, purpose, field
and epoch: no two uses share a key. Not its business: what is encrypted with them, and the random keys of countries and
persons.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

from anonymization.keys import roots
from anonymization.keys.roots import ROOT_BYTES, ROOT_FILE, Root
from codebook.errors import HomewardError, Unavailable

__all__ = ["RING_FILE", "ROOT_BYTES", "ROOT_FILE", "Keyring"]

RING_FILE = "ring.json"
_LOCK_FILE = ".lock"
_VERSION = b"homeward-1"
_NONCE = 12


class Keyring:
    """Derives keys from the masters. It pickles as its folder, so no key travels between processes."""

    def __init__(self, masters: Mapping[int, bytes], folder: Path | None = None, root: Root | None = None) -> None:
        self._masters, self.folder, self.root = dict(masters), folder, root
        self.derive = lru_cache(maxsize=1024)(self._derive)

    @classmethod
    def open(cls, folder: Path) -> Self:
        """The keyring of `folder`; on the first run the keys are made there (files 0600, folder 0700)."""
        folder = Path(folder).absolute()
        try:
            # The keys of a home that has a root key and no ring yet were derived from the root key itself.
            before = None if (folder / RING_FILE).exists() else roots.in_file(folder)
            root = _root(folder)
            if not (folder / RING_FILE).exists():
                first = before.key if before else os.urandom(ROOT_BYTES)
                roots.write_new(folder, RING_FILE, _dumped({root.key_id: _wrapped({1: first}, root)}))
            roots.refuse_if_others_can_read(folder)
            return cls(_opened(folder, root), folder, root)
        except OSError as error:
            raise Unavailable("the key folder cannot be used", str(folder), os.strerror(error.errno or 0)) from None

    @classmethod
    def throwaway(cls) -> Self:
        """A keyring for a dry run: its keys exist nowhere else and nothing that they protect is kept."""
        return cls({1: os.urandom(ROOT_BYTES)})

    @classmethod
    def restored(cls, folder: Path, masters: Mapping[int, bytes]) -> Self:
        """A keyring of a backup's masters in a folder that has none yet, under a root key of its own."""
        folder = Path(folder).absolute()
        if (folder / RING_FILE).exists():
            raise HomewardError("there are keys already", str(folder), "restore into an empty home")
        root = _root(folder)
        roots.write_new(folder, RING_FILE, _dumped({root.key_id: _wrapped(masters, root)}))
        return cls.open(folder)

    @property
    def newest(self) -> int:
        """The last epoch, another process's included."""
        self._reload()
        return max(self._masters)

    @property
    def present(self) -> int:
        """The last epoch that this process knows: what is made now is made in it."""
        return max(self._masters)

    @property
    def masters(self) -> dict[int, bytes]:
        """The masters by epoch, for a backup that is encrypted; to be shown to nobody."""
        return dict(self._masters)

    def add_epoch(self) -> int:
        """A new master key for the next epoch; returns the epoch."""
        with self._held() as ring:
            self._reload()
            epoch = max(self._masters) + 1
            masters = self._masters | {epoch: os.urandom(ROOT_BYTES)}
            # A ring that opens under a second root key would keep the new master from it: such wrappings end here.
            self._write(ring, {self._own.key_id: _wrapped(masters, self._own)})
            self._masters = masters
        return epoch

    def change_root(self) -> Root:
        """Wrap all masters under a new root key; the old one opens nothing afterwards.

        The root of a file is made new. One from outside goes over to that of `..._NEXT`: until the setting is changed
        both open the ring, and the next change forgets the older.
        """
        if self._own.source != "file":
            coming = roots.outside(roots.NEXT)
            if coming is None:
                raise HomewardError(
                    "there is no root key to change to",
                    f"{roots.VARIABLE}{roots.NEXT}",
                    f"set it or {roots.COMMAND}{roots.NEXT}, run again, then let it take the place of the old one",
                )
            with self._held() as ring:
                self._write(ring, {one.key_id: _wrapped(self._masters, one) for one in (self._own, coming)})
            return coming
        coming = Root(os.urandom(ROOT_BYTES), "file")
        folder = self._folder
        with self._held() as ring:
            # Killed between any two of these, the key file opens the ring: both wrappings are there meanwhile.
            self._write(ring, {one.key_id: _wrapped(self._masters, one) for one in (self._own, coming)})
            roots.write_new(folder, ROOT_FILE, coming.key, replace=True)
            self._write(ring, {coming.key_id: _wrapped(self._masters, coming)})
        self.root = coming
        return coming

    def _derive(
        self, country: str, purpose: str, field: str = "", epoch: int = 1, programme: str | None = None
    ) -> bytes:
        """The 32-byte key of one use; without `programme` that of the country's common programme."""
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        if epoch not in self._masters:
            self._reload()
        if epoch not in self._masters:
            raise HomewardError(
                f"the keys of epoch {epoch} are not in the key folder", str(self.folder), "restore it from its backup"
            )
        stated = [country, purpose, field, str(epoch)] + ([programme] if programme else [])
        parts = [_VERSION, *(part.encode() for part in stated)]
        # Each part carries its length: ("ab", "c") and ("a", "bc") must not give one key.
        info = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
        return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(self._masters[epoch])

    @property
    def _folder(self) -> Path:
        if self.folder is None:
            raise HomewardError("the keys of a dry run cannot be changed", "keys")
        return self.folder

    @property
    def _own(self) -> Root:
        if self.root is None:
            raise HomewardError("the keys of a dry run cannot be changed", "keys")
        return self.root

    def _reload(self) -> None:
        if self.folder is not None:
            self.root = _root(self.folder)
            self._masters = _opened(self.folder, self.root)

    @contextmanager
    def _held(self) -> Iterator[Path]:
        """One process at a time changes the ring; another waits."""
        with (self._folder / _LOCK_FILE).open("w") as lock:
            os.fchmod(lock.fileno(), 0o600)
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield self._folder

    @staticmethod
    def _write(folder: Path, ring: dict[str, dict[str, str]]) -> None:
        roots.write_new(folder, RING_FILE, _dumped(ring), replace=True)

    def __reduce__(self) -> tuple[object, ...]:
        return (Keyring, (self._masters,)) if self.folder is None else (Keyring.open, (self.folder,))

    def __repr__(self) -> str:
        return f"Keyring({str(self.folder) if self.folder else 'throwaway'})"


def _root(folder: Path) -> Root:
    """The root key; a file of it is made only where there are no keys at all."""
    if (given := roots.outside()) is not None:
        return given
    if (found := roots.in_file(folder)) is not None:
        return found
    if (folder / RING_FILE).exists():
        needed = ", ".join(_ring(folder))
        raise HomewardError(
            f"the root key is missing, the keys here need key id {needed}", str(folder), "restore it from its backup"
        )
    roots.make_file(folder)
    made = roots.in_file(folder)
    if made is None:
        raise Unavailable("the key folder cannot be used", str(folder), "see who else changes it")
    return made


def _opened(folder: Path, root: Root) -> dict[int, bytes]:
    """The masters of the ring in `folder`."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    ring = _ring(folder)
    if root.key_id not in ring:
        raise HomewardError(
            f"the root key (key id {root.key_id}, from {root.source}) is not the one that these keys need",
            f"{folder / RING_FILE} needs key id {', '.join(ring)}",
            "give that root key, or restore the key folder from its backup",
        )
    masters = {}
    for epoch, text in ring[root.key_id].items():
        try:
            sealed = base64.b64decode(text, validate=True)
            masters[int(epoch)] = AESGCM(root.key).decrypt(sealed[:_NONCE], sealed[_NONCE:], _bound(int(epoch)))
        except (InvalidTag, ValueError):
            raise _damaged(folder) from None
    return masters


def _ring(folder: Path) -> dict[str, dict[str, str]]:
    try:
        said: Any = json.loads((folder / RING_FILE).read_bytes())
        ring: dict[str, dict[str, str]] = {name: dict(masters) for name, masters in said["masters"].items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise _damaged(folder) from None
    return ring


def _damaged(folder: Path) -> HomewardError:
    return HomewardError("the ring of keys is damaged", str(folder / RING_FILE), "restore it from its backup")


def _wrapped(masters: Mapping[int, bytes], root: Root) -> dict[str, str]:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    wrapped = {}
    for epoch, master in masters.items():
        nonce = os.urandom(_NONCE)
        sealed = nonce + AESGCM(root.key).encrypt(nonce, master, _bound(epoch))
        wrapped[str(epoch)] = base64.b64encode(sealed).decode()
    return wrapped


def _bound(epoch: int) -> bytes:
    return b"homeward ring" + epoch.to_bytes(4, "big")


def _dumped(ring: dict[str, dict[str, str]]) -> bytes:
    return json.dumps({"version": 1, "masters": ring}, indent=1).encode()
