"""Retention: what may no longer be kept is removed - sealed raw files, Parquet, marked returns, identities.

A delivery is kept for the source's `retention_months` from its receipt, and not longer than GRACE_DAYS beyond the end
of its agreement. What a source said about a person goes when they are in no delivery of it that may be kept; tokens
and published rows stay, which name nobody.
"""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.parquet as pq

from assets import parquet
from assets.stages import pseudonymize
from assets.vault_audit import keep_head
from assets.workplace import Workplace
from sources.batches import PERSON
from sources.loader import list_sources, load_source
from sources.models import Source

if TYPE_CHECKING:
    from warehouse.ledger import Entry

GRACE_DAYS = 30
"""After an agreement's end nothing is read any more; so long it can still be renewed without loss."""
_ABANDONED_SECONDS = 24 * 3600


@dataclass(frozen=True)
class Removed:
    """What one source loses: raw files, deliveries' Parquet, marked returns, and identity records."""

    source: str
    deliveries: int
    raw_files: int
    parquet_folders: int
    returns: int
    identities: int

    def __bool__(self) -> bool:
        return bool(self.raw_files or self.parquet_folders or self.returns or self.identities)


def kept_until(source: Source, received: date) -> date:
    """The last day on which a delivery may be kept."""
    months = received.year * 12 + received.month - 1 + source.retention_months
    year, month = divmod(months, 12)
    first_of_next = date(year + month // 11, (month + 1) % 12 + 1, 1)
    last_day = date.fromordinal(first_of_next.toordinal() - 1).day
    return min(date(year, month + 1, min(received.day, last_day)), source.expires + timedelta(days=GRACE_DAYS))


def retain(workplace: Workplace, today: date, dry_run: bool = False) -> list[Removed]:
    """Remove what is past its time; with `dry_run` only say what would go. Repeatable.

    An erasure that was cut off is finished first."""
    from anonymization.vault import audit, erasure
    from anonymization.vault.upkeep import put_in_order
    from assets import vault_erasure
    from assets.freed_pages import overwrite
    from warehouse.lock import source_lock

    if not dry_run:
        vault_erasure.resume(workplace)
    sources = [load_source(name) for name in list_sources()]
    removed = []
    for source in sources:
        if _by_term(workplace, source, today)[0]:
            with source_lock(workplace.warehouse, source.source):
                removed.append(_retain(workplace, source, today, dry_run))
    if not dry_run:
        _sweep_orphans(workplace)
        if any(one.identities for one in removed) or audit.pages_are_due(workplace.vault):
            overwrite(workplace.vault_url, erasure.tables(workplace.vault))
            audit.note(workplace.vault, audit.OVERWRITTEN)
        else:  # what is written anew is in order
            put_in_order(workplace.vault)
        keep_head(workplace)
    return [one for one in removed if one]


def _by_term(workplace: Workplace, source: Source, today: date) -> tuple[list[Entry], list[Entry]]:
    """The source's deliveries that are past their time, and those that may be kept."""
    from warehouse import ledger

    entries = ledger.deliveries(workplace.warehouse, source=source.source)
    past = [entry for entry in entries if kept_until(source, entry.received_at.date()) < today]
    return past, [entry for entry in entries if entry not in past]


def _retain(workplace: Workplace, source: Source, today: date, dry_run: bool) -> Removed:
    """The source is held; whoever was waited for may have brought another delivery, with people who are to stay."""
    from anonymization.vault import audit, retention
    from anonymization.vault.seal_format import SUFFIX

    past, kept = _by_term(workplace, source, today)
    hashes = _files(past) - _still_needed(workplace, today)
    raw = [path for sha256 in sorted(hashes) if (path := workplace.sealed / f"{sha256}{SUFFIX}").exists()]
    folders = [path for entry in past if (path := workplace.store(source.source, entry.delivery_id)).exists()]
    returns = [path for entry in past if (path := workplace.returned(source.source, entry.delivery_id)).exists()]
    tokens, identities = _tokens(workplace, source, kept), 0
    if tokens is not None:
        identities = retention.forget(workplace.vault, source.source, source.country, tokens, dry_run)
    if not dry_run:
        _remove(raw, [*folders, *returns])
    done = Removed(source.source, len(past), len(raw), len(folders), len(returns), identities)
    if done and not dry_run:
        audit.note(
            workplace.vault, "retain", source.country, source=source.source, raw_files=len(raw),
            parquet_folders=len(folders), returns=len(returns), identities=identities,
        )  # fmt: skip
    return done


def _still_needed(workplace: Workplace, today: date) -> set[str]:
    """Files of deliveries that may be kept: the same bytes may have come twice, and to another source."""
    sources = [load_source(name) for name in list_sources()]
    return set().union(*(_files(_by_term(workplace, source, today)[1]) for source in sources))


def _files(entries: list[Entry]) -> set[str]:
    return {sha256 for entry in entries for sha256, _ in entry.files}


def _tokens(workplace: Workplace, source: Source, kept: list[Entry]) -> set[bytes] | None:
    """Persons of the deliveries that may be kept; None where a delivery's Parquet is not there to tell."""
    tokens: set[bytes] = set()
    for entry in kept:
        folder = workplace.store(source.source, entry.delivery_id) / pseudonymize.STAGE
        if not folder.is_dir():
            if entry.state != "refused":
                return None
            continue
        for path in parquet.files(folder, "data"):
            if PERSON in pq.read_schema(path).names:
                tokens.update(pq.read_table(path, columns=[PERSON])[PERSON].drop_null().to_pylist())
    return tokens


def _sweep_orphans(workplace: Workplace) -> None:
    """Sealed files that no delivery is made of: a crash came between sealing and the ledger, or in a sealing anew, or
    a server was never read to its end."""
    from anonymization.vault.seal_format import SUFFIX
    from anonymization.vault.sealed_keys import shred
    from assets import raw_erasure, sweeps
    from warehouse import ledger

    for path in sweeps.abandoned(workplace.sweeps):
        shred(path, leave_word=False)

    for path in raw_erasure.of_no_delivery(workplace):
        old = time.time() - path.stat().st_mtime > _ABANDONED_SECONDS
        if old and not ledger.needs(workplace.warehouse, path.name.removesuffix(SUFFIX)):
            shred(path, leave_word=False)


def _remove(raw: list[Path], folders: list[Path]) -> None:
    from anonymization.vault.sealed_keys import shred

    for path in raw:
        shred(path, leave_word=False)
    for folder in folders:
        shutil.rmtree(folder)
