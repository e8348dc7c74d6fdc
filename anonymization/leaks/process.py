"""Guards a whole process: what nobody caught, what libraries log or warn of, and what a crash would leave lose their
values before they reach a terminal, a log file or Dagster's storage.

Called once where a process of Homeward begins: the command line, Dagster's code location, a worker. What an error may
say of itself is decided in `guard`.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import traceback
import warnings
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from anonymization.leaks.guard import OURS, scrub, without_values

_PLATFORM = frozenset({"dagster", "dagster_webserver", "dagster_graphql", "uvicorn", "grpc", "alembic"})
"""Who runs us: their messages tell of runs and steps, and have what went wrong as an error of their own beside them."""


def guard_process() -> None:
    """Put every way in which a foreign text leaves this process under guard; once more changes nothing."""
    if isinstance(logging.getLogRecordFactory(), _Records):
        return
    logging.setLogRecordFactory(_Records(logging.getLogRecordFactory()))
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread
    sys.unraisablehook = _unraisable
    warnings.showwarning = _warning
    # Dagster writes errors of steps into its storage, and asks for this each time.
    os.environ["DAGSTER_REDACT_USER_CODE_ERRORS"] = "1"
    _no_core_dumps()


class _Records:
    """Makes log records without values: at their source, so that no handler of today or tomorrow is forgotten."""

    def __init__(self, make: Any) -> None:
        self._make = make

    def __call__(self, *args: Any, **kwargs: Any) -> logging.LogRecord:
        record: logging.LogRecord = self._make(*args, **kwargs)
        if not record.name:  # an empty one, into which a record that was made here is copied
            return record
        sender = record.name.partition(".")[0]
        if sender in OURS or (sender in _PLATFORM and not record.exc_info):
            _without_error(record)
        else:
            without_values(record)
        return record


def _without_error(record: logging.LogRecord) -> None:
    """Our own message stays; an error that it carries is told in our words."""
    error = record.exc_info[1] if record.exc_info else None
    if error is not None:
        record.msg, record.args = f"{record.getMessage()}: {scrub(error)}", ()
    record.exc_info, record.exc_text, record.stack_info = None, None, None


def _say(line: str) -> None:
    if sys.stderr is not None:
        sys.stderr.write(f"homeward: {line}\n")


def _uncaught(_: type[BaseException], error: BaseException, where: TracebackType | None) -> None:
    if os.environ.get("HOMEWARD_DEBUG"):  # lines of code, and no text of an error
        sys.stderr.write("".join(traceback.format_tb(where)))
    _say(scrub(error))


def _uncaught_in_thread(told: threading.ExceptHookArgs) -> None:
    if told.exc_value is not None and not isinstance(told.exc_value, SystemExit):
        _say(scrub(told.exc_value))


def _unraisable(told: sys.UnraisableHookArgs) -> None:
    if told.exc_value is not None:
        _say(scrub(told.exc_value))


def _warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """A warning is told by its kind: libraries quote cells in them (`could not parse "..."`)."""
    del message, filename, lineno, file, line
    _say(f"{category.__module__.partition('.')[0]}.{category.__name__}: text withheld")


def _no_core_dumps() -> None:
    """A process that crashes leaves no image of its memory, keys and names in it; nor do the processes it starts."""
    # A machine that hands cores to a program asks no limit (core(5)): then nothing of the memory is in them.
    with suppress(OSError):  # only Linux has it
        Path("/proc/self/coredump_filter").write_text("0", encoding="ascii")
    try:
        import resource
    except ImportError:  # Windows writes none unless it was told to
        return
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, most))
