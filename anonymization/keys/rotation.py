"""Rotation: a country goes over to a new epoch of keys, in one transaction; tokens stay, and so do record keys.

Its key is made new, the keys of its people are wrapped under it, and all its indexes are turned (`country_keys`).
Killed, nothing has happened; run again, it begins again. Two rotations wait for each other, and batches for both.
That people's own keys change as well comes after it (`renewal`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from cryptography.exceptions import InvalidTag

from anonymization.keys import country_keys, renewal
from anonymization.keys.country_keys import CountryKeys
from anonymization.vault import audit, identities, wire
from codebook.errors import HomewardError

if TYPE_CHECKING:
    from psycopg import Cursor

    from anonymization.vault.vault import Vault

    Vaultside = Cursor[tuple[Any, ...]]

PAGE = 50_000
LOCK = 0x726F7461
ONE_DAMAGED_OF = 100
"""One key in so many may be damaged; with more of them it is the country's key that is not theirs."""

_PERSONS = "SELECT person_id, token, wrapped_key FROM vault.person WHERE country = %s"
_MAKE_REWRAPPED = "CREATE TEMP TABLE rewrapped (person_id bigint, wrapped_key bytea) ON COMMIT DROP"
_REWRAP = "UPDATE vault.person AS p SET wrapped_key = r.wrapped_key FROM rewrapped AS r WHERE r.person_id = p.person_id"
# What a source last said counts as not said: digests of the old epoch tell nothing in the new one.
_FORGET_DIGESTS = """
    UPDATE vault.identity AS i SET digest = 0
    FROM vault.person AS p WHERE p.person_id = i.person_id AND p.country = %s AND i.digest <> 0"""


@dataclass(frozen=True)
class _Index:
    """A table of indexes: what is read, what takes its place, and how the old rows go."""

    name: str
    read: str
    make: str
    clear: str
    write: str


_INDEXES = (
    _Index(
        "blind_index",
        "SELECT idx, person_id, field FROM vault.blind_index"
        " WHERE abs(field) IN (SELECT field FROM vault.field WHERE country = %s)",
        "CREATE TEMP TABLE turned_blind_index (idx uuid, person_id bigint, field smallint) ON COMMIT DROP",
        "DELETE FROM vault.blind_index WHERE abs(field) IN (SELECT field FROM vault.field WHERE country = %s)",
        "INSERT INTO vault.blind_index (field, idx, person_id)"
        " SELECT abs(field), idx, person_id FROM turned_blind_index ORDER BY 1, 2",
    ),
    _Index(
        "block",
        "SELECT b.key, b.person_id FROM vault.block AS b JOIN vault.likeness AS l USING (person_id)"
        " WHERE l.country = %s",
        "CREATE TEMP TABLE turned_block (key uuid, person_id bigint) ON COMMIT DROP",
        "DELETE FROM vault.block AS b USING vault.likeness AS l WHERE l.person_id = b.person_id AND l.country = %s",
        "INSERT INTO vault.block (key, person_id) SELECT key, person_id FROM turned_block ORDER BY 1, 2",
    ),
    _Index(
        "name_word",
        "SELECT idx FROM vault.name_word WHERE country = %s",
        "CREATE TEMP TABLE turned_name_word (idx uuid) ON COMMIT DROP",
        "DELETE FROM vault.name_word WHERE country = %s",
        "INSERT INTO vault.name_word (country, idx) SELECT %s, idx FROM turned_name_word ORDER BY idx",
    ),
)


@dataclass(frozen=True)
class Rotated:
    """What one country's rotation did."""

    country: str
    epoch: int
    persons: int
    indexes: int


def rotate(
    vault: Vault, country: str | None = None, officer: str | None = None, only_finish: bool = False
) -> list[Rotated]:
    """Bring `country`, or all, to the next epoch. A rotation that was cut off is brought to its end instead.

    `only_finish`: begin no new epoch, since something else of the last one is not done.
    """
    with vault.transaction() as guard:
        guard.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        with vault.transaction() as cursor:
            epochs = {name: keys.epoch for name, keys in country_keys.all_opened(cursor, vault.keyring).items()}
        if country is not None and country not in epochs:
            raise HomewardError("the vault knows nobody of this country", country, "`homeward vault keys` lists them")
        chosen = [name for name in epochs if country in (None, name)]
        newest = vault.keyring.newest
        behind = [name for name in chosen if epochs[name] < newest]
        if not behind and only_finish:
            return []
        if not behind:
            newest = vault.keyring.add_epoch()
        return [_rotate_one(vault, name, newest, officer) for name in behind or chosen]


def none_begins(cursor: Vaultside) -> None:
    """Until the transaction ends no rotation begins an epoch; one that is doing so is waited for."""
    cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", (LOCK,))


def _rotate_one(vault: Vault, country: str, epoch: int, officer: str | None) -> Rotated:
    with vault.transaction() as cursor:
        country_keys.hold(cursor, country, alone=True)
        old = vault.keys_of(cursor, country)
        wrapped = identities.new_country_key(country, vault.keyring.derive(country, country_keys.WRAPPING, epoch=epoch))
        cursor.execute(
            "UPDATE vault.country SET wrapped_key = %s, epoch = %s WHERE country = %s", (wrapped, epoch, country)
        )
        new = vault.keys_of(cursor, country)
        persons = _rewrap_persons(cursor, old, new)
        indexes = sum(_turn(cursor, index, old, new) for index in _INDEXES)
        _reseal_frequencies(cursor, old, new)
        cursor.execute(_FORGET_DIGESTS, (country,))
        renewal.begin(cursor, country)
        facts = {"epoch": epoch, "persons": persons, "indexes": indexes}
        audit.write(cursor, vault.keyring, "rotate", country, officer, facts)
    return Rotated(country, epoch, persons, indexes)


def _rewrap_persons(cursor: Vaultside, old: CountryKeys, new: CountryKeys) -> int:
    """Keys of the country's people under its new key; how many. A damaged key stays as it is: it opens nothing before
    and after, and must not keep all others under keys that somebody took along."""
    damaged = 0

    def rewrapped(rows: list[tuple[Any, ...]]) -> bytes:
        nonlocal damaged
        ids, keys = [], []
        for person, token, wrapped in rows:
            try:
                key = identities.open_person_key(token.bytes, bytes(wrapped), old.key)
            except InvalidTag:
                damaged += 1
                continue
            ids.append(person)
            keys.append(identities.wrap_person_key(token.bytes, key, new.key))
        matrix = np.frombuffer(b"".join(keys), dtype=np.uint8).reshape(-1, identities.WRAPPED_BYTES)
        return wire.rows([np.array(ids, dtype=np.int64), matrix])

    cursor.execute(_MAKE_REWRAPPED)
    count = _copied(cursor, _PERSONS, old.country, "rewrapped", rewrapped)
    if damaged and damaged >= min(count, max(2, count // ONE_DAMAGED_OF)):
        raise InvalidTag
    cursor.execute("ANALYZE rewrapped")
    cursor.execute(_REWRAP)
    return count - damaged


def _turn(cursor: Vaultside, index: _Index, old: CountryKeys, new: CountryKeys) -> int:
    """Every index of one table of the country, in the new epoch."""

    def turned(rows: list[tuple[Any, ...]]) -> bytes:
        joined = new.turned(b"".join([row[0].bytes for row in rows]), since=old.epoch)
        columns: list[wire.Column] = [np.frombuffer(joined, dtype=np.uint8).reshape(-1, 16)]
        for place, kind in zip(range(1, len(rows[0])), (np.int64, np.int16), strict=False):
            columns.append(np.array([row[place] for row in rows], dtype=kind))
        return wire.rows(columns)

    cursor.execute(index.make)
    count = _copied(cursor, index.read, old.country, f"turned_{index.name}", turned)
    cursor.execute(index.clear, (old.country,))
    cursor.execute(index.write, (old.country,) if "%s" in index.write else None)
    return count


def _copied(
    cursor: Vaultside, ask: str, country: str, target: str, made: Callable[[list[tuple[Any, ...]]], bytes]
) -> int:
    """Rows of `ask` page by page through `made` into a temporary table; returns how many."""
    count = 0
    for page in _pages(cursor, ask, country):
        with cursor.copy(f"COPY {target} FROM STDIN (FORMAT BINARY)") as copy:
            copy.write(made(page))
        count += len(page)
    return count


def _pages(cursor: Vaultside, ask: str, country: str) -> Iterator[list[tuple[Any, ...]]]:
    with cursor.connection.cursor(name="pages", binary=True) as reader:
        reader.execute(ask.encode(), (country,))
        while page := reader.fetchmany(PAGE):
            yield page


def _reseal_frequencies(cursor: Vaultside, old: CountryKeys, new: CountryKeys) -> None:
    row = cursor.execute("SELECT sealed FROM vault.frequency WHERE country = %s", (old.country,)).fetchone()
    if row is not None:
        sealed = identities.seal_likeness(identities.open_likeness(bytes(row[0]), old.key), new.key)
        cursor.execute("UPDATE vault.frequency SET sealed = %s WHERE country = %s", (sealed, old.country))
