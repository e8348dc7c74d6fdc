"""Gathering what the marked return needs from store, staging and ledger, and having it written.

What it says and how is the business of `expectations.returns`; here only the parts are brought together.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from assets.intake import Delivery
from assets.shape import Shape
from assets.workplace import Workplace
from codebook.errors import Refused
from codebook.loader import load_codebook
from connectors import with_tables


def write_return(workplace: Workplace, delivery: Delivery) -> None:
    """Leave the marked return of a published or refused delivery in the outbox."""
    from warehouse import ledger

    entry = ledger.delivery(workplace.warehouse, delivery.id, delivery.key)
    refused = None
    if entry is not None and entry.state == "refused":
        refused = Refused(entry.refused_rule or "", entry.refused_reason or "")
    marked_return(
        workplace,
        delivery,
        workplace.returned(delivery.id, delivery.key),
        language=delivery.source.supplier.language,
        refused=refused,
        findings=as_findings(ledger.findings(workplace.warehouse, delivery.id, delivery.key)),
    )
    ledger.note(workplace.warehouse, delivery.id, delivery.key, ledger.RETURNED)


def marked_return(
    workplace: Workplace,
    delivery: Delivery,
    folder: Path,
    *,
    language: str,
    findings: pa.Table,
    refused: Refused | None = None,
) -> None:
    """Write return.json, return.html and return.xlsx into `folder`."""
    from assets.stages import pseudonymize
    from expectations import returns

    source, codebook = delivery.source, load_codebook()
    shape = Shape.read(workplace.store(delivery.id, delivery.key) / pseudonymize.STAGE)
    titles = source.title
    returns.write(
        folder,
        returns.Return(
            source=source.source,
            delivery=delivery.key,
            title=titles.get(language) or titles.get("en") or source.source,  # type: ignore[call-overload]
            language=language,
            files=tuple(file.name for file in with_tables(delivery.files, source)),
            received=delivery.received,
            state="refused" if refused else "published",
            tables=tuple(_tables(delivery, shape, findings, refused)),
            versions={"codebook": codebook.version, "crosswalk": source.version},
            codebook=codebook,
            findings=findings,
            refused_reason=refused.rule if refused else None,
            refused_where=refused.where if refused else "",
        ),
    )


def _tables(delivery: Delivery, shape: Shape | None, findings: pa.Table, refused: Refused | None) -> list[Any]:
    from expectations.returns import ReturnedTable, columns_from

    if shape is None:
        return []
    judged = count_rows({name: table.rows_in for name, table in shape.tables.items()}, findings, refused is not None)
    return [
        ReturnedTable(name, table.sheet or name, judged[name], table.headers, columns_from(delivery.source, name))
        for name, table in shape.tables.items()
    ]


def count_rows(rows_in: dict[str, int], findings: pa.Table, refused: bool) -> dict[str, Any]:
    """Accepted, flagged and rejected rows of each table, from its findings. Refused: none is accepted."""
    from expectations.verdicts import RowCounts

    counted = {}
    for table, rows in rows_in.items():
        mine = findings.filter(pc.equal(findings["source_table"], table))
        errors = pc.unique(mine.filter(pc.equal(mine["severity"], "error"))["source_row"].drop_null())
        queried = pc.unique(mine.filter(pc.equal(mine["severity"], "query"))["source_row"].drop_null())
        flagged = len(queried) - pc.sum(pc.is_in(queried, errors)).as_py() if len(queried) else 0
        rejected = rows if refused else len(errors)
        counted[table] = RowCounts(rows, rows - rejected, 0 if refused else flagged, rejected)
    return counted


def as_findings(issues: pa.Table) -> pa.Table:
    """Issues of the ledger in the schema of findings, with the version of the rule that found each."""
    from expectations.suites import rules_for
    from expectations.verdicts import FINDINGS

    codebook = load_codebook()
    versions = {rule.id: rule.version for entity in codebook.entities for rule in rules_for(entity, codebook)}
    encoded = issues["rule"].combine_chunks().dictionary_encode()
    version = pa.array([versions.get(rule, "1") for rule in encoded.dictionary.to_pylist()], pa.string())
    columns = {
        "rule": issues["rule"],
        "version": version.take(encoded.indices),
        "severity": issues["severity"],
        "source_table": issues["table"],
        "source_row": issues["row"],
        "source_column": issues["column"],
        "variable": issues["variable"],
    }
    return pa.table(columns, schema=FINDINGS)
