"""What a judgement is made of: verdicts of rules, counts of rows, findings, and the error of a rule that crashed.

Plain data that the validation fills and that the stages and the marked return read. Nothing here touches a database.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

from codebook.errors import Unavailable
from expectations.suites import FAMILIES, Family, Rule

Verdict = Literal["pass", "fail", "could_not_run"]

FINDINGS = pa.schema(
    [
        ("rule", pa.string()),
        ("version", pa.string()),
        ("severity", pa.string()),
        ("source_table", pa.string()),
        ("source_row", pa.int64()),
        ("source_column", pa.string()),
        ("variable", pa.string()),
    ]
)
"""Columns of the findings table. `source_row` is null for a whole column, table or delivery. No value, ever."""

KEY_RULES = ("key.duplicate", "key.duplicate_row")


class CouldNotRun(Unavailable):
    """A rule crashed, so nobody knows whether the delivery holds it: neither pass nor fail, nothing is published."""

    def __init__(self, rules: Sequence[str], where: str) -> None:
        named = ", ".join(rules[:3]) + (f" and {len(rules) - 3} more" if len(rules) > 3 else "")
        super().__init__(
            f"could not run {named}", where, "nothing was published; mend the rule or the table, run again"
        )
        self.rules = tuple(rules)
        self.args = (rules, where)


@dataclass(frozen=True)
class RuleVerdict:
    """What one rule said, and on how many rows it failed, not counting those whose cell an earlier stage had found."""

    rule: Rule
    verdict: Verdict
    count: int = 0


@dataclass(frozen=True)
class RowCounts:
    """Rows of one of the supplier's tables. `rows_in` = `accepted` + `rejected`; `flagged` are among the accepted."""

    rows_in: int = 0
    accepted: int = 0
    flagged: int = 0
    rejected: int = 0

    def __add__(self, other: RowCounts) -> RowCounts:
        pairs = zip(self.parts, other.parts, strict=True)
        return RowCounts(*(mine + theirs for mine, theirs in pairs))

    @property
    def parts(self) -> tuple[int, int, int, int]:
        return self.rows_in, self.accepted, self.flagged, self.rejected


@dataclass(frozen=True)
class Verdicts:
    """The outcome for a delivery. `refused` is the `delivery.*` rule that refuses the whole of it, if one does."""

    rules: tuple[RuleVerdict, ...]
    tables: dict[str, RowCounts]
    findings_by_rule: dict[str, int]
    refused: str | None = None

    @property
    def failed_by_family(self) -> dict[Family, int]:
        """Number of rules that failed in each family; the rules of shared keys have no expectation and count as key."""
        failed = Counter(verdict.rule.family for verdict in self.rules if verdict.verdict == "fail")
        failed["key"] += sum(rule in self.findings_by_rule for rule in KEY_RULES)
        return {family: failed[family] for family in FAMILIES}

    @property
    def totals(self) -> RowCounts:
        return sum(self.tables.values(), RowCounts())
