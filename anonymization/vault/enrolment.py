"""One batch on its way into the vault: look up who is known, introduce who is new, seal what was said about them.

One transaction, set-wise, on binary COPY throughout. A row that was said before, word for word, is looked up by one of
its identifiers. If another process introduces the same person first, the unique index says so and the whole batch is
run again from the look-up (`vault`). Grouping rows is the business of `linking`, sealing what they say that of
`testimony`, who waits for the server and when that of `line`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from anonymization.keys.country_keys import CountryKeys
from anonymization.keys.pseudonyms import WIDTH, as_matrix, from_bytes
from anonymization.linkage import likeness
from anonymization.linkage.agreement import Agrees
from anonymization.linkage.linking import UNKNOWN, Disagree, Ids, Resolution, resolve, strongest
from anonymization.vault import identities, wire
from anonymization.vault.known import descriptions
from anonymization.vault.line import Ask, Line
from anonymization.vault.people import NOTHING, Bytes, Damaged, DoesNotOpen, People, Persons, Places
from anonymization.vault.testimony import Descriptions, Testimony, digests
from codebook.errors import HomewardError, Unavailable

if TYPE_CHECKING:
    from psycopg import Cursor

    Vaultside = Cursor[tuple[Any, ...]]


CAME = -1
"""An identifier stands under its field's number times this until the index is put in order (`upkeep`). Keyed hashes
fall on all pages of a large index: those of 50,000 new people changed 70,000 of them, and after each checkpoint wrote
them out whole. Those who came lie together and change a few."""

# Asked by the transaction itself, before the second connection asks anything: the table is held from then on, and
# nothing is put in order between a look-up and what follows from it. By order of the index: of a field that has nothing
# there, the whole table would be read.
_IN_ORDER = """
    SELECT f FROM unnest(%s::smallint[]) AS f
    WHERE (SELECT field FROM vault.blind_index WHERE field = f ORDER BY idx LIMIT 1) IS NOT NULL"""

_ODD = 0x9E3779B97F4A7C1
"""So that the same identifiers in other columns are something else."""
_BLOCK = 1 << 17
"""Person ids are drawn in blocks of this many, so that a batch needs one call of the sequence."""

# One value for the whole answer: rows of COPY TO arrive one message each, and fifty thousand messages cost more. The
# array comes out of a sub-select, so that the plan follows the index without looking at fifty thousand constants first.
_OWNERS = """
    SELECT string_agg(uuid_send(idx) || int8send(person_id), ''::bytea)
    FROM vault.blind_index WHERE field = %s AND idx = ANY ((SELECT %s)::uuid[])"""
_OWNER = np.dtype([("idx", "u1", (WIDTH,)), ("person_id", ">i8")])
_PERSONS = """
    SELECT string_agg(int8send(person_id) || uuid_send(token), ''::bytea)
    FROM vault.person WHERE person_id = ANY ((SELECT %s)::bigint[])"""
_PERSON = np.dtype([("person_id", ">i8"), ("token", "u1", (identities.TOKEN_BYTES,))])
# One that was cut short is filled up, so that the others lie where they are looked for; it opens nothing.
_WRAPPED = """
    SELECT string_agg(
        int8send(person_id)
        || substr(wrapped_key || substr(uuid_send(token), 1, 12) || decode(repeat('00', 60), 'hex'), 1, 60), ''::bytea)
    FROM vault.person WHERE person_id = ANY ((SELECT %s)::bigint[])"""
_WRAPPED_KEY = np.dtype([("person_id", ">i8"), ("wrapped_key", "u1", (identities.WRAPPED_BYTES,))])
_DIGESTS = """
    SELECT string_agg(int8send(person_id) || int8send(digest), ''::bytea)
    FROM vault.identity WHERE person_id = ANY ((SELECT %s)::bigint[]) AND origin = %s"""
_DIGEST = np.dtype([("person_id", ">i8"), ("digest", ">i8")])


@dataclass(frozen=True)
class Claim:
    """What rows say about one identifying field: blind indexes, dictionary-encoded, null where a row says nothing.

    `shared`: rows whose index several people of the batch share. It names a person whom the vault knows by it and whom
    the row speaks of, and nobody else."""

    field: str
    index: pa.DictionaryArray
    shared: npt.NDArray[np.bool_] | bool = False

    @property
    def own(self) -> pa.DictionaryArray:
        """Without what is shared."""
        if not np.any(self.shared):
            return self.index
        indices = pc.if_else(pa.array(self.shared), pa.scalar(None, pa.int32()), self.index.indices)
        return pa.DictionaryArray.from_arrays(indices, self.index.dictionary)


@dataclass(frozen=True)
class Linked:
    """A token for each row, and which rows hold identifiers of different people."""

    tokens: pa.Array
    conflicts: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Statement:
    """What a batch of one table of a source says about the people of its rows.

    `origin`: source and table; `claims`: strongest first, every row has at least one; `records`: each row's identity as
    JSON text, sealed for the row's person; `likeness`: by what the person can be recognised, where the source asks for
    that (`likeness.LIKENESS`); `disagree`: whether two rows that share an identifier nobody knew speak of two people;
    `programme`: within which persons are recognised; `agrees`: which rows speak of known persons.
    """

    country: str
    origin: str
    claims: Sequence[Claim]
    records: pa.Array | None
    likeness: pa.Table | None = None
    disagree: Disagree | None = None
    programme: str | None = None
    agrees: Agrees | None = None


class Enrolment:
    """A statement on its way into the vault. `origin`, `fields`: the vault's numbers of its origin and fields."""

    def __init__(self, keys: CountryKeys, origin: int, fields: Sequence[int], statement: Statement) -> None:
        self._keys, self._origin, self._statement = keys, origin, statement
        named, stated, self._columns = _identifiers(fields, statement.claims)
        joined = np.concatenate(stated)
        self._halves = joined[:, :8].copy().view(np.int64)[:, 0]
        self._indexes = np.frombuffer(keys.turned(joined.tobytes()), dtype=np.uint8).reshape(-1, WIDTH)
        self._fields = np.repeat(np.array(named, dtype=np.int16), [len(one) for one in stated])

    @cached_property
    def _alike(self) -> list[bytes] | None:
        """By what each row's person can be recognised."""
        described = self._statement.likeness
        return None if described is None else likeness.records(described)

    def run(self, line: Line) -> Linked:
        """The whole batch in the line's transaction. UniqueViolation: another process was faster, run again. Damaged:
        run it without these rows."""
        said = np.full(len(self._columns[0]), NOTHING, dtype=np.int64)
        owner, known = self._look_up(line, said)
        resolution = resolve(self._own(line, owner, known), owner, self._statement.disagree)
        new = _new_persons(line.cursor, resolution.new_persons)

        def settled(person: Ids) -> Ids:
            """Ids of the vault in place of the numbers -1, -2, ... of new persons."""
            ids, is_new = person.copy(), person < 0
            ids[is_new] = new.ids[-1 - person[is_new]]
            return ids

        taken = (owner == UNKNOWN) & (resolution.owner != UNKNOWN)
        self._write_indexes(line, np.flatnonzero(taken), settled(resolution.owner))
        keys, wrapped = identities.new_person_keys(new.tokens.tobytes(), self._keys.key)
        self._write_persons(line, new, wrapped)
        people = People(self._keys, known + new, len(known.ids), keys, partial(_wrapped, line))
        place = people.places(settled(resolution.person))
        rest = np.flatnonzero(said == NOTHING)
        said[rest] = self._digests(rest)
        try:
            self._keep(line, people, place, np.where(self._whole(resolution), said, ~said))
        except DoesNotOpen as error:
            raise Damaged(np.isin(place, error.places)) from None
        return Linked(from_bytes(people.everyone.tokens[place].tobytes()), resolution.conflicts)

    def _keep(self, line: Line, people: People, place: Places, said: Ids) -> None:
        """What the rows say about their people: their records, and by what they can be recognised."""
        described, records = self._statement.likeness, self._statement.records
        heard: Places | None = None
        if records is not None:
            heard = Testimony(people, self._origin).keep(line, records, said, place)
        if described is not None and self._alike is not None:
            Descriptions(people, self._statement.programme).keep(line.cursor, described, self._alike, place, heard)

    def _digests(self, rows: Places) -> Ids:
        """Of all that each of these rows says, by which identifiers too; NOTHING where no records are kept."""
        records = self._statement.records
        if records is None or not len(rows):
            return np.full(len(rows), NOTHING, dtype=np.int64)
        like = None if self._alike is None else [self._alike[row] for row in rows.tolist()]
        said = digests(records.take(pa.array(rows)), like, self._keys.digest_key)
        for column in self._columns:
            # By a newer version the same text may be compared otherwise. What is mixed in is a keyed hash already.
            said = said * _ODD + np.where(column[rows] >= 0, self._halves[column[rows]], 0)
        return said

    def _whole(self, resolution: Resolution) -> npt.NDArray[np.bool_]:
        """Rows all of whose identifiers are their person's from now on. Only of these the digest is stored as it is: a
        row that says the same again need not be asked for by more than one of them (`_as_before`)."""
        whole = np.ones(len(resolution.person), dtype=bool)
        for column in self._columns:
            whole &= (column < 0) | (resolution.owner[column] == resolution.person)
        return whole

    def _own(self, line: Line, owner: Ids, known: Persons) -> list[Ids]:
        """The columns without what several people share, but where it is known and the row speaks of its person."""
        claims, agrees = self._statement.claims, self._statement.agrees
        columns = [np.where(claim.shared, -1, column) for claim, column in zip(claims, self._columns, strict=True)]
        asked = [np.flatnonzero((own < 0) & (was >= 0)) for own, was in zip(columns, self._columns, strict=True)]
        asked = [rows[owner[was[rows]] != UNKNOWN] for rows, was in zip(asked, self._columns, strict=True)]
        if agrees is None or not any(map(len, asked)):
            return columns
        theirs = np.concatenate([owner[was[rows]] for rows, was in zip(asked, self._columns, strict=True)])
        people = People(self._keys, known, len(known.ids), [], partial(_wrapped, line))
        said = descriptions(line.cursor, people, theirs, self._statement.programme)
        for own, was, rows in zip(columns, self._columns, asked, strict=True):
            mine = rows[agrees(rows, owner[was[rows]], said)]
            own[mine] = was[mine]
        return columns

    def _look_up(self, line: Line, said: Ids) -> tuple[Ids, Persons]:
        """Whose each identifier is, as far as the vault knows, and these persons. Fills in `said`, by row the digest of
        what it says, where the person has one: the others' can wait until the server is writing.

        Each row is asked for by its strongest identifier first. Most of a delivery was said before, word for word, and
        then the others are that person's as well: of a person of four identifiers three are never looked for."""
        owner = np.full(len(self._indexes), UNKNOWN, dtype=np.int64)
        in_order = line.cursor.execute(_IN_ORDER, (np.unique(self._fields).tolist(),)).fetchall()
        present = np.isin(self._fields, [field for (field,) in in_order])
        rising = _by_key(self._fields, self._indexes)
        asked = np.zeros(len(owner), dtype=bool)
        asked[strongest(self._columns)] = True
        self._owners(line, owner, present, rising[asked[rising]])
        known = self._known(line, np.unique(owner[owner != UNKNOWN]))
        self._as_before(owner, known, said)
        self._owners(line, owner, present, rising[~asked[rising] & (owner[rising] == UNKNOWN)])
        return owner, known + self._known(line, np.setdiff1d(owner[owner != UNKNOWN], known.ids))

    def _as_before(self, owner: Ids, known: Persons, said: Ids) -> None:
        """Fill in `owner` of all that is stated in rows which say what their origin last said about the person: all of
        it was theirs then, and an identifier stays whose it is for as long as the person is known."""
        person = owner[strongest(self._columns)]
        rows = np.flatnonzero(person != UNKNOWN)
        theirs = known.digests[np.searchsorted(known.ids, person[rows])]
        rows, theirs = rows[theirs != NOTHING], theirs[theirs != NOTHING]
        said[rows] = self._digests(rows)
        rows = rows[said[rows] == theirs]
        for column in self._columns:
            stated = rows[column[rows] >= 0]
            owner[column[stated]] = person[stated]

    def _owners(self, line: Line, owner: Ids, present: npt.NDArray[np.bool_], rising: Places) -> None:
        """Fill in `owner` of the identifiers at these places: asked for where the index is in order, as far as their
        field has anything there (`present`), then, of those that are not there, among those who came since."""
        self._ask_owners(line, owner, rising[present[rising]], 1)
        self._ask_owners(line, owner, rising[owner[rising] == UNKNOWN], CAME)

    def _ask_owners(self, line: Line, owner: Ids, rising: Places, sign: int) -> None:
        """Fill in `owner` of the identifiers at these places that stand under their field times `sign`."""
        if not len(rising):
            return
        # Each field in two: whoever asks beside has as much to do, whatever the number of fields.
        by_field = np.split(rising, np.flatnonzero(np.diff(self._fields[rising])) + 1)
        asked = [half for one in by_field for half in np.array_split(one, 2) if len(half)]
        numbers = [sign * int(self._fields[some[0]]) for some in asked]
        values = [(number, wire.Uuids(self._indexes[some])) for number, some in zip(numbers, asked, strict=True)]
        asks = [Ask(_OWNERS, one, _OWNER) for one in values]
        for some, found in zip(asked, line.ask(asks), strict=True):
            stated, places = self._indexes[some], np.arange(len(some))
            # Where all of them are known, they come as they were asked for: in the order of the index.
            if len(found) < len(some) or not np.array_equal(found["idx"], stated):
                places = pc.index_in(from_bytes(found["idx"].tobytes()), from_bytes(stated.tobytes())).to_numpy()
            owner[some[places]] = found["person_id"]

    def _known(self, line: Line, ids: Ids) -> Persons:
        """Persons of the vault, by rising id, and what this origin last said about them."""
        if not len(ids):
            return Persons(ids, np.empty((0, identities.TOKEN_BYTES), np.uint8), ids)
        wanted = wire.Bigints(ids)
        found, said = line.ask([Ask(_PERSONS, (wanted,), _PERSON), Ask(_DIGESTS, (wanted, self._origin), _DIGEST)])
        if len(found) != len(ids):
            raise HomewardError(
                "an identifier in the vault is nobody's", self._keys.country, "restore the vault from its backup"
            )
        found = found[np.argsort(found["person_id"])]
        last = np.full(len(ids), NOTHING, dtype=np.int64)
        last[np.searchsorted(ids, said["person_id"].astype(np.int64))] = said["digest"]
        return Persons(ids, found["token"], last)

    def _write_indexes(self, line: Line, positions: Places, owner: Ids) -> None:
        """Sorted by key: two processes that meet the same people wait for each other in one order, and never both."""
        fields, indexes = CAME * self._fields[positions], self._indexes[positions]
        order = _by_key(fields, indexes)
        rows = wire.rows([fields[order], indexes[order], owner[positions][order]])
        line.copy_in("vault.blind_index (field, idx, person_id)", rows)

    def _write_persons(self, line: Line, new: Persons, wrapped: Bytes) -> None:
        by_id = np.argsort(new.ids)
        country = np.tile(np.frombuffer(self._keys.country.encode(), dtype=np.uint8), (len(new.ids), 1))
        rows = wire.rows([new.ids[by_id], country, new.tokens[by_id], wrapped[by_id]])
        line.copy_in("vault.person (person_id, country, token, wrapped_key)", rows)


def _new_persons(cursor: Vaultside, count: int) -> Persons:
    """New persons with random tokens.

    Ids rise with the tokens and not with the order of the rows: nothing in a table tells who came before whom.
    """
    tokens = np.frombuffer(os.urandom(count * identities.TOKEN_BYTES), dtype=np.uint8).reshape(-1, 16)
    ids = np.empty(count, dtype=np.int64)
    ids[_by_key(np.zeros(count, dtype=np.int16), tokens)] = _draw_ids(cursor, count)
    return Persons(ids, tokens, np.full(count, NOTHING, dtype=np.int64))


def _wrapped(line: Line, ids: Ids) -> Bytes:
    """The wrapped keys of persons whose ids rise."""
    (found,) = line.ask([Ask(_WRAPPED, (wire.Bigints(ids),), _WRAPPED_KEY)])
    if len(found) != len(ids):
        raise Unavailable("a person was erased while a batch spoke of them", "vault", "run again")
    wrapped: Bytes = found["wrapped_key"][np.argsort(found["person_id"])]
    return wrapped


def _identifiers(fields: Sequence[int], claims: Sequence[Claim]) -> tuple[list[int], list[Bytes], list[Ids]]:
    """The batch's fields, the distinct indexes of each, and by claim each row's place among all of them, or -1.

    Two columns may be one field (a person's two phones): what stands in both is one identifier, and the unique index
    of the vault takes it once."""
    named = list(dict.fromkeys(fields))
    stated, columns, start = [], {}, 0
    for field in named:
        mine = [at for at, number in enumerate(fields) if number == field]
        united = [claims[at].index for at in mine]
        if len(mine) > 1:
            united = pa.chunked_array(united).unify_dictionaries().chunks
        for at, chunk in zip(mine, united, strict=True):
            codes = chunk.indices.fill_null(-1).to_numpy().astype(np.int64)
            columns[at] = np.where(codes >= 0, codes + start, -1)
        stated.append(as_matrix(united[-1].dictionary))
        start += len(stated[-1])
    return named, stated, [columns[at] for at in range(len(claims))]


def _by_key(fields: npt.NDArray[np.int16], keys: Bytes) -> Places:
    """The order of an index on (field, uuid): by field, then byte by byte."""
    halves = np.ascontiguousarray(keys).view(">u8").reshape(-1, 2).astype(np.uint64)
    order = np.argsort(halves[:, 0])
    first = halves[order, 0]
    # Random keys that are alike in their first half are hardly ever met.
    if (first[1:] == first[:-1]).any():
        order = np.lexsort((halves[:, 1], halves[:, 0]))
    return order[np.argsort(fields[order], kind="stable")]


def _draw_ids(cursor: Vaultside, count: int) -> Ids:
    """`count` rising ids that no other process will be given."""
    blocks = -(-count // _BLOCK)
    drawn = cursor.execute("SELECT nextval('vault.person_block') FROM generate_series(1, %s)", (blocks,)).fetchall()
    starts = np.sort(np.array([number for (number,) in drawn], dtype=np.int64)) * _BLOCK
    return (starts[:, None] + np.arange(_BLOCK)).ravel()[:count]
