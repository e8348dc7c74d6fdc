"""Stage 2, pseudonymized: read the sealed files, pass every batch through the gate, keep what is safe as Parquet.

Large files that can be split are read by several worker processes; each knows its own range and its own row numbers.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from assets import parquet, progress, raw_erasure
from assets.facts import tellable
from assets.headers import shown
from assets.intake import Delivery
from assets.shape import Shape
from assets.stages.admit import while_it_stands
from assets.stages.report import StageReport
from assets.vault_audit import keep_head
from assets.workers import LARGE_BYTES, spread, wake
from assets.workplace import Workplace
from codebook.errors import Refused
from sources.batches import ISSUES, ROW, ROW_KEY, SafeBatch, UnsafeColumn, issues_table
from sources.models import Source

if TYPE_CHECKING:
    from connectors.delivery import Opened, Part

Counts = dict[str, int]

STAGE = "pseudonymized"
ROWS = pa.schema([("source_table", pa.string()), ("source_row", pa.int64()), ("row_key", pa.binary(16))])
"""The row ledger: every row the supplier delivered, with its key where it has one. Law 2 is counted on it."""


def pseudonymize(workplace: Workplace, delivery: Delivery) -> StageReport:
    """Write `pseudonymized/{data,rows,issues}-*.parquet` of the delivery, and its shape. Raises Refused."""
    import connectors
    from assets.lost_erasures import refuse_older_vault

    if workplace.vault is not None:
        refuse_older_vault(workplace)
    if splits := _splits(workplace, delivery):
        wake(workplace.workers)
    opened = connectors.open_delivery(delivery.files, delivery.source)
    _refuse_undeclared(delivery.source, opened)
    final = workplace.store(delivery.id, delivery.key) / STAGE
    with parquet.whole_folder(final) as draft:
        work = _in_parallel if splits else _in_order
        tables = work(workplace, delivery, opened, draft)
        findings = [opened.issues(), *_undeclared(_shown(delivery.source, opened))]
        parquet.write(pa.concat_tables(findings), draft / "issues-read.parquet")
        issues = parquet.read(parquet.files(draft, "issues"), ISSUES)
        facts = tellable(opened.facts, delivery.source)
        rows_in = {name: counts["rows_in"] for name, counts in tables.items()}
        Shape.of(opened, delivery.source, rows_in, facts).write(draft)
    totals: Counts = {}
    for counts in tables.values():
        _add(totals, counts)
    # A dry run has no vault: nobody is recognised in it, and nothing is written into its audit.
    if workplace.vault is not None:
        totals |= _recognised(workplace, delivery.source)
        if pc.any(pc.equal(issues["rule"], "gate.erased")).as_py():
            raw_erasure.cut_out(workplace, delivery)
        keep_head(workplace)
    if not totals.get("rows_in"):
        raise Refused("delivery.empty", "the delivery has no row", f"{delivery.id} {delivery.key}", "deliver it again")
    return StageReport(STAGE, STAGE, totals, parquet.by_rule(issues), facts=facts)


def _recognised(workplace: Workplace, source: Source) -> Counts:
    """Persons without a known identifier, looked for in the vault once all rows are in it."""
    if not any(table.person and table.person.similar for table in source.tables):
        return {}
    recognised = workplace.vault.recognise(source.country)
    return {"persons_recognised": recognised.merged, "pairs_for_review": recognised.waiting}


def _refuse_undeclared(source: Source, opened: Opened) -> None:
    """Most sources withhold a column that nobody declared and report it; a source may choose to refuse."""
    if source.delivery.undeclared_columns != "refuse":
        return
    for table, columns in _shown(source, opened).items():
        if columns:
            where = f"{table}: {', '.join(columns[:5])}"
            mend = "leave the columns out, or have them declared"
            raise Refused("delivery.undeclared_column", f"{len(columns)} undeclared columns", where, mend)


def _shown(source: Source, opened: Opened) -> dict[str, list[str]]:
    """The undeclared columns of each table, by what may be shown of their names."""
    return {
        table: [shown(header, at, source) for header, at in zip(headers, opened.undeclared_at[table], strict=True)]
        for table, headers in opened.undeclared.items()
    }


def _splits(workplace: Workplace, delivery: Delivery) -> bool:
    """A family of tables is read in order, since a parent's consent decides for its children."""
    alone = len(delivery.source.tables) == 1
    return alone and workplace.workers > 1 and sum(file.size for file in delivery.files) >= LARGE_BYTES


def _in_order(workplace: Workplace, delivery: Delivery, opened: Opened, draft: Path) -> dict[str, Counts]:
    from anonymization.gate import Gate

    gate = Gate(delivery.source, workplace.vault)
    tables: dict[str, Counts] = {}
    for table in opened.tables:
        counts = tables.setdefault(table, {"rows_in": 0})
        for number, batch in enumerate(while_it_stands(delivery.source, opened.batches(table))):
            _add(counts, _keep(gate.pass_batch(batch), draft, f"{table}-{number:05d}"))
            progress.report(STAGE, counts["rows_in"])
    return tables


def _in_parallel(workplace: Workplace, delivery: Delivery, opened: Opened, draft: Path) -> dict[str, Counts]:
    (table,) = opened.tables
    counts: Counts = {"rows_in": 0}
    parts = enumerate(opened.parts(table, workplace.workers))
    work = [(workplace, delivery.source, part, draft, f"{table}-p{number:02d}") for number, part in parts]
    for part_counts in spread(_part, work, workplace.workers):
        _add(counts, part_counts)
        progress.report(STAGE, counts["rows_in"])
    return {table: counts}


def _part(workplace: Workplace, source: Source, part: Part, draft: Path, name: str) -> Counts:
    """One worker's share: its own range of the file, its own gate on the same vault."""
    from anonymization.gate import Gate

    gate = Gate(source, workplace.vault)
    counts: Counts = {}
    for number, batch in enumerate(while_it_stands(source, part.batches())):
        _add(counts, _keep(gate.pass_batch(batch), draft, f"{name}-{number:05d}"))
    if (read := part.issues()).num_rows:
        parquet.write(read, draft / f"issues-{name}-read.parquet")
    return counts


def _keep(safe: SafeBatch, draft: Path, name: str) -> Counts:
    """Write a safe batch, its share of the row ledger, its issues, and the keys of records without consent.

    Nothing else is ever written here.
    """
    if type(safe) is not SafeBatch:
        raise UnsafeColumn("only what the gate has passed is written")
    parquet.write(safe.to_keep(), draft / f"data-{name}.parquet")
    parquet.write(row_ledger(safe), draft / f"rows-{name}.parquet")
    if safe.issues.num_rows:
        parquet.write(safe.issues, draft / f"issues-{name}.parquet")
    if safe.withdrawn.num_rows:
        parquet.write(safe.withdrawn, draft / f"withdrawn-{name}.parquet")
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


def _add(total: Counts, more: Counts) -> None:
    for name, count in more.items():
        total[name] = total.get(name, 0) + count
