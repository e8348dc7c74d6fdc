"""What Dagster is told of the house, as it is imported."""

import warnings

from pipelines.automation import delivery_job, job_name
from sources.loader import list_sources, load_source


def test_a_job_of_a_source_is_declared_without_a_warning_and_has_the_partitions_of_its_assets() -> None:
    with warnings.catch_warnings(action="error"):
        jobs = [delivery_job(load_source(source)) for source in list_sources()]
    from pipelines.definitions import defs

    for source, job in zip(list_sources(), jobs, strict=True):
        assert job.name == job_name(source)
        partitions = defs.resolve_job_def(job.name).partitions_def
        assert partitions is not None
        assert partitions.name == f"deliveries_{source.replace('/', '_')}"
