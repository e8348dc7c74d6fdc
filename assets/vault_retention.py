"""Retention: what may no longer be kept is removed - sealed raw files, Parquet of the store, identities in the vault.

A delivery is kept for the source's `retention_months` from its receipt, and not beyond the end of its agreement. A
source of which no delivery may be kept loses its identities too; tokens and published rows stay, which name nobody.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from assets.vault_audit import keep_head
from assets.workplace import Workplace
from sources.loader import list_sources, load_source
from sources.models import Source

if TYPE_CHECKING:
    from warehouse.ledger import Entry


@dataclass(frozen=True)
class Removed:
    """What one source loses: raw files, deliveries' Parquet, and identity records."""

    source: str
    deliveries: int
    raw_files: int
    parquet_folders: int
    identities: int

    def __bool__(self) -> bool:
        return bool(self.raw_files or self.parquet_folders or self.identities)


def kept_until(source: Source, received: date) -> date:
    """The last day on which a delivery may be kept."""
    months = received.year * 12 + received.month - 1 + source.retention_months
    year, month = divmod(months, 12)
    first_of_next = date(year + month // 11, (month + 1) % 12 + 1, 1)
    last_day = date.fromordinal(first_of_next.toordinal() - 1).day
    return min(date(year, month + 1, min(received.day, last_day)), source.expires)


def retain(workplace: Workplace, today: date, dry_run: bool = False) -> list[Removed]:
    """Remove what is past its time; with `dry_run` only say what would go. Repeatable."""
    from warehouse import ledger
    from warehouse.lock import source_lock

    sources = [load_source(name) for name in list_sources()]
    entries = {s.source: list(ledger.deliveries(workplace.warehouse, source=s.source, last=None)) for s in sources}
    past = {
        source.source: [e for e in entries[source.source] if kept_until(source, e.received_at.date()) < today]
        for source in sources
    }
    # The same bytes may have come twice: a file goes when no delivery may keep it.
    needed = {
        sha256 for name, listed in entries.items() for e in listed if e not in past[name] for sha256, _ in e.files
    }
    removed = []
    for source in sources:
        if not past[source.source]:
            continue
        with source_lock(workplace.warehouse, source.source):
            all_past = len(past[source.source]) == len(entries[source.source])
            removed.append(_retain(workplace, source, past[source.source], needed, all_past, dry_run))
    if not dry_run:
        keep_head(workplace)
    return [one for one in removed if one]


def _retain(
    workplace: Workplace, source: Source, past: list[Entry], needed: set[str], all_past: bool, dry_run: bool
) -> Removed:
    from anonymization.vault import audit, retention
    from anonymization.vault.store import SUFFIX

    hashes = {sha256 for entry in past for sha256, _ in entry.files} - needed
    raw = [path for sha256 in sorted(hashes) if (path := workplace.sealed / f"{sha256}{SUFFIX}").exists()]
    folders = [path for entry in past if (path := workplace.store(source.source, entry.delivery_id)).exists()]
    if not dry_run:
        _remove(raw, folders)
    identities = retention.forget(workplace.vault, source.source, dry_run) if all_past else 0
    done = Removed(source.source, len(past), len(raw), len(folders), identities)
    if done and not dry_run:
        audit.note(
            workplace.vault, "retain", source.country, source=source.source, raw_files=len(raw),
            parquet_folders=len(folders), identities=identities,
        )  # fmt: skip
    return done


def _remove(raw: list[Path], folders: list[Path]) -> None:
    for path in raw:
        path.unlink(missing_ok=True)
    for folder in folders:
        shutil.rmtree(folder)
