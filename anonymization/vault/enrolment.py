"""One batch on its way into the vault: look up who is known, introduce who is new, seal what was said about them.

One transaction, set-wise, on binary COPY throughout. If another process introduces the same person first, the unique
index says so and the whole batch is run again from the look-up (`vault`). Grouping rows is the business of `linking`.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from anonymization.keys.country_keys import CountryKeys
from anonymization.keys.pseudonyms import WIDTH, as_matrix, from_bytes
from anonymization.linkage import likeness, recognition, similarity
from anonymization.linkage.linking import UNKNOWN, Disagree, Ids, resolve
from anonymization.vault import identities, wire
from codebook.errors import HomewardError

if TYPE_CHECKING:
    from psycopg import Cursor

    Vaultside = Cursor[tuple[Any, ...]]

Bytes = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int64]
Texts = npt.NDArray[np.object_]

_BLOCK = 1 << 17
"""Person ids are drawn in blocks of this many, so that a batch needs one call of the sequence."""

# One value for the whole answer: rows of COPY TO arrive one message each, and fifty thousand messages cost more. The
# array comes out of a sub-select, so that the plan follows the index without looking at fifty thousand constants first.
_OWNERS = """
    SELECT string_agg(uuid_send(idx) || int8send(person_id), ''::bytea)
    FROM vault.blind_index WHERE field = %s AND idx = ANY ((SELECT %s)::uuid[])"""
_OWNER = np.dtype([("idx", "u1", (WIDTH,)), ("person_id", ">i8")])
_PERSONS = """
    SELECT string_agg(int8send(person_id) || uuid_send(token) || wrapped_key, ''::bytea)
    FROM vault.person WHERE person_id = ANY ((SELECT %s)::bigint[])"""
_PERSON = np.dtype(
    [
        ("person_id", ">i8"),
        ("token", "u1", (identities.TOKEN_BYTES,)),
        ("wrapped_key", "u1", (identities.WRAPPED_BYTES,)),
    ]
)
_DIGESTS = """
    SELECT string_agg(int8send(person_id) || int8send(digest), ''::bytea)
    FROM vault.identity WHERE person_id = ANY ((SELECT %s)::bigint[]) AND origin = %s"""
_DIGEST = np.dtype([("person_id", ">i8"), ("digest", ">i8")])
_IDENTITY = "(person_id, origin, digest, sealed)"
_SAY_AGAIN = """
    INSERT INTO vault.identity SELECT * FROM said ORDER BY person_id
    ON CONFLICT (person_id, origin) DO UPDATE SET digest = excluded.digest, sealed = excluded.sealed"""


@dataclass(frozen=True)
class Claim:
    """What rows say about one identifying field: blind indexes, dictionary-encoded, null where a row says nothing."""

    field: str
    index: pa.DictionaryArray


@dataclass(frozen=True)
class Linked:
    """A token for each row, and which rows hold identifiers of different people."""

    tokens: pa.Array
    conflicts: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class _Persons:
    """Persons as rows of parallel arrays. `digests`: of what this origin last said about them, 0 if nothing."""

    ids: Ids
    tokens: Bytes
    wrapped: Bytes
    digests: Ids

    def __add__(self, other: _Persons) -> _Persons:
        return _Persons(
            np.concatenate([self.ids, other.ids]),
            np.concatenate([self.tokens, other.tokens]),
            np.concatenate([self.wrapped, other.wrapped]),
            np.concatenate([self.digests, other.digests]),
        )


class Enrolment:
    """A batch of one table of a source, its origin. `fields`: the vault's number for the field of each claim;
    `likeness`: what each row says by which its person can be recognised (`likeness.LIKENESS`)."""

    def __init__(
        self,
        keys: CountryKeys,
        origin: int,
        fields: Sequence[int],
        claims: Sequence[Claim],
        records: pa.Array | None,
        likeness: pa.Table | None = None,
        disagree: Disagree | None = None,
        programme: str | None = None,
    ) -> None:
        self._disagree, self._programme = disagree, programme
        self._keys, self._origin, self._records, self._likeness = keys, origin, records, likeness
        sizes = [len(claim.index.dictionary) for claim in claims]
        self._starts = np.cumsum([0, *sizes])
        stated = np.concatenate([as_matrix(claim.index.dictionary) for claim in claims])
        self._indexes = np.frombuffer(keys.turned(stated.tobytes()), dtype=np.uint8).reshape(-1, WIDTH)
        self._fields = np.repeat(np.array(fields, dtype=np.int16), sizes)
        codes = [claim.index.indices.fill_null(-1).to_numpy().astype(np.int64) for claim in claims]
        pairs = zip(codes, self._starts[:-1], strict=True)
        self._columns = [np.where(code >= 0, code + start, -1) for code, start in pairs]

    def run(self, cursor: Vaultside) -> Linked:
        """The whole batch in the cursor's transaction. UniqueViolation: another process was faster, run again."""
        owner = self._owners(cursor)
        known = self._known(cursor, np.unique(owner[owner != UNKNOWN]))
        resolution = resolve(self._columns, owner, self._disagree)
        new, keys = self._make_persons(cursor, resolution.new_persons)

        def settled(person: Ids) -> Ids:
            """Ids of the vault in place of the numbers -1, -2, ... of new persons."""
            ids, is_new = person.copy(), person < 0
            ids[is_new] = new.ids[-1 - person[is_new]]
            return ids

        self._write_indexes(cursor, np.flatnonzero(owner == UNKNOWN), settled(resolution.owner))
        self._write_persons(cursor, new)
        everyone = known + new
        by_id = np.argsort(everyone.ids)
        place = by_id[np.searchsorted(everyone.ids, settled(resolution.person), sorter=by_id)]
        if self._records is not None:
            spoken, texts, digests = self._news(self._records, everyone, place)
            met = spoken < len(known.ids)
            self._say_first(cursor, everyone, spoken[~met], texts[~met], digests[~met], keys, len(known.ids))
            self._say_again(cursor, everyone, spoken[met], texts[met], digests[met])
        if self._likeness is not None:
            self._describe(cursor, self._likeness, everyone, place, keys, len(known.ids))
        return Linked(from_bytes(everyone.tokens[place].tobytes()), resolution.conflicts)

    def _owners(self, cursor: Vaultside) -> Ids:
        """Whose each identifier is, as far as the vault knows."""
        owner = np.full(len(self._indexes), UNKNOWN, dtype=np.int64)
        for start, end in itertools.pairwise(self._starts.tolist()):
            if start == end:
                continue
            stated = self._indexes[start:end]
            wanted = wire.Uuids(stated[_by_key(self._fields[start:end], stated)])
            found = _answer(cursor, _OWNERS, (int(self._fields[start]), wanted), _OWNER)
            places = pc.index_in(from_bytes(found["idx"].tobytes()), from_bytes(stated.tobytes())).to_numpy()
            owner[start + places] = found["person_id"]
        return owner

    def _known(self, cursor: Vaultside, ids: Ids) -> _Persons:
        """Persons of the vault, and what this origin last said about them."""
        found = _answer(cursor, _PERSONS, (wire.Bigints(ids),), _PERSON)
        said = _answer(cursor, _DIGESTS, (wire.Bigints(ids), self._origin), _DIGEST)
        if len(found) != len(ids):
            raise HomewardError(
                "an identifier in the vault is nobody's", self._keys.country, "restore the vault from its backup"
            )
        found = found[np.argsort(found["person_id"])]
        digests = np.zeros(len(ids), dtype=np.int64)
        digests[np.searchsorted(ids, said["person_id"].astype(np.int64))] = said["digest"]
        return _Persons(ids, found["token"], found["wrapped_key"], digests)

    def _make_persons(self, cursor: Vaultside, count: int) -> tuple[_Persons, list[bytes]]:
        """New persons with random tokens and keys.

        Ids rise with the tokens and not with the order of the rows: nothing in a table tells who came before whom.
        """
        tokens = np.frombuffer(os.urandom(count * identities.TOKEN_BYTES), dtype=np.uint8).reshape(-1, 16)
        keys, wrapped = identities.new_person_keys(tokens.tobytes(), self._keys.key)
        ids = np.empty(count, dtype=np.int64)
        ids[_by_key(np.zeros(count, dtype=np.int16), tokens)] = _draw_ids(cursor, count)
        return _Persons(ids, tokens, wrapped, np.zeros(count, dtype=np.int64)), keys

    def _write_indexes(self, cursor: Vaultside, positions: Places, owner: Ids) -> None:
        """Sorted by key: two processes that meet the same people wait for each other in one order, and never both."""
        fields, indexes = self._fields[positions], self._indexes[positions]
        order = _by_key(fields, indexes)
        rows = wire.rows([fields[order], indexes[order], owner[positions][order]])
        _copy_in(cursor, "vault.blind_index (field, idx, person_id)", rows)

    def _write_persons(self, cursor: Vaultside, new: _Persons) -> None:
        by_id = np.argsort(new.ids)
        country = np.tile(np.frombuffer(self._keys.country.encode(), dtype=np.uint8), (len(new.ids), 1))
        rows = wire.rows([new.ids[by_id], country, new.tokens[by_id], new.wrapped[by_id]])
        _copy_in(cursor, "vault.person (person_id, country, token, wrapped_key)", rows)

    def _news(self, records: pa.Array, everyone: _Persons, place: Places) -> tuple[Places, Texts, Ids]:
        """Of each person of whom the batch says something new: place, last record and its digest, by rising id."""
        places, backwards = np.unique(place[::-1], return_index=True)
        texts = records.take(pa.array(len(place) - 1 - backwards)).cast(pa.binary()).to_numpy(zero_copy_only=False)
        digests = identities.digests(texts, self._keys.digest_key)
        news = np.flatnonzero(digests != everyone.digests[places])
        news = news[np.argsort(everyone.ids[places[news]])]
        return places[news], texts[news], digests[news]

    def _say_first(
        self,
        cursor: Vaultside,
        everyone: _Persons,
        places: Places,
        texts: Texts,
        digests: Ids,
        keys: list[bytes],
        first: int,
    ) -> None:
        """Records of new persons, who stand in `everyone` from `first` on, in the order of `keys`."""
        if len(places):
            their_keys = [keys[i] for i in (places - first).tolist()]
            rows = identities.sealed_rows(everyone.ids[places], self._origin, digests, texts.tolist(), their_keys)
            _copy_in(cursor, f"vault.identity {_IDENTITY}", rows)

    def _say_again(self, cursor: Vaultside, everyone: _Persons, places: Places, texts: Texts, digests: Ids) -> None:
        """Records of known persons take the place of what was said before."""
        if len(places):
            keys = [
                identities.open_person_key(token.tobytes(), wrapped.tobytes(), self._keys.key)
                for token, wrapped in zip(everyone.tokens[places], everyone.wrapped[places], strict=True)
            ]
            rows = identities.sealed_rows(everyone.ids[places], self._origin, digests, texts.tolist(), keys)
            cursor.execute("CREATE TEMP TABLE said (LIKE vault.identity) ON COMMIT DROP")
            _copy_in(cursor, f"said {_IDENTITY}", rows)
            cursor.execute(_SAY_AGAIN)

    def _describe(
        self, cursor: Vaultside, said: pa.Table, everyone: _Persons, place: Places, keys: list[bytes], first: int
    ) -> None:
        """What persons can be recognised by, once each. New ones wait to be compared; the others only stand by."""
        places, backwards = np.unique(place[::-1], return_index=True)
        rows = said.take(pa.array(len(place) - 1 - backwards))
        new = places >= first
        ids = everyone.ids[places]
        has = "SELECT person_id FROM vault.likeness WHERE person_id = ANY (%s)"
        described = [person for (person,) in cursor.execute(has, (ids[~new].tolist(),)).fetchall()]
        chosen = np.flatnonzero(~np.isin(ids, described))
        if not len(chosen):
            return
        rows, places, ids, new = rows.take(pa.array(chosen)), places[chosen], ids[chosen], new[chosen]
        their_keys = [
            keys[at - first]
            if at >= first
            else identities.open_person_key(
                everyone.tokens[at].tobytes(), everyone.wrapped[at].tobytes(), self._keys.key
            )
            for at in places.tolist()
        ]
        group = (self._keys.country, self._programme or "")
        sealed = identities.sealed_likenesses(ids, group, new, likeness.records(rows), their_keys)
        _copy_in(cursor, "vault.likeness (person_id, country, programme, pending, sealed)", sealed)
        persons = similarity.prepared(rows.add_column(0, "person_id", pa.array(ids)))
        _copy_in(cursor, "vault.block (key, person_id)", recognition.block_rows(persons, self._keys, self._programme))


def _answer(cursor: Vaultside, statement: str, values: tuple[object, ...], row: np.dtype[np.void]) -> npt.NDArray[Any]:
    """The rows that a statement aggregates into one value."""
    wire.know_arrays(cursor)
    (joined,) = cursor.execute(statement.encode(), values, binary=True).fetchone() or (None,)
    return np.frombuffer(joined or b"", dtype=row)


def _by_key(fields: npt.NDArray[np.int16], keys: Bytes) -> Places:
    """The order of an index on (field, uuid): by field, then byte by byte."""
    halves = np.ascontiguousarray(keys).view(">u8").reshape(-1, 2).astype(np.uint64)
    return np.lexsort((halves[:, 1], halves[:, 0], fields))


def _draw_ids(cursor: Vaultside, count: int) -> Ids:
    """`count` rising ids that no other process will be given."""
    blocks = -(-count // _BLOCK)
    drawn = cursor.execute("SELECT nextval('vault.person_block') FROM generate_series(1, %s)", (blocks,)).fetchall()
    starts = np.sort(np.array([number for (number,) in drawn], dtype=np.int64)) * _BLOCK
    return (starts[:, None] + np.arange(_BLOCK)).ravel()[:count]


def _copy_in(cursor: Vaultside, target: str, rows: bytes) -> None:
    with cursor.copy(f"COPY {target} FROM STDIN (FORMAT BINARY)") as copy:
        copy.write(rows)
