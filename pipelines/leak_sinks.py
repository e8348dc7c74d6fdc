"""Where a personal value could come to rest: the databases, the folders and the streams of a deployment, searched.

Of databases every table is read as text, with their catalogs, statistics and running statements; on a deployment with
much in it only rows that came after `before_all`. What a value looks like in disguise is not known here.
"""

from __future__ import annotations

import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.errors import UndefinedTable
from sqlalchemy import make_url

from anonymization.leaks.search import LeakSearch

Table = tuple[str, str]

_TABLES = """
    SELECT n.nspname, c.relname, array_agg(a.attname::text ORDER BY a.attnum),
        array_agg(a.attname::text ORDER BY a.attnum) FILTER (WHERE a.atttypid IN (20, 23))
    FROM pg_class AS c
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relkind IN ('r', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
    GROUP BY 1, 2 ORDER BY 1, 2"""
_CATALOGS: dict[str, LiteralString] = {
    "names of schemas, tables and columns": "SELECT c.oid::regclass::text, a.attname FROM pg_class c JOIN pg_attribute"
    " a ON a.attrelid = c.oid WHERE c.relnamespace <> 'pg_catalog'::regnamespace",
    "definitions of views": "SELECT schemaname, viewname, definition FROM pg_views WHERE schemaname <> 'pg_catalog'",
    "comments": "SELECT description FROM pg_description UNION ALL SELECT description FROM pg_shdescription",
    "statistics of columns": "SELECT s::text FROM pg_stats AS s WHERE schemaname <> 'pg_catalog'",
    "constraints": "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint",
    "functions": "SELECT proname, prosrc FROM pg_proc WHERE pronamespace <> 'pg_catalog'::regnamespace",
    "sessions and their statements": "SELECT application_name, query FROM pg_stat_activity",
    "roles": "SELECT rolname FROM pg_roles",
}
_GROWING = ("id", "event_id", "entry", "person_id")
"""Columns by which a table grows: rows above the highest one that was there are new."""


@dataclass
class Database:
    """One database, and how far its tables went before the check began. `source`: LIKE pattern of the check's own."""

    name: str
    url: str
    source: str
    reached: dict[Table, tuple[str, int]] = field(default_factory=dict)

    def before_all(self) -> None:
        """Remember how far every growing table goes."""
        with self._connect() as connection:
            for schema, table, _, numbers in _tables(connection):
                column = next((name for name in _GROWING if name in (numbers or ())), None)
                if column is not None:
                    ask = sql.SQL("SELECT coalesce(max({}), 0) FROM {}")
                    found = connection.execute(ask.format(sql.Identifier(column), sql.Identifier(schema, table)))
                    ((last,),) = found.fetchall()
                    self.reached[schema, table] = (column, last)

    def search(self, search: LeakSearch) -> None:
        """Look at every table, column by column, and at the catalogs."""
        with self._connect() as connection:
            for schema, table, columns, _ in _tables(connection):
                try:
                    text = _copied(connection, self._rows(schema, table, columns))
                except UndefinedTable:  # staging of a run of the deployment's own that ended meanwhile
                    continue
                by_column = zip(*(line.split("\t") for line in text.splitlines()), strict=True)
                cells = dict(zip(columns, by_column, strict=False))
                for column, values in cells.items():
                    search.look("\n".join(dict.fromkeys(values)), self.name, f"{schema}.{table}.{column}")
            for what, statement in _CATALOGS.items():
                search.look(_copied(connection, sql.SQL(statement)), self.name, what)

    def _rows(self, schema: str, table: str, columns: list[str]) -> sql.Composable:
        """New rows where the table says which are; all of a table that does not."""
        whole = sql.SQL("SELECT * FROM {}").format(sql.Identifier(schema, table))
        if "source_id" in columns:
            return sql.SQL("{} WHERE source_id IS NULL OR source_id LIKE {}").format(whole, sql.Literal(self.source))
        if (schema, table) in self.reached:
            column, last = self.reached[schema, table]
            return sql.SQL("{} WHERE {} > {}").format(whole, sql.Identifier(column), sql.Literal(last))
        return whole

    def _connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        plain = make_url(self.url).set(drivername="postgresql")
        return psycopg.connect(plain.render_as_string(hide_password=False), autocommit=True)


def _tables(connection: psycopg.Connection[tuple[Any, ...]]) -> list[tuple[str, str, list[str], list[str] | None]]:
    return connection.execute(_TABLES).fetchall()


def _copied(connection: psycopg.Connection[tuple[Any, ...]], query: sql.Composable) -> str:
    """The rows of a query as COPY writes them: a line each, a tab between columns, both escaped inside a cell."""
    with connection.cursor() as cursor, cursor.copy(sql.SQL("COPY ({}) TO STDOUT").format(query)) as copied:
        return b"".join(map(bytes, copied)).decode("utf-8", "surrogateescape")


def search_home(search: LeakSearch, home: Path, since: float, sinks: Mapping[str, str]) -> None:
    """Look at every file of the home that was written after `since`, except the keys; by the folder it lies in.

    `sinks`: what the folders are called.
    """
    for top in sorted(home.iterdir()):
        if top.name == "keys" or top.is_symlink():
            continue
        sink = sinks.get(top.name, top.name)
        for path in [top, *search.paths_below(top, sink, home)]:
            if _written_after(since, path):
                search.look_at_file(path, sink, home)


def _written_after(since: float, path: Path) -> bool:
    """Of a file that is there and no link."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return False
    return stat.S_ISREG(status.st_mode) and status.st_mtime >= since
