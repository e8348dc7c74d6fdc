"""Stage 4, validated: stage the harmonized rows, judge them inside PostgreSQL, keep verdicts and findings there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from assets import parquet, progress, workers
from assets.intake import Delivery
from assets.stages import harmonize, pseudonymize
from assets.stages.report import StageReport
from assets.workplace import Workplace
from codebook.errors import Refused
from codebook.loader import load_codebook
from sources.batches import ISSUES
from sources.models import Source

if TYPE_CHECKING:
    from expectations.suites import Rule
    from expectations.verdicts import Verdict
    from warehouse.staging import Names

STAGE = "validated"
LOADS_AT_ONCE = 2
_NO_CONSENT = ("gate.no_consent", "gate.no_guardian_consent")
_NOT_WITHDRAWN = (
    ". {} of them have no consent, and nothing of a refused delivery counts: what came of these before stays. If they"
    " withdrew it, deliver them among rows that can be taken, or erase them (`homeward vault erase`)"
)


def entities_of(source: Source) -> list[str]:
    """Every entity of which the source's tables make records."""
    return sorted({entity for table in source.tables for entity in source.makes(table.name)})


def validate(workplace: Workplace, delivery: Delivery) -> StageReport:
    """Stage and judge the delivery. Raises Refused when it cannot be taken as a whole."""
    from expectations import validate as judgement
    from expectations.suites import rules_for
    from warehouse import staging

    codebook = load_codebook()
    store = workplace.store(delivery.id, delivery.key)
    entities = entities_of(delivery.source)
    rules = {entity: rules_for(entity, codebook) for entity in entities}
    names, outcomes = stage_and_ask(workplace, delivery, rules)
    issues = read_issues(store)
    verdicts = judgement.run(
        workplace.warehouse_url,
        staging.SCHEMA,
        {entity: names.entity(entity) for entity in entities},
        names.row,
        issues,
        delivery.received,
        rules=[rule for entity in entities for rule in rules[entity]],
        outcomes=outcomes,
        findings_table=names.finding,
        verdict_table=names.verdict,
        max_rejected_share=delivery.source.delivery.max_rejected_share,
    )
    totals = verdicts.totals
    if verdicts.refused:
        silent = sum(verdicts.findings_by_rule.get(rule, 0) for rule in _NO_CONSENT)
        raise Refused(
            verdicts.refused,
            f"{totals.rejected} of {totals.rows_in} rows were rejected",
            where=f"{delivery.id} {delivery.key}",
            mend="the marked return lists every row and its reasons; mend the file and deliver it again"
            + (_NOT_WITHDRAWN.format(silent) if silent else ""),
        )
    counts = {
        "rows_in": totals.rows_in,
        "accepted": totals.accepted,
        "flagged": totals.flagged,
        "rejected": totals.rejected,
    }
    facts = {"rules_run": len(verdicts.rules), "rules_failed": sum(v.verdict == "fail" for v in verdicts.rules)}
    return StageReport(STAGE, STAGE, counts, dict(sorted(verdicts.findings_by_rule.items())), facts)


def stage_and_ask(
    workplace: Workplace, delivery: Delivery, rules: Mapping[str, Sequence[Rule]]
) -> tuple[Names, dict[str, Verdict]]:
    """Load the row ledger and every entity into staging, two at a time, and ask each entity's rules once it is there.

    Returns the tables' names and each rule's outcome. A table is made, filled and indexed in a transaction of its own.
    A crash in between leaves tables that the next run drops first. Loading waits for the server, so threads are enough.
    """
    from expectations import gx_run
    from warehouse import staging
    from warehouse.engine import transaction

    where = f"staging of {delivery.id} {delivery.key}"
    pseudonymous, harmonized = (
        workplace.store(delivery.id, delivery.key) / stage for stage in (pseudonymize.STAGE, harmonize.STAGE)
    )
    engine, codebook = workplace.warehouse, load_codebook()
    with transaction(engine, where) as conn:
        names = staging.prepare(conn, delivery.id, delivery.key)

    def load_ledger() -> None:
        with transaction(engine, where) as conn:
            staging.load_rows(conn, names, parquet.files(pseudonymous, "rows"))
            staging.load_withdrawn(conn, names, parquet.files(pseudonymous, "withdrawn"))

    def load_entity(entity: str) -> None:
        with transaction(engine, where) as conn:
            staging.load(conn, names, entity, parquet.files(harmonized, entity), codebook)
            staging.index(conn, names, entity)

    url, asked = workplace.warehouse_url, []
    with ThreadPoolExecutor(LOADS_AT_ONCE) as pool:
        loads = {pool.submit(load_entity, entity): entity for entity in rules} | {pool.submit(load_ledger): ""}
        judge = workers.judge()
        for done, load in enumerate(as_completed(loads), start=1):
            load.result()
            if entity := loads[load]:
                table, received = names.entity(entity), delivery.received
                asked.append(judge.submit(gx_run.outcomes, url, staging.SCHEMA, table, rules[entity], received))
            progress.report(STAGE, done, len(loads))
    return names, {rule: outcome for answer in asked for rule, outcome in answer.result().items()}


def read_issues(store: Path) -> pa.Table:
    """The issues that reading, the gate and the crosswalk found."""
    found = [path for stage in (pseudonymize.STAGE, harmonize.STAGE) for path in parquet.files(store / stage, "issues")]
    return parquet.read(found, ISSUES)
