"""The Dagster code location: every source's assets and job, the marts, the inbox sensor, the nightly refresh."""

from __future__ import annotations

import dagster as dg

from anonymization.leaks.process import guard_process
from assets.factory import marts_assets, source_assets
from pipelines.automation import (
    delivery_job,
    inbox_sensor,
    job_name,
    marts_job,
    nightly,
    prune_job,
    prune_weekly,
    publication_sensor,
    retain_job,
    retain_weekly,
)
from pipelines.settings import settings
from sources.loader import list_sources, load_source

guard_process()

_sources = [load_source(source) for source in list_sources()]
_marts = marts_assets(_sources)
_jobs = [delivery_job(source) for source in _sources]

defs = dg.Definitions(
    assets=[*(asset for source in _sources for asset in source_assets(source)), _marts],
    jobs=[*_jobs, marts_job, prune_job, retain_job],
    schedules=[nightly, prune_weekly, retain_weekly],
    sensors=[inbox_sensor(_sources, _jobs), publication_sensor(_sources)],
    resources={"workplace": settings().workplace()},
)

__all__ = ["defs", "job_name"]
