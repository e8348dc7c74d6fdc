"""The commands that `homeward leakcheck` runs on its deliveries, and what is done to some of them in mid-run.

A run is left alone, or struck once a delivery has come so far: killed, cut off from its databases, or left without room
on the disk. What is delivered and where is searched is not known here.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import psycopg
from sqlalchemy import make_url

from assets.workplace import Workplace
from codebook.errors import Unavailable
from pipelines.leak_deliveries import SOURCES

SESSION = "homeward leakcheck"
"""By this name (PGAPPNAME) a run is known to the databases; only sessions of that name are ended."""
_END_SESSIONS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE application_name = %s AND usename = current_user AND pid <> pg_backend_pid()"""
_LOOK_SECONDS = 0.1
"""A stage takes longer than that, and who looks takes processor time from it."""


@dataclass(frozen=True)
class Said:
    """What one command said."""

    command: str
    code: int
    out: bytes
    err: bytes


Strike = Callable[[int], None]
"""Done to a run, by the number of its process."""


def kill(process: int) -> None:
    """It gets no time to clear up after itself."""
    os.kill(process, signal.SIGKILL)


def fill_the_disk(process: int) -> None:
    """From now on no file of this process grows over a page, as if there were no room. Its messages go into pipes.

    A page, since in less the embedded server's list of those who hold it is lost, and the server stopped under us.
    """
    import resource

    resource.prlimit(process, resource.RLIMIT_FSIZE, (resource.getpagesize(), resource.getpagesize()))


def cut_off_from(urls: Sequence[str]) -> Strike:
    """Its sessions at the databases of these addresses end."""

    def strike(_: int) -> None:
        for url in urls:
            plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
            with psycopg.connect(plain) as connection:
                connection.execute(_END_SESSIONS, (SESSION,))

    return strike


def say(words: Sequence[str], environment: dict[str, str]) -> Said:
    """A command, left alone."""
    done = subprocess.run(_command(words), env=environment, capture_output=True, check=False)  # noqa: S603  # our own
    return Said(words[0], done.returncode, done.stdout, done.stderr)


def struck(workplace: Workplace, words: Sequence[str], environment: dict[str, str], state: str, strike: Strike) -> Said:
    """A command that is struck once a delivery is in `state`, and then ends in its own way."""
    from warehouse import ledger

    def reached() -> bool:
        found = (entry.state for source in SOURCES for entry in ledger.deliveries(workplace.warehouse, source=source))
        return state in found

    # Bytecode that finds no room is cut off in silence (CPython issue 126606): nothing of Homeward would start again.
    own = environment | {"PGAPPNAME": SESSION, "PYTHONDONTWRITEBYTECODE": "1"}
    with (
        subprocess.Popen(_command(words), env=own, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process,  # noqa: S603
        ThreadPoolExecutor(1) as beside,
    ):
        told = beside.submit(process.communicate)
        while not (due := reached()) and not told.done():
            time.sleep(_LOOK_SECONDS)
        if due:
            strike(process.pid)
        out, err = told.result()
    if not due:
        raise Unavailable("a run was over before it could be struck", f"homeward leakcheck, {state}", "check again")
    return Said(f"{words[0]}, struck when {state}", process.returncode, out, err)


def _command(words: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "pipelines.cli", *words]
