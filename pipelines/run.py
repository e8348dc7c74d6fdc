"""Running deliveries through their Dagster jobs from the command line; the UI shows these runs like any other.

Everything that waits is taken: complete uploads in the inbox, and deliveries that a crash left between two stages.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from anonymization.leaks.guard import scrub
from assets import intake
from assets.intake import SETTLE_SECONDS, Delivery
from assets.refused_uploads import UploadRefused
from assets.workplace import Workplace
from codebook.errors import HomewardError, Unavailable
from pipelines.killed import forget_killed_runs, quiet, tags
from sources.loader import list_sources, load_source
from sources.models import FETCHED, Source

if TYPE_CHECKING:
    from dagster import DagsterInstance

MARTS_LOCK = "refresh of the marts"


@dataclass(frozen=True)
class Outcome:
    """What became of one delivery: `state` as in the ledger, or already_received, held_elsewhere, failed."""

    source: str
    delivery: str
    state: str
    fault: str | None = None


def chosen_sources(source_ids: Sequence[str] = ()) -> list[Source]:
    """The named sources, or all of them."""
    return [load_source(source) for source in source_ids or list_sources()]


def run_waiting(
    workplace: Workplace, instance: Callable[[], DagsterInstance], sources: list[Source]
) -> Iterator[Outcome]:
    """Take everything that waits for `sources`, one delivery after the other; yields as each is done."""
    from warehouse import marts

    _let_settle(workplace, sources)
    published = False
    for source in sources:
        try:
            for outcome in _run_source(workplace, instance, source):
                published = published or outcome.state == "published"
                yield outcome
        except HomewardError as error:  # one source's trouble is no reason to leave the others' deliveries
            yield Outcome(source.source, "", "failed", str(error))
    if published or marts.are_behind(workplace.warehouse):
        run_marts(workplace, instance())


def _run_source(workplace: Workplace, instance: Callable[[], DagsterInstance], source: Source) -> Iterator[Outcome]:
    """What a crash left owing first, then unfinished deliveries, then uploads."""
    from assets.way import write_owed_returns
    from warehouse import ledger

    for key in write_owed_returns(workplace, source):
        yield _as_it_stands(workplace, source.source, key)
    for entry in ledger.unfinished(workplace.warehouse, source.source):
        yield run_delivery(workplace, instance(), intake.find(workplace, source, entry.delivery_id))
    for upload in intake.waiting(workplace, source.source):
        try:
            receipt = intake.receive(workplace, source, upload)
        except HomewardError as error:
            # A server that is away is asked once; of uploads, one that is refused is no reason to leave the others.
            if source.format.kind in FETCHED and not isinstance(error, UploadRefused):
                raise
            yield Outcome(source.source, "", "refused" if isinstance(error, UploadRefused) else "failed", str(error))
            continue
        if receipt is None:
            continue
        if receipt.already_received:
            reason = _refused_before(workplace, receipt.delivery)
            yield Outcome(source.source, receipt.delivery.key, "already_received", reason)
        else:
            yield run_delivery(workplace, instance(), receipt.delivery)


def _refused_before(workplace: Workplace, delivery: Delivery) -> str | None:
    """The same bytes do not go through again by themselves, though the mapping may have been mended since."""
    from warehouse import ledger

    reason = ledger.refusal(workplace.warehouse, delivery.id, delivery.key)
    again = f"homeward run --source {delivery.id} --delivery {delivery.key}"
    return f"it was refused then: {reason}; once that is mended, run it again: {again}" if reason else None


def _let_settle(workplace: Workplace, sources: list[Source]) -> None:
    """Give bare files that were just dropped the time that shows them complete."""
    give_up = time.monotonic() + 2 * SETTLE_SECONDS
    while any(intake.settling(workplace, source.source) for source in sources) and time.monotonic() < give_up:
        time.sleep(0.2)


def run_delivery(workplace: Workplace, instance: DagsterInstance, delivery: Delivery, again: bool = False) -> Outcome:
    """One delivery through all its stages, unless another process is at it. A fault is told, not raised.

    `again`: also if it is through already; else it is left as it stands.
    """
    from warehouse import ledger
    from warehouse.lock import source_lock

    forget_killed_runs(workplace, instance)
    with ExitStack() as held:
        try:
            held.enter_context(source_lock(workplace.warehouse, _lock(delivery), wait=0))
        except Unavailable as error:
            return Outcome(delivery.id, delivery.key, "held_elsewhere", str(error))
        standing = _as_it_stands(workplace, delivery.id, delivery.key)
        if standing.state in ledger.FINAL and not again:
            return standing
        if fault := _execute(instance, delivery):
            return Outcome(delivery.id, delivery.key, "failed", fault)
    return _as_it_stands(workplace, delivery.id, delivery.key)


def _lock(delivery: Delivery) -> str:
    return f"run of {delivery.id} {delivery.key}"


def _as_it_stands(workplace: Workplace, source: str, key: str) -> Outcome:
    from warehouse import ledger

    entry = ledger.delivery(workplace.warehouse, source, key)
    if entry is None:
        raise HomewardError("the delivery is no longer in the ledger", where=f"{source} {key}")
    return Outcome(source, key, entry.state, entry.refused_reason)


def _execute(instance: DagsterInstance, delivery: Delivery) -> str | None:
    """Run the delivery's job in this process; the one line of what went wrong, or None."""
    from assets.factory import partitions
    from pipelines.definitions import defs, job_name

    try:
        name = partitions(delivery.source).name
        if name and not instance.has_dynamic_partition(name, delivery.key):
            instance.add_dynamic_partitions(name, [delivery.key])
        job = defs.resolve_job_def(job_name(delivery.id))
        with quiet():
            job.execute_in_process(
                instance=instance, partition_key=delivery.key, raise_on_error=True, tags=tags(_lock(delivery))
            )
    except Exception as error:  # Dagster's own storage may be what went away
        return scrub(error)
    return None


def run_marts(workplace: Workplace, instance: DagsterInstance) -> None:
    """Refresh scores, indicators and comparability."""
    from pipelines.definitions import defs
    from warehouse.lock import source_lock

    forget_killed_runs(workplace, instance)
    with source_lock(workplace.warehouse, MARTS_LOCK), quiet():
        job = defs.resolve_job_def("refresh_marts")
        job.execute_in_process(instance=instance, raise_on_error=True, tags=tags(MARTS_LOCK))
