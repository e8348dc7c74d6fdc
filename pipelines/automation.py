"""What starts by itself: the inbox sensor, the marts after a publication and every night, pruning and retention."""

# No postponed annotations here: Dagster reads those of its functions as they stand.
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from anonymization.leaks.guard import scrubbed
from assets import intake
from assets.factory import MARTS, key, partitions, slug
from assets.way import LAST_STAGE
from assets.workplace import Workplace
from codebook.errors import HomewardError
from sources.models import FETCHED, Source

UPLOADS_PER_TICK = 20
TICK_SECONDS = 30.0
"""After so long no further page of a server is asked for: Dagster gives a tick 60 seconds, and a page may take 10."""
KEEP_RUNS_DAYS = 90

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
"""Dagster would tell every event on stderr a second time; they are in the UI, and a fault is told in one line."""


def job_name(source_id: str) -> str:
    return f"deliver_{slug(source_id)}"


def delivery_job(source: Source) -> UnresolvedAssetJobDefinition:
    """All stages of one delivery in one process: few, fat steps."""
    return dg.define_asset_job(
        job_name(source.source),
        selection=dg.AssetSelection.key_prefixes(source.source.split("/")),
        executor_def=dg.in_process_executor,
        config=QUIET,
        description=f"{source.title['en']}: one delivery from received to published.",
    )


marts_job = dg.define_asset_job(
    "refresh_marts",
    selection=dg.AssetSelection.groups("marts"),
    executor_def=dg.in_process_executor,
    config=QUIET,
    description="Scores, indicator values and comparability, from what is published now.",
)
nightly = dg.ScheduleDefinition(
    name="refresh_marts_nightly",
    job=marts_job,
    cron_schedule="30 2 * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)


def publication_sensor(sources: Sequence[Source]) -> dg.SensorDefinition:
    """Refreshes the marts when a delivery was published after they were last made, by whichever way it came.

    Not an automation condition: those forget what was published before their first tick, or during a refresh.
    """
    publications = [key(source, LAST_STAGE) for source in sources]

    @dg.sensor(
        name="marts_after_publication",
        job=marts_job,
        minimum_interval_seconds=15,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Refreshes the marts when a delivery was published.",
    )
    def after_publication(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        published = _last_made(context.instance, publications)
        if published <= _last_made(context.instance, [dg.AssetKey(["marts", name]) for name in MARTS]):
            return dg.SkipReason("Nothing was published since the marts were made.")
        return dg.RunRequest(run_key=f"marts:{published}")

    return after_publication


def _last_made(instance: dg.DagsterInstance, assets: Sequence[dg.AssetKey]) -> int:
    """Where in the event log one of `assets` was last materialized; 0: never."""
    found = (instance.fetch_materializations(asset, limit=1).records for asset in assets)
    return max((record.storage_id for records in found for record in records), default=0)


def inbox_sensor(sources: Sequence[Source], jobs: Sequence[UnresolvedAssetJobDefinition]) -> dg.SensorDefinition:
    """Receives complete uploads and runs them. A tick takes a few; what stays in the inbox is taken by the next."""

    @dg.sensor(
        name="inbox",
        jobs=jobs,
        minimum_interval_seconds=15,
        default_status=dg.DefaultSensorStatus.RUNNING,
        required_resource_keys={"workplace"},
        description="Picks up deliveries dropped into the inbox; a file counts when it no longer changes.",
    )
    def inbox(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        from connectors import Unfinished

        workplace: Workplace = context.resources.workplace
        requests, new_keys, left, faults = [], [], UPLOADS_PER_TICK, list[HomewardError]()
        until = time.monotonic() + TICK_SECONDS
        for source in sources:
            keys = []
            for upload in islice(intake.waiting(workplace, source.source), left):
                left -= 1
                try:
                    receipt = intake.receive(workplace, source, upload, until)
                except Unfinished as pause:
                    context.log.info(f"{source.source}: {pause}")
                    break
                except Exception as fault:  # no reason to leave later uploads or other sources' deliveries
                    error = scrubbed(fault, source.source)
                    context.log.error(f"{source.source}: {error}")
                    faults.append(error)
                    if source.format.kind in FETCHED:  # a server that is away is asked once in a tick
                        break
                    continue
                if receipt and not receipt.already_received:
                    keys.append(receipt.delivery.key)
            if keys:
                new_keys.append(partitions(source).build_add_request(keys))
                requests += [_request(source, key) for key in keys]
        if faults and not requests:
            raise faults[0] from None
        return dg.SensorResult(run_requests=requests, dynamic_partitions_requests=new_keys)

    return inbox


def _request(source: Source, key: str) -> dg.RunRequest:
    # Dagster remembers a run key for ever, after a failure too: a second attempt is `homeward run`, which has none.
    return dg.RunRequest(run_key=f"{source.source}:{key}:1", job_name=job_name(source.source), partition_key=key)


@dg.op(
    description=f"Deletes records of runs older than {KEEP_RUNS_DAYS} days: the event log has no retention of its own."
)
def delete_old_runs(context: dg.OpExecutionContext) -> None:
    instance = context.instance
    old = dg.RunsFilter(
        created_before=datetime.now(UTC) - timedelta(days=KEEP_RUNS_DAYS),
        statuses=[dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED],
    )
    gone = 0
    for run in _batches(instance, old):
        instance.delete_run(run.run_id)
        gone += 1
    context.log.info(f"{gone} runs older than {KEEP_RUNS_DAYS} days deleted")


def _batches(instance: dg.DagsterInstance, old: dg.RunsFilter) -> Iterator[dg.DagsterRun]:
    while runs := instance.get_runs(filters=old, limit=100):
        yield from runs


@dg.job(name="prune_runs", executor_def=dg.in_process_executor)
def prune_job() -> None:
    delete_old_runs()


prune_weekly = dg.ScheduleDefinition(
    name="prune_runs_weekly", job=prune_job, cron_schedule="0 4 * * 0", default_status=dg.DefaultScheduleStatus.RUNNING
)


@dg.op(
    required_resource_keys={"workplace"},
    description="Removes sealed raw files, Parquet, marked returns and identities that sources may no longer keep.",
)
def remove_what_is_past_retention(context: dg.OpExecutionContext) -> None:
    from assets.vault_retention import retain

    workplace: Workplace = context.resources.workplace
    for one in retain(workplace, datetime.now(UTC).date()):
        context.log.info(f"{one.source}: {one.raw_files} raw files, {one.identities} identities removed")


@dg.job(name="retain", executor_def=dg.in_process_executor)
def retain_job() -> None:
    remove_what_is_past_retention()


retain_weekly = dg.ScheduleDefinition(
    name="retain_weekly", job=retain_job, cron_schedule="0 5 * * 0", default_status=dg.DefaultScheduleStatus.RUNNING
)
