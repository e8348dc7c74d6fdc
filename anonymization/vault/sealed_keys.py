"""What is done to sealed files without looking into them: their key is wrapped under a newer epoch, or destroyed; and
which epochs they need is counted. When that is to happen is the business of `assets`.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

from anonymization.keys.ring import Keyring
from anonymization.vault.seal_format import (
    MAGIC,
    SHREDDED,
    SLOT,
    SUFFIX,
    TEMPORARY,
    sync_folder,
    unwrapped,
    unwritable,
    wrapped,
)
from anonymization.vault.store import SealedFile, seal


def rewrap(path: Path, keyring: Keyring) -> bool:
    """Wrap the key of a sealed file anew if it is of an older epoch; False if it was not. The frames stay.

    Readers that have the file open are not disturbed: they have its key.
    """
    newest = keyring.present
    try:
        with path.open("r+b", buffering=0) as file:
            magic = file.read(len(MAGIC))
            if magic == MAGIC:
                slot = file.read(SLOT)
                if int.from_bytes(slot[:4], "big") >= newest:
                    return False
                key = unwrapped(keyring, slot, path.name[:8])
                os.pwrite(file.fileno(), wrapped(keyring, key, newest), len(MAGIC))
                os.fsync(file.fileno())
                return True
        old = SealedFile(path, keyring)
        with old.open() as stream:
            seal(stream, old.name, path.parent, keyring)
    except OSError as error:
        raise unwritable(path.parent, error) from None
    return True


def sealed_under(folder: Path) -> Counter[int]:
    """How many files in and below `folder` need which epoch's master; those that are just being sealed count."""
    found: Counter[int] = Counter()
    for path in folder.rglob("*"):
        if path.suffix == SUFFIX or path.name.startswith(TEMPORARY):
            try:
                with path.open("rb", buffering=0) as file:
                    head = file.read(len(MAGIC) + 4)
            except FileNotFoundError:  # sealed or removed at this moment
                continue
            magic, epoch = head[: len(MAGIC)], head[len(MAGIC) :]
            found[int.from_bytes(epoch, "big") if magic == MAGIC else 1] += 1
    return found


def shred(path: Path, leave_word: bool) -> None:
    """Destroy a sealed file: first its key, without which no copy of its frames can be read, then the file.

    `leave_word`: who looks for it later is told that it was destroyed on purpose.
    """
    try:
        with path.open("r+b", buffering=0) as file:
            os.pwrite(file.fileno(), bytes(SLOT), len(MAGIC))
            os.fsync(file.fileno())
        if leave_word:
            path.with_suffix(SHREDDED).touch(0o600)
        path.unlink()
        sync_folder(path.parent)
    except FileNotFoundError:
        return
    except OSError as error:
        raise unwritable(path.parent, error) from None
