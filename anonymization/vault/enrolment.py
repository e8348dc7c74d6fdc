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
from anonymization.linkage import blocks, features, likeness, reindex
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
    SELECT string_agg(
        int8send(person_id) || uuid_send(token) || substr(wrapped_key || substr(uuid_send(token), 1, 12), 1, 60),
        ''::bytea)
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


_LIKENESS = "(person_id, country, programme, pending, sealed)"
_MAKE_LEARNED = """
    CREATE TEMP TABLE learned (LIKE vault.likeness) ON COMMIT DROP;
    CREATE TEMP TABLE learned_block (LIKE vault.block) ON COMMIT DROP"""
_LEARN = """
    UPDATE vault.likeness AS l SET sealed = m.sealed, pending = true
    FROM learned AS m WHERE m.person_id = l.person_id"""
_LEARN_BLOCKS = "INSERT INTO vault.block SELECT * FROM learned_block ORDER BY 1, 2 ON CONFLICT DO NOTHING"


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
        named, stated, self._columns = _identifiers(fields, claims)
        self._starts = np.cumsum([0, *map(len, stated)])
        self._indexes = np.frombuffer(keys.turned(np.concatenate(stated).tobytes()), dtype=np.uint8).reshape(-1, WIDTH)
        self._fields = np.repeat(np.array(named, dtype=np.int16), [len(one) for one in stated])

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
        said = None if self._likeness is None else likeness.records(self._likeness)
        heard: Places = np.empty(0, dtype=np.int64)
        if self._records is not None:
            spoken, texts, digests = self._news(self._records, said, everyone, place)
            met = spoken < len(known.ids)
            heard = spoken[met]
            self._say_first(cursor, everyone, spoken[~met], texts[~met], digests[~met], keys, len(known.ids))
            self._say_again(cursor, everyone, spoken[met], texts[met], digests[met])
        if self._likeness is not None and said is not None:
            self._describe(cursor, self._likeness, said, everyone, place, keys, len(known.ids), heard)
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

    def _news(
        self, records: pa.Array, said: list[bytes] | None, everyone: _Persons, place: Places
    ) -> tuple[Places, Texts, Ids]:
        """Of each person of whom the batch says something new: place, last record and its digest, by rising id.

        What the person can be recognised by is part of the digest: a birth date is no identifier, and can be new.
        """
        places, backwards = np.unique(place[::-1], return_index=True)
        last = len(place) - 1 - backwards
        texts = records.take(pa.array(last)).cast(pa.binary()).to_numpy(zero_copy_only=False)
        whole = texts if said is None else [text + said[row] for text, row in zip(texts, last.tolist(), strict=True)]
        digests = identities.digests(whole, self._keys.digest_key)
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
        self,
        cursor: Vaultside,
        said: pa.Table,
        records: list[bytes],
        everyone: _Persons,
        place: Places,
        keys: list[bytes],
        first: int,
        heard: Places,
    ) -> None:
        """What persons can be recognised by. New ones wait to be compared; known ones (`heard`: of whom the batch says
        something new) wait again if it says more than was known."""
        places, backwards = np.unique(place[::-1], return_index=True)
        last = len(place) - 1 - backwards
        new = places >= first
        ids = everyone.ids[places]
        programme = self._programme or ""
        has = "SELECT person_id, programme, sealed FROM vault.likeness WHERE person_id = ANY (%s)"
        known_ids = ids[~new] if self._records is None else everyone.ids[heard]
        found = cursor.execute(has, (known_ids.tolist(),), binary=True).fetchall()
        # What one programme's sources say is not compared in another.
        described = {person: bytes(sealed) for person, theirs, sealed in found if theirs == programme}
        if described:
            self._learn(cursor, described, {int(p): records[row] for p, row in zip(ids, last, strict=True)}, everyone)
        silent = np.setdiff1d(ids[~new], known_ids)
        chosen = np.flatnonzero(~np.isin(ids, [person for person, *_ in found]) & ~np.isin(ids, silent))
        if not len(chosen):
            return
        rows, places, ids, new = said.take(pa.array(last[chosen])), places[chosen], ids[chosen], new[chosen]
        their_keys = [keys[at - first] if at >= first else self._key_of(everyone, at) for at in places.tolist()]
        reindex.begin(cursor, self._keys.country)
        texts = [records[row] for row in last[chosen].tolist()]
        sealed = identities.sealed_likenesses(ids, (self._keys.country, programme), new, texts, their_keys)
        _copy_in(cursor, f"vault.likeness {_LIKENESS}", sealed)
        persons = features.prepared(rows.add_column(0, "person_id", pa.array(ids)))
        _copy_in(cursor, "vault.block (key, person_id)", blocks.rows_of(persons, self._keys, self._programme))

    def _learn(
        self, cursor: Vaultside, described: dict[int, bytes], records: dict[int, bytes], everyone: _Persons
    ) -> None:
        """What is known of persons, with what the batch adds; they are found by both, and compared again."""
        position = {int(person): at for at, person in enumerate(everyone.ids.tolist())}
        more: dict[int, tuple[bytes, bytes]] = {}
        for person, sealed in described.items():
            key = self._key_of(everyone, position[person])
            record = likeness.learned(identities.open_likeness(sealed, key), records[person])
            if record is not None:
                more[person] = (record, key)
        if not more:
            return
        ids = np.array(sorted(more), dtype=np.int64)
        texts, keys = [more[p][0] for p in ids.tolist()], [more[p][1] for p in ids.tolist()]
        cursor.execute(_MAKE_LEARNED)
        waits = np.ones(len(ids), dtype=bool)
        group = (self._keys.country, self._programme or "")
        sealed_rows = identities.sealed_likenesses(ids, group, waits, texts, keys)
        _copy_in(cursor, f"learned {_LIKENESS}", sealed_rows)
        cursor.execute(_LEARN)
        persons = features.prepared(likeness.from_records(ids, texts))
        _copy_in(cursor, "learned_block", blocks.rows_of(persons, self._keys, self._programme))
        cursor.execute(_LEARN_BLOCKS)

    def _key_of(self, everyone: _Persons, at: int) -> bytes:
        return identities.open_person_key(everyone.tokens[at].tobytes(), everyone.wrapped[at].tobytes(), self._keys.key)


def _identifiers(fields: Sequence[int], claims: Sequence[Claim]) -> tuple[list[int], list[Bytes], list[Ids]]:
    """The batch's fields, the distinct indexes of each, and by claim each row's place among all of them, or -1.

    Two columns may be one field (a person's two phones): what stands in both is one identifier, and the unique index
    of the vault takes it once."""
    named = list(dict.fromkeys(fields))
    stated, columns, start = [], {}, 0
    for field in named:
        mine = [at for at, number in enumerate(fields) if number == field]
        united = pa.chunked_array([claims[at].index for at in mine]).unify_dictionaries()
        for at, chunk in zip(mine, united.chunks, strict=True):
            codes = chunk.indices.fill_null(-1).to_numpy().astype(np.int64)
            columns[at] = np.where(codes >= 0, codes + start, -1)
        stated.append(as_matrix(united.chunk(len(mine) - 1).dictionary))
        start += len(stated[-1])
    return named, stated, [columns[at] for at in range(len(claims))]


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
