"""Pages and attachments of a sweep over a supplier's server that is not yet whole, sealed like delivered files.

A sweep that was cut off goes on where it stood, for the same request and by the same declaration. Attachments are
moved into the store when it is whole; those of the sweep before are not fetched again. What a page holds is no business
of this module.
"""

from __future__ import annotations

import shutil
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from anonymization.keys.ring import Keyring
from anonymization.vault.seal_format import SUFFIX
from anonymization.vault.store import Sealed, SealedFile, open_sealed, seal
from assets.workplace import Workplace
from codebook.errors import Unavailable
from connectors.kobo.attachments import fetched
from connectors.kobo.sealed import SUBMISSIONS
from sources.models import Source

GOES_ON_WITHIN = 24 * 3600
"""Seconds. What an older sweep fetched may have been edited since: it begins again."""


_BESIDE = ".attachments"


class SealedPages:
    """Pages in order, each sealed in `folder` as it comes (`connectors.kobo.server.Kept`)."""

    def __init__(self, folder: Path, keyring: Keyring, attachments: SealedAttachments) -> None:
        self._folder, self._keyring, self.attachments = folder, keyring, attachments
        self._files = self._found()

    def _found(self) -> list[SealedFile]:
        paths = list(self._folder.glob(f"*{SUFFIX}"))
        if any(time.time() - path.stat().st_mtime > GOES_ON_WITHIN for path in paths):
            self.clear()
            return []
        files = sorted((SealedFile(path, self._keyring) for path in paths), key=lambda file: file.name)
        if [file.name for file in files] != [_name(number) for number in range(len(files))]:
            self.clear()
            return []
        return files

    def __len__(self) -> int:
        return len(self._files)

    def __iter__(self) -> Iterator[bytes]:
        for file in self._files:
            with file.open() as page:
                yield page.read()

    def add(self, page: bytes) -> None:
        self._files.append(seal([page], _name(len(self._files)), self._folder, self._keyring).file)

    def clear(self) -> None:
        """Forget every page."""
        if self._folder.exists():
            shutil.rmtree(self._folder)
        self._files = []


class SealedAttachments:
    """Attachments of a sweep (`connectors.kobo.attachments.Attachments`), in `folder` until they go into the `store`.

    `earlier`: the sha256 by uid of those that the last sweep had, and that lie in the store."""

    def __init__(self, folder: Path, store: Path, keyring: Keyring, earlier: Mapping[str, str]) -> None:
        self._folder, self._store, self._keyring = folder, store, keyring
        # The name inside a seal is the uid; which bytes it stands for is known after they came.
        sealed = [SealedFile(path, keyring) for path in sorted(folder.glob(f"*{SUFFIX}"))]
        self._known = {**earlier, **{file.name: file.path.name.removesuffix(SUFFIX) for file in sealed}}

    def known(self, uid: str) -> str | None:
        sha256 = self._known.get(uid)
        if sha256 is None or not any((at / f"{sha256}{SUFFIX}").exists() for at in (self._folder, self._store)):
            return None
        return sha256

    def add(self, uid: str, blocks: Iterator[bytes]) -> str:
        self._known[uid] = seal(blocks, uid, self._folder, self._keyring).sha256
        return self._known[uid]

    def into_store(self, hashes: Iterable[str]) -> list[SealedFile]:
        """Move these attachments to where deliveries are kept. Unavailable if one is not there any more."""
        for sha256 in hashes:
            here = self._folder / f"{sha256}{SUFFIX}"
            if here.exists():
                here.replace(self._store / here.name)
        return [open_sealed(sha256, self._store, self._keyring) for sha256 in hashes]


def pages(workplace: Workplace, source: Source, upload: str) -> SealedPages:
    """The pages that came so far for the upload that asked for them."""
    return SealedPages(_folder(workplace, source, upload), workplace.keyring, _kept(workplace, source, upload))


def attachments(workplace: Workplace, source: Source, upload: str, submissions: SealedFile) -> list[Sealed]:
    """The attachments of a whole sweep, in the store, each once."""
    hashes = dict.fromkeys(fetched(submissions).values())
    try:
        files = _kept(workplace, source, upload).into_store(hashes)
    except Unavailable:
        # One of an earlier delivery went meanwhile, by its retention or with somebody: all are asked for again.
        shutil.rmtree(_folder(workplace, source, upload), ignore_errors=True)
        raise
    return [Sealed(sha256, file.size, file) for sha256, file in zip(hashes, files, strict=True)]


def abandoned(folder: Path) -> list[Path]:
    """Sealed pages and attachments below `folder` of uploads that no reading goes on with: nothing came for a day."""
    found: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(folder.rglob(f"*{SUFFIX}")):
        found[str(path.parent).removesuffix(_BESIDE)].append(path)
    limit = time.time() - GOES_ON_WITHIN
    return [path for paths in found.values() if max(p.stat().st_mtime for p in paths) < limit for path in paths]


def _folder(workplace: Workplace, source: Source, upload: str) -> Path:
    """By upload and version of the source: pages of another request or declaration are no part of this sweep."""
    return workplace.sweeps / source.source / f"{upload}-{source.version}"


def _kept(workplace: Workplace, source: Source, upload: str) -> SealedAttachments:
    folder = _folder(workplace, source, upload)
    earlier = _of_last_sweep(workplace, source) if any(table.attachments for table in source.tables) else {}
    beside = folder.with_name(f"{folder.name}{_BESIDE}")
    return SealedAttachments(beside, workplace.sealed, workplace.keyring, earlier)


def _of_last_sweep(workplace: Workplace, source: Source) -> dict[str, str]:
    from warehouse import ledger

    for entry in ledger.deliveries(workplace.warehouse, source=source.source, last=1):
        file = SealedFile(workplace.sealed / f"{entry.files[0][0]}{SUFFIX}", workplace.keyring)
        if file.path.exists() and file.name == SUBMISSIONS:
            return fetched(file)
    return {}


def _name(number: int) -> str:
    return f"page {number:08}"
