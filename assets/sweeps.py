"""The pages of a sweep over a supplier's server that is not yet whole, sealed like any delivered file.

A sweep that was cut off goes on where it stood, for the same request and by the same declaration. What a page holds is
no business of this module.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from anonymization.keys.ring import Keyring
from anonymization.vault.seal_format import SUFFIX
from anonymization.vault.store import SealedFile, seal

GOES_ON_WITHIN = 24 * 3600
"""Seconds. What an older sweep fetched may have been edited since: it begins again."""


class SealedPages:
    """Pages in order, each sealed in `folder` as it comes (`connectors.kobo.server.Kept`)."""

    def __init__(self, folder: Path, keyring: Keyring) -> None:
        self._folder, self._keyring = folder, keyring
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


def _name(number: int) -> str:
    return f"page {number:08}"
