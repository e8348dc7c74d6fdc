"""Forgetting what a source said about people, when it may no longer be kept. Tokens and indexes stay: a person who is
delivered again by another source is still the same.

When that is, is the business of `assets.vault_retention`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from anonymization.vault.vault import Vault

_OF_SOURCE = " FROM vault.identity WHERE origin IN (SELECT origin FROM vault.origin WHERE starts_with(name, %s))"
# By what a person is recognised is not kept by source: it goes with the last that is known of them.
_FORGOTTEN = " WHERE NOT EXISTS (SELECT FROM vault.identity AS i WHERE i.person_id = t.person_id)"
_WAS_OF = " AND t.person_id = ANY (%s)"


def forget(vault: Vault, source: str, dry_run: bool = False) -> int:
    """Delete the identity records of a source's tables; how many."""
    with vault.transaction() as cursor:
        if dry_run:
            row = cursor.execute(("SELECT count(*)" + _OF_SOURCE).encode(), (f"{source} ",)).fetchone()
            return int(row[0]) if row else 0
        deleted = cursor.execute(("DELETE" + _OF_SOURCE + " RETURNING person_id").encode(), (f"{source} ",)).fetchall()
        persons = [person for (person,) in deleted]
        for table in ("block", "likeness"):
            cursor.execute(f"DELETE FROM vault.{table} AS t{_FORGOTTEN}{_WAS_OF}".encode(), (persons,))  # noqa: S608
    return len(persons)
