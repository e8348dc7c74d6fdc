"""Taking back what the vault has learnt from people beyond the rows that carry their number: words and counts.

A word of a name belongs to nobody in particular and may be another's as well, so it goes only when no record that is
left says it: the records of the country are opened and searched until every word was found with somebody else. Not its
business: deleting the people's own rows (`erasure`, `retention`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidTag

from anonymization.linkage import features, recognition, reindex
from anonymization.redaction.redactor import name_words
from anonymization.vault import identities
from anonymization.vault.name_words import hashed
from anonymization.vault.origins import Origin, declared, is_name

if TYPE_CHECKING:
    from psycopg import Cursor

    from anonymization.keys.country_keys import CountryKeys

    Vaultside = Cursor[tuple[Any, ...]]

_PAGE = 20_000
_RECORDS = """
    SELECT o.name, i.origin, i.sealed, p.token, p.wrapped_key
    FROM vault.identity AS i
    JOIN vault.person AS p USING (person_id)
    JOIN vault.origin AS o USING (origin)
    WHERE p.country = %s"""
_SOME = " AND i.person_id = ANY (%s) AND (%s::smallint[] IS NULL OR i.origin = ANY (%s))"
_FORGET = "DELETE FROM vault.name_word WHERE country = %s AND idx = ANY (%s) RETURNING idx"
# Who was recognised in the round in which they came was not counted as one more who bears the name.
_COUNTED = """
    SELECT l.person_id, p.token, p.wrapped_key, coalesce(l.counted, l.sealed)
    FROM vault.likeness AS l JOIN vault.person AS p USING (person_id)
    WHERE l.person_id = ANY (%s) AND (NOT l.pending OR l.counted IS NOT NULL) AND NOT EXISTS (
        SELECT FROM vault.same_person AS s
        JOIN vault.decision AS d ON d.one = s.person_id OR d.other = s.person_id
        JOIN vault.decision_event AS e ON e.decision_id = d.decision_id AND e.state = 'merged'
        WHERE s.person_id = l.person_id AND s.head <> s.person_id)"""


def words_said(
    cursor: Vaultside, keys: CountryKeys, persons: list[int], origins: list[int] | None = None
) -> frozenset[str]:
    """Folded words of the names in these people's records: of all sources' tables, or of these."""
    pages, tables = _pages(cursor, _RECORDS + _SOME, (keys.country, persons, origins, origins)), cache(declared)
    return name_words(*{piece for page in pages for piece in _pieces(page, keys, tables)})


def forget_words(cursor: Vaultside, keys: CountryKeys, words: Iterable[str]) -> frozenset[str]:
    """Those of `words` that no record of the country says any more are no names any more; which ones went."""
    left, seen, tables = set(words), set[str](), cache(declared)
    for page in _pages(cursor, _RECORDS, (keys.country,)) if left else ():
        fresh = _pieces(page, keys, tables) - seen
        seen |= fresh
        left -= name_words(*fresh)
        if not left:
            return frozenset()
    indexes = hashed(keys, left)
    return frozenset(indexes[idx] for (idx,) in cursor.execute(_FORGET, (keys.country, list(indexes))).fetchall())


def uncount(cursor: Vaultside, keys: CountryKeys, persons: list[int]) -> frozenset[int]:
    """The country's counts of names and places as if these people had not been counted; who had been."""
    asked = cursor.execute(_COUNTED, (persons,), binary=True).fetchall()
    counted = [row for row in asked if recognition.opens(row, keys.key)]
    if not counted:
        return frozenset()
    recognition.lock(cursor, keys.country)
    if not reindex.is_current(cursor, keys.country):
        return frozenset()  # counts of another model are made anew before they are used again
    frequencies = recognition.frequencies_of(cursor, keys)
    frequencies.remove(features.prepared(recognition.opened(counted, keys.key)))
    reindex.remember(cursor, keys, frequencies)
    return frozenset(person for person, *_ in counted)


def _pages(cursor: Vaultside, statement: str, values: tuple[object, ...]) -> Iterator[list[tuple[Any, ...]]]:
    with cursor.connection.cursor(name="records", binary=True) as reader:
        reader.execute(statement.encode(), values)
        while page := reader.fetchmany(_PAGE):
            yield page


def _pieces(page: list[tuple[Any, ...]], keys: CountryKeys, tables: Callable[[str], Origin | None]) -> set[str]:
    """What stands between blanks in the names of these records; `tables`: `declared`, asked once for all pages."""
    pieces: set[str] = set()
    for origin_name, origin, sealed, token, wrapped in page:
        try:
            key = identities.open_person_key(token.bytes, wrapped, keys.key)
            record = json.loads(identities.open_record(sealed, origin, key))
        except InvalidTag:  # damaged: it says nothing to anybody any more, and must not keep somebody else in the vault
            continue
        found = tables(origin_name)  # of a source that is no longer declared all may be names
        for column, value in record.items():
            if value is not None and (found is None or is_name(found[1], column)):
                pieces.update(value.split())
    return pieces
