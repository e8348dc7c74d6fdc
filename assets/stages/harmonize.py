"""Stage 3, harmonized: apply the source's crosswalk to every safe batch; one Parquet per entity, and the issues."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from assets import parquet, progress
from assets.intake import Delivery
from assets.stages import pseudonymize
from assets.stages.admit import refuse_expired
from assets.stages.report import StageReport
from assets.workers import spread
from assets.workplace import Workplace
from codebook.loader import load_codebook
from sources.batches import ISSUES, SafeBatch
from sources.models import Source

if TYPE_CHECKING:
    from harmonization import Harmonizer

STAGE = "harmonized"
PARALLEL_FROM_FILES = 4


def harmonize(workplace: Workplace, delivery: Delivery) -> StageReport:
    """Write `harmonized/{<entity>,issues}-*.parquet` of the delivery."""
    store = workplace.store(delivery.id, delivery.key)
    safe = parquet.files(store / pseudonymize.STAGE, "data")
    workers = workplace.workers if len(safe) >= PARALLEL_FROM_FILES else 1
    counts: dict[str, int] = {}
    with parquet.whole_folder(store / STAGE) as draft:
        work = [(delivery.source, path, draft) for path in safe]
        for done, made in enumerate(spread(_batch, work, workers), start=1):
            for entity, rows in made.items():
                counts[entity] = counts.get(entity, 0) + rows
            progress.report(STAGE, done, len(safe))
        issues = parquet.read(parquet.files(draft, "issues"), ISSUES)
    return StageReport(STAGE, STAGE, dict(sorted(counts.items())), parquet.by_rule(issues))


def _batch(source: Source, path: Path, draft: Path) -> dict[str, int]:
    refuse_expired(source)
    made = _harmonizer(source).apply(SafeBatch.read(path, source))
    number = path.stem.removeprefix("data-")
    for entity, rows in made.entities.items():
        parquet.write(rows, draft / f"{entity}-{number}.parquet")
    if made.issues.num_rows:
        parquet.write(made.issues, draft / f"issues-{number}.parquet")
    return {entity: rows.num_rows for entity, rows in made.entities.items()}


_compiled: dict[tuple[str, str], Harmonizer] = {}


def _harmonizer(source: Source) -> Harmonizer:
    """The source's compiled crosswalk, compiled once a process and version."""
    from harmonization import Harmonizer

    key = (source.source, source.version)
    if key not in _compiled:
        _compiled[key] = Harmonizer(source, load_codebook())
    return _compiled[key]
