"""The vault: persons and their tokens, blind indexes of their identifiers, and their identities, sealed.

`Vault.link` takes what a batch says about its rows' people and answers with random tokens; everything of one batch is
one transaction. A database of its own, reached by nobody else (design.md 3). Not its business: which columns identify
a person and what leaves the gate (`gate`), and how rows are grouped into persons (`linking`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from anonymization.keys import country_keys
from anonymization.keys.country_keys import CountryKeys
from anonymization.keys.ring import Keyring
from anonymization.leaks.guard import scrubbed
from anonymization.linkage import decisions, recognition
from anonymization.vault import followed, line, upkeep
from anonymization.vault.enrolment import Enrolment, Linked, Statement
from codebook.errors import HomewardError, Unavailable
from codebook.servers import in_utf8

if TYPE_CHECKING:
    from psycopg import Connection as Driver
    from psycopg import Cursor
    from sqlalchemy import Connection, Engine

ROLE = "homeward_vault"
_SCHEMA = Path(__file__).with_name("vault.sql")
_SEALS = Path(__file__).with_name("decision_seal.sql")
_MIGRATION_LOCK = 0x686F6D65
_PARTS = (
    ("identity", _SCHEMA),
    ("name_word", Path(__file__).with_name("name_words.sql")),
    ("token_event", Path(__file__).with_name("recognition.sql")),
    ("block_version", Path(__file__).with_name("block_version.sql")),
    ("audit", Path(__file__).with_name("operations.sql")),
    ("likeness.programme", Path(__file__).with_name("programmes.sql")),
    ("identity_covering", Path(__file__).with_name("covering.sql")),
    ("unfinished_erasure", Path(__file__).with_name("unfinished.sql")),
    ("renewal", Path(__file__).with_name("renewal.sql")),
    ("person_covering", Path(__file__).with_name("person_covering.sql")),
    ("likeness.counted", Path(__file__).with_name("counted.sql")),
    ("decision.seal", _SEALS),
    ("person.came", Path(__file__).with_name("apart.sql")),
)
"""The schema in the order in which it grew: a table, column or index of each part, by which it is known, its file."""
_TABLE = re.compile(rb"^CREATE TABLE (vault\.\w+)", re.MULTILINE)
# Not to_regclass: it answers from a cache that does not know what another process has just made.
_MADE = """
    SELECT c.relname FROM pg_class AS c WHERE c.relnamespace = to_regnamespace('vault') AND c.relkind IN ('r', 'i')
    UNION ALL
    SELECT c.relname || '.' || a.attname FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
    WHERE c.relnamespace = to_regnamespace('vault') AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped"""
_PATIENCE = 600
"""So many seconds a thread waits for a connection: a hundred writers at once wait for each other's transactions, on a
busy machine longer than the library's half minute."""
_AT_ONCE = 50
"""Milliseconds that the second connection waits for a lock."""
_ATTEMPTS = 100
"""Each failed attempt means that another process got on; so many in a row are no longer a coincidence."""


class _AnotherWasFaster(Unavailable):
    """Another process has written the same person, field or source meanwhile, or was waited for in a circle."""


@dataclass(frozen=True)
class TokenEvent:
    """From this event on `token` counts as `current_token`; its own again after a split."""

    event_id: int
    kind: str
    token: UUID
    current_token: UUID
    at: datetime


class Vault:
    """The vault database at `url`, opened with `keyring`. Pickles as these two; connects when first used."""

    def __init__(self, url: str, keyring: Keyring) -> None:
        self._url, self.keyring = url, keyring
        self._known: set[str] = set()
        self._one_beside = Lock()
        self._gone_through = 0
        self._field_numbers: dict[tuple[str, str], int] = {}
        self._origin_numbers: dict[str, int] = {}

    def __reduce__(self) -> tuple[object, ...]:
        return Vault, (self._url, self.keyring)

    @cached_property
    def _engine(self) -> Engine:
        from sqlalchemy import create_engine

        engine = create_engine(self._url, hide_parameters=True, pool_pre_ping=True, pool_timeout=_PATIENCE)
        return in_utf8(engine, "vault")

    @cached_property
    def _beside_engine(self) -> Engine:
        from sqlalchemy import create_engine

        alone = {"isolation_level": "AUTOCOMMIT", "pool_size": 1, "max_overflow": 0}
        return create_engine(self._url, hide_parameters=True, pool_pre_ping=True, **alone)

    def migrate(self) -> None:
        """Make role and tables where they are missing; safe to call from several processes at once."""
        with self.transaction(as_role=False) as cursor:  # before the first run there is no such role
            if not _missing(cursor):
                return
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", (_MIGRATION_LOCK,))
            if not (files := _missing(cursor)):
                return
            _make_role(cursor)
            cursor.execute(f"SET LOCAL ROLE {ROLE}")
            for file in files:
                cursor.execute(file.read_bytes())
            if _SEALS in files:
                decisions.seal_all(cursor, self.keyring)

    def link(self, statement: Statement) -> Linked:
        """Tokens for the rows of a batch."""
        country = statement.country
        self._know(country)  # first: a field belongs to a country that the vault knows
        numbers = [self._field(country, claim.field) for claim in statement.claims]
        origin = self._origin(statement.origin)
        for _ in range(_ATTEMPTS):
            try:
                return self._enrol(statement, origin, numbers)
            except _AnotherWasFaster:
                continue  # another process has just met the same person: look again, and take theirs
        raise Unavailable("the vault is too busy", statement.origin, "run again")

    def _enrol(self, statement: Statement, origin: int, fields: list[int]) -> Linked:
        large = max(len(claim.index) for claim in statement.claims) >= line.LARGE
        with (
            self.transaction() as cursor,
            self.beside(large) as second,
            line.line(cursor, second, large) as way,
        ):
            linked = Enrolment(self.keys_of(cursor, statement.country), origin, fields, statement).run(way)
            grown = upkeep.grown_to(way.cursor, self._gone_through) if large else 0
        if grown:
            upkeep.keep_pace(self)
            self._gone_through = grown
        return linked

    def recognise(self, country: str) -> recognition.Recognised:
        """Compare all persons of a country who came since the last time; see `recognition`."""
        total = recognition.Recognised()
        while True:
            try:
                with self.transaction() as cursor:
                    keys = self.keys_of(cursor, country)
                    done = recognition.one_round(cursor, keys)
            except _AnotherWasFaster:
                continue  # a deadlock with a batch that was just arriving: nothing was kept
            if not done.compared:
                return total
            total += done

    def token_events(self, country: str, after: int = 0) -> list[TokenEvent]:
        """What has happened to the tokens of a country since event `after`, in order; HomewardError if it comes to what
        no decision says."""
        ask = (
            "SELECT event_id, kind, token, current_token, at FROM vault.token_event"
            " WHERE country = %s AND event_id > %s ORDER BY event_id"
        )
        with self.transaction() as cursor:
            upkeep.at_one_moment(cursor)
            cursor.execute("SET TRANSACTION READ ONLY")
            events = [TokenEvent(*row) for row in cursor.execute(ask, (country, after)).fetchall()]
            told = [(event.event_id, event.token, event.current_token) for event in events]
            followed.refuse_if_undecided(cursor, self.keyring, country, told)
            return events

    def keys_of(self, cursor: Cursor[tuple[Any, ...]], country: str) -> CountryKeys:
        """Keys of a country that the vault knows, which stay as they are to the end of the transaction."""
        keys = country_keys.opened(cursor, self.keyring, country)
        if keys is None:
            raise HomewardError("the vault knows nobody of this country", country, "`homeward vault keys` lists them")
        return keys

    # What is cached below is cached after the commit: a key or number that was never stored must not be used again.

    def _field(self, country: str, name: str) -> int:
        """The number under which identifiers of a field of a country are indexed."""
        if (country, name) not in self._field_numbers:
            with self.transaction() as cursor:
                ask = "SELECT field FROM vault.field WHERE country = %s AND name = %s"
                make = "INSERT INTO vault.field (country, name) VALUES (%s, %s) ON CONFLICT DO NOTHING"
                number = _find_or_make(cursor, ask, make, (country, name))
            self._field_numbers[country, name] = number
        return self._field_numbers[country, name]

    def _origin(self, name: str) -> int:
        """The number of a table of a source in the vault."""
        if name not in self._origin_numbers:
            with self.transaction() as cursor:
                ask = "SELECT origin FROM vault.origin WHERE name = %s"
                make = "INSERT INTO vault.origin (name) VALUES (%s) ON CONFLICT DO NOTHING"
                number = _find_or_make(cursor, ask, make, (name,))
            self._origin_numbers[name] = number
        return self._origin_numbers[name]

    def _know(self, country: str) -> None:
        if country not in self._known:
            with self.transaction() as cursor:
                # Every country's key is tried: a vault must not grow under a second root key.
                if country not in country_keys.all_opened(cursor, self.keyring):
                    country_keys.make(cursor, self.keyring, country)
            self._known.add(country)

    @contextmanager
    def transaction(self, as_role: bool = True) -> Iterator[Cursor[tuple[Any, ...]]]:
        """A cursor in one transaction, as the vault's own role; what goes wrong leaves without values."""
        with _without_values(), self._engine.begin() as connection, _driver(connection).cursor() as cursor:
            if as_role:
                cursor.execute(f"SET LOCAL ROLE {ROLE}")
            yield cursor

    @contextmanager
    def beside(self, wanted: bool) -> Iterator[Cursor[tuple[Any, ...]] | None]:
        """A cursor of one more connection, on which a batch reads beside its own; None where another batch of this
        process has it, or the server gives none."""
        if not wanted or not self._one_beside.acquire(blocking=False):
            yield None
            return
        try:
            with ExitStack() as held:
                yield self._second(held)
        finally:
            self._one_beside.release()

    def _second(self, held: ExitStack) -> Cursor[tuple[Any, ...]] | None:
        from psycopg import Error
        from sqlalchemy.exc import SQLAlchemyError

        try:
            cursor = held.enter_context(_driver(held.enter_context(self._beside_engine.connect())).cursor())
            cursor.execute(f"SET ROLE {ROLE}; SET lock_timeout = {_AT_ONCE}; SET default_transaction_read_only = on")
        except (Error, SQLAlchemyError):
            return None
        return cursor

    @contextmanager
    def outside_transactions(self) -> Iterator[Cursor[tuple[Any, ...]]]:
        """The same for what PostgreSQL does in no transaction, on a connection that nobody else is given."""
        with _without_values(), self._engine.connect() as connection:
            alone = _driver(connection.execution_options(isolation_level="AUTOCOMMIT"))
            connection.detach()
            with alone.cursor() as cursor:
                cursor.execute(f"SET ROLE {ROLE}")
                yield cursor


def _driver(connection: Connection) -> Driver[tuple[Any, ...]]:
    return cast("Driver[tuple[Any, ...]]", connection.connection.driver_connection)


@contextmanager
def _without_values() -> Iterator[None]:
    import psycopg
    from cryptography.exceptions import InvalidTag

    try:
        yield
    except (psycopg.errors.UniqueViolation, psycopg.errors.DeadlockDetected):
        raise _AnotherWasFaster("another process was writing about the same people", "vault", "run again") from None
    except InvalidTag:
        raise HomewardError(
            "a key or record in the vault is damaged or was changed", "vault", "restore the vault from its backup"
        ) from None
    except Exception as error:
        raise scrubbed(error, "vault") from None


def _missing(cursor: Cursor[tuple[Any, ...]]) -> list[Path]:
    """Parts of the schema that are not there yet. HomewardError if a table is not there of what was made before them:
    it is not made again, since whoever dropped it would then have emptied it without a word."""
    made = {name for (name,) in cursor.execute(_MADE).fetchall()}
    there = [place for place, (mark, _) in enumerate(_PARTS) if mark in made]
    for _, file in _PARTS[: max(there, default=-1) + 1]:
        for table in _TABLE.findall(file.read_bytes()):
            name = table.decode().removeprefix("vault.")
            if name not in made:
                mend = "somebody dropped it: restore the vault from its backup, into an empty database"
                raise HomewardError(f"the vault has lost its table {name}", "vault", mend)
    return [file for mark, file in _PARTS if mark not in made]


def _one(cursor: Cursor[tuple[Any, ...]], statement: str, values: tuple[object, ...] = ()) -> Any:
    """The first column of the first row, or None."""
    found = cursor.execute(statement, values).fetchone()
    return found[0] if found else None


def _find_or_make(cursor: Cursor[tuple[Any, ...]], ask: str, make: str, values: tuple[object, ...]) -> int:
    """Asks first, so that no sequence number is spent on what is there."""
    number = _one(cursor, ask, values)
    if number is None:
        cursor.execute(make, values)
        number = _one(cursor, ask, values)
    return int(number)


def _make_role(cursor: Cursor[tuple[Any, ...]]) -> None:
    """The role that owns the vault; nobody else may even connect."""
    if not _one(cursor, "SELECT 1 FROM pg_roles WHERE rolname = %s", (ROLE,)):
        cursor.execute(f"CREATE ROLE {ROLE} NOLOGIN")
    # Who may create roles administers the new one, but may not yet act as it.
    if not _one(cursor, "SELECT pg_has_role(current_user, %s, 'SET')", (ROLE,)):
        cursor.execute(f"GRANT {ROLE} TO current_user WITH INHERIT TRUE, SET TRUE")
    database = _one(cursor, "SELECT quote_ident(current_database())")
    cursor.execute(f"REVOKE ALL ON DATABASE {database} FROM PUBLIC")
    cursor.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
    cursor.execute(f"GRANT CONNECT, CREATE, TEMPORARY ON DATABASE {database} TO {ROLE}")
