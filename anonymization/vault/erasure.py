"""Erasing people from the vault: their keys are shredded, everything said about them goes, and they do not come back.

Without the person's key no copy of their identity can be opened, in no backup either that lacks the key's row. What
stays is a keyed hash of each identifier and row key, by which the gate holds back a row that brings the person again.
Not its business: warehouse, store and certificate (`assets.vault_erasure`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from anonymization.keys import country_keys
from anonymization.keys.pseudonyms import WIDTH, as_matrix, from_bytes, keyed
from anonymization.linkage import recognition
from anonymization.linkage.decisions import same_person
from anonymization.vault import audit, unfinished, unlearning
from anonymization.vault.enrolment import CAME
from anonymization.vault.requests import country_of
from anonymization.vault.unfinished import Begun

if TYPE_CHECKING:
    from psycopg import Cursor

    from anonymization.keys.ring import Keyring
    from anonymization.vault.vault import Vault

    Vaultside = Cursor[tuple[Any, ...]]

_INDEXES = """
    SELECT b.idx FROM vault.blind_index AS b JOIN vault.person AS p USING (person_id)
    WHERE p.came IN (true, false) AND p.token = ANY (%s)"""
_ROW_FIELDS = "SELECT field FROM vault.field WHERE country = %s AND name LIKE 'row %%'"
# Who has another index as well is known by more than a row that came under this key.
_BY_ROWS = """
    SELECT p.token FROM vault.blind_index AS b JOIN vault.person AS p USING (person_id)
    WHERE b.field = ANY (%(fields)s) AND b.idx = ANY (%(rows)s) AND NOT EXISTS (
        SELECT FROM vault.blind_index AS more WHERE more.person_id = b.person_id AND more.idx <> ALL (%(rows)s))
    ORDER BY p.token"""
_MARK = """
    INSERT INTO vault.erased (country, marker) SELECT %s, m FROM unnest(%s::uuid[]) AS m ORDER BY m
    ON CONFLICT DO NOTHING"""
_BESIDE = """
    SELECT person_id FROM vault.same_person
    WHERE head IN (SELECT head FROM vault.same_person WHERE person_id = ANY (%(persons)s))
        AND person_id <> ALL (%(persons)s)"""
_UNDECIDED = """
    SELECT count(*) FROM vault.decision
    WHERE state = 'waiting' AND (one = ANY (%(theirs)s) AND other <> ALL (%(erased)s)
        OR other = ANY (%(theirs)s) AND one <> ALL (%(erased)s))"""
_ASKED = "SELECT token FROM vault.request WHERE request_id = ANY (%s)"
_KNOWN = "SELECT country, token FROM vault.person WHERE came IN (true, false) AND token = ANY (%s)"
_PERSONS = "SELECT person_id FROM vault.person WHERE came IN (true, false) AND token = ANY (%s)"
# In the order of references. The person's row, which holds the wrapped key, goes last.
_SHRED = (
    ("blind_index", "DELETE FROM vault.blind_index WHERE person_id = ANY (%(persons)s)"),
    ("block", "DELETE FROM vault.block WHERE person_id = ANY (%(persons)s)"),
    ("likeness", "DELETE FROM vault.likeness WHERE person_id = ANY (%(persons)s)"),
    (
        "decision_event",
        "DELETE FROM vault.decision_event AS e USING vault.decision AS d WHERE d.decision_id = e.decision_id"
        " AND (d.one = ANY (%(persons)s) OR d.other = ANY (%(persons)s))",
    ),
    ("decision", "DELETE FROM vault.decision WHERE one = ANY (%(persons)s) OR other = ANY (%(persons)s)"),
    ("same_person", "DELETE FROM vault.same_person WHERE person_id = ANY (%(persons)s)"),
    (
        "token_event",
        "DELETE FROM vault.token_event WHERE token = ANY (%(tokens)s) OR current_token = ANY (%(tokens)s)",
    ),
    ("request", "DELETE FROM vault.request WHERE token = ANY (%(tokens)s)"),
    ("identity", "DELETE FROM vault.identity WHERE person_id = ANY (%(persons)s)"),
    ("person", "DELETE FROM vault.person WHERE person_id = ANY (%(persons)s)"),
)


@dataclass(frozen=True)
class Person:
    """Somebody who is to be erased: all tokens that the vault has found to be one person."""

    country: str
    tokens: tuple[UUID, ...]


def find(vault: Vault, token: UUID) -> Person:
    """HomewardError if the vault has no such person, or no longer."""
    with vault.transaction() as cursor:
        return Person(country_of(cursor, token), tuple(same_person(cursor, vault.keyring, token)))


def by_rows(vault: Vault, country: str, row_keys: Iterable[bytes]) -> list[UUID]:
    """Tokens of who is known by nothing but the key of one of these rows: the same record, once delivered without its
    number. All their rows go with it, and what it said of the person is to go as well."""
    with vault.transaction() as cursor:
        fields = [field for (field,) in cursor.execute(_ROW_FIELDS, (country,)).fetchall()]
        turned = vault.keys_of(cursor, country).turned(b"".join(row_keys))
        rows = [UUID(bytes=turned[at : at + WIDTH]) for at in range(0, len(turned), WIDTH)]
        values = {"fields": [*fields, *(CAME * field for field in fields)], "rows": rows}
        return [token for (token,) in cursor.execute(_BY_ROWS, values).fetchall()]


def countries(vault: Vault, tokens: Sequence[UUID], requests: Sequence[int]) -> set[str]:
    """Countries of the people behind these tokens and requests; of those that the vault does not know, none."""
    ask = (
        "SELECT country FROM vault.person WHERE came IN (true, false) AND token = ANY (%s)"
        " UNION SELECT country FROM vault.request WHERE request_id = ANY (%s)"
    )
    with vault.transaction() as cursor:
        return {country for (country,) in cursor.execute(ask, (list(tokens), list(requests))).fetchall()}


def undecided(vault: Vault, tokens: Sequence[UUID], requests: Sequence[int]) -> int:
    """Pairs of one of these people and somebody else that wait for an officer. An erasure takes them along: whoever the
    other is stays, and nobody can tell any more that it may be the same person."""
    with vault.transaction() as cursor:
        theirs = _tokens_of(cursor, vault, tokens, requests)
        persons = [person for (person,) in cursor.execute(_PERSONS, (list(theirs),)).fetchall()]
        return _undecided(cursor, persons, persons)


def tokens_of(vault: Vault, tokens: Sequence[UUID], requests: Sequence[int]) -> dict[str, set[UUID]]:
    """All tokens of the people behind these tokens and requests, by country; of those that the vault does not know,
    none."""
    found: dict[str, set[UUID]] = {}
    with vault.transaction() as cursor:
        theirs = list(_tokens_of(cursor, vault, tokens, requests))
        for country, token in cursor.execute(_KNOWN, (theirs,)).fetchall():
            found.setdefault(country, set()).add(token)
    return found


def known(vault: Vault, tokens: Iterable[UUID]) -> set[UUID]:
    """Those of these tokens that the vault still knows."""
    with vault.transaction() as cursor:
        return {token for _, token in cursor.execute(_KNOWN, (list(tokens),)).fetchall()}


def _tokens_of(cursor: Vaultside, vault: Vault, tokens: Sequence[UUID], requests: Sequence[int]) -> set[UUID]:
    asked = [token for (token,) in cursor.execute(_ASKED, (list(requests),)).fetchall()]
    return {one for token in (*tokens, *asked) for one in same_person(cursor, vault.keyring, token)}


def tokens_by_country(vault: Vault) -> dict[str, list[UUID]]:
    """Everybody whom the vault knows."""
    with vault.transaction() as cursor:
        ask = "SELECT country, array_agg(token) FROM vault.person GROUP BY country ORDER BY country"
        return dict(cursor.execute(ask).fetchall())


def mark(vault: Vault, people: Iterable[Begun]) -> None:
    """From now on the gate holds back rows with an identifier of one of them, or with a key of one of their rows; and
    the erasures are known as begun: all of them or none."""
    with vault.transaction() as cursor:
        for begun in people:
            keys = vault.keys_of(cursor, begun.country)
            asked = cursor.execute(_INDEXES, (list(begun.tokens),)).fetchall()
            stated = keys.turned_back(b"".join(index.bytes for (index,) in asked)) + b"".join(begun.row_keys)
            markers = _markers(from_bytes(stated), vault.keyring, begun.country)
            found = {UUID(bytes=one) for one in markers.to_pylist()}
            cursor.execute(_MARK, (begun.country, list(found)))
            begun.done.update(markers_set=len(found), marks=sorted(one.hex for one in found))
            unfinished.add(cursor, begun)


def mark_again(vault: Vault, country: str, marks: Iterable[str]) -> None:
    """Set the marks of an erasure of which the vault does not know any more."""
    with vault.transaction() as cursor:
        cursor.execute(_MARK, (country, [UUID(one) for one in marks]))


def certify_again(vault: Vault, country: str, certificate: str) -> None:
    """From now on the vault knows of this erasure: it was repeated."""
    if certificate not in certified(vault):
        audit.note(vault, audit.ERASED_AGAIN, country, certificate=certificate)


def certified(vault: Vault) -> set[str]:
    """Names of the certificates of all erasures of which the vault knows."""
    ask = "SELECT facts ->> 'certificate' FROM vault.audit WHERE action = ANY (%s)"
    with vault.transaction() as cursor:
        return {name for (name,) in cursor.execute(ask, ([audit.ERASED, audit.ERASED_AGAIN],)).fetchall()}


def shred(vault: Vault, country: str, people: Sequence[Begun]) -> None:
    """Delete these people's keys and everything about them; `done` says how many rows went, by table."""
    with vault.transaction() as cursor:
        country_keys.hold(cursor, country, alone=True)  # no batch is writing about them at this moment
        recognition.lock(cursor, country)
        keys = vault.keys_of(cursor, country)
        numbers = [_numbers(cursor, begun) for begun in people]
        everybody = [person for persons in numbers for person in persons]
        beside = [person for (person,) in cursor.execute(_BESIDE, {"persons": everybody}).fetchall()]
        pairs = [_undecided(cursor, persons, everybody) for persons in numbers]
        said = [unlearning.words_said(cursor, keys, persons) for persons in numbers]
        counted = unlearning.uncount(cursor, keys, everybody)
        gone = [_delete(cursor, begun, persons) for begun, persons in zip(people, numbers, strict=True)]
        # Who was joined with them since the erasure began stands by what is left: no decision joins them any more.
        recognition.regroup(cursor, country, beside)
        forgotten = unlearning.forget_words(cursor, keys, frozenset().union(*said))
        for begun, persons, words, rows, left in zip(people, numbers, said, gone, pairs, strict=True):
            begun.done["undecided"] = left
            rows |= {"frequency": len(counted.intersection(persons)), "name_word": len(words & forgotten)}
            begun.done["vault"] = rows
            unfinished.forget(cursor, begun)
            facts: dict[str, audit.Fact] = {"certificate": begun.certificate, **rows}
            audit.write(cursor, vault.keyring, audit.ERASED, country, begun.asked["officer"], facts)


def _undecided(cursor: Vaultside, theirs: list[int], erased: list[int]) -> int:
    row = cursor.execute(_UNDECIDED, {"theirs": theirs, "erased": erased}).fetchone()
    return int(row[0]) if row else 0


def _numbers(cursor: Vaultside, begun: Begun) -> list[int]:
    return [number for (number,) in cursor.execute(_PERSONS, (list(begun.tokens),)).fetchall()]


def _delete(cursor: Vaultside, begun: Begun, persons: list[int]) -> dict[str, int]:
    values = {"persons": persons, "tokens": list(begun.tokens)}
    return {table: cursor.execute(statement.encode(), values).rowcount for table, statement in _SHRED}


def tables(vault: Vault) -> list[tuple[str, str]]:
    """Schema and name of the tables that hold anything of people."""
    ask = "SELECT schemaname, tablename FROM pg_tables WHERE schemaname = 'vault' AND tablename <> 'audit' ORDER BY 2"
    with vault.transaction() as cursor:
        return [(schema, name) for schema, name in cursor.execute(ask).fetchall()]


class Erased:
    """Who of a country must not come back; read once, when first asked."""

    def __init__(self, vault: Vault, country: str) -> None:
        self._vault, self._country = vault, country

    def __bool__(self) -> bool:
        return len(self._known) > 0

    def among(self, keys: pa.Array) -> npt.NDArray[np.bool_]:
        """Which of these indexes (as a source states them) or row keys are an erased person's."""
        encoded = keys if isinstance(keys, pa.DictionaryArray) else keys.dictionary_encode()
        known = pc.is_in(_markers(encoded.dictionary, self._vault.keyring, self._country), self._known)
        found: npt.NDArray[np.bool_] = pc.fill_null(known.take(encoded.indices), False).to_numpy(zero_copy_only=False)
        return found

    @cached_property
    def _known(self) -> pa.Array:
        with self._vault.transaction() as cursor:
            rows = cursor.execute("SELECT marker FROM vault.erased WHERE country = %s", (self._country,)).fetchall()
        return from_bytes(b"".join(marker.bytes for (marker,) in rows))


def _markers(keys: pa.Array, keyring: Keyring, country: str) -> pa.Array:
    """Keyed again, under a key of its own: a marker cannot be joined with an index or a record key."""
    if not len(keys):
        return keys
    joined = as_matrix(keys).tobytes()
    parts = pa.array([joined[at : at + WIDTH] for at in range(0, len(joined), WIDTH)], pa.binary())
    return keyed(parts, keyring.derive(country, "erased"))
