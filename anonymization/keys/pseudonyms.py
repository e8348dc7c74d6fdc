"""Keyed 16-byte pseudonyms of cells: record keys that leave the gate, blind indexes that never leave the vault.

Every hash is keyed for one country, purpose and field, so equal values of two countries or two fields share nothing.
Columns are dictionary-encoded and only distinct values are hashed. Not its business: cleaning values before hashing
(`identifiers`), and person tokens, which are random and not hashes of anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from anonymization.keys.ring import Keyring
from sources.batches import KEY
from values.distinct import distinct, trimmed, whole
from values.invisible import character_class
from values.letters import is_ascii

WIDTH = 16


def text(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """A column of a batch as one array of strings, whatever its encoding."""
    array = whole(column)
    return array if pa.types.is_string(array.type) else array.cast(pa.string())


def texts(cells: pa.Table, names: Sequence[str]) -> list[pa.Array]:
    """Columns of a batch as text; one that an optional declaration lets be absent is all blank."""
    return [text(cells[name]) if name in cells.column_names else pa.nulls(len(cells), pa.string()) for name in names]


def coded(column: pa.Array | pa.ChunkedArray) -> pa.DictionaryArray:
    """A column of a batch as one dictionary array."""
    encoded = distinct(column)
    if len(encoded.dictionary) <= len(encoded):
        return encoded
    return text(column).dictionary_encode()  # a slice may carry the dictionary of the whole column


def keyed(values: pa.Array, key: bytes) -> pa.Array:
    """Keyed BLAKE2b of each text, as binary(16); a null stays null."""
    encoded = keyed_once(values, key)
    return encoded.dictionary.take(encoded.indices)


def keyed_once(values: pa.Array, key: bytes) -> pa.DictionaryArray:
    """The same, each different one once."""
    codes = values.dictionary_encode()
    digests = keyed_digests(codes.dictionary.cast(pa.binary()).to_pylist(), key, WIDTH)
    return pa.DictionaryArray.from_arrays(codes.indices, from_bytes(digests))


def keyed_digests(values: Iterable[bytes], key: bytes, width: int) -> bytes:
    """Keyed BLAKE2b of each value, joined."""
    begun = blake2b(key=key, digest_size=width).copy  # a copy costs a quarter less than to begin anew with the key
    digests = []
    for value in values:
        digest = begun()
        digest.update(value)
        digests.append(digest.digest())
    return b"".join(digests)


def from_bytes(joined: bytes | npt.NDArray[np.uint8]) -> pa.Array:
    """Joined 16-byte values as an Arrow array."""
    buffer = pa.py_buffer(joined)
    return pa.Array.from_buffers(KEY, buffer.size // WIDTH, [None, buffer])


def as_matrix(keys: pa.Array) -> npt.NDArray[np.uint8]:
    """The bytes of keys without nulls, one row a key."""
    flat = np.frombuffer(keys.buffers()[1], dtype=np.uint8)
    return flat[keys.offset * WIDTH : (keys.offset + len(keys)) * WIDTH].reshape(-1, WIDTH)


def seen(cells: pa.Array) -> pa.Array:
    """Cells of natural keys as they are seen: a mark that nobody sees, a blank around or letters in another encoding of
    Unicode make no other record. By such a key a consent is withdrawn and somebody erased stays away."""
    if not is_ascii(cells):
        marks = f"[{character_class()}]"
        cells = pc.replace_substring_regex(pc.utf8_normalize(cells, "NFC"), marks, "")
    return trimmed(cells)


def netstrings(columns: Sequence[pa.Array]) -> pa.Array:
    """The cells of each row joined so that no two different rows read the same; null where a cell is null."""
    parts = []
    for column in columns:
        parts += [pc.cast(pc.binary_length(column), pa.string()), ":", column]
    return pc.binary_join_element_wise(*parts, "")


class RecordKeys:
    """Makes the keys of one source's records: same source, table and natural key, same record key, for ever."""

    def __init__(self, keyring: Keyring, country: str, source: str, programme: str | None = None) -> None:
        self._keyring, self._country, self._source, self._programme = keyring, country, source, programme

    def of_rows(self, table: str, cells: Sequence[pa.Array]) -> pa.Array:
        """`_key` of rows of `table`, or `_parent` of rows that hold its key."""
        return keyed(netstrings([seen(one) for one in cells]), self._key("row", table))

    def of_entity(self, entity: str, cells: Sequence[pa.Array]) -> pa.Array:
        """Key of an entity that several rows, perhaps of several tables, share."""
        return keyed(netstrings([seen(one) for one in cells]), self._key("entity", entity))

    def renamed(self, entity: str, keys: pa.Array) -> pa.Array:
        """Keys of `entity` from keys of something else (row or person), one to one.

        A block cipher is exactly that for 16 bytes: a keyed permutation. It takes no loop over rows.
        """
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        filled = keys.fill_null(bytes(WIDTH)) if keys.null_count else keys
        # ECB is sound here: one block is one key, and distinct keys are distinct blocks.
        cipher = Cipher(algorithms.AES(self._key("renamed", entity)), modes.ECB()).encryptor()  # noqa: S305
        renamed = from_bytes(cipher.update(as_matrix(filled).tobytes()) + cipher.finalize())
        return pc.if_else(keys.is_null(), pa.scalar(None, KEY), renamed) if keys.null_count else renamed

    def _key(self, kind: str, name: str) -> bytes:
        field = f"{self._source} {kind} {name}"
        return self._keyring.derive(self._country, "record", field, programme=self._programme)
