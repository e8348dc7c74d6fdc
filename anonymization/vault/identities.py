"""The sealed part of the vault: each person's own key, wrapped, and identity records encrypted under it.

Shredding a person's wrapped key makes their records unreadable in every copy and backup (docs/vault.md). Bytes in,
bytes out; where they are stored is the business of `vault`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from anonymization.keys.pseudonyms import keyed_digests
from anonymization.vault import wire

KEY_BYTES, NONCE, TAG = 32, 12, 16
WRAPPED_BYTES = KEY_BYTES + TAG + NONCE
"""A wrapped key of a person, and behind it the nonce that it was wrapped with. It was left out once, where it is the
first twelve bytes of the token."""
TOKEN_BYTES = 16
_LIKENESS = b"likeness"


def new_country_key(country: str, root: bytes) -> bytes:
    """A random key for the people of a country, wrapped under `root`."""
    nonce = os.urandom(NONCE)
    return nonce + AESGCM(root).encrypt(nonce, os.urandom(KEY_BYTES), country.encode())


def open_country_key(country: str, wrapped: bytes, root: bytes) -> bytes:
    """InvalidTag if it was wrapped under another root key."""
    return _opened(wrapped, root, country.encode())


def new_person_keys(tokens: bytes, country_key: bytes) -> tuple[list[bytes], npt.NDArray[np.uint8]]:
    """For each 16-byte token a random key, and the same keys wrapped (one row each).

    The token is random and used once, so its first 12 bytes serve as the first nonce.
    """
    wrap = AESGCM(country_key).encrypt
    randomness = os.urandom(len(tokens) // TOKEN_BYTES * KEY_BYTES)
    keys = [randomness[i : i + KEY_BYTES] for i in range(0, len(randomness), KEY_BYTES)]
    names = [tokens[i : i + TOKEN_BYTES] for i in range(0, len(tokens), TOKEN_BYTES)]
    wrapped = b"".join([wrap(name[:NONCE], key, name) + name[:NONCE] for name, key in zip(names, keys, strict=True)])
    return keys, np.frombuffer(wrapped, dtype=np.uint8).reshape(-1, WRAPPED_BYTES)


def open_person_key(token: bytes, wrapped: bytes, country_key: bytes) -> bytes:
    """InvalidTag if it was wrapped under another key, changed or cut short."""
    sealed, nonce = wrapped[: KEY_BYTES + TAG], wrapped[KEY_BYTES + TAG :] or token[:NONCE]
    if len(nonce) != NONCE:
        raise InvalidTag
    return AESGCM(country_key).decrypt(nonce, sealed, token)


def wrap_person_key(token: bytes, key: bytes, country_key: bytes) -> bytes:
    """As `new_person_keys` wraps it. Each country key wraps a token's key so once: the nonce is never used again."""
    return AESGCM(country_key).encrypt(token[:NONCE], key, token) + token[:NONCE]


def another_person_key(token: bytes, country_key: bytes) -> tuple[bytes, bytes]:
    """Another key for a person who has one, and the same wrapped: a country's key takes a nonce once."""
    key, nonce = os.urandom(KEY_BYTES), os.urandom(NONCE)
    return key, AESGCM(country_key).encrypt(nonce, key, token) + nonce


def are_many(damaged: int, asked: int) -> bool:
    """Whether so many keys that do not open are no accident of single persons: one in a hundred, and more than one."""
    return damaged > max(1, asked // 100)


def digests(records: Iterable[bytes], key: bytes) -> npt.NDArray[np.int64]:
    """A keyed 64-bit digest of each record; equal digests mean that an origin says nothing new about a person."""
    return np.frombuffer(keyed_digests(records, key, 8), dtype=">i8").astype(np.int64)


def sealed_rows(
    person_ids: npt.NDArray[np.int64],
    origin: int,
    digest: npt.NDArray[np.int64],
    records: Sequence[bytes],
    keys: Sequence[bytes],
) -> bytes:
    """Rows (person_id, origin, digest, sealed) of the binary COPY; `sealed` is a nonce and AES-GCM of the record."""
    origins = np.full(len(records), origin, dtype=np.int16)
    return _sealed([person_ids, origins, digest], records, keys, origin.to_bytes(2, "big"))


def sealed_likenesses(
    person_ids: npt.NDArray[np.int64],
    group: tuple[str, str],
    pending: npt.NDArray[np.bool_],
    records: Sequence[bytes],
    keys: Sequence[bytes],
) -> bytes:
    """Rows (person_id, country, programme, pending, sealed) of the binary COPY; `group`: country and programme."""
    texts = [np.tile(np.frombuffer(text.encode(), dtype=np.uint8), (len(records), 1)) for text in group]
    return _sealed([person_ids, *texts, pending.astype(np.int8)], records, keys, _LIKENESS)


def seal_likeness(record: bytes, key: bytes) -> bytes:
    nonce = os.urandom(NONCE)
    return nonce + AESGCM(key).encrypt(nonce, record, _LIKENESS)


def open_likeness(sealed: bytes, key: bytes) -> bytes:
    return _opened(sealed, key, _LIKENESS)


def _sealed(columns: Sequence[wire.Column], records: Sequence[bytes], keys: Sequence[bytes], bound: bytes) -> bytes:
    """A binary COPY of `columns` and, as the last one, each record sealed with its key."""
    nonces = os.urandom(NONCE * len(records))
    lengths = np.fromiter(map(len, records), dtype=np.int32, count=len(records)) + NONCE + TAG
    heads = wire.rows_with_tail(columns, lengths)
    width = len(heads) // max(1, len(records))
    parts = [wire.HEADER]
    for i, (record, key) in enumerate(zip(records, keys, strict=True)):
        nonce = nonces[i * NONCE : (i + 1) * NONCE]
        parts += (heads[i * width : (i + 1) * width], nonce, AESGCM(key).encrypt(nonce, record, bound))
    parts.append(wire.TRAILER)
    return b"".join(parts)


def seal_record(record: bytes, origin: int, key: bytes) -> bytes:
    nonce = os.urandom(NONCE)
    return nonce + AESGCM(key).encrypt(nonce, record, origin.to_bytes(2, "big"))


def open_record(sealed: bytes, origin: int, key: bytes) -> bytes:
    return _opened(sealed, key, origin.to_bytes(2, "big"))


def _opened(sealed: bytes, key: bytes, bound: bytes) -> bytes:
    """InvalidTag for what was cut short as well, which the cipher calls something else."""
    if len(sealed) < NONCE + TAG:
        raise InvalidTag
    return AESGCM(key).decrypt(sealed[:NONCE], sealed[NONCE:], bound)
