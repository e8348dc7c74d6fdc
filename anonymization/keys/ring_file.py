"""What a ring of keys holds, and how it lies in `keys/ring.json`: by name, each wrapped under the root key.

`1`, `2` ... are the masters of the epochs, `lasting` is what must never change. Of a retired epoch stays only by what
indexes were turned: `turn 2 SLV` for a country that had gone through it, `turn 2` for those that came later. When keys
are made and destroyed is the business of `ring`.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from anonymization.keys import roots
from anonymization.keys.roots import Root
from codebook.errors import HomewardError

RING_FILE = "ring.json"
LASTING = "lasting"
_TURN = "turn"
_NONCE = 12

Wrapped = dict[str, dict[str, str]]
"""By the id of a root key: what the ring holds, wrapped under it."""


def turn(epoch: int, country: str = "") -> str:
    """The name under which stands what a retired epoch turned indexes with."""
    return f"{_TURN} {epoch} {country}".rstrip()


def epochs(names: Iterable[str]) -> list[int]:
    """Those whose masters are there, in order."""
    return sorted(int(name) for name in names if name.isdigit())


def retired(names: Iterable[str]) -> list[int]:
    """Those whose masters were destroyed, in order."""
    parts = [name.split() for name in names]
    return sorted(int(part[1]) for part in parts if part[0] == _TURN and len(part) == 2)


def write_new(folder: Path, masters: Mapping[str, bytes], root: Root) -> None:
    """A ring where there is none; of two at once one wins."""
    roots.write_new(folder, RING_FILE, _dumped({root.key_id: _wrapped(masters, root)}))


def replace(folder: Path, masters: Mapping[str, bytes], openers: Iterable[Root]) -> None:
    """The ring anew, whole or not at all; each of `openers` opens it."""
    ring = {one.key_id: _wrapped(masters, one) for one in openers}
    roots.write_new(folder, RING_FILE, _dumped(ring), replace=True)


def openers(folder: Path) -> list[str]:
    """Ids of the root keys that open the ring."""
    return list(_read(folder))


def opened(folder: Path, root: Root) -> dict[str, bytes]:
    """What the ring in `folder` holds."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    ring = _read(folder)
    if root.key_id not in ring:
        raise HomewardError(
            f"the root key (key id {root.key_id}, from {root.source}) is not the one that these keys need",
            f"{folder / RING_FILE} needs key id {', '.join(ring)}",
            "give that root key, or restore the key folder from its backup",
        )
    held = {}
    for name, text in ring[root.key_id].items():
        try:
            sealed = base64.b64decode(text, validate=True)
            held[name] = AESGCM(root.key).decrypt(sealed[:_NONCE], sealed[_NONCE:], _bound(name))
        except (InvalidTag, ValueError):
            raise _damaged(folder) from None
    return held


def _read(folder: Path) -> Wrapped:
    try:
        said: Any = json.loads((folder / RING_FILE).read_bytes())
        ring: Wrapped = {name: dict(masters) for name, masters in said["masters"].items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise _damaged(folder) from None
    return ring


def _damaged(folder: Path) -> HomewardError:
    return HomewardError("the ring of keys is damaged", str(folder / RING_FILE), "restore it from its backup")


def _wrapped(masters: Mapping[str, bytes], root: Root) -> dict[str, str]:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    wrapped = {}
    for name, master in masters.items():
        nonce = os.urandom(_NONCE)
        sealed = nonce + AESGCM(root.key).encrypt(nonce, master, _bound(name))
        wrapped[name] = base64.b64encode(sealed).decode()
    return wrapped


def _bound(name: str) -> bytes:
    """What a wrapping is tied to; epochs as they were before there were other names."""
    return b"homeward ring" + (int(name).to_bytes(4, "big") if name.isdigit() else b" " + name.encode())


def _dumped(ring: Wrapped) -> bytes:
    return json.dumps({"version": 1, "masters": ring}, indent=1).encode()
