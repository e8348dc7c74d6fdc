"""The marked return: what a supplier gets back for a delivery, in the supplier's own rows, columns and language.

Three files that say the same: `return.json` is the truth and complete, `return.html` and `return.xlsx` are for
reading. A finding names a rule, a place and how to mend it, and never a value. A refused delivery gets one too.
Not here: judging (`validate`), sending the folder anywhere.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np
import pyarrow as pa

from codebook.errors import Unavailable
from expectations.verdicts import FINDINGS, RowCounts
from expectations.words import Text, Words

if TYPE_CHECKING:
    from codebook.loader import Codebook
    from sources.models import Source

SEVERITIES = ("error", "query", "note")
LISTED = 2000
"""Rows of one rule that HTML and XLSX list; totals count all of them, and JSON lists all of them."""

Rows = np.ndarray[tuple[int], np.dtype[np.int64]]


@dataclass(frozen=True)
class ReturnedTable:
    """One of the supplier's tables: its name for us and for them, its counts, and whose answers its columns hold.

    `headers`: source column -> header in the file, where they differ. `columns`: (entity, variable) -> source columns.
    """

    table: str
    sheet: str
    counts: RowCounts = field(default_factory=RowCounts)
    headers: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Return:
    """Everything that a marked return says. `refused_reason` is a `delivery.*` rule; `refused_where` names the file,
    sheet or columns meant, and no value. `findings`: schema FINDINGS."""

    source: str
    delivery: str
    title: str
    language: str
    files: tuple[str, ...]
    received: dt.date
    state: str
    tables: tuple[ReturnedTable, ...]
    versions: Mapping[str, str]
    codebook: Codebook
    findings: pa.Table = field(default_factory=FINDINGS.empty_table)
    refused_reason: str | None = None
    refused_where: str = ""

    @property
    def totals(self) -> RowCounts:
        return sum((table.counts for table in self.tables), RowCounts())


@dataclass(frozen=True)
class Marks:
    """All findings of one rule at one column of one sheet: what they share, and the rows (none: the whole place)."""

    rule: str
    version: str
    severity: str
    table: str | None
    sheet: str | None
    column: str | None
    text: Text
    rows: Rows

    @property
    def count(self) -> int:
        return max(1, len(self.rows))

    @property
    def scope(self) -> str:
        if len(self.rows):
            return "row"
        return "column" if self.column else "table" if self.sheet else "delivery"

    def findings(self, delivery: str) -> Iterator[tuple[str, int | None]]:
        """(finding id, row); an id is the same whenever the same delivery breaks the same rule at the same place."""
        about = hashlib.blake2b(digest_size=6)
        for part in (delivery, self.rule, self.table, self.column):
            about.update(json.dumps(part).encode())
        for row in self.rows.tolist() if len(self.rows) else [None]:
            one = about.copy()
            one.update(str(row).encode())
            yield one.hexdigest(), row


@dataclass(frozen=True)
class RuleTotal:
    """One rule over the whole delivery."""

    rule: str
    version: str
    severity: str
    count: int
    text: Text


@dataclass(frozen=True)
class Report:
    """A return with its findings gathered and worded: what the three files are written from."""

    facts: Return
    words: Words
    marks: tuple[Marks, ...]

    @property
    def rules(self) -> list[RuleTotal]:
        """Errors first, then by rule id."""
        by_rule: dict[tuple[str, str, str], list[Marks]] = {}
        for mark in self.marks:
            by_rule.setdefault((mark.rule, mark.version, mark.severity), []).append(mark)
        return [RuleTotal(*rule, sum(mark.count for mark in marks), marks[0].text) for rule, marks in by_rule.items()]


def write(folder: Path, return_: Return) -> Path:
    """Write the three files and put them in place together; an older return of the same delivery is replaced.

    Raises Unavailable when the disk does not take them; then `folder` is as it was.
    """
    from expectations import returns_html, returns_xlsx

    report = gather(return_)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        for left_behind in folder.parent.glob(f".{folder.name}.*"):
            shutil.rmtree(left_behind)
        new = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        try:
            with (new / "return.json").open("w", encoding="utf-8") as file:
                write_json(report, file)
            returns_html.write(report, new / "return.html")
            returns_xlsx.write(report, new / "return.xlsx")
            new.chmod(0o755)
            if folder.exists():
                folder.rename(new / "replaced")
            new.rename(folder)
        except BaseException:
            shutil.rmtree(new, ignore_errors=True)
            raise
        shutil.rmtree(folder / "replaced", ignore_errors=True)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else type(error).__name__
        raise Unavailable("the return could not be written", f"{folder.name}: {reason}", "run again") from None
    return folder


def columns_from(source: Source, table: str) -> dict[tuple[str, str], tuple[str, ...]]:
    """(entity, variable) -> the source columns that the crosswalk reads for it; `record_key` -> the key columns."""
    found = {
        (entity, variable): tuple(dict.fromkeys(row.column for row in rows if row.column))
        for (of_table, entity, variable), rows in source.crosswalk.variables.items()
        if of_table == table
    }
    declared = source.table(table)
    for entity, key in declared.entities.items():
        found[entity, "record_key"] = tuple(key.key or declared.key)
    return found


def gather(return_: Return) -> Report:
    """The findings by rule and place, in the supplier's names and words. Two findings that are one to the supplier
    (one column that answers two variables) are counted once."""
    words = Words(return_.language, return_.codebook)
    tables = {table.table: table for table in return_.tables}
    texts: dict[str, Text] = {}
    places: dict[tuple[str, str, str, str | None, str | None], list[Rows]] = {}
    keys = ["rule", "version", "severity", "source_table", "source_column", "variable"]
    grouped = return_.findings.group_by(keys, use_threads=False).aggregate([("source_row", "list")])
    for rule, version, severity, table, column, variable, rows in zip(
        *(grouped[name].to_pylist() for name in keys),
        (rows.values.drop_null().to_numpy() for rows in grouped["source_row_list"]),
        strict=True,
    ):
        header = _header(return_.codebook, tables.get(table), rule, column, variable)
        texts.setdefault(rule, words.rule(rule))
        places.setdefault((rule, version, severity, table, header), []).append(rows)
    if return_.refused_reason:
        text = words.rule(return_.refused_reason)
        columns = [column for rule, _, _, _, column in places if rule == return_.refused_reason and column]
        where = ", ".join([*columns, *filter(None, [return_.refused_where])])
        texts[return_.refused_reason] = Text(text.message + (f" ({where})" if where else ""), text.mend)
        if not columns:
            places[return_.refused_reason, "1", "error", None, None] = []
    marks = [
        Marks(rule, version, severity, table, _sheet(tables, table), column, texts[rule], _joined(rows))
        for (rule, version, severity, table, column), rows in places.items()
    ]
    order = {severity: n for n, severity in enumerate(SEVERITIES)}
    marks.sort(key=lambda mark: (order[mark.severity], mark.rule, mark.sheet or "", mark.column or ""))
    return Report(return_, words, tuple(marks))


def write_json(report: Report, file: IO[str]) -> None:
    """return.json, as docs/statistics-office.md describes it; findings one a line, since there can be a million."""
    facts = report.facts
    head = {
        "source": facts.source,
        "delivery": facts.delivery,
        "title": facts.title,
        "files": list(facts.files),
        "received": facts.received.isoformat(),
        "language": report.words.language,
        "state": facts.state,
        "refused_reason": facts.refused_reason,
        "totals": _counts(facts.totals),
        "tables": [{"table": table.table, "sheet": table.sheet, **_counts(table.counts)} for table in facts.tables],
        "versions": dict(facts.versions),
        "rules": [
            {
                "rule": rule.rule,
                "version": rule.version,
                "severity": rule.severity,
                "count": rule.count,
                "message": rule.text.message,
                "mend": rule.text.mend,
            }
            for rule in report.rules
        ],
    }
    file.write(json.dumps(head, ensure_ascii=False, indent=1)[:-2] + ',\n "findings": [')
    separator = "\n"
    for mark in report.marks:
        before = _members(rule=mark.rule, severity=mark.severity, scope=mark.scope, sheet=mark.sheet)
        after = _members(column=mark.column, message=mark.text.message, mend=mark.text.mend)
        for finding, row in mark.findings(facts.delivery):
            place = "null" if row is None else row
            file.write(f'{separator}  {{"id": "{finding}", {before}, "row": {place}, {after}}}')
            separator = ",\n"
    file.write("\n ]\n}\n")


def _members(**parts: str | None) -> str:
    return json.dumps(parts, ensure_ascii=False)[1:-1]


def _counts(counts: RowCounts) -> dict[str, int]:
    return dict(zip(("rows_in", "accepted", "flagged", "rejected"), counts.parts, strict=True))


def _joined(rows: list[Rows]) -> Rows:
    return np.unique(np.concatenate(rows)) if rows else np.empty(0, np.int64)


def _sheet(tables: Mapping[str, ReturnedTable], table: str | None) -> str | None:
    return tables[table].sheet if table is not None and table in tables else table


def _header(
    codebook: Codebook, table: ReturnedTable | None, rule: str, column: str | None, variable: str | None
) -> str | None:
    """The supplier's name for where a finding is: its column, or the columns that the rule's variables come from."""
    if table is None:
        return column
    if column is not None:
        return table.headers.get(column, column)
    parts = rule.split(".")
    if parts[0] != "rule" or variable is None or parts[1] not in codebook.entities:
        return None
    crossing = [definition for definition in codebook.entities[parts[1]].rules if definition.id == parts[2]]
    variables = crossing[0].variables if len(parts) == 3 and crossing else (variable,)
    named = dict.fromkeys(name for one in variables for name in table.columns.get((parts[1], one), ()))
    return ", ".join(table.headers.get(name, name) for name in named) or None
