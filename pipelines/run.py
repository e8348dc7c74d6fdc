"""Running deliveries through their Dagster jobs from the command line; the UI shows these runs like any other.

Everything that waits is taken: complete uploads in the inbox, and deliveries that a crash left between two stages.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assets import intake
from assets.intake import SETTLE_SECONDS, Delivery
from assets.workplace import Workplace
from codebook.errors import HomewardError, Unavailable
from sources.loader import list_sources, load_source
from sources.models import Source

if TYPE_CHECKING:
    from dagster import DagsterInstance


@dataclass(frozen=True)
class Outcome:
    """What became of one delivery: `state` as in the ledger, or already_received, held_elsewhere, failed."""

    source: str
    delivery: str
    state: str
    fault: str | None = None


def chosen_sources(source_id: str | None) -> list[Source]:
    """The named source, or all of them."""
    return [load_source(source) for source in ([source_id] if source_id else list_sources())]


def run_waiting(workplace: Workplace, instance: DagsterInstance, sources: list[Source]) -> Iterator[Outcome]:
    """Take everything that waits for `sources`, one delivery after the other; yields as each is done."""
    _let_settle(workplace, sources)
    ran = False
    for source in sources:
        for delivery, known in _waiting_deliveries(workplace, source):
            if known:
                yield Outcome(source.source, delivery.key, "already_received")
                continue
            outcome = run_delivery(workplace, instance, delivery)
            ran = ran or outcome.state == "published"
            yield outcome
    if ran:
        run_marts(instance)


def _waiting_deliveries(workplace: Workplace, source: Source) -> Iterator[tuple[Delivery, bool]]:
    """Unfinished deliveries first, then uploads; the flag says that it had been received before."""
    from warehouse import ledger

    for entry in ledger.unfinished(workplace.warehouse, source.source):
        yield intake.find(workplace, source, entry.delivery_id), False
    for upload in intake.waiting(workplace, source.source):
        receipt = intake.receive(workplace, source, upload)
        yield receipt.delivery, receipt.already_received


def _let_settle(workplace: Workplace, sources: list[Source]) -> None:
    """Give bare files that were just dropped the time that shows them complete."""
    give_up = time.monotonic() + 2 * SETTLE_SECONDS
    while any(intake.settling(workplace, source.source) for source in sources) and time.monotonic() < give_up:
        time.sleep(0.2)


def run_delivery(workplace: Workplace, instance: DagsterInstance, delivery: Delivery) -> Outcome:
    """One delivery through all its stages, unless another process is at it. A fault is told, not raised."""
    from warehouse import ledger
    from warehouse.lock import source_lock

    try:
        with source_lock(workplace.warehouse, f"run of {delivery.id} {delivery.key}", wait=0):
            if fault := _execute(instance, delivery):
                return Outcome(delivery.id, delivery.key, "failed", fault)
    except Unavailable as error:
        return Outcome(delivery.id, delivery.key, "held_elsewhere", str(error))
    entry = ledger.delivery(workplace.warehouse, delivery.id, delivery.key)
    if entry is None:
        raise HomewardError("the delivery is no longer in the ledger", where=f"{delivery.id} {delivery.key}")
    return Outcome(delivery.id, delivery.key, entry.state, entry.refused_reason)


def _execute(instance: DagsterInstance, delivery: Delivery) -> str | None:
    """Run the delivery's job in this process; the one line of what went wrong, or None."""
    from assets.factory import partitions
    from pipelines.definitions import defs, job_name

    name = partitions(delivery.source).name
    if name and not instance.has_dynamic_partition(name, delivery.key):
        instance.add_dynamic_partitions(name, [delivery.key])
    job = defs.resolve_job_def(job_name(delivery.id))
    try:
        job.execute_in_process(instance=instance, partition_key=delivery.key, raise_on_error=True)
    except HomewardError as error:
        return str(error)
    return None


def run_marts(instance: DagsterInstance) -> None:
    """Refresh scores, indicators and comparability."""
    from pipelines.definitions import defs

    defs.resolve_job_def("refresh_marts").execute_in_process(instance=instance, raise_on_error=True)
