"""The keys of an installation: master keys by epoch, wrapped by the root key, and all that is derived from them.

A ring (`ring_file`) holds a random master for each epoch, under which things are sealed: a rotation adds one, and an
old one is retired when nothing needs it any more. What must never change (record keys, bases of indexes, marks of the
erased, the audit's chain) hangs on one lasting master. Every other key is HKDF-SHA256 of a master for one country,
programme, purpose, field and epoch: no two uses share a key. Not its business: what is encrypted with them, and the
random keys of countries and persons.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Self

from anonymization.keys import ring_file, roots
from anonymization.keys.ring_file import LASTING, RING_FILE
from anonymization.keys.roots import ROOT_BYTES, ROOT_FILE, Root
from codebook.errors import HomewardError, Unavailable

__all__ = ["RING_FILE", "ROOT_BYTES", "ROOT_FILE", "Keyring"]

_LOCK_FILE = ".lock"
_VERSION = b"homeward-1"


class Keyring:
    """Derives keys from the masters. It pickles as its folder, so no key travels between processes."""

    def __init__(self, masters: Mapping[str, bytes], folder: Path | None = None, root: Root | None = None) -> None:
        self._masters, self.folder, self.root = dict(masters), folder, root
        self.derive = lru_cache(maxsize=1024)(self._derive)

    @staticmethod
    def is_in(folder: Path) -> bool:
        """Whether there are keys in `folder`."""
        return (folder / RING_FILE).exists()

    @classmethod
    def to_be_made(cls, folder: Path) -> Self:
        """What `open` would put into a `folder` without keys; nothing is written."""
        return cls(_of_before(folder) or _first())

    @property
    def is_older(self) -> bool:
        """Whether everything is derived from the master of the first epoch, as in a home of before."""
        return LASTING not in self._masters

    @classmethod
    def open(cls, folder: Path) -> Self:
        """The keyring of `folder`; on the first run the keys are made there (files 0600, folder 0700)."""
        folder = Path(folder).absolute()
        try:
            before = None if cls.is_in(folder) else _of_before(folder)
            root = _root(folder)
            if not cls.is_in(folder):
                ring_file.write_new(folder, before or _first(), root)
            roots.refuse_if_others_can_read(folder)
            return cls(ring_file.opened(folder, root), folder, root)
        except OSError as error:
            raise Unavailable("the key folder cannot be used", str(folder), os.strerror(error.errno or 0)) from None

    @classmethod
    def throwaway(cls) -> Self:
        """A keyring for a dry run: its keys exist nowhere else and nothing that they protect is kept."""
        return cls(_first())

    @classmethod
    def restored(cls, folder: Path, masters: Mapping[str, bytes]) -> Self:
        """A keyring of a backup's masters in a folder that has none yet, under a root key of its own."""
        folder = Path(folder).absolute()
        if (folder / RING_FILE).exists():
            raise HomewardError("there are keys already", str(folder), "restore into an empty home")
        ring_file.write_new(folder, masters, _root(folder))
        return cls.open(folder)

    @property
    def newest(self) -> int:
        """The last epoch, another process's included."""
        self._reload()
        return self.present

    @property
    def present(self) -> int:
        """The last epoch that this process knows: what is made now is made in it."""
        return max(self.epochs)

    @property
    def epochs(self) -> list[int]:
        """Those whose masters are there, in order."""
        return ring_file.epochs(self._masters)

    @property
    def retired(self) -> list[int]:
        """Those whose masters were destroyed, in order."""
        return ring_file.retired(self._masters)

    @property
    def masters(self) -> dict[str, bytes]:
        """All that the ring holds, of another process too, for a backup that is encrypted; to be shown to nobody."""
        self._reload()
        return dict(self._masters)

    def add_epoch(self) -> int:
        """A new master key for the next epoch; returns the epoch."""
        with self._held():
            self._reload()
            epoch = self.present + 1
            # A ring that opens under a second root key would keep the new master from it: such wrappings end here.
            self._write(self._masters | {str(epoch): os.urandom(ROOT_BYTES)}, self._own)
        return epoch

    def retire(self, epoch: int, countries: Iterable[str]) -> None:
        """Destroy the master of an old epoch: nothing that is still sealed under it can be opened any more.

        What it has turned the indexes of `countries` with is kept, since every later turn stands on it.
        """
        with self._held():
            self._reload()
            if epoch >= self.present or epoch not in self.epochs:
                raise HomewardError("no old epoch has this number", f"{epoch}", "`homeward vault keys` lists them")
            if not self.outlives(epoch):
                raise HomewardError(
                    "record keys and indexes of this home are derived from the master of its first epoch",
                    "epoch 1",
                    "it was made before there was a lasting one: to be rid of it, have all delivered into a new home",
                )
            kept = {ring_file.turn(epoch, country): self.turn(country, epoch) for country in countries}
            kept[ring_file.turn(epoch)] = os.urandom(ROOT_BYTES)
            self._write({name: key for name, key in self._masters.items() if name != str(epoch)} | kept, self._own)
            self.derive.cache_clear()

    def outlives(self, epoch: int) -> bool:
        """Whether what must never change hangs on another master than this epoch's."""
        return epoch != 1 or LASTING in self._masters

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
            with self._held():
                self._reload()
                self._write(self._masters, self._own, coming)
            return coming
        coming = Root(os.urandom(ROOT_BYTES), "file")
        with self._held() as folder:
            self._reload()
            # Killed between any two of these, the key file opens the ring: both wrappings are there meanwhile.
            self._write(self._masters, self._own, coming)
            roots.write_new(folder, ROOT_FILE, coming.key, replace=True)
            self._write(self._masters, coming)
        self.root = coming
        return coming

    def turn(self, country: str, epoch: int) -> bytes:
        """By what the indexes of a country went over to `epoch`."""
        for again in (False, True):
            if again:
                self._reload()
            for name in (ring_file.turn(epoch, country), ring_file.turn(epoch)):
                if name in self._masters:
                    return self._masters[name]
            if str(epoch) in self._masters:
                break
        return self.derive(country, "index", epoch=epoch)

    def _derive(
        self, country: str, purpose: str, field: str = "", epoch: int | None = None, programme: str | None = None
    ) -> bytes:
        """The 32-byte key of one use: of an epoch, or for good; without `programme` of the country's common one."""
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        stated = [country, purpose, field, str(epoch or 1)] + ([programme] if programme else [])
        parts = [_VERSION, *(part.encode() for part in stated)]
        # Each part carries its length: ("ab", "c") and ("a", "bc") must not give one key.
        info = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
        return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(self._master(epoch))

    def _master(self, epoch: int | None) -> bytes:
        """Of an epoch, or (None) the lasting one: that of the first epoch in a home from before there was one."""
        if epoch is None:
            return self._masters[LASTING if LASTING in self._masters else "1"]
        if str(epoch) not in self._masters:
            self._reload()
        if epoch in self.retired:
            raise HomewardError(f"the master key of epoch {epoch} was retired", "keys", "what it opened is gone")
        if str(epoch) not in self._masters:
            raise HomewardError(
                f"the keys of epoch {epoch} are not in the key folder", str(self.folder), "restore it from its backup"
            )
        return self._masters[str(epoch)]

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
            self._masters = ring_file.opened(self.folder, self.root)

    @contextmanager
    def _held(self) -> Iterator[Path]:
        """One process at a time changes the ring; another waits."""
        with (self._folder / _LOCK_FILE).open("w") as lock:
            os.fchmod(lock.fileno(), 0o600)
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield self._folder

    def _write(self, masters: Mapping[str, bytes], *openers: Root) -> None:
        """The ring as it is from now on, wrapped under each of these root keys."""
        ring_file.replace(self._folder, masters, openers)
        self._masters = dict(masters)

    def __reduce__(self) -> tuple[object, ...]:
        return (Keyring, (self._masters,)) if self.folder is None else (Keyring.open, (self.folder,))

    def __repr__(self) -> str:
        return f"Keyring({str(self.folder) if self.folder else 'throwaway'})"


def _of_before(folder: Path) -> dict[str, bytes] | None:
    """The keys of a home that has a root key and no ring yet were derived from the root key itself."""
    before = roots.in_file(folder)
    return {"1": before.key} if before else None


def _first() -> dict[str, bytes]:
    """What a new ring holds."""
    return {"1": os.urandom(ROOT_BYTES), LASTING: os.urandom(ROOT_BYTES)}


def _root(folder: Path) -> Root:
    """The root key; a file of it is made only where there are no keys at all."""
    if (given := roots.outside()) is not None:
        return given
    if (found := roots.in_file(folder)) is not None:
        return found
    if (folder / RING_FILE).exists():
        needed = ", ".join(ring_file.openers(folder))
        raise HomewardError(
            f"the root key is missing, the keys here need key id {needed}", str(folder), "restore it from its backup"
        )
    roots.make_file(folder)
    made = roots.in_file(folder)
    if made is None:
        raise Unavailable("the key folder cannot be used", str(folder), "see who else changes it")
    return made
