"""The epochs of a deployment's keys: what still needs the master of each, and how an old one is destroyed.

A retired master opens nothing any more, in no copy of vault or store from its time either. An archive of `vault backup`
carries the masters of its day itself: it needs none of them here, and retiring does not reach it, so it is counted and
told. Rotating is the business of `vault_rotation`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assets.vault_audit import keep_head
from assets.vault_rotation import sealed_before
from assets.workplace import Workplace
from codebook.errors import HomewardError

if TYPE_CHECKING:
    from anonymization.keys.country_keys import CountryKeys

_BACKUPS = "SELECT facts->>'epochs', count(*) FROM vault.audit WHERE action = 'backup' GROUP BY 1"


@dataclass(frozen=True)
class Epoch:
    """What needs the master of an epoch. `countries`: whose keys are wrapped under it; `persons`: whose records lie
    under a key of before the last rotation; `files`: sealed under it; `lasting`: whether record keys and indexes hang
    on it for good. `backups`: archives that carry it, and need nothing here."""

    epoch: int
    newest: bool
    countries: tuple[str, ...]
    persons: int
    files: int
    lasting: bool
    backups: int

    @property
    def state(self) -> str:
        return "newest" if self.newest else "needed" if self.needs else "can be retired"

    @property
    def needs(self) -> tuple[str, ...]:
        """What stands in the way of retiring it, each with its count."""
        told = (
            (self.newest, "it is the newest"),
            (self.lasting, "record keys and indexes, for good"),
            (self.countries, f"{len(self.countries)} countries ({', '.join(self.countries)})"),
            (self.persons, f"the records of {self.persons} persons"),
            (self.files, f"{self.files} sealed files"),
        )
        return tuple(text for there, text in told if there)


def epochs(workplace: Workplace, countries: dict[str, CountryKeys]) -> list[Epoch]:
    """Every epoch whose master is there; `countries`: their keys, as the vault has them."""
    from anonymization.keys import renewal

    keyring = workplace.keyring
    newest, files = keyring.newest, sealed_before(workplace, keyring.newest + 1)
    left = renewal.left(workplace.vault)
    with workplace.vault.transaction() as cursor:
        archives = [(held or "", count) for held, count in cursor.execute(_BACKUPS).fetchall()]
    return [
        Epoch(
            epoch,
            epoch == newest,
            tuple(name for name, keys in countries.items() if keys.epoch == epoch),
            sum(persons for name, persons in left.items() if epoch < countries[name].epoch),
            files.get(epoch, 0),
            not keyring.outlives(epoch),
            sum(count for held, count in archives if str(epoch) in held.split(",")),
        )
        for epoch in keyring.epochs
    ]


def retire(workplace: Workplace, number: int, officer: str | None) -> Epoch:
    """Destroy the master of an old epoch that nothing needs, and what freed pages of the vault keep of its time."""
    from anonymization.keys import country_keys
    from anonymization.vault import audit, erasure
    from assets.freed_pages import overwrite

    vault = workplace.vault
    with vault.transaction() as cursor:  # rotations and batches wait until it is gone
        countries = country_keys.all_opened(cursor, vault.keyring)
        for country in countries:
            country_keys.hold(cursor, country, alone=True)
        found = {one.epoch: one for one in epochs(workplace, countries)}
        if number not in found:
            raise HomewardError("there is no such epoch", f"{number}", "`homeward vault keys` lists them")
        if found[number].needs:
            raise HomewardError(
                f"epoch {number} is still needed: {', '.join(found[number].needs)}",
                f"homeward vault keys --retire {number}",
                "`homeward vault rotate` brings all to a newer one, but for what is for good",
            )
        facts = {"epoch": number, "backups": found[number].backups}
        audit.write(cursor, vault.keyring, "retire", None, officer, facts)
        vault.keyring.retire(number, countries)
    overwrite(workplace.vault_url, erasure.tables(vault))
    keep_head(workplace)
    return found[number]
