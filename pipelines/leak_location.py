"""The Dagster code location of `homeward leakcheck`: its own sources and the inbox sensor, nothing of the deployment.

So a daemon that the check starts takes no delivery but the check's.
"""

from __future__ import annotations

import dagster as dg

from anonymization.leaks.process import guard_process
from assets.factory import source_assets
from pipelines.automation import delivery_job, inbox_sensor
from pipelines.leak_deliveries import SOURCES
from pipelines.settings import settings
from sources.loader import load_source

guard_process()

_sources = [load_source(source) for source in SOURCES]
_jobs = [delivery_job(source) for source in _sources]

defs = dg.Definitions(
    assets=[asset for source in _sources for asset in source_assets(source)],
    jobs=_jobs,
    sensors=[inbox_sensor(_sources, _jobs)],
    resources={"workplace": settings().workplace()},
)
