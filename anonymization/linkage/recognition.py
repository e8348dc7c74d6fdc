"""Recognising persons in the vault who are known under another token: one round for the persons who came last.

In one transaction under a lock per country: open what they are compared by, find whom they share a key with, compare,
put together, remember every decision. Nobody's token changes: that two tokens are one person is an event that can be
taken back. How alike two persons are is the business of `similarity`, and the officer's answers that of `review`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from cryptography.exceptions import InvalidTag

from anonymization.keys.country_keys import CountryKeys
from anonymization.linkage import blocks, decisions, features, likeness, reindex, rounds, similarity
from anonymization.linkage.frequencies import Frequencies
from anonymization.linkage.roster import Roster
from anonymization.vault import identities

if TYPE_CHECKING:
    from psycopg import Cursor

    Vaultside = Cursor[tuple[Any, ...]]

Ids = npt.NDArray[np.int64]

ROUND = 50_000
"""So many new persons are compared at a time. In a large country they share keys with most of the others, who are then
opened once a round."""
_PAGE = 20_000
"""So many of the others are opened at a time: what is kept of them is a tenth of it."""
_MODEL = "model"

_SELECT = """
    SELECT l.person_id, p.token, p.wrapped_key, l.sealed, l.counted
    FROM vault.likeness AS l JOIN vault.person AS p USING (person_id)"""
_PENDING = _SELECT + " WHERE l.country = %s AND l.programme = %s AND l.pending ORDER BY l.person_id LIMIT %s"
_NEXT = "SELECT programme FROM vault.likeness WHERE country = %s AND pending ORDER BY person_id LIMIT 1"
# Who came in this moment is still pending, and has a round of his own.
_CANDIDATES = _SELECT + " WHERE l.person_id = ANY (%s) AND NOT l.pending"
_COMPARED = "UPDATE vault.likeness SET pending = false, counted = NULL WHERE person_id = ANY (%s)"
# A key that a crowd shares says nothing, and nobody is looked at for it: finer keys lie beside it.
_NEIGHBOURS = """
    SELECT DISTINCT unnest(b.persons)
    FROM (SELECT DISTINCT key FROM asked) AS a
    CROSS JOIN LATERAL (
        SELECT array_agg(person_id) AS persons
        FROM (SELECT person_id FROM vault.block WHERE key = a.key LIMIT %(crowd)s + 1) AS found
    ) AS b
    WHERE cardinality(b.persons) <= %(crowd)s"""


@dataclass(frozen=True)
class Recognised:
    """Counts of one round: persons compared, put together with another, and pairs that wait for an officer."""

    compared: int = 0
    merged: int = 0
    waiting: int = 0

    def __add__(self, other: Recognised) -> Recognised:
        return Recognised(self.compared + other.compared, self.merged + other.merged, self.waiting + other.waiting)


def lock(cursor: Vaultside, country: str) -> None:
    """One process at a time recognises or settles persons of a country; held to the end of the transaction."""
    cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"homeward:recognise:{country}",))


def one_round(cursor: Vaultside, keys: CountryKeys) -> Recognised:
    """Compare the next persons who have not been compared; nothing left to do: `compared` is 0."""
    country, country_key = keys.country, keys.key
    lock(cursor, country)
    if not reindex.is_current(cursor, country):
        reindex.rebuild(cursor, keys)
    waits = cursor.execute(_NEXT, (country,)).fetchone()
    if waits is None:
        return Recognised()
    programme: str = waits[0]
    rows = cursor.execute(_PENDING, (country, programme, ROUND), binary=True).fetchall()
    if not rows:
        return Recognised()
    prepared = features.prepared(opened([row[:4] for row in rows], country_key))
    fresh = prepared["unique_id"].to_numpy()
    neighbours = _neighbours(cursor, prepared, fresh, keys, programme)
    frequencies = frequencies_of(cursor, keys)
    counted = [row for row in _counted(cursor, rows) if opens(row, country_key)]
    frequencies.remove(features.prepared(opened(counted, country_key)))
    with_fresh = frequencies.copy()
    with_fresh.add(prepared)
    everyone = Roster.of(chain([prepared], _known(cursor, neighbours, country_key)))
    heads = _heads_of(cursor, everyone.ids)
    pairs = similarity.compare(everyone, with_fresh.persons, with_fresh, fresh, heads)
    merged, waiting = _decide(cursor, keys, pairs)
    cursor.execute(_COMPARED, ([row[0] for row in rows],))  # who does not open is compared with nobody
    # A person met again is not one more who bears the name.
    frequencies.add(prepared.filter(pa.array(~np.isin(fresh, _joined(cursor, fresh)))))
    reindex.remember(cursor, keys, frequencies)
    return Recognised(len(rows), merged, waiting)


def regroup(cursor: Vaultside, country: str, touched: list[int]) -> None:
    """Bring groups to what the standing decisions say of `touched` persons; each change of a token is an event."""
    members = cursor.execute(
        "SELECT person_id, head FROM vault.same_person"
        " WHERE head IN (SELECT head FROM vault.same_person WHERE person_id = ANY (%s))",
        (touched,),
    ).fetchall()
    before = {person: person for person in touched} | dict(members)
    edges = cursor.execute(
        "SELECT one, other FROM vault.decision"
        " WHERE state IN ('merged', 'accepted') AND (one = ANY (%(all)s) OR other = ANY (%(all)s))",
        {"all": list(before)},
    ).fetchall()
    after = components(before, edges)
    changed = {person: head for person, head in after.items() if before[person] != head}
    if not changed:
        return
    cursor.execute("DELETE FROM vault.same_person WHERE person_id = ANY (%s)", (list(after),))
    shared = {head for person, head in after.items() if person != head}
    grouped = [person for person in after if person != after[person] or person in shared]
    cursor.execute(
        "INSERT INTO vault.same_person SELECT * FROM unnest(%s::bigint[], %s::bigint[])",
        (grouped, [after[person] for person in grouped]),
    )
    cursor.execute(
        """INSERT INTO vault.token_event (country, kind, token, current_token)
           SELECT %s, CASE WHEN c.person_id = c.head THEN 'split' ELSE 'merge' END, p.token, h.token
           FROM unnest(%s::bigint[], %s::bigint[]) AS c (person_id, head)
           JOIN vault.person p ON p.person_id = c.person_id
           JOIN vault.person h ON h.person_id = c.head
           ORDER BY c.person_id""",
        (country, list(changed), list(changed.values())),
    )


def components(persons: dict[int, int], edges: list[tuple[Any, ...]]) -> dict[int, int]:
    """The least person of each connected group."""
    head = {person: person for person in persons}

    def find(person: int) -> int:
        while head[person] != person:
            head[person] = head[head[person]]
            person = head[person]
        return person

    for one, other in edges:
        a, b = find(one), find(other)
        head[max(a, b)] = min(a, b)
    return {person: find(person) for person in head}


def opened(rows: list[tuple[Any, ...]], country_key: bytes) -> pa.Table:
    """Persons of rows (person_id, token, wrapped key, sealed likeness), those that open. InvalidTag if many do not."""
    found = {}
    for person, token, wrapped, sealed in rows:
        with suppress(InvalidTag):
            key = identities.open_person_key(token.bytes, wrapped, country_key)
            found[person] = identities.open_likeness(sealed, key)
    if identities.are_many(len(rows) - len(found), len(rows)):
        raise InvalidTag
    return likeness.from_records(np.array(list(found), dtype=np.int64), list(found.values()))


def opens(row: tuple[Any, ...], country_key: bytes) -> bool:
    """Whether such a row can be opened. False: damaged, what was counted of this person cannot be known any more, and
    keeps nobody else's counts."""
    _, token, wrapped, sealed = row
    try:
        identities.open_likeness(sealed, identities.open_person_key(token.bytes, wrapped, country_key))
    except InvalidTag:
        return False
    return True


def _known(cursor: Vaultside, persons: Ids, country_key: bytes) -> Iterator[pa.Table]:
    """Persons of the vault as they are compared, page by page."""
    for start in range(0, len(persons), _PAGE):
        page = persons[start : start + _PAGE].tolist()
        rows = cursor.execute(_CANDIDATES, (page,), binary=True).fetchall()
        yield features.prepared(opened([row[:4] for row in rows], country_key))


def _neighbours(cursor: Vaultside, prepared: pa.Table, fresh: Ids, keys: CountryKeys, programme: str) -> Ids:
    """Persons who share a key with the fresh ones."""
    cursor.execute("CREATE TEMP TABLE asked (key uuid, person_id bigint) ON COMMIT DROP")
    with cursor.copy("COPY asked FROM STDIN (FORMAT BINARY)") as copy:
        copy.write(blocks.rows_of(prepared, keys, programme))
    answer = cursor.execute(_NEIGHBOURS, {"crowd": similarity.model()["crowd"]}).fetchall()
    found = np.array([person for (person,) in answer], dtype=np.int64)
    return np.setdiff1d(found, fresh)


def _counted(cursor: Vaultside, rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Rows of those who were counted before, with what was counted: to be taken back before they count anew."""
    again = [(*row[:3], row[4]) for row in rows if row[4] is not None]
    others = set(_joined(cursor, np.array([row[0] for row in again], dtype=np.int64)))
    return [row for row in again if row[0] not in others]


def _heads_of(cursor: Vaultside, persons: Ids) -> dict[int, int]:
    """Those of `persons` who were joined with others, and as whom they are known."""
    ask = "SELECT person_id, head FROM vault.same_person WHERE person_id = ANY (%s)"
    return dict(cursor.execute(ask, (persons.tolist(),)).fetchall())


def _joined(cursor: Vaultside, persons: Ids) -> list[int]:
    """Those of `persons` who have a head that is not themselves."""
    ask = "SELECT person_id FROM vault.same_person WHERE person_id = ANY (%s) AND person_id <> head"
    return [person for (person,) in cursor.execute(ask, (persons.tolist(),)).fetchall()]


def frequencies_of(cursor: Vaultside, keys: CountryKeys) -> Frequencies:
    """The counts of a country; under its lock, where they are to be changed."""
    ask = "SELECT sealed FROM vault.frequency WHERE country = %s"
    row = cursor.execute(ask, (keys.country,), binary=True).fetchone()
    empty = similarity.no_frequencies()
    return empty.loaded(identities.open_likeness(row[0], keys.key)) if row else empty


def _decide(cursor: Vaultside, keys: CountryKeys, pairs: pa.Table) -> tuple[int, int]:
    """Write the round's decisions, and join who is the same."""
    one, other = pairs["one"].to_numpy(), pairs["other"].to_numpy()
    weight, same = pairs["weight"].to_numpy(), np.array(pairs["band"].to_pylist()) == similarity.SAME
    everyone = np.unique(np.concatenate([one, other]))
    heads = _heads_of(cursor, everyone)
    # Somebody whom an officer has kept apart from another is not joined again without an officer.
    kept_apart = cursor.execute(
        "SELECT one, other FROM vault.decision WHERE state IN ('rejected', 'undone')"
        " AND (one = ANY (%(all)s) OR other = ANY (%(all)s))",
        {"all": everyone.tolist()},
    ).fetchall()
    same &= ~(np.isin(one, kept_apart) | np.isin(other, kept_apart)) if kept_apart else True
    grouped_one = np.array([heads.get(person, person) for person in one.tolist()], dtype=np.int64)
    grouped_other = np.array([heads.get(person, person) for person in other.tolist()], dtype=np.int64)
    settled = rounds.settle(grouped_one, grouped_other, weight, same, similarity.rules())
    _write(cursor, keys, one, other, weight, settled.merged, "merged")
    _write(cursor, keys, one, other, weight, settled.waiting, "waiting")
    if len(settled.merged):
        regroup(cursor, keys.country, np.unique([one[settled.merged], other[settled.merged]]).tolist())
    return len(settled.merged), len(settled.waiting)


def _write(
    cursor: Vaultside, keys: CountryKeys, one: Ids, other: Ids, weight: npt.NDArray[np.float64], chosen: Ids, state: str
) -> None:
    pairs = list(zip(one[chosen].tolist(), other[chosen].tolist(), strict=True))
    cursor.execute(
        """WITH made AS (
               INSERT INTO vault.decision (country, one, other, weight, model, state, seal)
               SELECT %(country)s, p.one, p.other, p.weight, %(model)s, %(state)s, p.seal
               FROM unnest(%(one)s::bigint[], %(other)s::bigint[], %(weight)s::float8[], %(seal)s::bytea[])
                   AS p (one, other, weight, seal)
               -- What waited for an officer is joined once more is known; what an officer has said stands.
               ON CONFLICT (one, other) DO UPDATE
                   SET state = excluded.state, weight = excluded.weight, model = excluded.model,
                       seal = excluded.seal
                   WHERE decision.state = 'waiting' AND excluded.state = 'merged'
               RETURNING decision_id
           )
           INSERT INTO vault.decision_event (decision_id, state, who)
           SELECT decision_id, %(state)s, %(who)s FROM made""",
        {
            "country": keys.country, "model": similarity.version(), "state": state, "who": _MODEL,
            "one": one[chosen].tolist(), "other": other[chosen].tolist(), "weight": weight[chosen].tolist(),
            "seal": decisions.seals(cursor, keys.keyring, keys.country, pairs, state),
        },
    )  # fmt: skip
