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


def follow_restore(workplace: Workplace) -> None:
    """After a restore the warehouse remembers what the chain has now, and none of the lines that it says are lost."""
    from anonymization.vault import audit
    from warehouse import vault_head

    with workplace.vault.transaction() as cursor:
        first = audit.restored_at(cursor)
    vault_head.forget_from(workplace.warehouse, first)
    keep_head(workplace)


def verify(workplace: Workplace) -> Broken | None:
    """The first line of the vault's audit that does not stand, by the chain or by the warehouse's memory."""
    from anonymization.vault import audit
    from warehouse import vault_head

    heads = [audit.Head(entry, digest) for entry, digest in vault_head.kept(workplace.warehouse)]
    return audit.verify(workplace.vault, heads)
