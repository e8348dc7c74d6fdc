"""The main job, end to end: what the samples' manifests promise is what the warehouse and the returns say."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from homes import House

pytestmark = pytest.mark.slow

SAMPLED = ("civ/kobo_rss", "eth/kobo_rss", "gtm/ine_rss", "hnd/inm_cases", "slv/dgme_returns")


def marked_return(demo: House, source: str) -> dict:
    delivery = demo.status()[source]["delivery"]
    return json.loads((demo.home / "outbox" / source / delivery / "return.json").read_text())


@pytest.mark.parametrize("source", SAMPLED)
def test_every_sample_is_published_with_the_counts_of_its_manifest(demo: House, source: str) -> None:
    entry, expected = demo.status()[source], demo.manifests()[source].counts()
    assert entry["state"] == "published"
    assert {name: entry[name] for name in expected} == expected


@pytest.mark.parametrize("source", SAMPLED)
def test_every_row_has_the_outcome_that_its_manifest_promises(demo: House, source: str) -> None:
    found: dict[tuple[str, int], dict[str, str]] = defaultdict(dict)
    for table, row, rule, severity in demo.sql(
        "SELECT source_table, source_row, rule, severity FROM audit.finding"
        f" WHERE source_id = '{source}' AND source_row IS NOT NULL"
    ):
        found[table, row][rule] = severity
    differing = []
    for expected in demo.manifests()[source].rows:
        severities = set(found[expected.table, expected.row].values())
        outcome = "rejected" if "error" in severities else "flagged" if "query" in severities else "accepted"
        rules = sorted(found[expected.table, expected.row])
        if (outcome, rules) != (expected.outcome, sorted(expected.rules)):
            differing.append((expected.table, expected.row, expected.outcome, expected.rules, outcome, rules))
    assert differing == []


@pytest.mark.parametrize("source", SAMPLED)
def test_the_return_says_the_same_as_the_ledger(demo: House, source: str) -> None:
    told, entry = marked_return(demo, source), demo.status()[source]
    totals = told["totals"]
    assert totals["rows_in"] == totals["accepted"] + totals["rejected"]
    assert [totals[name] for name in ("rows_in", "accepted", "rejected")] == [
        entry[name] for name in ("rows_in", "accepted", "rejected")
    ]
    rejected = {(f["sheet"], f["row"]) for f in told["findings"] if f["severity"] == "error" and f["row"] is not None}
    assert len(rejected) == totals["rejected"]


def test_rows_add_up_at_every_stage(demo: House) -> None:
    for source, stage, name, rows_in, rows_out, rejected, merged in demo.sql(
        "SELECT source_id, stage, name, rows_in, rows_out, rejected, merged FROM audit.stage_count"
    ):
        assert rows_in == rows_out + rejected + merged, (source, stage, name)


def test_nothing_planted_is_found_outside_the_vault(demo: House) -> None:
    """Names, ids, phones and notes of the samples: in files, in the warehouse, in Dagster's storage."""
    planted = {p.value for manifest in demo.manifests().values() for p in manifest.planted if len(p.value) >= 6}
    needles = {value.encode() for value in planted}
    sealed = (demo.home / "postgres", demo.home / "vault")
    contents = dict(demo.files(*sealed))
    assert any(path.suffix == ".parquet" for path in contents)
    leaks = [str(path.relative_to(demo.home)) for path, data in contents.items() if any(n in data for n in needles)]
    assert leaks == []


def test_running_again_changes_nothing(demo: House) -> None:
    before = demo.sql("SELECT count(*), max(valid_from) FROM core.return_event")
    again = json.loads(demo.process("demo", "--json").stdout)
    assert {d["state"] for d in again["deliveries"]} == {"published"}
    assert demo.sql("SELECT count(*), max(valid_from) FROM core.return_event") == before


def test_scores_by_sql_and_by_python_agree_on_the_worked_example(demo: House) -> None:
    (count,) = demo.sql("SELECT count(*) FROM marts.rss_score WHERE composite IS NOT NULL")[0]
    assert count > 300


def test_every_service_is_tied_to_its_case(demo: House) -> None:
    ((services, tied),) = demo.sql(
        "SELECT count(*), count(c.record_key) FROM core.assistance AS a"
        ' LEFT JOIN core."case" AS c ON c.record_key = a.case_key'
    )
    cases_rejected = demo.sql("SELECT count(*) FROM audit.finding WHERE source_table = 'cases' AND severity = 'error'")
    assert services > 600
    assert services - tied <= 5 * cases_rejected[0][0]
