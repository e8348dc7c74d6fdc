"""The vault's audit and the warehouse's memory of how far it had come, brought together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from assets.workplace import Workplace

if TYPE_CHECKING:
    from anonymization.vault.audit import Broken


def keep_head(workplace: Workplace) -> None:
    """Have the warehouse remember the last line of the vault's audit."""
    from anonymization.vault import audit
    from warehouse import vault_head

    last = audit.head(workplace.vault)
    if last is not None:
        vault_head.keep(workplace.warehouse, last.entry, last.digest)


@contextmanager
def head_kept(workplace: Workplace) -> Iterator[None]:
    """The warehouse remembers what the block adds to the audit, if it was refused too."""
    try:
        yield
    finally:
        keep_head(workplace)


def tell_lost_lines(workplace: Workplace) -> None:
    """After a restore: lines that the backup does not have cannot stand any more, and the chain says itself which."""
    from anonymization.vault import audit
    from warehouse import vault_head

    restored = audit.head(workplace.vault)
    if restored is not None and (last := vault_head.forget_from(workplace.warehouse, restored.entry)):
        audit.note(workplace.vault, "lines lost", first=restored.entry, last=last)
    keep_head(workplace)


def verify(workplace: Workplace) -> Broken | None:
    """The first line of the vault's audit that does not stand, by the chain or by the warehouse's memory."""
    from anonymization.vault import audit
    from warehouse import vault_head

    heads = [audit.Head(entry, digest) for entry, digest in vault_head.kept(workplace.warehouse)]
    return audit.verify(workplace.vault, heads)
