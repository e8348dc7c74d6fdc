"""What PostgreSQL keeps of deleted rows: bytes in the free room of its pages, samples in its statistics, and its log.

A DELETE marks a row, and VACUUM frees its room without clearing it: the bytes stay in the data files until something is
written over them, and in segments of the write-ahead log that wait to be used again. Here the tables are written anew
(VACUUM FULL) and the waiting segments filled. What was deleted, and why, is not its business; neither are the blocks
of a disk that a removed file has left.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import psycopg
from psycopg import sql

from assets import progress

WAIT_SECONDS = 60
"""For readers of a table, and for transactions that may still ask for what was deleted."""
_STATISTICS = ("pg_catalog", "pg_statistic")
"""Samples of columns: the hundred bounds of a histogram of tokens are a hundred tokens."""
_FILE = "SELECT relfilenode FROM pg_class WHERE oid = format('%%I.%%I', %s::text, %s::text)::regclass"
# Rows that an older transaction may still ask for are taken along into the new file.
_OLDER_READERS = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND age(backend_xmin) >= age(%s::text::xid)"""
_SEGMENT_AHEAD = """
    SELECT count(*) FROM pg_ls_waldir()
    WHERE name ~ '^[0-9A-F]{24}$' AND name > pg_walfile_name(pg_current_wal_lsn())"""
# The rest of a segment that is switched away from is filled with zeros; one in which nothing stands is not switched.
_FILL = "SELECT pg_logical_emit_message(false, 'homeward', ''); SELECT pg_switch_wal()"

Table = tuple[str, str]
Connection: TypeAlias = psycopg.Connection[tuple[object, ...]]


@dataclass(frozen=True)
class Overwritten:
    """Of one database: tables that were written anew, those that could not be, and whether the log was filled."""

    tables: int
    left: tuple[str, ...]
    log: bool


def overwrite(url: str, tables: Sequence[Table]) -> Overwritten:
    """Write the tables anew, and all that the log still holds; what cannot be done is told, not raised."""
    chosen, left = [*tables, _STATISTICS], []
    with _connected(url) as connection:
        connection.execute(sql.SQL("SET lock_timeout = {}").format(sql.Literal(f"{WAIT_SECONDS}s")))
        alone = _older_readers_are_gone(connection)
        for number, table in enumerate(chosen, start=1):
            if not (_written_anew(connection, table) and alone):
                left.append(".".join(table))
            progress.report("pages", number, len(chosen))
        return Overwritten(len(chosen) - len(left), tuple(left), _log_filled(connection))


def _older_readers_are_gone(connection: Connection) -> bool:
    """Wait for transactions that began before this moment; False: one goes on and on."""
    now = connection.execute("SELECT pg_current_xact_id()::xid::text").fetchone()
    give_up = time.monotonic() + WAIT_SECONDS
    while True:
        older = connection.execute(_OLDER_READERS, now).fetchone()
        if older == (0,):
            return True
        if time.monotonic() > give_up:
            return False
        time.sleep(0.2)


def _connected(url: str) -> Connection:
    return psycopg.connect(url.replace("+psycopg", "", 1), autocommit=True)


def _written_anew(connection: Connection, table: Table) -> bool:
    """Whether the table has a new file: without the right to it PostgreSQL warns and goes on."""
    before = connection.execute(_FILE, table).fetchone()
    # What is gathered about the catalog of statistics itself holds nobody's values.
    options = sql.SQL("FULL") if table == _STATISTICS else sql.SQL("FULL, ANALYZE")
    try:
        connection.execute(sql.SQL("VACUUM ({}) {}").format(options, sql.Identifier(*table)))
    except psycopg.Error:
        return False
    return connection.execute(_FILE, table).fetchone() != before


def _log_filled(connection: Connection) -> bool:
    """Fill every segment of the log that waits, twice: the first round gives those free that were in use before it."""
    try:
        for _ in range(2):
            connection.execute("CHECKPOINT")
            row = connection.execute(_SEGMENT_AHEAD).fetchone()
            for _ in range(int(str(row[0])) + 1 if row else 0):
                connection.execute(_FILL)
        connection.execute("CHECKPOINT")
    except psycopg.Error:
        return False
    return True
