"""What the rows of a batch say about their people, sealed under each person's own key: their identity as delivered, and
by what they can be recognised. Who they are was settled before (`enrolment`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from cryptography.exceptions import InvalidTag

from anonymization.linkage import blocks, features, likeness, reindex
from anonymization.linkage.linking import Ids
from anonymization.vault import identities, wire
from anonymization.vault.line import Line
from anonymization.vault.people import DoesNotOpen, People, Places

if TYPE_CHECKING:
    from psycopg import Cursor

    Vaultside = Cursor[tuple[Any, ...]]

Texts = npt.NDArray[np.object_]

_IDENTITY = "(person_id, origin, digest, sealed)"
_SAY_AGAIN = """
    INSERT INTO vault.identity SELECT * FROM said ORDER BY person_id
    ON CONFLICT (person_id, origin) DO UPDATE SET digest = excluded.digest, sealed = excluded.sealed"""
_LIKENESS = "(person_id, country, programme, pending, sealed)"
_MAKE_LEARNED = """
    CREATE TEMP TABLE learned (LIKE vault.likeness) ON COMMIT DROP;
    CREATE TEMP TABLE learned_block (LIKE vault.block) ON COMMIT DROP"""
_LEARN = """
    UPDATE vault.likeness AS l
    SET sealed = m.sealed, pending = true, counted = CASE WHEN l.pending THEN l.counted ELSE l.sealed END
    FROM learned AS m WHERE m.person_id = l.person_id"""
_LEARN_BLOCKS = "INSERT INTO vault.block SELECT * FROM learned_block ORDER BY 1, 2 ON CONFLICT DO NOTHING"


def digests(records: pa.Array, alike: list[bytes] | None, key: bytes) -> Ids:
    """Of each row's record, keyed by `key`. By what the person can be recognised (`alike`) is part of it: a birth date
    is no identifier, and can be new."""
    texts = _texts(records)
    return identities.digests(texts if alike is None else map(bytes.__add__, texts, alike), key)


class Testimony:
    """Identity records of one origin: what it last said about a person takes the place of what it said before."""

    def __init__(self, people: People, origin: int) -> None:
        self._people, self._origin = people, origin

    def keep(self, line: Line, records: pa.Array, said: Ids, place: Places) -> Places:
        """Seal what is new; places of the known persons of whom something is. `said`: a digest for each row, by which
        it is told what is new."""
        places, texts, digests = self._news(records, said, place)
        met = places < self._people.known
        if not met.all():
            line.copy_in(f"vault.identity {_IDENTITY}", self._sealed(places[~met], texts[~met], digests[~met]))
        if met.any():
            cursor = line.cursor
            cursor.execute("CREATE TEMP TABLE said (LIKE vault.identity) ON COMMIT DROP")
            wire.copy_in(cursor, f"said {_IDENTITY}", self._sealed(places[met], texts[met], digests[met]))
            cursor.execute(_SAY_AGAIN)
        return places[met]

    def _news(self, records: pa.Array, said: Ids, place: Places) -> tuple[Places, Texts, Ids]:
        """Of each person of whom the batch says something new: place, last record and its digest, by rising id."""
        everyone = self._people.everyone
        places, last = _last_rows(place)
        news = np.flatnonzero(said[last] != everyone.digests[places])
        news = news[np.argsort(everyone.ids[places[news]])]
        return places[news], _texts(records)[last[news]], said[last[news]]

    def _sealed(self, places: Places, texts: Texts, digests: Ids) -> bytes:
        ids, keys = self._people.everyone.ids[places], self._people.keys(places)
        return identities.sealed_rows(ids, self._origin, digests, texts.tolist(), keys)


class Descriptions:
    """What persons can be recognised by, within a programme. New ones wait to be compared; known ones wait again if the
    batch says more than was known."""

    def __init__(self, people: People, programme: str | None) -> None:
        self._people, self._programme = people, programme

    def keep(self, cursor: Vaultside, said: pa.Table, alike: list[bytes], place: Places, heard: Places | None) -> None:
        """`heard`: places of the known persons of whom the batch says something new; None: of whom, is not known."""
        reindex.hold(cursor, self._people.country.country)
        places, last = _last_rows(place)
        new = places >= self._people.known
        ids, known = self._people.everyone.ids[places], self._people.everyone.ids[places[~new]]
        asked = known if heard is None else self._people.everyone.ids[heard]
        has = "SELECT person_id, programme, sealed FROM vault.likeness WHERE person_id = ANY (%s)"
        found = cursor.execute(has, (asked.tolist(),), binary=True).fetchall()
        # What one programme's sources say is not compared in another.
        described = {person: bytes(sealed) for person, theirs, sealed in found if theirs == (self._programme or "")}
        if described:
            self._learn(cursor, described, {int(p): alike[row] for p, row in zip(ids, last, strict=True)})
        silent = np.setdiff1d(known, asked)
        chosen = np.flatnonzero(~np.isin(ids, [person for person, *_ in found]) & ~np.isin(ids, silent))
        if len(chosen):
            reindex.begin(cursor, self._people.country.country)
            texts = [alike[row] for row in last[chosen].tolist()]
            self._write(cursor, "vault.likeness", places[chosen], new[chosen], texts)
            theirs = said.take(pa.array(last[chosen])).add_column(0, "person_id", pa.array(ids[chosen]))
            self._write_blocks(cursor, "vault.block (key, person_id)", features.prepared(theirs))

    def _learn(self, cursor: Vaultside, described: dict[int, bytes], alike: dict[int, bytes]) -> None:
        """What is known of persons, with what the batch adds; they are found by both, and compared again."""
        ids = np.array(sorted(described), dtype=np.int64)
        places = self._people.places(ids)
        more: dict[int, bytes] = {}
        lost = []
        for person, place, key in zip(ids.tolist(), places.tolist(), self._people.keys(places), strict=True):
            try:
                known = identities.open_likeness(described[person], key)
            except InvalidTag:
                lost.append(place)
                continue
            record = likeness.learned(known, alike[person])
            if record is not None:
                more[person] = record
        if identities.are_many(len(lost), len(ids)):
            raise InvalidTag
        if lost:
            raise DoesNotOpen(lost)
        if not more:
            return
        fuller = np.isin(ids, list(more))
        texts = [more[person] for person in ids[fuller].tolist()]
        cursor.execute(_MAKE_LEARNED)
        self._write(cursor, "learned", places[fuller], np.ones(len(texts), dtype=bool), texts)
        cursor.execute(_LEARN)
        self._write_blocks(cursor, "learned_block", features.prepared(likeness.from_records(ids[fuller], texts)))
        cursor.execute(_LEARN_BLOCKS)

    def _write(
        self, cursor: Vaultside, table: str, places: Places, pending: npt.NDArray[np.bool_], texts: list[bytes]
    ) -> None:
        group = (self._people.country.country, self._programme or "")
        ids, keys = self._people.everyone.ids[places], self._people.keys(places)
        wire.copy_in(cursor, f"{table} {_LIKENESS}", identities.sealed_likenesses(ids, group, pending, texts, keys))

    def _write_blocks(self, cursor: Vaultside, target: str, prepared: Any) -> None:
        wire.copy_in(cursor, target, blocks.rows_of(prepared, self._people.country, self._programme))


def _texts(records: pa.Array) -> Texts:
    texts: Texts = records.cast(pa.binary()).to_numpy(zero_copy_only=False)
    return texts


def _last_rows(place: Places) -> tuple[Places, Places]:
    """The persons that the rows speak of, each once, and the last row that speaks of each."""
    places, backwards = np.unique(place[::-1], return_index=True)
    return places, len(place) - 1 - backwards
