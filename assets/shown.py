"""What Dagster's UI shows of a source, a stage and a delivery: counts, rules, schemas, lineage. Never a value.

The open-source UI does not draw column lineage, so it is said three times: as lineage metadata, in every column's
description, and as a Markdown table.
"""

from __future__ import annotations

from typing import Any

import dagster as dg

from assets.stages.report import StageReport
from codebook.loader import load_codebook
from sources.models import Source

FAMILIES = {
    "reading": ("read.",),
    "gate": ("gate.",),
    "mapping": ("map.",),
    "keys": ("key.",),
    "rules": ("rule.",),
}
"""Checks by family: fewer than 50 an asset, counts by rule inside."""

FAMILY_WORDS = {
    "reading": "Cells that could not be read as they stand in the supplier's file.",
    "gate": "Consent, keys and identifiers at the gate; columns nobody declared.",
    "mapping": "Codes, dates, numbers and places that the crosswalk does not know.",
    "keys": "Rows delivered twice.",
    "rules": "Rules of the codebook: required answers, ranges, dates, consistency.",
    "accepted": "The delivery as a whole was taken.",
}

MART_DESCRIPTIONS = {
    "rss_score": "Reintegration sustainability scores per interview, by method, in exact arithmetic.",
    "indicator_value": "Indicator values, each with numerator, denominator, method, mapping and deliveries behind it.",
    "comparability": "Which source collects which variable of the codebook, and how exactly.",
}


def check_specs(asset: dg.AssetKey, stage: str) -> list[dg.AssetCheckSpec]:
    """The checks of a stage: every family on `validated`; on the others, that the delivery was taken."""
    names = [*FAMILIES, "accepted"] if stage == "validated" else ["accepted"]
    return [dg.AssetCheckSpec(name, asset=asset, description=FAMILY_WORDS[name]) for name in names]


def check_results(report: StageReport) -> list[dg.AssetCheckResult]:
    """A family fails (as a warning) when one of its rules found something; a refused delivery fails as an error."""
    taken = dg.AssetCheckResult(
        check_name="accepted",
        passed=report.refused is None,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={} if report.refused is None else {"refused": report.refused},
    )
    if report.stage != "validated":
        return [taken]
    results = [taken]
    for family, prefixes in FAMILIES.items():
        found = {rule: count for rule, count in report.rules.items() if rule.startswith(prefixes)}
        results.append(
            dg.AssetCheckResult(
                check_name=family,
                passed=not found,
                severity=dg.AssetCheckSeverity.WARN,
                metadata={"findings": sum(found.values()), "by_rule": _counts_table("rule", found)},
            )
        )
    return results


def metadata(source: Source, report: StageReport) -> dict[str, Any]:
    """Metadata of one materialization."""
    shown: dict[str, Any] = {
        "state": report.state,
        "counts": _counts_table("rows", report.counts),
        "codebook_version": load_codebook().version,
        "crosswalk_version": source.version,
    }
    if report.refused:
        shown["refused"] = report.refused
    if report.rules:
        shown["findings"] = _counts_table("rule", report.rules)
    if (rows := report.counts.get("accepted", report.counts.get("rows_out", report.counts.get("rows_in")))) is not None:
        shown["dagster/row_count"] = rows
    shown |= {f"fact/{name}": str(value) for name, value in report.facts.items()}
    return shown


def one_line(report: StageReport) -> str:
    """The stage in one log line."""
    counts = ", ".join(f"{name} {count}" for name, count in report.counts.items())
    return f"{report.stage}: {report.refused or counts or report.state}"


def definition_metadata(source: Source, stage: str) -> dict[str, Any]:
    """Schema, column lineage and mapping of the stages that have the codebook's columns; known before any run."""
    if stage not in ("harmonized", "validated", "published"):
        return {}
    from harmonization.lineage import lineage

    entries = [entry for entry in lineage(source) if entry.variable]
    upstream = dg.AssetKey([*source.source.split("/"), "pseudonymized"])
    codebook = load_codebook()
    columns, deps, rows = [], {}, []
    for entry in entries:
        name = f"{entry.entity}.{entry.variable}"
        variable = codebook.entities[entry.entity].variable(entry.variable)
        columns.append(dg.TableColumn(name, variable.type, description=f"{variable.label.en}: {entry}"))
        deps[name] = [dg.TableColumnDep(upstream, column) for column in entry.columns]
        rows.append(f"| {name} | {', '.join(entry.columns)} | {entry.rule} | {entry.status} |")
    table = "\n".join(["| variable | supplier's column | rule | status |", "|---|---|---|---|", *rows])
    return {
        "dagster/column_schema": dg.TableSchema(columns=columns),
        "dagster/column_lineage": dg.TableColumnLineage(deps_by_column=deps),
        "mapping": dg.MetadataValue.md(table),
    }


def ledger_metadata(entries: list[Any]) -> dict[str, Any]:
    """The last deliveries of a source as a Markdown table."""
    head = ["| delivery | state | rows in | accepted | rejected | refused |", "|---|---|---|---|---|---|"]
    rows = [
        f"| {e.delivery_id} | {e.state} | {_cell(e.rows_in)} | {_cell(e.accepted)} | {_cell(e.rejected)} |"
        f" {e.refused_reason or ''} |"
        for e in entries
    ]
    return {"deliveries": dg.MetadataValue.md("\n".join(head + rows)), "dagster/row_count": len(entries)}


def _cell(count: int | None) -> str:
    return "" if count is None else f"{count:,}"


def _counts_table(what: str, counts: dict[str, int]) -> dg.MarkdownMetadataValue:
    lines = [f"| {what} | count |", "|---|---|", *(f"| {name} | {count:,} |" for name, count in counts.items())]
    return dg.MetadataValue.md("\n".join(lines) if counts else "none")
