"""What follows a rotation: every person gets another key of their own, under which their records are sealed anew.

A rotation wraps the keys of a country's people under its new key; who has seen those keys before could still open the
records. So they are changed too, some thousands of persons at a time, each time in one transaction: killed, it goes on
where it stood. Who came after the rotation has a fresh key already, and is known by a higher number.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidTag

from anonymization.keys import country_keys
from anonymization.vault import audit, identities

if TYPE_CHECKING:
    from psycopg import Cursor

    from anonymization.vault.vault import Vault

    Vaultside = Cursor[tuple[Any, ...]]

PAGE = 5_000

_BEGIN = """
    INSERT INTO vault.renewal (country, done, upto)
    SELECT country, -1, max(person_id) FROM vault.person WHERE country = %s GROUP BY country
    ON CONFLICT (country) DO UPDATE SET done = excluded.done, upto = excluded.upto"""
_LEFT = """
    SELECT r.country, count(*) FROM vault.renewal AS r
    JOIN vault.person AS p ON p.country = r.country AND p.person_id > r.done AND p.person_id <= r.upto
    GROUP BY 1 ORDER BY 1"""
_PERSONS = """
    SELECT p.person_id, p.token, p.wrapped_key FROM vault.person AS p, vault.renewal AS r
    WHERE r.country = %s AND p.country = r.country AND p.person_id > r.done AND p.person_id <= r.upto
    ORDER BY p.person_id LIMIT %s"""
_RECORDS = "SELECT person_id, origin, sealed FROM vault.identity WHERE person_id = ANY (%s)"
# What the counts of names hold of who is to be compared again lies under their key too.
_LIKENESSES = "SELECT person_id, sealed, counted FROM vault.likeness WHERE person_id = ANY (%s)"
_TABLES = """
    CREATE TEMP TABLE renewed_person (person_id bigint, wrapped_key bytea) ON COMMIT DROP;
    CREATE TEMP TABLE renewed_identity (person_id bigint, origin smallint, sealed bytea) ON COMMIT DROP;
    CREATE TEMP TABLE renewed_likeness (person_id bigint, sealed bytea, counted bytea) ON COMMIT DROP"""
_WRITE = (
    "UPDATE vault.person AS t SET wrapped_key = r.wrapped_key FROM renewed_person AS r WHERE r.person_id = t.person_id",
    "UPDATE vault.identity AS t SET sealed = r.sealed FROM renewed_identity AS r"
    " WHERE r.person_id = t.person_id AND r.origin = t.origin",
    "UPDATE vault.likeness AS t SET sealed = coalesce(r.sealed, t.sealed), counted = r.counted"
    " FROM renewed_likeness AS r WHERE r.person_id = t.person_id",
)
_GO_ON = "UPDATE vault.renewal SET done = %s WHERE country = %s"
_END = "DELETE FROM vault.renewal WHERE country = %s"


@dataclass(frozen=True)
class Renewed:
    """Persons with another key; `damaged`: keys and sealed records that nobody could open before either, and that stay
    so."""

    persons: int = 0
    damaged: int = 0

    def __add__(self, other: Renewed) -> Renewed:
        return Renewed(self.persons + other.persons, self.damaged + other.damaged)


def begin(cursor: Vaultside, country: str) -> None:
    """In the transaction of the rotation: whoever is there now is to get another key."""
    cursor.execute(_BEGIN, (country,))


def left(vault: Vault) -> dict[str, int]:
    """Persons whose own key is still that of before the last rotation, by country."""
    with vault.transaction() as cursor:
        return dict(cursor.execute(_LEFT).fetchall())


def renew(vault: Vault, country: str, tell: Callable[[int], None]) -> Renewed:
    """All that are left in a country; `tell`: how many are done so far. Deliveries go on between two pages."""
    total = Renewed()
    while done := _page(vault, country):
        total += done
        tell(total.persons)
    return total


def _page(vault: Vault, country: str) -> Renewed | None:
    with vault.transaction() as cursor:
        # Alone: a batch that has read somebody's key would seal under the one that goes.
        country_keys.hold(cursor, country, alone=True)
        keys = vault.keys_of(cursor, country)
        persons = cursor.execute(_PERSONS, (country, PAGE), binary=True).fetchall()
        if not persons:
            if cursor.execute(_END, (country,)).rowcount:
                audit.write(cursor, vault.keyring, "renewed", country, facts={"epoch": keys.epoch})
            return None
        damaged_keys, damaged = _exchange(cursor, persons, keys.key)
        cursor.execute(_GO_ON, (persons[-1][0], country))
    return Renewed(len(persons) - damaged_keys, damaged_keys + damaged)


def _old_keys(persons: list[tuple[Any, ...]], country_key: bytes) -> dict[int, bytes]:
    """Own keys of those whose key can be opened."""
    found = {}
    for person, token, wrapped in persons:
        with suppress(InvalidTag):
            found[person] = identities.open_person_key(token.bytes, bytes(wrapped), country_key)
    return found


def _exchange(cursor: Vaultside, persons: list[tuple[Any, ...]], country_key: bytes) -> tuple[int, int]:
    """Another key for each of the persons, and their records under it; how many keys, and how many records of the
    others, could not be opened."""
    old = _old_keys(persons, country_key)
    ids = list(old)
    new = {p: identities.another_person_key(token.bytes, country_key) for p, token, _ in persons if p in old}
    records, likenesses, damaged = [], [], 0
    for person, origin, sealed in cursor.execute(_RECORDS, (ids,), binary=True).fetchall():
        try:
            record = identities.open_record(bytes(sealed), origin, old[person])
        except InvalidTag:
            damaged += 1
            continue
        records.append((person, origin, identities.seal_record(record, origin, new[person][0])))
    for person, *held in cursor.execute(_LIKENESSES, (ids,), binary=True).fetchall():
        again = [_sealed_again(one, old[person], new[person][0]) for one in held]
        damaged += again.count(None) - held.count(None)
        likenesses.append((person, *again))
    cursor.execute(_TABLES)
    _fill(cursor, "renewed_person", "int8 bytea", [(person, wrapped) for person, (_, wrapped) in new.items()])
    _fill(cursor, "renewed_identity", "int8 int2 bytea", records)
    _fill(cursor, "renewed_likeness", "int8 bytea bytea", likenesses)
    for statement in _WRITE:
        cursor.execute(statement.encode())
    return len(persons) - len(old), damaged


def _sealed_again(likeness: bytes | None, old: bytes, new: bytes) -> bytes | None:
    """None: there is none, or it is damaged."""
    try:
        return None if likeness is None else identities.seal_likeness(identities.open_likeness(likeness, old), new)
    except InvalidTag:
        return None


def _fill(cursor: Vaultside, table: str, types: str, rows: list[tuple[Any, ...]]) -> None:
    with cursor.copy(f"COPY {table} FROM STDIN (FORMAT BINARY)") as copy:
        copy.set_types(types.split())
        for row in rows:
            copy.write_row(row)
