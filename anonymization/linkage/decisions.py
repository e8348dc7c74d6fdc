"""Seals of decisions: who can write into the vault's database, and has no keys, joins nobody and shows nobody's names.

That two tokens are one person opens the records of both to who may see one, and a pair that waits is laid before an
officer side by side. So each decision carries a keyed digest of its two tokens and its state, and what stands without
one is an error that is told. A seal of before stays true of what it says: so an officer's answers are in the audit too,
with a mark of the pair, and the last of them counts. Which pairs are decided how is the business of `recognition` and
`review`.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from uuid import UUID

from anonymization.keys import country_keys
from codebook.errors import HomewardError

if TYPE_CHECKING:
    from psycopg import Cursor

    from anonymization.keys.ring import Keyring

    Vaultside = Cursor[tuple[Any, ...]]

COLUMN = "seal"
ACCEPTED, UNDONE = "accepted", "undone"
_CHANGED = "it is not as it was decided"
_MEND = "find out who can write to the vault, and restore it from its backup"
_TOKENS = "SELECT person_id, token FROM vault.person WHERE person_id = ANY (%s)"
_UNSEALED = "SELECT decision_id, country, one, other, state FROM vault.decision WHERE seal IS NULL"
_SEAL = """
    UPDATE vault.decision AS d SET seal = s.seal
    FROM unnest(%s::bigint[], %s::bytea[]) AS s (decision_id, seal) WHERE d.decision_id = s.decision_id"""
_GROUP = """
    SELECT m.person_id, m.token
    FROM vault.person AS p
    JOIN vault.same_person AS s ON s.person_id = p.person_id
    JOIN vault.same_person AS g ON g.head = s.head
    JOIN vault.person AS m ON m.person_id = g.person_id
    WHERE p.came IN (true, false) AND p.token = %s"""
_ANSWERS = """
    SELECT facts ->> 'pair', facts ->> 'answer' FROM vault.audit
    WHERE action = 'decision' AND facts ->> 'pair' = ANY (%s) ORDER BY entry"""
_JOINING = """
    SELECT decision_id, country, one, other, state, seal FROM vault.decision
    WHERE state IN ('merged', 'accepted') AND one = ANY (%(persons)s) AND other = ANY (%(persons)s)"""


def seals(
    cursor: Vaultside, keyring: Keyring, country: str, pairs: Sequence[tuple[int, int]], state: str
) -> list[bytes]:
    """Seals of a state of these pairs of persons."""
    tokens = _tokens(cursor, pairs)
    return [_seal(keyring, country, tokens[one], tokens[other], state) for one, other in pairs]


def refuse_if_changed(cursor: Vaultside, keyring: Keyring, rows: Sequence[tuple[Any, ...]]) -> None:
    """HomewardError if a row (decision_id, country, one, other, state, seal) is not as it was decided."""
    tokens = _tokens(cursor, [(row[2], row[3]) for row in rows])
    for row in rows:
        if not _is_sealed(keyring, tokens, row):
            raise HomewardError(_CHANGED, f"decision {row[0]}", _MEND)


def standing(cursor: Vaultside, keyring: Keyring, rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Those of such rows of joining decisions that are as they were decided, and that no officer took back."""
    tokens = _tokens(cursor, [(row[2], row[3]) for row in rows])
    sealed = [row for row in rows if _is_sealed(keyring, tokens, row)]
    back = _taken_back(cursor, keyring, sealed, tokens)
    return [row for row in sealed if row[0] not in back]


def _is_sealed(keyring: Keyring, tokens: dict[int, UUID], row: tuple[Any, ...]) -> bool:
    _, country, one, other, state, seal = row
    if one not in tokens or other not in tokens:
        return False
    return hmac.compare_digest(bytes(seal or b""), _seal(keyring, country, tokens[one], tokens[other], state))


def mark(cursor: Vaultside, keyring: Keyring, country: str, pair: tuple[int, int]) -> str:
    """A keyed digest that stands for a pair of persons in the audit."""
    tokens = _tokens(cursor, [pair])
    return _mark(keyring, country, tokens[pair[0]], tokens[pair[1]])


def seal_all(cursor: Vaultside, keyring: Keyring) -> None:
    """Seal the decisions of a vault from before there were seals; HomewardError with keys that are not the vault's:
    seals of theirs would stand for ever, and the right ones would take each for forged."""
    rows = cursor.execute(_UNSEALED).fetchall()
    if rows and keyring.folder is None:
        raise HomewardError("the vault is not empty", "vault", "restore into an empty database")
    if rows:
        country_keys.all_opened(cursor, keyring)
    tokens = _tokens(cursor, [(one, other) for _, _, one, other, _ in rows])
    sealed = {
        number: _seal(keyring, country, tokens[one], tokens[other], state)
        for number, country, one, other, state in rows
        if one in tokens and other in tokens
    }
    cursor.execute(_SEAL, (list(sealed), list(sealed.values())))


def group(cursor: Vaultside, token: UUID) -> dict[int, UUID]:
    """Persons and tokens that the vault's groups take for the one behind `token`, whoever put them there; none where it
    stands alone."""
    return dict(cursor.execute(_GROUP, (token,)).fetchall())


def same_person(cursor: Vaultside, keyring: Keyring, token: UUID) -> list[UUID]:
    """All tokens of the person behind `token`, this one among them; HomewardError if no decision joins them."""
    members = group(cursor, token)
    if not members:
        return [token]
    joining = cursor.execute(_JOINING, {"persons": list(members)}).fetchall()
    refuse_if_changed(cursor, keyring, joining)
    for number in _taken_back(cursor, keyring, joining, members):
        raise HomewardError(_CHANGED, f"decision {number}", _MEND)
    edges = [(one, other) for _, _, one, other, _, _ in joining]
    found = {person for person, theirs in members.items() if theirs == token}
    while more := {person for edge in edges if found.intersection(edge) for person in edge} - found:
        found |= more
    if found != set(members):
        raise HomewardError("tokens count as one person that no decision joins", "vault.same_person", _MEND)
    return sorted(members.values())


def _taken_back(
    cursor: Vaultside, keyring: Keyring, joining: Sequence[tuple[Any, ...]], tokens: dict[int, UUID]
) -> list[int]:
    """Decisions about a pair that counts as joined, of which an officer said last that it is not one person."""
    marks = {_mark(keyring, country, tokens[one], tokens[other]): number for number, country, one, other, *_ in joining}
    last: dict[str, str] = dict(cursor.execute(_ANSWERS, (list(marks),)).fetchall()) if marks else {}
    return [marks[one] for one, answer in last.items() if answer != ACCEPTED]


def _tokens(cursor: Vaultside, pairs: Sequence[tuple[int, int]]) -> dict[int, UUID]:
    return dict(cursor.execute(_TOKENS, (sorted({person for pair in pairs for person in pair}),)).fetchall())


def _seal(keyring: Keyring, country: str, one: UUID, other: UUID, state: str) -> bytes:
    text = json.dumps([country, one.hex, other.hex, state]).encode()
    return hmac.digest(keyring.derive(country, "decision"), text, sha256)


def _mark(keyring: Keyring, country: str, one: UUID, other: UUID) -> str:
    text = json.dumps([country, one.hex, other.hex]).encode()
    return hmac.digest(keyring.derive(country, "decided pair"), text, sha256).hex()[:32]
