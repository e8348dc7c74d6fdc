"""The same law on three real servers: a snapshot is one moment of declared columns, in text that loses nothing."""

import csv
import io
import json
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from small_sources import source, table

from codebook.errors import Unavailable
from connectors import snapshot
from sources.models import Source

ROWS = 20_000
KINDS = ("postgresql", "mariadb", "sqlite")


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def url(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A server with a table of every type, a long table and a view."""
    found = {
        "postgresql": lambda: request.getfixturevalue("postgres_url"),
        "mariadb": lambda: request.getfixturevalue("mariadb_url"),
        "sqlite": lambda: f"sqlite:///{tmp_path / 'registry.db'}",
    }[kind]()
    blob = {"postgresql": "bytea"}.get(kind, "blob")
    value = {"postgresql": "'\\x00ff'"}.get(kind, "x'00ff'")
    run(
        found,
        "CREATE TABLE kinds (id varchar(20) PRIMARY KEY, amount numeric(12,3), born date, seen timestamp NULL,"
        f" at time, yes boolean, photo {blob}, more json, big bigint, share double precision, secret text)",
        "INSERT INTO kinds VALUES ('0012', 10.500, '0099-12-31', '2024-02-29 13:05:06', '23:59:59', true,"
        f""" {value}, '{{"a": [1.10, "ñ"]}}', 9223372036854775807, 0.1, 'hidden'),"""
        " ('x', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)",
        "CREATE TABLE visits (seq integer PRIMARY KEY, note varchar(40))",
        "CREATE VIEW late AS SELECT seq, note FROM visits WHERE seq > 19990",
    )
    fill(found)
    yield found
    run(found, "DROP VIEW late", "DROP TABLE visits", "DROP TABLE kinds")


def run(url: str, *statements: str) -> None:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()


def fill(url: str) -> None:
    visits = sa.table("visits", sa.column("seq"), sa.column("note"))
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(sa.insert(visits), [{"seq": n, "note": f"visit {n}"} for n in range(ROWS)])
    engine.dispose()


KINDS_TABLE = table("kinds", ["id", "amount", "born", "seen", "at", "yes", "photo", "more", "big", "share"], key=["id"])
VISITS = table("visits", ["seq", "note"], key=["seq"])
LATE = table("late", ["seq", "note"], key=["seq"])


def declared(*tables: dict[str, object]) -> Source:
    return source({"kind": "database", "url_env": "HOMEWARD_TEST_URL"}, *tables)


def records(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode())))


def test_every_type_is_text_as_it_was_written(url: str, kind: str) -> None:
    ((_, pieces),) = snapshot(declared(KINDS_TABLE), url)
    full, empty = records(b"".join(pieces))
    assert json.loads(full.pop("more")) == {"a": [1.1, "ñ"]}
    amount, yes = full.pop("amount"), full.pop("yes")
    # SQLite keeps a number and not its digits; MariaDB has no truth but 1.
    assert amount == ("10.5" if kind == "sqlite" else "10.500")
    assert yes == ("true" if kind == "postgresql" else "1")
    assert full.pop("seen").replace(" ", "T") == "2024-02-29T13:05:06"
    assert full == {
        "id": "0012",
        "born": "0099-12-31",
        "at": "23:59:59",
        "photo": "00ff",
        "big": "9223372036854775807",
        "share": "0.1",
        "secret": "",
    }
    assert set(empty.values()) == {"x", ""}


def test_a_view_is_a_table(url: str) -> None:
    ((_, pieces),) = snapshot(declared(LATE), url)
    assert [row["seq"] for row in records(b"".join(pieces))] == [str(n) for n in range(19_991, ROWS)]


def test_all_tables_show_the_same_moment(url: str, kind: str) -> None:
    """A row that another session adds while the first table is read is not in the second."""
    content = dict(snapshot(declared(KINDS_TABLE, VISITS), url))
    b"".join(content["kinds.csv"])
    if kind == "sqlite":
        with pytest.raises(sa.exc.OperationalError):
            run(url + "?timeout=0", "INSERT INTO visits VALUES (-1, 'late')")
    else:
        run(url, "INSERT INTO visits VALUES (-1, 'late')")
    assert len(records(b"".join(content["visits.csv"]))) == ROWS


def test_rows_come_in_pieces_and_memory_stays_small(url: str) -> None:
    ((_, pieces),) = snapshot(declared(VISITS), url)
    tracemalloc.start()
    n = sum(piece.count(b"\n") for piece in pieces)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert n == ROWS + 1
    assert peak < 8 << 20


def test_a_snapshot_that_is_left_early_leaves_no_session(url: str, kind: str) -> None:
    ((_, pieces),) = snapshot(declared(VISITS), url)
    next(pieces)
    pieces.close()
    run(url, "DELETE FROM visits WHERE seq = 0", "INSERT INTO visits VALUES (0, 'visit 0')")
    if kind == "mariadb":
        assert sessions(url, 0) == []


def sessions(url: str, many: int) -> list[int]:
    """Connections to a MariaDB other than the one that asks, of whom there should be so `many`: it may list those that
    were closed a moment longer."""
    engine, give_up = sa.create_engine(url, poolclass=sa.NullPool), time.monotonic() + 240
    query = "SELECT id FROM information_schema.processlist WHERE user = 'root' AND id <> connection_id()"
    with engine.connect() as connection:
        while len(found := list(connection.exec_driver_sql(query).scalars())) > many and time.monotonic() < give_up:
            time.sleep(0.05)
    return found


def test_a_mariadb_that_ends_the_session_is_unavailable(mariadb_url: str) -> None:
    run(mariadb_url, "CREATE TABLE visits (seq integer PRIMARY KEY, note text)")
    try:
        run(mariadb_url, "INSERT INTO visits SELECT seq, repeat('x', 20000) FROM seq_1_to_12000")
        ((_, pieces),) = snapshot(declared(VISITS), mariadb_url)
        next(pieces)
        for session in sessions(mariadb_url, 1):
            run(mariadb_url, f"KILL {session}")
        with pytest.raises(Unavailable, match="does not serve") as caught:
            list(pieces)
    finally:
        run(mariadb_url, "DROP TABLE visits")
    assert "\n" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_password_that_is_refused_is_not_told(mariadb_url: str) -> None:
    with pytest.raises(Unavailable) as caught:
        snapshot(declared(VISITS), mariadb_url.replace("root@", "inm:s3cret-word@"))
    assert "s3cret" not in str(caught.value)
    assert "inm" not in str(caught.value)


def test_arrays_and_schemas_of_postgresql(postgres_url: str) -> None:
    run(
        postgres_url,
        "CREATE SCHEMA field",
        "CREATE TABLE field.forms (id text, codes text[], days interval, digits jsonb)",
        """INSERT INTO field.forms VALUES ('1', '{a,"b c"}', '1 day 18 hours', '{"n": 1.10}')""",
    )
    try:
        forms = table("field.forms", ["id", "codes", "days", "digits"], key=["id"])
        ((name, pieces),) = snapshot(declared(forms), postgres_url)
        (row,) = records(b"".join(pieces))
    finally:
        run(postgres_url, "DROP SCHEMA field CASCADE")
    assert name == "field.forms.csv"
    assert row == {"id": "1", "codes": '["a", "b c"]', "days": "42:00:00", "digits": '{"n": 1.10}'}


def test_a_moment_that_python_does_not_have_costs_no_delivery(postgres_url: str) -> None:
    """What the server wrote comes on, and is one cell that cannot be read; a month is no number of hours."""
    written = {
        "until": ("date", "infinity"),
        "since": ("date", "0044-03-15 BC"),
        "far": ("date", "12024-01-01"),
        "seen": ("timestamp", "-infinity"),
        "zoned": ("timestamptz", "infinity"),
        "shut": ("time", "24:00:00"),
        "away": ("interval", "1 mon 3 days 04:05:06"),
        "days": ("date[]", "{2024-01-01,infinity}"),
        "share": ("numeric", "NaN"),
    }
    columns = ", ".join(f"{name} {kind}" for name, (kind, _) in written.items())
    values = ", ".join(f"'{value}'" for _, value in written.values())
    run(postgres_url, f"CREATE TABLE ends (id text, {columns})", f"INSERT INTO ends VALUES ('1', {values})")
    try:
        ((_, pieces),) = snapshot(declared(table("ends", ["id", *written], key=["id"])), postgres_url)
        (row,) = records(b"".join(pieces))
    finally:
        run(postgres_url, "DROP TABLE ends")
    assert row.pop("days") == '["2024-01-01", "infinity"]'
    assert row == {"id": "1"} | {name: value for name, (_, value) in written.items() if name != "days"}


def test_what_only_mariadb_has_is_text_as_it_was_written(mariadb_url: str) -> None:
    """Dates that are zero, bits, and columns whose names are words of SQL."""
    run(
        mariadb_url,
        "SET sql_mode = ''",
        "CREATE TABLE `group` (`key` varchar(9), `order` date, part date, seen datetime, flag bit(1), flags bit(8),"
        " kind enum('a', 'b c'), needs set('x', 'y'), `per%%cent` varchar(9))",
        "INSERT INTO `group` VALUES ('1', '0000-00-00', '2024-00-00', 0, b'1', b'10100000', 'b c', 'y,x', 'p')",
    )
    named = ["key", "order", "part", "seen", "flag", "flags", "kind", "needs", "per%cent"]
    try:
        ((_, pieces),) = snapshot(declared(table("group", named, key=["key"])), mariadb_url)
        (row,) = records(b"".join(pieces))
    finally:
        run(mariadb_url, "DROP TABLE `group`")
    told = ["1", "0000-00-00", "2024-00-00", "0000-00-00 00:00:00", "1", "160", "b c", "x,y", "p"]
    assert list(row.values()) == told


def test_a_database_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="no such database file"):
        snapshot(declared(VISITS), f"sqlite:///{tmp_path / 'none.db'}")
    assert not (tmp_path / "none.db").exists()
