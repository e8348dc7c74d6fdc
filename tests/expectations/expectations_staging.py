"""A codebook of one small entity with every kind of rule, and a staged table to judge by it."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa
import yaml

from codebook.loader import Codebook, load_codebook
from codebook.models import Code, CodeList, Entity
from expectations import gx_run, validate
from expectations.suites import Rule, rules_for
from expectations.verdicts import Verdicts
from sources.batches import ISSUES

RECEIVED = dt.date(2026, 11, 22)

LABELS = "label: {en: E, fr: F, es: S, ar: A}, description: d"
CASE = f"""
entity: case
label: {{en: Case, fr: Dossier, es: Caso, ar: حالة}}
description: A case.
unit: case
variables:
  - {{name: status, type: code, codelist: status, role: plain, required: true, {LABELS}}}
  - {{name: reason, type: code, codelist: reason, role: plain, {LABELS}}}
  - {{name: flags, type: codes, codelist: reason, role: sensitive, required: true, {LABELS}}}
  - {{name: members, type: integer, role: plain, range: [1, 30], {LABELS}}}
  - {{name: children, type: integer, role: plain, range: [0, null], range_severity: query, required: true,
     universe: {{variable: status, equals: [open]}}, {LABELS}}}
  - {{name: income, type: decimal, role: plain, range: [0, 5000], {LABELS}}}
  - {{name: open_date, type: date, role: plain, required: true, {LABELS}}}
  - {{name: close_date, type: date, role: plain, {LABELS}}}
rules:
  - {{id: closed_after_open, kind: not_before, variables: [close_date, open_date], severity: error,
     label: {{en: E, fr: F, es: S, ar: A}}}}
  - {{id: children_among_members, kind: not_after, variables: [children, members], severity: query,
     label: {{en: E, fr: F, es: S, ar: A}}}}
  - {{id: reason_when_closed, kind: required_when, variables: [reason], when: {{variable: status, equals: [closed]}},
     severity: error, label: {{en: E, fr: F, es: S, ar: A}}}}
  - {{id: status_is_reason, kind: equal, variables: [status, reason], severity: note,
     label: {{en: E, fr: F, es: S, ar: A}}}}
"""
STATES = {
    -1: "dont_know",
    -2: "refused",
    -3: "not_applicable",
    -4: "skipped_by_logic",
    -5: "missing_unexpected",
}

GOOD = {
    "status": 1,
    "reason": -4,
    "flags": [2],
    "members": 4,
    "children": 2,
    "income": Decimal("120.00"),
    "open_date": dt.date(2025, 1, 1),
    "close_date": dt.date(2025, 6, 1),
}
"""A row that breaks no rule. An answer that is a negative number in a typed column is stored as its state."""


def _codes(names: dict[int, str]) -> tuple[Code, ...]:
    return tuple(
        Code(code=code, name=name, label_en=name, label_fr=name, label_es=name, label_ar=name)
        for code, name in names.items()
    )


@pytest.fixture(scope="session")
def small() -> Codebook:
    states = _codes(STATES)
    lists = {"status": {1: "open", 2: "closed"}, "reason": {1: "ended", 2: "left", 3: "died"}}
    codelists = {name: CodeList(name, _codes(codes), states) for name, codes in lists.items()}
    entities = {"case": Entity(**yaml.safe_load(CASE))}
    return replace(load_codebook(), version="1.0.0", codelists=codelists, entities=entities)


@dataclass
class Staging:
    """A schema of its own in the real server, where a delivery's rows are staged and judged."""

    url: str
    schema: str
    codebook: Codebook

    def sql(self, statement: str) -> list[Any]:
        engine = sa.create_engine(self.url)
        with engine.begin() as connection:
            result = connection.execute(sa.text(statement))
            rows = list(result) if result.returns_rows else []
        engine.dispose()
        return rows

    def stage(self, rows: list[dict[str, object]], keys: list[int | None] | None = None) -> None:
        """Each row is GOOD with changes; row numbers start at 2. `keys`: each one's natural key, else all differ."""
        engine = sa.create_engine(self.url)
        metadata = sa.MetaData()
        columns = self.codebook.columns("case")
        from sqlalchemy.dialects import postgresql as pg

        types: dict[str, Any] = {
            "uuid": pg.UUID(as_uuid=False), "text": sa.Text(), "bigint": sa.BigInteger(), "smallint": sa.SmallInteger(),
            "smallint[]": pg.ARRAY(sa.SmallInteger()), "integer": sa.Integer(), "date": sa.Date(),
            "numeric(18,2)": sa.Numeric(18, 2),
        }  # fmt: skip
        table = sa.Table("case", metadata, *(sa.Column(c.name, types[c.pg_type]) for c in columns), schema=self.schema)
        ledger = sa.Table(
            "rows", metadata, sa.Column("source_table", sa.Text), sa.Column("source_row", sa.BigInteger),
            sa.Column("row_key", pg.UUID(as_uuid=False)), schema=self.schema,
        )  # fmt: skip
        keys = keys or list(range(len(rows)))
        typed = {v.name for v in self.codebook.entities["case"].variables if not v.coded}
        staged, lines = [], []
        for number, (changes, key) in enumerate(zip(rows, keys, strict=True), 2):
            row: dict[str, object] = {}
            for name, value in (GOOD | changes).items():
                state = name in typed and value in STATES
                row[name] = None if state else value
                if name in typed:
                    row[f"{name}_state"] = value if state else None
            uuid = None if key is None else f"00000000-0000-0000-0000-{key:012d}"
            staged.append({"record_key": uuid, "source_table": "main", "source_row": number, **row})
            lines.append({"source_table": "main", "source_row": number, "row_key": uuid})
        with engine.begin() as connection:
            connection.execute(sa.schema.CreateSchema(self.schema, if_not_exists=True))
            metadata.drop_all(connection)
            metadata.create_all(connection)
            if staged:
                connection.execute(sa.insert(table), staged)
                connection.execute(sa.insert(ledger), lines)
        engine.dispose()

    def rules(self) -> list[Rule]:
        return rules_for("case", self.codebook)

    def judge(self, issues: pa.Table | None = None, rules: list[Rule] | None = None) -> Verdicts:
        asked = self.rules() if rules is None else rules
        return validate.run(
            self.url,
            self.schema,
            {"case": "case"},
            "rows",
            ISSUES.empty_table() if issues is None else issues,
            RECEIVED,
            rules=asked,
            outcomes=gx_run.outcomes(self.url, self.schema, "case", asked, RECEIVED),
            findings_table="findings",
            verdict_table="verdicts",
            max_rejected_share=0.5,
        )

    def broken(self) -> set[tuple[int | None, str]]:
        """(row, rule) of every finding."""
        found = validate.read_findings(self.url, self.schema, "findings")
        return set(zip(found["source_row"].to_pylist(), found["rule"].to_pylist(), strict=True))


@pytest.fixture
def staging(postgres_url: str, small: Codebook, request: pytest.FixtureRequest) -> Iterator[Staging]:
    schema = "expect_" + str(abs(hash(request.node.name)) % 10**8)
    staged = Staging(postgres_url, schema, small)
    yield staged
    staged.sql(f"DROP SCHEMA IF EXISTS {schema} CASCADE")


@pytest.fixture
def only(staging: Staging) -> Callable[..., set[str]]:
    """Rules that one row breaks, beside others that break none."""

    def broken(**changes: object) -> set[str]:
        staging.stage([{}, changes, {}])
        staging.judge()
        assert {row for row, _ in staging.broken()} <= {3}
        return {rule for _, rule in staging.broken()}

    return broken
