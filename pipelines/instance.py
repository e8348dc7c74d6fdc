"""Dagster's own home: its configuration and its storage, so that the command line and the UI see the same runs.

Storage is PostgreSQL (SQLite locks under load). Captured output of steps is kept nowhere: it could hold values.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache, lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from pipelines.settings import settings

if TYPE_CHECKING:
    from dagster import DagsterInstance

HELD_SECONDS = 30
"""How long a connection to Dagster's storage serves."""

CONFIGURATION = """\
# Written by Homeward at every start; settings of a real deployment belong into a dagster.yaml of its own.
storage:
  postgres:
    postgres_url:
      env: HOMEWARD_DAGSTER_URL
compute_logs:
  module: dagster._core.storage.noop_compute_log_manager
  class: NoOpComputeLogManager
concurrency:
  pools:
    default_limit: 1
    granularity: op
run_monitoring:
  enabled: true
  free_slots_after_run_end_seconds: 60
telemetry:
  enabled: false
nux:
  enabled: false
"""


def prepare_environment() -> dict[str, str]:
    """Write Dagster's configuration and set what its processes read from the environment; returns what was set."""
    workplace = settings().workplace()
    home = workplace.dagster_home
    home.mkdir(parents=True, exist_ok=True)
    (home / "dagster.yaml").write_text(CONFIGURATION)
    url = os.environ.get("HOMEWARD_DAGSTER_URL") or workplace.server.url("dagster", driver="psycopg2")
    changed = {
        **settings().environment(),
        "DAGSTER_HOME": str(home),
        "HOMEWARD_DAGSTER_URL": url,
        "DAGSTER_REDACT_USER_CODE_ERRORS": "1",
        "DAGSTER_DISABLE_TELEMETRY": "1",
    }
    os.environ.update(changed)
    return changed


def instance() -> DagsterInstance:
    """The instance of this home, shared with the UI."""
    changed = prepare_environment()
    from dagster import DagsterInstance

    from pipelines.storage_away import give_up_soon

    give_up_soon(changed["HOMEWARD_DAGSTER_URL"])
    found = DagsterInstance.get()
    # Its storage connects anew for each statement, 390 times in the run of a small delivery, unless it is told, as its
    # webserver tells it, to hold a connection. One that a firewall may have cut meanwhile is not used again.
    found.optimize_for_webserver(statement_timeout=0, pool_recycle=HELD_SECONDS, max_overflow=10)
    _ask_once_what_is_there(found.event_log_storage)
    return found


def _ask_once_what_is_there(storage: Any) -> None:
    """Before it writes or reads, the storage asks PostgreSQL whether an older Dagster made it, without the table or the
    column: sixty times in the run of a small delivery. None goes while a process has it open."""
    storage.has_table = cache(storage.has_table)
    storage.has_asset_key_col = cache(storage.has_asset_key_col)


@contextmanager
def dagster_coming(soon: bool = True) -> Iterator[Callable[[], DagsterInstance]]:
    """The instance, once it is needed. Dagster takes two seconds to import: time to seal a file meanwhile.

    `soon`: it surely will be needed. What was received before is answered without it.
    """
    with ThreadPoolExecutor(1) as beside:
        imported = [beside.submit(import_module, "pipelines.definitions")] if soon else []

        @lru_cache(maxsize=1)
        def found() -> DagsterInstance:
            for import_ in imported:
                import_.result()
            return instance()

        yield found
