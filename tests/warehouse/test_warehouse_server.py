"""A server of our own: settings that keep values out of its log, migration by two at once, locks of killed holders."""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import psycopg
import pytest
from sqlalchemy import Engine, text

from codebook.errors import HomewardError, Unavailable
from codebook.loader import Codebook
from warehouse import engine as engines
from warehouse import schema
from warehouse.embedded import EmbeddedServer
from warehouse.lock import source_lock

CANARY = "Canaria Planted Name"


@pytest.fixture(scope="module")
def server(server_folder: Path) -> Iterator[EmbeddedServer]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("HOMEWARD_ROOT_KEY", CANARY)
        started = EmbeddedServer(server_folder / "told_nothing" / "postgres").start()
        assert os.environ["HOMEWARD_ROOT_KEY"] == CANARY
    yield started
    started.stop()


@pytest.mark.parametrize("folder", ["my home", "o'clock", "a;b", "$HOME"])
def test_a_folder_whose_path_a_shell_would_split_is_refused(tmp_path: Path, folder: str) -> None:
    with pytest.raises(HomewardError, match="HOMEWARD_HOME"):
        EmbeddedServer(tmp_path / folder / "postgres").start()
    assert not (tmp_path / folder).exists()


def test_the_server_is_not_told_the_keys_of_who_started_it(server: EmbeddedServer) -> None:
    postmaster = psutil.Process(int((server.folder / "postmaster.pid").read_text().splitlines()[0]))
    known = postmaster.environ()
    assert known["PATH"] == os.environ["PATH"]
    assert CANARY not in known.values()


def test_who_reads_a_key_while_a_server_is_started_finds_it(
    server_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOMEWARD_ROOT_KEY", CANARY)
    started, read = threading.Event(), set[str | None]()

    def look() -> None:
        while not started.wait(0.001):
            read.add(os.environ.get("HOMEWARD_ROOT_KEY"))

    with ThreadPoolExecutor() as pool:
        looking = pool.submit(look)
        server = EmbeddedServer(server_folder / "looked_on" / "postgres")
        try:
            server.start()
        finally:
            started.set()
            server.stop()
        looking.result()
    assert read == {CANARY}


def test_a_server_starts_and_stops_while_that_of_another_home_is_being_started(
    server: EmbeddedServer, server_folder: Path
) -> None:
    """One lock for the machine held up every home, and the first login that made it shut out the others."""
    assert server._server is not None
    with server._server._lock:
        other = multiprocessing.get_context("spawn").Process(
            target=_start_and_release, args=(server_folder / "beside" / "postgres", None)
        )
        other.start()
        other.join(200)
        code = other.exitcode
    other.kill()
    other.join()
    assert code == 0


def test_server_has_its_three_databases_and_both_drivers(server: EmbeddedServer) -> None:
    for database in ("warehouse", "vault", "dagster"):
        with psycopg.connect(server.url(database).replace("+psycopg", "")) as conn:
            assert conn.info.dbname == database
            assert conn.execute("SELECT 'Z' < 'a', upper('ñ')").fetchone() == (True, "Ñ"), "the same on every machine"
    assert server.url("dagster", "psycopg2").startswith("postgresql+psycopg2://")


def test_a_server_whose_making_was_cut_off_is_made_again(server_folder: Path) -> None:
    for attempt in range(20):  # on a busy machine it may be made before it is cut off
        folder = server_folder / f"cut_off_{attempt}" / "postgres"
        initdb = _cut_off(folder)
        if initdb is not None:
            break
    assert initdb is not None
    again = EmbeddedServer(folder).start()
    try:
        with psycopg.connect(again.url().replace("+psycopg", "")) as conn:
            assert conn.execute("SHOW jit").fetchone() == ("off",), "with our settings"
        assert not initdb.is_running()
    finally:
        again.stop()


def _cut_off(folder: Path) -> psutil.Process | None:
    """Begin to make a server and kill who makes it; `initdb`, stopped amid it, or None if it had come to its end."""
    maker = multiprocessing.get_context("spawn").Process(target=_make, args=(folder,))
    maker.start()
    while not (folder / "PG_VERSION").exists():
        time.sleep(0.001)
    try:
        (initdb,) = [child for child in psutil.Process(maker.pid).children(recursive=True) if child.name() == "initdb"]
        initdb.suspend()  # slower than whoever comes next
    except (ValueError, psutil.NoSuchProcess):
        initdb = None
    maker.kill()
    maker.join()
    if initdb is not None and not (folder / "base" / "5").exists():
        return initdb
    EmbeddedServer(folder).start().stop()
    return None


def test_a_full_disk_leaves_the_holders_and_the_settings_of_a_server_as_they_were(server: EmbeddedServer) -> None:
    """An empty list of holders made the next process that ended stop the server under all others."""
    files = [server.folder / name for name in (".handle_pids.json", "homeward.conf", "postgresql.conf")]
    before = [file.read_text() for file in files]
    spawn = multiprocessing.get_context("spawn")
    for most, code in ((0, 1), (None, 0)):
        other = spawn.Process(target=_start_and_release, args=(server.folder, most))
        other.start()
        other.join()
        assert other.exitcode == code
        assert [file.read_text() for file in files] == before
    with psycopg.connect(server.url().replace("+psycopg", "")) as conn:
        assert conn.execute("SELECT 1").fetchone() == (1,)


def _start_and_release(folder: Path, most: int | None) -> None:
    """Start and let go of the server where no file may grow beyond so many bytes."""
    if most is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    try:
        EmbeddedServer(folder).start().release()
    except Unavailable:
        os._exit(1)


def _make(folder: Path) -> None:
    EmbeddedServer(folder).start()


def test_errors_and_the_server_log_hold_no_value(server: EmbeddedServer) -> None:
    engine = engines.connect(server.url())
    with engines.transaction(engine, "test") as conn:
        conn.execute(text("CREATE TABLE named (name text PRIMARY KEY, age smallint)"))
    statements = [
        "INSERT INTO named VALUES (:name, 1), (:name, 2)",
        "INSERT INTO named SELECT :name, (:name)::int",
        f"SELECT '{CANARY}'::int",
        f"SELECT broken {CANARY}",
    ]
    for statement in statements:
        with pytest.raises(HomewardError) as caught, engines.transaction(engine, "test") as conn:
            conn.execute(text(statement), {"name": CANARY} if ":name" in statement else {})
        assert CANARY not in str(caught.value)
        assert "\n" not in str(caught.value)
        assert caught.value.__suppress_context__
    unique = "SQLSTATE 23505 UniqueViolation, constraint named_pkey, table named"
    with pytest.raises(HomewardError, match=unique), engines.transaction(engine, "test") as conn:
        conn.execute(text(statements[0]), {"name": CANARY})
    engine.dispose()
    assert CANARY not in (server.folder / "log").read_text()


def test_two_migrations_at_once_make_one_schema(server: EmbeddedServer, codebook: Codebook) -> None:
    made = [engines.connect(server.url()) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda engine: schema.migrate(engine, codebook, ["SLV"]), made))
    with made[0].connect() as conn:
        assert conn.scalar(text("SELECT count(*) FROM audit.migration")) == 1
        views = set(conn.scalars(text("SELECT viewname FROM pg_views WHERE schemaname = 'marts'")))
        current_and_ever = {name for entity in codebook.entities for name in (entity, f"{entity}_ever")}
        assert views == current_and_ever | {"rss_score"}
    for engine in made:
        engine.dispose()


def test_variable_that_changed_its_type_is_an_error(server: EmbeddedServer, codebook: Codebook) -> None:
    engine = engines.connect(server.url())
    schema.migrate(engine, codebook, ["SLV"])
    with engine.begin() as conn:
        shown = conn.scalars(
            text("SELECT format('%I.%I', schemaname, viewname) FROM pg_views WHERE schemaname IN ('marts', 'core')")
        ).all()
        conn.execute(text(f"DROP VIEW {', '.join(shown)} CASCADE"))
        conn.execute(text("ALTER TABLE core.person_history ALTER COLUMN birth_year TYPE bigint"))
    with pytest.raises(HomewardError, match="birth_year changed its type from bigint to integer"):
        schema.migrate(engine, codebook, ["SLV", "HND"])
    with engine.begin() as conn:
        conn.execute(text("ALTER TABLE core.person_history ALTER COLUMN birth_year TYPE integer"))
        conn.execute(text("ALTER TABLE core.person DROP COLUMN birth_year CASCADE"))
    schema.migrate(engine, codebook, ["SLV", "HND"])
    with engine.connect() as conn:
        conn.execute(text("SELECT birth_year FROM marts.person"))
    engine.dispose()


def test_unreachable_database_is_unavailable(tmp_path: Path) -> None:
    engine = engines.connect(f"postgresql://postgres@/warehouse?host={tmp_path}")
    with pytest.raises(Unavailable, match="cannot be reached"), engines.transaction(engine, "test"):
        pass


def _hold(url: str, held: multiprocessing.synchronize.Event) -> None:
    with source_lock(engines.connect(url), "slv/held"):
        held.set()
        time.sleep(60)


def test_more_sources_are_held_at_once_than_there_are_connections(server: EmbeddedServer) -> None:
    engine, names = engines.connect(server.url()), [f"slv/{number}" for number in range(40)]
    with source_lock(engine, *names), engine.connect() as conn:
        assert conn.scalar(text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")) == len(names)
    with engine.connect() as conn:
        assert conn.scalar(text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")) == 0
    engine.dispose()


def test_one_run_for_one_source_and_a_killed_one_lets_go(server: EmbeddedServer) -> None:
    engine: Engine = engines.connect(server.url())
    spawn = multiprocessing.get_context("spawn")
    held = spawn.Event()
    holder = spawn.Process(target=_hold, args=(server.url(), held))
    holder.start()
    assert held.wait(200)
    with source_lock(engine, "slv/other", wait=0):
        pass
    with pytest.raises(Unavailable, match="another run holds this source"), source_lock(engine, "slv/held", wait=0):
        pass
    os.kill(holder.pid or 0, signal.SIGKILL)
    holder.join()
    with source_lock(engine, "slv/held", wait=200):
        pass
    engine.dispose()
