"""Certificates of erasures: signed with the keys of the vault, checked later, and about nobody to who has no keys.

What a certificate says is the business of `vault_erasure`.
"""

from __future__ import annotations

import hmac
import json
import os
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from assets.workplace import Workplace
from codebook.errors import HomewardError, Unavailable

if TYPE_CHECKING:
    from anonymization.keys.ring import Keyring

FOLDER = "certificates"


def verify(keyring: Keyring, path: Path) -> dict[str, Any]:
    """What a certificate says; HomewardError if it is not as it was signed."""
    try:
        said: dict[str, Any] = json.loads(path.read_bytes())
        signature = said.pop("signature")
    except OSError:
        raise HomewardError("there is no such certificate", path.name, "name its file") from None
    except (ValueError, KeyError, AttributeError):
        raise HomewardError("this is no certificate", path.name, "name another file") from None
    if not hmac.compare_digest(str(signature), _signature(keyring, said)):
        raise HomewardError("the certificate was changed, or is of another vault", path.name, "ask for the original")
    return said


def pseudonym(keyring: Keyring, token: UUID) -> str:
    """Tells with the keys, and only with them, whom a certificate is about: of the token by which they were erased."""
    return hmac.digest(keyring.derive("", "certificate", "person"), token.bytes, sha256).hex()


def _signature(keyring: Keyring, said: dict[str, Any]) -> str:
    text = json.dumps(said, sort_keys=True, ensure_ascii=True).encode()
    return hmac.digest(keyring.derive("", "certificate", "signature"), text, sha256).hex()


def write(workplace: Workplace, said: dict[str, Any]) -> tuple[Path, dict[str, Any]]:
    signed = {**said, "signature": _signature(workplace.keyring, said)}
    folder = workplace.home / "vault" / FOLDER
    path = folder / f"{said['certificate']}.json"
    beside = path.with_suffix(".new")
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with beside.open("w", encoding="utf-8") as file:
            file.write(json.dumps(signed, indent=2) + "\n")
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError:
        raise Unavailable(
            "the certificate cannot be written", path.name, "mend the disk, then `homeward vault erase --resume`"
        ) from None
    return path, signed
