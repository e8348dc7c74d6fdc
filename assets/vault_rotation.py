"""Rotation of a whole deployment's keys: the vault's countries, the sealed files, and on demand the root key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assets import progress
from assets.vault_audit import keep_head
from assets.workplace import Workplace

if TYPE_CHECKING:
    from anonymization.keys.rotation import Rotated


@dataclass(frozen=True)
class Done:
    """What a rotation did; `root`: the id of the new root key, if it was changed."""

    countries: list[Rotated]
    files: int
    root: str | None


def rotate(workplace: Workplace, country: str | None, root: bool, officer: str | None) -> Done:
    """Every country (or one) to the next epoch, then the key of every sealed file; run again, it goes on."""
    from anonymization.keys import rotation
    from anonymization.vault import audit
    from anonymization.vault.store import SUFFIX, rewrap

    vault, keyring = workplace.vault, workplace.keyring
    countries = rotation.rotate(vault, country, officer)
    paths = sorted(workplace.sealed.glob(f"*{SUFFIX}"))
    files = 0
    for number, path in enumerate(paths, start=1):
        files += rewrap(path, keyring)
        progress.report("sealed files", number, len(paths))
    new_root = keyring.change_root().key_id if root else None
    audit.note(vault, "rotated", None, files=files, root=new_root)
    keep_head(workplace)
    return Done(countries, files, new_root)
