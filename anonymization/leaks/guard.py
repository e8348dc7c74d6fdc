"""The leak guard: errors of libraries and servers quote values, so nothing of their text leaves this house.

What stays of a foreign error: its type, the place in our code, and of a database error the SQLSTATE, constraint and
table. Homeward's own errors hold no value and pass as they are. Not its business: what is logged or shown.
"""

from __future__ import annotations

import logging
import os
import traceback
import warnings
from collections.abc import Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path

from codebook.errors import HomewardError, Unavailable

_HOUSE = Path(__file__).resolve().parent.parent.parent
OURS = (
    "homeward",
    "anonymization",
    "assets",
    "codebook",
    "connectors",
    "expectations",
    "harmonization",
    "pipelines",
    "sources",
    "values",
    "warehouse",
)
_NO_THREAD = "can't start new thread"
"""How Python tells that the system gave none; an error without a type of its own."""
_SERVER_AWAY = ("08", "53", "57", "58", "25006")
"""SQLSTATE classes of a server that did not serve: connection, resources, operator intervention, system, read-only."""


class Fault(HomewardError):
    """Something inside Homeward or a library went wrong; the text of the error was withheld, it may hold values."""


@contextmanager
def no_values(where: str = "") -> Iterator[None]:
    """Whatever is raised inside leaves as a HomewardError without a value. `where` names source and stage only."""
    try:
        with silent_warnings():
            yield
    except HomewardError as error:
        raise _alone(error) from None
    except Exception as error:
        raise scrubbed(error, where) from None


@contextmanager
def silent_warnings() -> Iterator[None]:
    """What libraries warn of inside says nothing: their texts quote cells (`could not parse "..."`)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def without_values(record: logging.LogRecord) -> bool:
    """A filter for handlers: of a foreign logger's record stay its level, its logger and where an error happened."""
    if record.name.partition(".")[0] not in OURS:
        error = record.exc_info[1] if record.exc_info else None
        record.msg = f"{record.name}: text withheld" if error is None else f"{record.name}: {scrub(error)}"
        record.args, record.exc_info, record.exc_text, record.stack_info = (), None, None, None
    return True


def _alone(error: HomewardError) -> HomewardError:
    """Our own error without what hangs on it: a foreign cause or context quotes values, and so may notes."""
    error.__cause__ = None
    error.__context__ = None
    error.__dict__.pop("__notes__", None)
    return error


def scrubbed(error: BaseException, where: str = "") -> HomewardError:
    """`error` as an error of ours that holds no value."""
    if isinstance(error, HomewardError):
        return error
    origin = getattr(error, "orig", None) or error  # SQLAlchemy wraps the driver's error
    if hasattr(origin, "sqlstate") or hasattr(origin, "pgcode"):  # psycopg 3, and 2 of Dagster's storage
        return _of_database(origin, where)
    if isinstance(error, OSError) and error.errno:
        return Unavailable(f"the system said: {os.strerror(error.errno)}", where, "mend it and run again")
    if isinstance(error, MemoryError):
        return Unavailable("there is not enough memory", where, "free some, or run again with fewer workers")
    if type(error) is RuntimeError and error.args == (_NO_THREAD,):
        return Unavailable("there is no memory or no place for one more thread", where, "free some and run again")
    if isinstance(error, BrokenProcessPool):
        what = "a worker was ended from outside, as a machine does that has no memory left"
        return Unavailable(what, where, "free some, or run again with fewer workers")
    kind = f"{type(error).__module__.partition('.')[0]}.{type(error).__name__}".removeprefix("builtins.")
    return Fault(
        f"{kind} at {_place(error)}", where, "its text was withheld, since it may hold values; please report it"
    )


def scrub(error: BaseException) -> str:
    """One line about `error` that holds no value."""
    return str(scrubbed(error))


def _of_database(error: BaseException, where: str) -> HomewardError:
    state: str | None = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
    if state is None or state.startswith(_SERVER_AWAY):
        return Unavailable(
            f"the database did not serve, SQLSTATE {state or 'none'}", where, "see that it is up and run again"
        )
    facts = [f"SQLSTATE {state}"]
    diagnosis = getattr(error, "diag", None)
    for fact in ("constraint_name", "table_name"):
        if diagnosis is not None and (name := getattr(diagnosis, fact, None)):
            facts.append(f"{fact.removesuffix('_name')} {name}")
    return Fault(f"the database said no, {', '.join(facts)}", where, "its text was withheld, since it may hold values")


def _place(error: BaseException) -> str:
    """File and line of the innermost of our own frames."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        path = Path(frame.filename)
        if path.is_relative_to(_HOUSE) and "site-packages" not in path.parts:
            return f"{path.relative_to(_HOUSE)}:{frame.lineno}"
    return "an unknown place"
