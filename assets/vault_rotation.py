"""Rotation of a deployment's keys: the vault's countries, their people's keys, the sealed files, on demand the root
key. Which epoch is still needed, and how one is retired, is the business of `vault_epochs`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from assets import progress
from assets.vault_audit import keep_head
from assets.workplace import Workplace

if TYPE_CHECKING:
    from anonymization.keys.renewal import Renewed
    from anonymization.keys.rotation import Rotated


@dataclass(frozen=True)
class Done:
    """What a rotation did; `countries`: none where it only finished one that was cut off; `renewed`: persons with
    another key of their own; `root`: the id of the new root key, if it was changed."""

    countries: list[Rotated]
    renewed: Renewed
    files: int
    root: str | None


def rotate(workplace: Workplace, country: str | None, root: bool, officer: str | None) -> Done:
    """Every country (or one) to the next epoch, then their people's keys, then the key of every sealed file.

    Cut off and run again, it goes on where it stood and begins no new epoch.
    """
    from anonymization.keys import renewal, rotation
    from anonymization.keys.renewal import Renewed
    from anonymization.vault import audit
    from anonymization.vault.sealed_keys import rewrap
    from anonymization.vault.upkeep import keep_up, put_in_order

    vault, keyring = workplace.vault, workplace.keyring
    cut_off = bool(renewal.left(vault)) or bool(sealed_before(workplace, keyring.newest))
    countries = rotation.rotate(vault, country, officer, only_finish=cut_off)
    renewed = Renewed()
    for name, persons in renewal.left(vault).items():
        renewed += renewal.renew(vault, name, partial(_report, persons))
    paths = _sealed(workplace)
    files = 0
    for number, path in enumerate(paths, start=1):
        files += rewrap(path, keyring)
        progress.report("sealed files", number, len(paths))
    keep_up(vault)
    put_in_order(vault)
    new_root = keyring.change_root().key_id if root else None
    audit.note(vault, "rotated", None, files=files, renewed=renewed.persons, damaged=renewed.damaged, root=new_root)
    keep_head(workplace)
    return Done(countries, renewed, files, new_root)


def _report(persons: int, done: int) -> None:
    progress.report("persons", done, persons)


def sealed_before(workplace: Workplace, epoch: int) -> dict[int, int]:
    """Sealed files that need the master of an earlier epoch: how many, by its number."""
    from anonymization.vault.sealed_keys import sealed_under

    found = sealed_under(workplace.sealed) + sealed_under(workplace.sweeps)
    return {needed: files for needed, files in sorted(found.items()) if needed < epoch}


def _sealed(workplace: Workplace) -> list[Path]:
    """Delivered files, and pages of servers that are being read."""
    from anonymization.vault.seal_format import SUFFIX

    return sorted([*workplace.sealed.glob(f"*{SUFFIX}"), *workplace.sweeps.rglob(f"*{SUFFIX}")])
