"""Forgetting what a source said about people, when it may no longer be kept or its consent was withdrawn.

Tokens and indexes stay: a person who is delivered again, by another source or with consent, is still the same. Of whom
nothing is left the key is destroyed too. When that is, and who is still in a delivery that may be kept, is the business
of `assets.vault_retention` and `assets.consent_store`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from anonymization.keys import country_keys
from anonymization.vault import audit, identities, unlearning

if TYPE_CHECKING:
    from collections.abc import Collection

    from psycopg import Cursor

    from anonymization.vault.vault import Vault

    Vaultside = Cursor[tuple[Any, ...]]

_KEEP = "CREATE TEMP TABLE kept_token (token uuid PRIMARY KEY) ON COMMIT DROP"
_SAID = """
    SELECT DISTINCT i.person_id, i.origin FROM vault.identity AS i
    JOIN vault.person AS p USING (person_id)
    JOIN vault.origin AS o USING (origin)
    WHERE starts_with(o.name, %s)"""
_PAST = _SAID + " AND NOT EXISTS (SELECT FROM kept_token AS k WHERE k.token = p.token)"
_OF_THESE = _SAID + " AND p.came IN (true, false) AND p.token = ANY (%s)"
_FORGET = "DELETE FROM vault.identity WHERE person_id = ANY (%s) AND origin = ANY (%s)"
# By what a person is recognised is not kept by source: it goes with the last that is known of them.
_SILENT = """
    SELECT person_id, token FROM vault.person AS p
    WHERE person_id = ANY (%s) AND NOT EXISTS (SELECT FROM vault.identity AS i WHERE i.person_id = p.person_id)"""
_FORGET_SILENT = (
    "DELETE FROM vault.block WHERE person_id = ANY (%s)",
    "DELETE FROM vault.likeness WHERE person_id = ANY (%s)",
)
_OTHER_KEYS = """
    UPDATE vault.person AS p SET wrapped_key = n.wrapped
    FROM unnest(%s::bigint[], %s::bytea[]) AS n (person_id, wrapped) WHERE n.person_id = p.person_id"""


def forget(vault: Vault, source: str, country: str, kept: Collection[bytes] = (), dry_run: bool = False) -> int:
    """Delete what the source's tables said about people, but those with a token of `kept`; how many records.

    With the last record of a person goes what they are recognised by, and words of names that nobody else has.
    """
    with vault.transaction() as cursor:
        country_keys.hold(cursor, country, alone=not dry_run)
        cursor.execute(_KEEP)
        with cursor.copy("COPY kept_token FROM STDIN") as copy:
            for token in set(kept):
                copy.write_row((UUID(bytes=token),))
        past = cursor.execute(_PAST, (f"{source} ",)).fetchall()
        if past and not dry_run:
            _forget(vault, cursor, country, past)
    return len(past)


def withdraw(vault: Vault, source: str, country: str, tokens: Collection[bytes]) -> int:
    """The same for persons who withdrew their consent and of whom the source has no other record. Repeatable."""
    with vault.transaction() as cursor:
        country_keys.hold(cursor, country, alone=True)
        said = cursor.execute(_OF_THESE, (f"{source} ", [UUID(bytes=token) for token in tokens])).fetchall()
        if said:
            _forget(vault, cursor, country, said)
            facts: dict[str, audit.Fact] = {"source": source, "identities": len(said)}
            audit.write(cursor, vault.keyring, audit.WITHDRAWN, country, facts=facts)
    return len(said)


def _forget(vault: Vault, cursor: Vaultside, country: str, said: list[tuple[Any, ...]]) -> None:
    persons, origins = sorted({person for person, _ in said}), sorted({origin for _, origin in said})
    keys = vault.keys_of(cursor, country)
    words = unlearning.words_said(cursor, keys, persons, origins)
    cursor.execute(_FORGET, (persons, origins))
    silent = cursor.execute(_SILENT, (persons,)).fetchall()
    ids = [person for person, _ in silent]
    unlearning.uncount(cursor, keys, ids)
    for statement in _FORGET_SILENT:
        cursor.execute(statement.encode(), (ids,))
    others = [identities.another_person_key(token.bytes, keys.key)[1] for _, token in silent]
    cursor.execute(_OTHER_KEYS, (ids, others))
    unlearning.forget_words(cursor, keys, words)
