"""Verdicts on a staged delivery in a real PostgreSQL."""

import dataclasses
import datetime as dt
import logging
import random
from collections.abc import Mapping, Sequence

import pyarrow as pa
import pytest
import sqlalchemy as sa
from expectations_staging import RECEIVED, Staging

from codebook.errors import Unavailable
from codebook.loader import load_codebook
from expectations import gx_run, validate
from expectations.conditions import failing
from expectations.suites import FAMILIES, Rule, rules_for
from expectations.verdicts import CouldNotRun, RowCounts
from sources.batches import ISSUES, issues_table

CANARY = 987654321


def issue(row: int | None, rule: str, severity: str) -> pa.Table:
    return issues_table("main", pa.array([row], pa.int64()), rule, severity, "COL", "status")


def verdicts_by_row(staging: Staging) -> dict[int, tuple[bool, bool]]:
    rows = staging.sql(f"SELECT source_row, rejected, flagged FROM {staging.schema}.verdicts")
    return {row.source_row: (row.rejected, row.flagged) for row in rows}


def test_an_error_rejects_a_query_flags_and_a_note_does_neither(staging: Staging) -> None:
    staging.stage([{}, {"status": 9}, {"children": 5}, {"reason": 2}, {"children": 5, "status": 9}])
    found = staging.judge()
    assert verdicts_by_row(staging) == {
        3: (True, False),
        4: (False, True),
        5: (False, False),
        6: (True, False),
    }, "a row without a finding needs no verdict"
    assert found.tables == {"main": RowCounts(rows_in=5, accepted=3, flagged=1, rejected=2)}
    assert found.refused is None


def test_issues_of_earlier_stages_count_as_findings(staging: Staging) -> None:
    """A row that the gate or the reader held back was never staged, and is counted all the same (design law 2)."""
    staging.stage([{}, {}, {}, {}])
    issues = pa.concat_tables(
        [
            issue(3, "map.unknown_code", "error"),
            issue(99, "read.ragged_row", "error"),
            issue(None, "gate.undeclared_column", "note"),
            issue(4, "gate.check_digit", "query"),
        ]
    )
    found = staging.judge(issues)
    assert found.totals == RowCounts(rows_in=5, accepted=3, flagged=1, rejected=2)
    assert verdicts_by_row(staging)[99] == (True, False)
    assert (None, "gate.undeclared_column") in staging.broken()
    assert found.findings_by_rule["map.unknown_code"] == 1


def test_one_fault_is_one_finding(staging: Staging) -> None:
    """An unreadable date reaches staging as missing: its supplier is told that it is unreadable, and no more."""
    staging.stage([{"open_date": -5}, {"open_date": -5}, {}, {}])
    unreadable = issues_table("main", pa.array([2], pa.int64()), "map.unreadable_date", "error", "COL", "open_date")
    found = staging.judge(unreadable)
    assert staging.broken() == {(2, "map.unreadable_date"), (3, "rule.case.open_date.required")}
    assert found.findings_by_rule == {"map.unreadable_date": 1, "rule.case.open_date.required": 1}


def test_of_identical_copies_the_first_stays(staging: Staging) -> None:
    staging.stage([{}, {}, {}, {}], keys=[1, 2, 1, 1])
    staging.judge()
    assert staging.broken() == {(4, "key.duplicate_row"), (5, "key.duplicate_row")}


def test_of_contradicting_rows_none_stays(staging: Staging) -> None:
    staging.stage([{}, {"members": 3}, {}, {}, {}], keys=[1, 1, 1, 2, 3])
    found = staging.judge()
    assert staging.broken() == {(2, "key.duplicate"), (3, "key.duplicate"), (4, "key.duplicate")}
    assert found.failed_by_family["key"] == 1


def test_a_row_without_a_key_is_no_copy_of_another(staging: Staging) -> None:
    staging.stage([{}, {}, {}, {}], keys=[None, None, 1, 2])
    staging.judge()
    assert staging.broken() == {(2, "rule.case.record_key"), (3, "rule.case.record_key")}


def test_too_many_rejected_refuse_the_whole(staging: Staging) -> None:
    staging.stage([{}, {"status": 9}])
    assert staging.judge().refused is None
    staging.stage([{}, {"status": 9}, {"status": 9}])
    assert staging.judge().refused == "delivery.too_many_rejected"


def test_no_accepted_row_refuses_the_whole() -> None:
    assert validate.refusal(RowCounts(rows_in=3, rejected=3), 1.0) == "delivery.too_many_rejected"
    assert validate.refusal(RowCounts(), 1.0) == "delivery.empty"


def test_judging_again_gives_the_same(staging: Staging) -> None:
    staging.stage([{}, {"status": 9}, {"children": 5}, {}], keys=[1, 2, 3, 1])
    issues = issue(2, "map.unknown_place", "query")
    assert staging.judge(issues) == staging.judge(issues)
    assert len(staging.sql(f"SELECT 1 FROM {staging.schema}.findings")) == 4


def test_a_crashed_rule_neither_passes_nor_fails(staging: Staging) -> None:
    """Great Expectations reports a crash as a failure, and drags down every rule counted in the same query."""
    staging.stage([{}, {"status": 9}])
    rules = staging.rules()
    arguments = {"column": "no_such_column", "min_value": 0, "max_value": 1}
    broken = dataclasses.replace(rules[6], id="rule.case.nowhere.range", arguments=arguments)
    with pytest.raises(CouldNotRun, match=r"rule\.case\.nowhere\.range") as caught:
        staging.judge(rules=[*rules, broken])
    assert caught.value.rules == ("rule.case.nowhere.range",)
    assert staging.sql(f"SELECT to_regclass('{staging.schema}.verdicts')")[0][0] is None
    found = gx_run.outcomes(staging.url, staging.schema, "case", [*rules, broken], RECEIVED)
    assert found["rule.case.status.code"] == "fail"
    assert found["rule.case.members.range"] == "pass"


def test_a_server_that_is_away_could_not_run(staging: Staging) -> None:
    staging.stage([{}])
    away = dataclasses.replace(staging, url="postgresql+psycopg://nobody:p$w@127.0.0.1:1/none")
    with pytest.raises(Unavailable) as caught:
        away.judge()
    assert "p$w" not in str(caught.value)


def test_a_dollar_in_the_url_is_not_a_variable_of_great_expectations(staging: Staging) -> None:
    staging.stage([{}])
    separator = "&" if "?" in staging.url else "?"
    dollar = dataclasses.replace(staging, url=f"{staging.url}{separator}application_name=pa$$word$HOME")
    assert dollar.judge().totals.accepted == 1


def test_an_error_of_the_database_is_told_by_its_code_only(staging: Staging) -> None:
    staging.stage([{"members": CANARY}])
    staging.sql(f"ALTER TABLE {staging.schema}.rows RENAME COLUMN row_key TO key_{CANARY}")
    with pytest.raises(Unavailable, match="42703") as caught:
        staging.judge()
    assert str(CANARY) not in f"{caught.value!r} {caught.value.__cause__}"


def random_rows(columns: Mapping[str, Sequence[object]], n: int = 400) -> list[dict[str, object]]:
    chance = random.Random(7)
    return [{name: chance.choice(choices) for name, choices in columns.items()} for _ in range(n)]


def counts(staging: Staging, table: str, rules: list[Rule]) -> tuple[dict[str, int], dict[str, int]]:
    """Failing rows of each rule: as Great Expectations counts them, and as our own statement selects them."""
    import great_expectations as gx

    from expectations.suites import suite

    context = gx.get_context(mode="ephemeral")
    source = context.data_sources.add_sql("counted", connection_string=staging.url)
    asset = source.add_table_asset("rows", table_name=table, schema_name=staging.schema)
    batch = asset.add_batch_definition_whole_table("all").get_batch()
    result = batch.validate(suite("counted", rules, RECEIVED), result_format="SUMMARY")
    asked = [(one.expectation_config, one.result) for one in result.results]
    theirs = {rule.meta["rule"]: found["unexpected_count"] for rule, found in asked if rule and rule.meta}
    source.get_engine().dispose()
    engine = sa.create_engine(staging.url)
    with engine.connect() as connection:
        rows = sa.table(table, schema=staging.schema)
        ours = {
            rule.id: connection.execute(
                sa.select(sa.func.count()).select_from(rows).where(failing(rule, RECEIVED))
            ).scalar_one()
            for rule in rules
        }
    engine.dispose()
    return theirs, ours


def test_our_statement_selects_what_great_expectations_counts(staging: Staging) -> None:
    states = [-1, -2, -3, -4, -5, None]
    days = [dt.date(1850, 1, 1), dt.date(2020, 1, 1), dt.date(2024, 5, 5), dt.date(2030, 1, 1)]
    columns: dict[str, list[object]] = {
        "status": [1, 2, 9, *states],
        "reason": [1, 2, 9, *states],
        "flags": [[1], [1, 9], [9], [-5], [-1], [], None],
        "members": [0, 1, 30, 31, *states],
        "children": [-9, 0, 3, 31, *states],
        "income": [-9, 0, 5000, 5001, *states],
        "open_date": [*days, *states],
        "close_date": [*days, *states],
    }
    staging.stage(random_rows(columns))
    theirs, ours = counts(staging, "case", staging.rules())
    assert theirs == ours
    assert [rule for rule, count in ours.items() if count == 0] == ["rule.case.record_key"]


def test_every_rule_of_the_real_codebook_can_run(staging: Staging) -> None:
    codebook = load_codebook()
    for entity in codebook.entities:
        columns = ", ".join(f"{column.name} {column.pg_type}" for column in codebook.columns(entity))
        staging.sql(f"CREATE SCHEMA IF NOT EXISTS {staging.schema}")
        staging.sql(f'CREATE TABLE {staging.schema}."{entity}" ({columns})')
        staging.sql(
            f'INSERT INTO {staging.schema}."{entity}" (record_key) SELECT gen_random_uuid() FROM generate_series(1, 3)'
        )
        rules = rules_for(entity, codebook)
        assert len({rule.id for rule in rules}) == len(rules)
        assert {rule.family for rule in rules} <= set(FAMILIES)
        found = gx_run.outcomes(staging.url, staging.schema, entity, rules, RECEIVED)
        assert set(found.values()) == {"pass"}, entity


def test_no_value_reaches_a_log_an_error_or_a_finding(
    staging: Staging, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    staging.stage([{"members": CANARY}, {}, {}])
    staging.judge()
    table = staging.sql(f"SELECT * FROM {staging.schema}.findings")
    rules = staging.rules()
    mistyped = {"column": "members", "codes": [f"{CANARY}x"]}
    crash = dataclasses.replace(rules[1], arguments=mistyped)
    with pytest.raises(CouldNotRun) as caught:
        staging.judge(rules=[*rules[2:], crash])
    printed = capfd.readouterr()
    everything = f"{table} {caught.value!r} {caught.value} {caplog.text} {printed.out} {printed.err}"
    assert str(CANARY) not in everything


def test_findings_are_read_back_as_they_were_written(staging: Staging) -> None:
    staging.stage([{}, {"status": 9}])
    staging.judge(issue(None, "gate.undeclared_column", "note"))
    found = validate.read_findings(staging.url, staging.schema, "findings")
    assert found.to_pylist() == [
        {"rule": "gate.undeclared_column", "version": "1", "severity": "note", "source_table": "main",
         "source_row": None, "source_column": "COL", "variable": "status"},
        {"rule": "rule.case.status.code", "version": "1.0.0", "severity": "error", "source_table": "main",
         "source_row": 3, "source_column": None, "variable": "status"},
    ]  # fmt: skip


def test_no_issue_and_no_row_is_an_empty_delivery(staging: Staging) -> None:
    staging.stage([])
    found = staging.judge(ISSUES.empty_table())
    assert (found.refused, found.tables, found.totals) == ("delivery.empty", {}, RowCounts())
    assert validate.read_findings(staging.url, staging.schema, "findings").num_rows == 0
