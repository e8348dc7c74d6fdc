"""What a good house does after many people came: the vault's tables are made quick to look up in.

Where a table has just grown, PostgreSQL answers from its index only after it has looked into every row's page, to see
whether the row counts already, and plans as if it knew nothing of the table. VACUUM writes down which pages count for
everybody, ANALYZE what is in them. The server does the same by itself, minutes later and at its own pace. A delivery of
millions does not wait for its own end: its later batches, and whoever else asks meanwhile, look up who has just come.

Where it grew in no order, as keyed hashes come, the pages of an index lie in none either: nothing to a look-up whose
pages are in memory, but read from a disk each costs a way of its own. Built anew they lie as they are asked for; and
who came since the last time, whose identifiers (`enrolment.CAME`) and tokens (`apart.sql`) lay by themselves, takes a
place among the others. What is looked up is the business of `enrolment`.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from psycopg import Cursor

    from anonymization.vault.vault import Vault

SHARE = 0.1
"""Of a table's pages. A look-up that visits one row in ten is dearer by less than half; and a vault that grows is gone
through once for each tenth, so that each page is read about once and the work stays in proportion to what came."""
PAGES = 1_000
"""A smaller table (8 MB, some 35,000 identifiers) is in memory anyway."""
# Or were never analyzed: while many come, their pages are written down and nothing else (`keep_pace`).
_GROWN = """
    SELECT quote_ident(relname) FROM (
        SELECT relname, relallvisible, pg_relation_size(oid) / current_setting('block_size')::int AS pages
        FROM pg_class WHERE relnamespace = to_regnamespace('vault') AND relkind = 'r'
    ) AS kept
    WHERE pages >= %s AND (pages - relallvisible > pages * %s
        OR NOT EXISTS (SELECT FROM pg_stats WHERE schemaname = 'vault' AND tablename = relname))
    ORDER BY 1"""

STEP = 8_000
"""Pages of the table of persons (64 MB, half a million people) after which those who came are gone through, while more
come: of ten million one in twenty is then left for the end. What is known of them may change as often as it likes."""
_PERSONS = """
    SELECT pg_relation_size(oid) / current_setting('block_size')::int, relallvisible
    FROM pg_class WHERE relnamespace = to_regnamespace('vault') AND relname = 'person'"""
_ASKED = ("person", "blind_index", "identity")


def grown_to(cursor: Cursor[tuple[Any, ...]], gone_through: int) -> int:
    """Pages of the table of persons, if `STEP` of them came since it was gone through last, or this process did so
    (`gone_through`, pages); else 0. A transaction that is open for hours keeps pages from counting for everybody: they
    are gone through once all the same, and not after each batch."""
    pages, visible = cursor.execute(_PERSONS).fetchone() or (0, 0)
    return int(pages) if pages - max(visible, min(gone_through, pages)) >= STEP else 0


def keep_pace(vault: Vault) -> None:
    """While people come, go through what a look-up reads; what somebody else is at is left out, and nobody waits."""
    with vault.outside_transactions() as cursor:
        for name in _ASKED:
            cursor.execute(f"VACUUM (SKIP_LOCKED, INDEX_CLEANUP OFF) vault.{name}".encode())


def keep_up(vault: Vault) -> list[str]:
    """Go through the tables that have grown by more than `SHARE` since the last time; their names."""
    with vault.outside_transactions() as cursor:
        grown = [name for (name,) in cursor.execute(_GROWN, (PAGES, SHARE)).fetchall()]
        for name in grown:
            cursor.execute(f"VACUUM (ANALYZE) vault.{name}".encode())
    return grown


LARGE = 25_000
"""Pages of an index (200 MB, two million persons) above which it is worth its while: half a minute for ten million."""
_DISORDERED = """
    SELECT quote_ident(t.relname), quote_ident(c.relname)
    FROM pg_class AS c JOIN pg_index AS i ON i.indexrelid = c.oid JOIN pg_class AS t ON t.oid = i.indrelid
    WHERE c.relnamespace = to_regnamespace('vault') AND c.relname LIKE '%%\\_covering'
    AND pg_relation_size(c.oid) / current_setting('block_size')::int >= %s
    ORDER BY 1"""
# By table: whether somebody came, and how they take their places. Table and indexes are written anew at once; an UPDATE
# would leave each row twice, and go through the indexes row by row.
_APART = {
    "blind_index": (
        "SELECT min(field) < 0 FROM vault.blind_index",
        "ALTER TABLE vault.blind_index ALTER COLUMN field TYPE smallint USING abs(field)",
    ),
    "person": (
        "SELECT bool_or(came) FROM vault.person",
        "ALTER TABLE vault.person ALTER COLUMN came TYPE boolean USING false",
    ),
}


_TRIES, _PAUSE = 5, 2
"""Times, and seconds between them, to make what was written anew count for everybody. It does not for whoever began to
read before, the server itself among them, which analyzes what has grown: each look-up then reads the table as well as
its index. What lasts longer is not waited for: the end of the next delivery (`keep_up`) makes up for it."""


def put_in_order(vault: Vault) -> list[str]:
    """Build the large indexes anew that people are looked up in, pages in the order in which they are asked; their
    names.

    Batches wait meanwhile, until indexes and tables are made anew. Killed, nothing has happened to an index.
    """
    with vault.transaction() as cursor:
        large = cursor.execute(_DISORDERED, (LARGE,)).fetchall()
    for table, index in large:
        with vault.transaction() as cursor:
            # The table first: a batch that has read it and goes on to write would wait for us, and we for it.
            cursor.execute(f"LOCK TABLE vault.{table} IN ACCESS EXCLUSIVE MODE".encode())
            came, take_places = _APART.get(table, ("SELECT false", ""))
            apart = cursor.execute(came.encode()).fetchone() == (True,)
            cursor.execute((take_places if apart else f"REINDEX INDEX vault.{index}").encode())
        if apart:
            with vault.outside_transactions() as cursor:
                cursor.execute(f"VACUUM (ANALYZE) vault.{table}".encode())
    for _ in range(_TRIES):
        if not keep_up(vault):
            break
        time.sleep(_PAUSE)
    return [index for _, index in large]


def at_one_moment(cursor: Cursor[tuple[Any, ...]]) -> None:
    """The transaction reads everything as it stands now. A table that is put in order after that moment, and before it
    is read, would read as an empty one: so they are held first."""
    cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    cursor.execute("LOCK TABLE vault.blind_index, vault.person IN ACCESS SHARE MODE")
