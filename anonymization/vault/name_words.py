"""Words of names that the vault knows in a country: kept as keyed hashes when people are enrolled, asked for notes.

A word is folded before it is hashed (`redaction.folding`). Whose name it is, is not kept and cannot be asked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from hashlib import blake2b
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc

from anonymization.keys import country_keys
from anonymization.keys.pseudonyms import WIDTH, coded
from anonymization.redaction.redactor import name_words
from anonymization.vault.origins import is_name
from sources.models import Table

if TYPE_CHECKING:
    from psycopg import Cursor

    from anonymization.keys.country_keys import CountryKeys
    from anonymization.keys.ring import Keyring
    from anonymization.vault.vault import Vault

_FIND = "SELECT idx FROM vault.name_word WHERE country = %s AND idx = ANY(%s)"
# In one order, so that two processes which meet the same words wait for each other and never both.
_ADD = """
    INSERT INTO vault.name_word (country, idx) SELECT %s, word FROM unnest(%s::uuid[]) AS word ORDER BY word
    ON CONFLICT DO NOTHING"""


class NameWords:
    """The name words of one country in `vault`."""

    def __init__(self, vault: Vault, country: str) -> None:
        self._vault, self._country = vault, country
        self._added: set[str] = set()

    def add(self, words: Iterable[str]) -> None:
        """Remember these folded words as names of somebody."""
        fresh = set(words) - self._added
        if fresh:
            with self._vault.transaction() as cursor:
                hashed = self._hashed(cursor, fresh)
                missing = hashed.keys() - self._known(cursor, list(hashed))
                cursor.execute(_ADD, (self._country, list(missing)))
            self._added |= fresh

    def among(self, words: Collection[str]) -> set[str]:
        """Those of these folded words that are names of somebody."""
        if not words:
            return set()
        with self._vault.transaction() as cursor:
            hashed = self._hashed(cursor, words)
            return {hashed[idx] for idx in self._known(cursor, list(hashed))}

    def _known(self, cursor: Cursor[tuple[Any, ...]], indexes: list[UUID]) -> set[UUID]:
        return _known(cursor, self._country, indexes)

    def _hashed(self, cursor: Cursor[tuple[Any, ...]], words: Iterable[str]) -> dict[UUID, str]:
        """Index of each word in the country's present epoch; a country that nobody came from yet has no epoch."""
        keys = country_keys.opened(cursor, self._vault.keyring, self._country)
        if keys is None:
            return _indexed(words, self._vault.keyring, self._country)
        return hashed(keys, words)


def known_words(cursor: Cursor[tuple[Any, ...]], keys: CountryKeys, words: Iterable[str]) -> set[str]:
    """Those of these folded words that are names of somebody of the country, in the cursor's transaction."""
    indexes = hashed(keys, words)
    return {indexes[idx] for idx in _known(cursor, keys.country, list(indexes))}


def hashed(keys: CountryKeys, words: Iterable[str]) -> dict[UUID, str]:
    """Index of each folded word, as it stands in the vault."""
    stated = _indexed(words, keys.keyring, keys.country)
    turned = keys.turned(b"".join(index.bytes for index in stated))
    return {UUID(bytes=turned[at * WIDTH : (at + 1) * WIDTH]): word for at, word in enumerate(stated.values())}


def _known(cursor: Cursor[tuple[Any, ...]], country: str, indexes: list[UUID]) -> set[UUID]:
    return {idx for (idx,) in cursor.execute(_FIND, (country, indexes)).fetchall()}


def _indexed(words: Iterable[str], keyring: Keyring, country: str) -> dict[UUID, str]:
    key = keyring.derive(country, "name word")
    return {UUID(bytes=blake2b(word.encode(), key=key, digest_size=WIDTH).digest()): word for word in words}


def names_in(table: Table, cells: pa.Table) -> list[str]:
    """Columns of a batch that hold names of people."""
    return [name for name in cells.column_names if is_name(table, name)]


def words_of(table: Table, cells: pa.Table) -> frozenset[str]:
    """Folded words of all names in a batch; each different word is folded once."""
    found: set[str] = set()
    for name in names_in(table, cells):
        distinct = coded(cells[name]).dictionary.cast(pa.string()).drop_null()
        found.update(pc.list_flatten(pc.utf8_split_whitespace(distinct)).unique().to_pylist())
    return name_words(*found)
