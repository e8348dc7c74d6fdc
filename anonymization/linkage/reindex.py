"""What a country's persons are found by, brought to the model that compares them now.

Names are folded, keyed and counted by versioned rules (`similarity.version`). The first round under another version
opens everybody once, page by page, and makes folded names, keys and counts anew, all in that round's transaction:
killed, nothing has happened. Batches that describe somebody of the country wait for its end: what they brought in the
middle would be taken for keys and records of before. Decisions stand as they were made; nobody is compared again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from cryptography.exceptions import InvalidTag

from anonymization.keys.country_keys import CountryKeys
from anonymization.linkage import blocks, features, likeness, similarity
from anonymization.linkage.frequencies import Frequencies
from anonymization.vault import identities

if TYPE_CHECKING:
    from psycopg import Cursor

    Vaultside = Cursor[tuple[Any, ...]]

PAGE = 20_000

_EVERYBODY = """
    SELECT l.person_id, p.token, p.wrapped_key, l.sealed, l.programme, l.pending OR s.person_id IS NOT NULL
    FROM vault.likeness AS l
    JOIN vault.person AS p USING (person_id)
    LEFT JOIN vault.same_person AS s ON s.person_id = l.person_id AND s.head <> l.person_id
    WHERE l.country = %s"""
_MAKE = """
    CREATE TEMP TABLE rekeyed (key uuid, person_id bigint) ON COMMIT DROP;
    CREATE TEMP TABLE refolded (LIKE vault.likeness) ON COMMIT DROP"""
_CLEAR = "DELETE FROM vault.block AS b USING vault.likeness AS l WHERE l.person_id = b.person_id AND l.country = %s"
# Who is enrolled in this moment has brought keys of this version.
_KEYED = "INSERT INTO vault.block SELECT key, person_id FROM rekeyed ORDER BY 1, 2 ON CONFLICT DO NOTHING"
_FOLDED = "UPDATE vault.likeness AS l SET sealed = r.sealed FROM refolded AS r WHERE r.person_id = l.person_id"
_UNCOUNTED = "UPDATE vault.likeness SET counted = NULL WHERE country = %s AND counted IS NOT NULL"
_STAND = """
    INSERT INTO vault.block_version VALUES (%s, %s)
    ON CONFLICT (country) DO UPDATE SET version = excluded.version"""
_LOCK = "SELECT {}(hashtextextended(%s, 0))"
_BEGIN = """
    INSERT INTO vault.block_version SELECT %(country)s, %(version)s
    WHERE NOT EXISTS (SELECT FROM vault.likeness WHERE country = %(country)s) ON CONFLICT DO NOTHING"""


def hold(cursor: Vaultside, country: str, alone: bool = False) -> None:
    """What the country's persons are found by is not made anew until the transaction ends; `alone`: and nobody else
    describes anybody meanwhile."""
    kind = "pg_advisory_xact_lock" if alone else "pg_advisory_xact_lock_shared"
    cursor.execute(_LOCK.format(kind).encode(), (f"homeward:reindex:{country}",))


def begin(cursor: Vaultside, country: str) -> None:
    """The first persons of a country bring the version that they are found by."""
    cursor.execute(_BEGIN, {"country": country, "version": similarity.version()})


def is_current(cursor: Vaultside, country: str) -> bool:
    ask = "SELECT version FROM vault.block_version WHERE country = %s"
    row = cursor.execute(ask, (country,)).fetchone()
    return row is not None and row[0] == similarity.version()


def rebuild(cursor: Vaultside, keys: CountryKeys) -> int:
    """Everybody of the country, under this model; returns how many. In the cursor's transaction, under its lock."""
    country, counted, persons = keys.country, similarity.no_frequencies(), 0
    hold(cursor, country, alone=True)
    cursor.execute(_MAKE)
    for page in _pages(cursor, country):
        persons += len(page)
        for programme in sorted({row[4] for row in page}):
            _one_page(cursor, [row for row in page if row[4] == programme], keys, programme, counted)
    cursor.execute(_CLEAR, (country,))
    cursor.execute(_KEYED)
    cursor.execute(_FOLDED)
    cursor.execute(_UNCOUNTED, (country,))
    remember(cursor, keys, counted)
    cursor.execute(_STAND, (country, similarity.version()))
    return persons


def remember(cursor: Vaultside, keys: CountryKeys, frequencies: Frequencies) -> None:
    """The counts of a country, sealed under its key."""
    cursor.execute(
        "INSERT INTO vault.frequency VALUES (%s, %s) ON CONFLICT (country) DO UPDATE SET sealed = excluded.sealed",
        (keys.country, identities.seal_likeness(frequencies.dumps(), keys.key)),
    )


def _one_page(
    cursor: Vaultside, page: list[tuple[Any, ...]], keys: CountryKeys, programme: str, counted: Frequencies
) -> None:
    held = {row[0]: one for row in page if (one := _opened(row, keys.key)) is not None}
    if identities.are_many(len(page) - len(held), len(page)):
        raise InvalidTag
    page = [row for row in page if row[0] in held]
    ids = np.array(list(held), dtype=np.int64)
    opened_keys, before = [key for key, _ in held.values()], [text for _, text in held.values()]
    after = likeness.refolded(before)
    prepared = features.prepared(likeness.from_records(ids, after))
    with cursor.copy("COPY rekeyed FROM STDIN (FORMAT BINARY)") as copy:
        copy.write(blocks.rows_of(prepared, keys, programme))
    changed = np.flatnonzero([one != other for one, other in zip(before, after, strict=True)])
    if len(changed):
        texts, theirs = [after[i] for i in changed.tolist()], [opened_keys[i] for i in changed.tolist()]
        waits = np.zeros(len(changed), dtype=bool)
        rows = identities.sealed_likenesses(ids[changed], (keys.country, programme), waits, texts, theirs)
        with cursor.copy("COPY refolded (person_id, country, programme, pending, sealed) FROM STDIN BINARY") as copy:
            copy.write(rows)
    # Who is still to be compared, or is somebody counted already, is not counted here.
    counted.add(prepared.filter(pa.array([not row[5] for row in page])))


def _opened(row: tuple[Any, ...], country_key: bytes) -> tuple[bytes, bytes] | None:
    """Own key and likeness of a person; None: damaged, and found by nobody any more."""
    try:
        key = identities.open_person_key(row[1].bytes, row[2], country_key)
        return key, identities.open_likeness(row[3], key)
    except InvalidTag:
        return None


def _pages(cursor: Vaultside, country: str) -> Iterator[list[tuple[Any, ...]]]:
    with cursor.connection.cursor(name="everybody", binary=True) as reader:
        reader.execute(_EVERYBODY, (country,))
        while page := reader.fetchmany(PAGE):
            yield page
