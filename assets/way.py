"""The way of a delivery: which stages there are, in which order, and the frame in which each of them is run.

The frame is the same for all: hold the source, read where the delivery stands, run the stage, write down what was
counted. A refusal is a state of the delivery, not a fault of the run; a fault leaves the last state standing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from anonymization.leaks.guard import no_values
from assets import intake
from assets.intake import Delivery
from assets.returning import write_return
from assets.stages.admit import admit
from assets.stages.harmonize import harmonize
from assets.stages.marts import refresh_marts
from assets.stages.pseudonymize import pseudonymize
from assets.stages.publish import publish
from assets.stages.receive import confirm
from assets.stages.report import StageReport
from assets.stages.validate import validate
from assets.workers import dismissed_on_faults
from assets.workplace import Workplace
from codebook.errors import Refused
from sources.models import Source

__all__ = ["LAST_STAGE", "STAGES", "Stage", "pass_stage", "refresh_marts", "write_owed_returns"]


@dataclass(frozen=True)
class Stage:
    """One stage: its name (which is also the state a delivery is in after it), what runs, and how it is shown."""

    name: str
    run: Callable[[Workplace, Delivery], StageReport]
    kinds: tuple[str, ...]
    in_warehouse: bool
    description: str


STAGES = (
    Stage("received", confirm, ("file",), False, "The delivery as it came, sealed in the vault's store."),
    Stage(
        "pseudonymized",
        pseudonymize,
        ("parquet",),
        False,
        "Declared columns only, persons as random tokens, free text withheld or redacted; no identity from here on.",
    ),
    Stage(
        "harmonized",
        harmonize,
        ("parquet",),
        False,
        "Codes, dates, units and places of the codebook, by the source's crosswalk.",
    ),
    Stage(
        "validated",
        validate,
        ("postgres", "greatexpectations"),
        True,
        "Staged rows with a verdict per rule and row: accepted, flagged, rejected.",
    ),
    Stage(
        "published",
        publish,
        ("postgres",),
        True,
        "Accepted rows in the warehouse with their history, and the marked return in the outbox.",
    ),
)
LAST_STAGE = STAGES[-1].name


def pass_stage(workplace: Workplace, source: Source, key: str, stage: Stage, run_id: str | None = None) -> StageReport:
    """Run one stage of delivery `key`. A delivery refused earlier passes through untouched and says so."""
    from warehouse import ledger
    from warehouse.lock import source_lock

    held = source_lock(workplace.warehouse, source.source)
    with no_values(f"{source.source} {key}, {stage.name}"), held, dismissed_on_faults():
        delivery = intake.find(workplace, source, key)
        if stage is not STAGES[0] and (refused := ledger.refusal(workplace.warehouse, source.source, key)):
            return StageReport(stage.name, "refused", refused=refused)
        try:
            admit(workplace, delivery)
            report = stage.run(workplace, delivery)
        except Refused as refusal:
            ledger.refuse(
                workplace.warehouse, source.source, key, rule=refusal.rule, reason=str(refusal), columns=refusal.columns
            )
            write_return(workplace, delivery)
            return StageReport(stage.name, "refused", refused=str(refusal))
        ledger.passed(workplace.warehouse, source.source, key, report.state, counts=report.counts, run_id=run_id)
        return report


def write_owed_returns(workplace: Workplace, source: Source) -> list[str]:
    """Write the returns that a crash right after the end of a delivery's way held back; keys of the deliveries."""
    from warehouse import ledger
    from warehouse.lock import source_lock

    if not ledger.unreturned(workplace.warehouse, source.source):
        return []
    with no_values(f"{source.source}, returns"), source_lock(workplace.warehouse, source.source):
        owed = ledger.unreturned(workplace.warehouse, source.source)
        for key in owed:
            write_return(workplace, intake.find(workplace, source, key))
    return owed
