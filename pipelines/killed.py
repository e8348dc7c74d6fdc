"""Runs of the command line whose process died: Dagster thinks they go on, and they hold the warehouse's pool for ever.

A run of ours holds a lock in the warehouse while it lives, and says in a tag which. Whoever can take that lock knows
that the run is dead. What was left half-done by it is the business of the stages.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from assets.workplace import Workplace
from codebook.errors import Unavailable

if TYPE_CHECKING:
    from dagster import DagsterInstance

RUNNER, HOLDS = "homeward/runner", "homeward/holds"


def tags(lock: str) -> dict[str, str]:
    """The tags of a run of the command line that holds `lock` while it lives."""
    return {RUNNER: "command_line", HOLDS: lock}


def forget_killed_runs(workplace: Workplace, instance: DagsterInstance) -> None:
    """Close the dead runs, so that their places in the pool are free again."""
    import dagster as dg

    from warehouse.lock import source_lock

    going = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
    for run in instance.get_runs(dg.RunsFilter(statuses=going, tags={RUNNER: "command_line"})):
        try:
            with source_lock(workplace.warehouse, run.tags[HOLDS], wait=0):
                instance.report_run_failed(run, "its process ended before it did")
                instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
        except Unavailable:  # it lives
            continue


@contextmanager
def quiet() -> Iterator[None]:
    """Dagster prints tracebacks and its tries to reach its storage; the command line says it in one line instead."""
    # Dagster resets its loggers, but not their filters.
    loggers = [logging.getLogger(name) for name in ("", "dagster.redacted_errors")]
    for logger in loggers:
        logger.addFilter(_in_debug)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(_in_debug)


def _in_debug(_: logging.LogRecord) -> bool:
    return bool(os.environ.get("HOMEWARD_DEBUG"))
