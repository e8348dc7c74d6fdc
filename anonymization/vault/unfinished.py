"""Erasures that were begun and have no certificate yet, so that one that was cut off is finished by the next.

A row is written with the marks of the person and goes when the certificate stands. It holds tokens, keys of rows, row
numbers and counts; from the shredding on only counts. Carrying out an erasure is not its business
(`assets.vault_erasure`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from psycopg.types.json import Jsonb

if TYPE_CHECKING:
    from psycopg import Cursor

    from anonymization.vault.vault import Vault

    Vaultside = Cursor[tuple[Any, ...]]

_ADD = """
    INSERT INTO vault.unfinished_erasure (certificate, country, tokens, row_keys, rows, asked, done)
    VALUES (%s, %s, %s, %s, %s, %s, %s)"""
_ALL = """
    SELECT certificate, country, tokens, row_keys, rows, asked, done FROM vault.unfinished_erasure
    ORDER BY begun_at, certificate"""
_KEEP = "UPDATE vault.unfinished_erasure SET done = %s WHERE certificate = %s"
_FORGET = """
    UPDATE vault.unfinished_erasure SET tokens = '{}', row_keys = '{}', rows = '[]', done = %s WHERE certificate = %s"""
_END = "DELETE FROM vault.unfinished_erasure WHERE certificate = %s"
_BEGUN_AT = "SELECT begun_at FROM vault.unfinished_erasure ORDER BY begun_at"


@dataclass(frozen=True)
class Begun:
    """The erasure of one person. `rows`: by source and delivery the supplier's tables and row numbers; `asked`: who
    asked for what, and why; `done`: what was removed so far, as it will stand in the certificate."""

    certificate: str
    country: str
    tokens: tuple[UUID, ...]
    row_keys: frozenset[bytes]
    rows: dict[tuple[str, str], list[tuple[str, int]]]
    asked: dict[str, Any]
    done: dict[str, Any] = field(default_factory=dict)

    @property
    def shredded(self) -> bool:
        """Whether the vault has forgotten the person; what is left is to clear freed pages and to certify."""
        return not self.tokens


def add(cursor: Vaultside, begun: Begun) -> None:
    """In the transaction in which the person is marked."""
    rows = [[*where, listed] for where, listed in begun.rows.items()]
    keys = [UUID(bytes=key) for key in sorted(begun.row_keys)]
    values = (begun.certificate, begun.country, list(begun.tokens), keys, Jsonb(rows), Jsonb(begun.asked))
    cursor.execute(_ADD, (*values, Jsonb(begun.done)))


def keep(vault: Vault, people: Iterable[Begun]) -> None:
    """What was done so far, of all or of none."""
    with vault.transaction() as cursor:
        for begun in people:
            cursor.execute(_KEEP, (Jsonb(begun.done), begun.certificate))


def forget(cursor: Vaultside, begun: Begun) -> None:
    """In the transaction in which the person is shredded: what was done stays, and whom it was about goes."""
    cursor.execute(_FORGET, (Jsonb(begun.done), begun.certificate))


def end(vault: Vault, begun: Begun) -> None:
    """The certificate stands."""
    with vault.transaction() as cursor:
        cursor.execute(_END, (begun.certificate,))


def erasures(vault: Vault) -> list[Begun]:
    """All that were begun and have no certificate, the oldest first."""
    with vault.transaction() as cursor:
        found = cursor.execute(_ALL).fetchall()
    return [
        Begun(
            certificate,
            country,
            tuple(tokens),
            frozenset(key.bytes for key in keys),
            {(source, delivery): [(table, row) for table, row in listed] for source, delivery, listed in rows},
            asked,
            done,
        )
        for certificate, country, tokens, keys, rows, asked, done in found
    ]


def begun_at(vault: Vault) -> list[datetime]:
    """When those were begun that have no certificate."""
    with vault.transaction() as cursor:
        return [at for (at,) in cursor.execute(_BEGUN_AT).fetchall()]
