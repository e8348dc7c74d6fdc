"""Stage 1, received, as Dagster sees it: the intake has sealed the files; this confirms that they can be read back."""

from __future__ import annotations

from assets import progress
from assets.intake import Delivery
from assets.stages.report import StageReport
from assets.workplace import Workplace
from codebook.errors import Unavailable

STAGE = "received"


def confirm(workplace: Workplace, delivery: Delivery) -> StageReport:
    """Open every sealed file and read its first frame; a file that was tampered with or lost is found here."""
    for file in delivery.files:
        with file.open() as opened:
            if file.size and not opened.read(1):
                raise Unavailable(
                    "a sealed file is empty", where=f"{delivery.id} {delivery.key}", mend="restore the store"
                )
    progress.report(STAGE, len(delivery.files), len(delivery.files))
    size = sum(file.size for file in delivery.files)
    facts = {"sha256": delivery.sha256, "bytes": size, "purpose": delivery.source.purpose}
    return StageReport(STAGE, STAGE, {"files": len(delivery.files)}, facts=facts)
