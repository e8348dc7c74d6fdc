"""The keys of one country as they stand in one transaction: the key that wraps its people's keys, and its indexes'.

An index is a keyed hash, and on top of it one keyed permutation for each epoch that the country has gone through: a
rotation turns the indexes that are stored without knowing what they were made of, and an identifier that no source
repeats is not lost. When keys are changed is the business of `rotation`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from anonymization.keys.ring import Keyring
from anonymization.linkage.names import VERSION
from anonymization.vault import identities
from codebook.errors import HomewardError

if TYPE_CHECKING:
    from psycopg import Cursor

    Vaultside = Cursor[tuple[Any, ...]]

WRAPPING = "country key"
_ROW = "SELECT country, wrapped_key, epoch FROM vault.country"
_LOCK = "SELECT {}(hashtextextended(%s, 0))"


@dataclass(frozen=True)
class CountryKeys:
    """`key` wraps the keys of the country's people; `epoch` counts its rotations from 1."""

    country: str
    epoch: int
    key: bytes
    keyring: Keyring

    @property
    def digest_key(self) -> bytes:
        return self.keyring.derive(self.country, "identity digest", epoch=self.epoch)

    def block_key(self, programme: str | None) -> bytes:
        return self.keyring.derive(self.country, "block", f"names {VERSION}", programme=programme)

    def turned(self, indexes: bytes, since: int = 1) -> bytes:
        """Joined 16-byte indexes of epoch `since` as they are in this country's epoch."""
        for epoch in range(since + 1, self.epoch + 1):
            # ECB is sound here: one block is one index, and distinct indexes are distinct blocks.
            algorithm = algorithms.AES(self.keyring.turn(self.country, epoch))
            cipher = Cipher(algorithm, modes.ECB()).encryptor()  # noqa: S305
            indexes = cipher.update(indexes) + cipher.finalize()
        return indexes

    def turned_back(self, indexes: bytes) -> bytes:
        """Joined indexes of this country's epoch as they were in its first."""
        for epoch in range(self.epoch, 1, -1):
            algorithm = algorithms.AES(self.keyring.turn(self.country, epoch))
            cipher = Cipher(algorithm, modes.ECB()).decryptor()  # noqa: S305
            indexes = cipher.update(indexes) + cipher.finalize()
        return indexes


def hold(cursor: Vaultside, country: str, alone: bool = False) -> None:
    """Keys of the country stay as they are until the transaction ends; `alone`: nobody else may use them meanwhile."""
    kind = "pg_advisory_xact_lock" if alone else "pg_advisory_xact_lock_shared"
    cursor.execute(_LOCK.format(kind).encode(), (f"homeward:keys:{country}",))


def opened(cursor: Vaultside, keyring: Keyring, country: str) -> CountryKeys | None:
    """Keys of a country, held as they are to the end of the transaction; None if the vault does not know it."""
    hold(cursor, country)
    row = cursor.execute(_ROW + " WHERE country = %s", (country,)).fetchone()
    return None if row is None else _open(keyring, *row)


def all_opened(cursor: Vaultside, keyring: Keyring) -> dict[str, CountryKeys]:
    """Keys of every country that the vault knows."""
    known = [country for (country,) in cursor.execute("SELECT country FROM vault.country ORDER BY 1").fetchall()]
    found = {country: opened(cursor, keyring, country) for country in known}
    return {country: keys for country, keys in found.items() if keys is not None}


def make(cursor: Vaultside, keyring: Keyring, country: str) -> None:
    """Introduce a country, in the newest epoch; another process may be faster."""
    epoch = keyring.newest  # not of a process that knows no better: an older one may be retired
    fresh = identities.new_country_key(country, keyring.derive(country, WRAPPING, epoch=epoch))
    cursor.execute(
        "INSERT INTO vault.country (country, wrapped_key, epoch) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
        (country, fresh, epoch),
    )


def _open(keyring: Keyring, country: str, wrapped: bytes, epoch: int) -> CountryKeys:
    try:
        root = keyring.derive(country, WRAPPING, epoch=epoch)
        key = identities.open_country_key(country, bytes(wrapped), root)
    except InvalidTag:
        raise HomewardError(
            "the vault was made with another root key",
            f"{country}, epoch {epoch}; the keys here are of key id {keyring.root.key_id if keyring.root else 'none'}",
            "restore the key folder from its backup",
        ) from None
    return CountryKeys(country, epoch, key, keyring)
