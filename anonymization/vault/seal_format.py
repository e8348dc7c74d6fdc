"""How a sealed file is laid out, and how its key is wrapped; what goes wrong with one, in words.

Magic, the wrapped key (its slot), length and bytes of the encrypted name, then frames. Writing and reading one whole is
the business of `store`, changing or destroying its key that of `sealed_keys`.
"""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from anonymization.keys.ring import Keyring
from codebook.errors import HomewardError, Unavailable

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

FRAME = 1 << 20
TAG = 16
SUFFIX = ".sealed"
SHREDDED = ".shredded"
"""Ending of the empty file that stands where a sealed one was destroyed on purpose."""
MAGIC = b"HOMEWARD SEAL 2\n"
FIRST_MAGIC = b"HOMEWARD SEAL 1\n"
"""Files from before keys were wrapped: theirs is a hash of a salt in the header. They are read, and no longer made."""
SALT = 32
NONCE, KEY = 12, 32
SLOT = 4 + NONCE + KEY + TAG
"""Epoch, nonce and wrapped key. Within the first 512 bytes of the file, which a disk writes whole or not at all."""
NAME_NONCE = b"name".ljust(12, b"\0")
TEMPORARY = ".sealing-"


def wrapped(keyring: Keyring, key: bytes, epoch: int) -> bytes:
    """The slot of the header that holds a file's key."""
    nonce = os.urandom(NONCE)
    return (
        epoch.to_bytes(4, "big") + nonce + cipher(keyring.derive("", "store", epoch=epoch)).encrypt(nonce, key, MAGIC)
    )


def unwrapped(keyring: Keyring, slot: bytes, where: str) -> bytes:
    from cryptography.exceptions import InvalidTag

    try:
        root = keyring.derive("", "store", epoch=int.from_bytes(slot[:4], "big"))
        return cipher(root).decrypt(slot[4 : 4 + NONCE], slot[4 + NONCE :], MAGIC)
    except (InvalidTag, ValueError, HomewardError):  # an epoch that was never there is damage too
        raise damaged(where) from None


def cipher(key: bytes) -> AESGCM:
    """The cipher of one file: its key is used for this file only, so frame numbers may serve as nonces."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key)


def salted_cipher(keyring: Keyring, salt: bytes) -> AESGCM:
    """The cipher of a file from before keys were wrapped."""
    return cipher(hashlib.blake2b(salt, key=keyring.derive("", "store", epoch=1), digest_size=32).digest())


def frame_nonce(number: int, final: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([final])


def was_shredded(path: Path) -> bool:
    return path.with_suffix(SHREDDED).exists()


def sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def unwritable(folder: Path, error: OSError) -> Unavailable:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return Unavailable("the sealed store has no room left", str(folder), "free some space and run again")
    return Unavailable("the sealed store cannot be written", str(folder), os.strerror(error.errno or 0))


def destroyed(where: str) -> HomewardError:
    return HomewardError(
        "the file of this delivery was destroyed when a person in it was erased",
        where,
        "what was published of the others stays; to run it again, have it delivered without the person",
    )


def damaged(where: str) -> HomewardError:
    return HomewardError(
        "a sealed file is damaged, was changed, or was sealed with another key",
        where,
        "restore the store and its keys from the same backup, or ask the supplier to deliver again",
    )
