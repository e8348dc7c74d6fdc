"""Stage 2, pseudonymized: read the sealed files, pass every batch through the gate, keep what is safe as Parquet.

Large files that can be split are read by several worker processes; each knows its own range and its own row numbers.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from assets import parquet, progress
from assets.intake import Delivery
from assets.stages.report import StageReport
from assets.workers import spread
from assets.workplace import Workplace
from sources.batches import ISSUES, ROW, ROW_KEY, SafeBatch, issues_table
from sources.models import Source

STAGE = "pseudonymized"
PARALLEL_FROM_BYTES = 32 << 20
"""Below this size a second process costs more than it saves."""

ROWS = pa.schema([("source_table", pa.string()), ("source_row", pa.int64()), ("row_key", pa.binary(16))])
"""The row ledger: every row the supplier delivered, with its key where it has one. Law 2 is counted on it."""


def pseudonymize(workplace: Workplace, delivery: Delivery) -> StageReport:
    """Write `pseudonymized/{data,rows,issues}-*.parquet` of the delivery. Raises Refused."""
    import connectors

    opened = connectors.open_delivery(delivery.files, delivery.source)
    final = workplace.store(delivery.id, delivery.key) / STAGE
    counts: dict[str, int] = {}
    with parquet.whole_folder(final) as draft:
        if _splits(workplace, delivery):
            counts = _in_parallel(workplace, delivery, opened, draft)
        else:
            counts = _in_order(workplace, delivery, opened, draft)
        findings = [opened.issues(), *_undeclared(opened.undeclared)]
        parquet.write(pa.concat_tables(findings), draft / "issues-read.parquet")
        issues = parquet.read(parquet.files(draft, "issues"), ISSUES)
    return StageReport(STAGE, STAGE, counts, parquet.by_rule(issues), facts=dict(opened.facts))


def _splits(workplace: Workplace, delivery: Delivery) -> bool:
    """A family of tables is read in order, since a parent's consent decides for its children."""
    alone = len(delivery.source.tables) == 1
    return alone and workplace.workers > 1 and sum(file.size for file in delivery.files) >= PARALLEL_FROM_BYTES


def _in_order(workplace: Workplace, delivery: Delivery, opened: object, draft: Path) -> dict[str, int]:
    from anonymization.gate import Gate

    gate = Gate(delivery.source, workplace.vault)
    counts: dict[str, int] = {}
    for table in opened.tables:  # type: ignore[attr-defined]
        for number, batch in enumerate(opened.batches(table)):  # type: ignore[attr-defined]
            _add(counts, _keep(gate.pass_batch(batch), draft, f"{table}-{number:05d}"))
            progress.report(STAGE, counts["rows_in"])
    return counts


def _in_parallel(workplace: Workplace, delivery: Delivery, opened: object, draft: Path) -> dict[str, int]:
    (table,) = opened.tables  # type: ignore[attr-defined]
    parts = opened.parts(table, workplace.workers)  # type: ignore[attr-defined]
    counts: dict[str, int] = {}
    work = [(workplace, delivery.source, part, draft, f"{table}-p{number:02d}") for number, part in enumerate(parts)]
    for part_counts in spread(_part, work, workplace.workers):
        _add(counts, part_counts)
        progress.report(STAGE, counts["rows_in"])
    return counts


def _part(workplace: Workplace, source: Source, part: object, draft: Path, name: str) -> dict[str, int]:
    """One worker's share: its own range of the file, its own gate on the same vault."""
    from anonymization.gate import Gate

    gate = Gate(source, workplace.vault)
    counts: dict[str, int] = {}
    for number, batch in enumerate(part.batches()):  # type: ignore[attr-defined]
        _add(counts, _keep(gate.pass_batch(batch), draft, f"{name}-{number:05d}"))
    return counts


def _keep(safe: SafeBatch, draft: Path, name: str) -> dict[str, int]:
    """Write a safe batch, its share of the row ledger, and its issues."""
    parquet.write(safe.data.replace_schema_metadata({"table": safe.table}), draft / f"data-{name}.parquet")
    parquet.write(row_ledger(safe), draft / f"rows-{name}.parquet")
    if safe.issues.num_rows:
        parquet.write(safe.issues, draft / f"issues-{name}.parquet")
    held_back = len(safe.rejected_rows)
    return {"rows_in": safe.data.num_rows + held_back, "rows_out": safe.data.num_rows, "held_back": held_back}


def row_ledger(safe: SafeBatch) -> pa.Table:
    """Rows of `safe` in the schema ROWS, those that the gate held back included (without a key)."""
    kept, held = safe.data.num_rows, len(safe.rejected_rows)
    rows = pa.chunked_array([safe.data[ROW].combine_chunks(), safe.rejected_rows.cast(pa.int64())], pa.int64())
    keys = pa.chunked_array([safe.data[ROW_KEY].combine_chunks(), pa.nulls(held, pa.binary(16))], pa.binary(16))
    table = pa.repeat(pa.scalar(safe.table, pa.string()), kept + held)
    return pa.Table.from_arrays([table, rows, keys], schema=ROWS)


def _undeclared(undeclared: dict[str, list[str]]) -> list[pa.Table]:
    """A column that the source does not declare is withheld and reported by name."""
    nowhere = pa.nulls(1, pa.int64())
    return [
        issues_table(table, nowhere, "gate.undeclared_column", "query", column=column)
        for table, columns in undeclared.items()
        for column in columns
    ]


def _add(total: dict[str, int], more: dict[str, int]) -> None:
    for name, count in more.items():
        total[name] = total.get(name, 0) + count
