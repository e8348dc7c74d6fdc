"""The command line in processes of its own, forked where the libraries of others are imported already.

A command is then what it is elsewhere, but for the three seconds in which Dagster and Great Expectations are imported.
Homeward's own modules are imported anew in every process: what a command imports, and when, is tested with the rest.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import runpy
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

PROJECT = Path(__file__).resolve().parents[2]
MODULE = "pipelines.cli"
PATIENCE_SECONDS = 850
_LIBRARIES = [
    *("dagster", "dagster_postgres", "great_expectations", "great_expectations.expectations"),
    *("pandas", "psycopg", "pyarrow.compute", "pyarrow.parquet", "rich.table", "sqlalchemy.dialects.postgresql"),
]


def in_own_process(words: Sequence[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """What `python -m pipelines.cli` said, and its exit code."""
    context = multiprocessing.get_context("forkserver")
    os.environ["GX_ANALYTICS_ENABLED"] = "false"  # the fork server inherits it; read when the library is imported
    context.set_forkserver_preload(_LIBRARIES)
    with TemporaryDirectory(prefix="homeward-said-") as folder:
        said = Path(folder) / "out", Path(folder) / "err"
        process = context.Process(target=_command, args=([MODULE, *words], environment, *said))
        process.start()
        process.join(PATIENCE_SECONDS)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(list(words), PATIENCE_SECONDS)
        out, err = (path.read_text(encoding="utf-8") for path in said)
    return subprocess.CompletedProcess([MODULE, *words], process.exitcode, out, err)


def started_afresh(words: Sequence[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """The same from an interpreter that has imported nothing, as whoever types it starts it."""
    command = [sys.executable, "-m", MODULE, *words]
    return subprocess.run(
        command, check=False, cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=PATIENCE_SECONDS
    )


def _command(words: list[str], environment: dict[str, str], out: Path, err: Path) -> None:
    for descriptor, path in ((1, out), (2, err)):
        with path.open("wb") as file:
            os.dup2(file.fileno(), descriptor)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(PROJECT)
    sys.argv = words
    try:
        runpy.run_module(MODULE, run_name="__main__", alter_sys=True)
    finally:
        atexit._run_exitfuncs()  # a forked process ends without them; what holds the server lets go of it there
