"""Forgetting what a source said about people, when it may no longer be kept. Tokens and indexes stay: a person who is
delivered again by another source is still the same.

When that is, and who is still in a delivery that may be kept, is the business of `assets.vault_retention`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from anonymization.vault import unlearning

if TYPE_CHECKING:
    from collections.abc import Collection

    from psycopg import Cursor

    from anonymization.vault.vault import Vault

_KEEP = "CREATE TEMP TABLE kept_token (token uuid PRIMARY KEY) ON COMMIT DROP"
_PAST = """
    SELECT DISTINCT i.person_id, i.origin FROM vault.identity AS i
    JOIN vault.person AS p USING (person_id)
    JOIN vault.origin AS o USING (origin)
    WHERE starts_with(o.name, %s) AND NOT EXISTS (SELECT FROM kept_token AS k WHERE k.token = p.token)"""
_FORGET = "DELETE FROM vault.identity WHERE person_id = ANY (%s) AND origin = ANY (%s)"
# By what a person is recognised is not kept by source: it goes with the last that is known of them.
_FORGOTTEN = """
    DELETE FROM {table} AS t
    WHERE t.person_id = ANY (%s) AND NOT EXISTS (SELECT FROM vault.identity AS i WHERE i.person_id = t.person_id)"""


def forget(vault: Vault, source: str, country: str, kept: Collection[bytes] = (), dry_run: bool = False) -> int:
    """Delete what the source's tables said about people, but those with a token of `kept`; how many records.

    With the last record of a person goes what they are recognised by, and words of names that nobody else has.
    """
    with vault.transaction() as cursor:
        cursor.execute(_KEEP)
        with cursor.copy("COPY kept_token FROM STDIN") as copy:
            for token in set(kept):
                copy.write_row((UUID(bytes=token),))
        past = cursor.execute(_PAST, (f"{source} ",)).fetchall()
        if past and not dry_run:
            _forget(vault, cursor, country, [row[0] for row in past], sorted({row[1] for row in past}))
    return len(past)


def _forget(
    vault: Vault, cursor: Cursor[tuple[Any, ...]], country: str, persons: list[int], origins: list[int]
) -> None:
    keys = vault.keys_of(cursor, country)
    words = unlearning.words_said(cursor, keys, persons, origins)
    cursor.execute(_FORGET, (persons, origins))
    for table in ("block", "likeness"):
        cursor.execute(_FORGOTTEN.format(table=f"vault.{table}").encode(), (persons,))
    unlearning.forget_words(cursor, keys, words)
