"""What the data engineer meets in Dagster: the house in its UI, the inbox sensor at work, and no value anywhere in it.

`homeward ui` is started once, on a home of its own in whose inbox a delivery lies twice; no command runs it.
"""

from __future__ import annotations

import itertools
import json
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from disks import unflushed
from ports import free_port
from psycopg import sql

from examples.dgme_slv import SOURCE, make_slv
from examples.make import MANIFEST
from sources.loader import list_sources, load_source
from warehouse.embedded import EmbeddedServer

if TYPE_CHECKING:
    from homes import House

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).resolve().parents[2]
PATIENCE = 400
"""Seconds until something that starts by itself must have happened; on an idle machine it takes a tenth of them."""
GRAM = 6
"""Letters; what is shorter than that is in every text."""
BEFORE = "(?<![0-9])(?<![0-9]:)"
"""What does not stand before a number."""
REPOSITORY = '{repositoryName: "__repository__", repositoryLocationName: "homeward"}'


@dataclass(frozen=True)
class Served:
    """A home with the UI running on it; `sample` is what was dropped into its inbox."""

    house: House
    port: int
    sample: Path

    def ask(self, query: str) -> dict[str, Any]:
        """Ask the UI what it would show."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/graphql",
            json.dumps({"query": query}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            told = json.load(answer)
        assert "errors" not in told, told
        return told["data"]

    def runs(self) -> list[tuple[str, str]]:
        """Job and status of every run, oldest first."""
        found = self.ask("{runsOrError {... on Runs {results {jobName status}}}}")["runsOrError"]["results"]
        return [(run["jobName"], run["status"]) for run in reversed(found)]

    @property
    def inbox(self) -> Path:
        return self.house.home / "inbox" / SOURCE


def wait_for(what: str, holds: Callable[[], bool]) -> None:
    give_up = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < give_up, f"not within {PATIENCE} seconds: {what}"
        time.sleep(0.5)


@pytest.fixture(scope="module")
def served(server_folder: Path) -> Iterator[Served]:
    from homes import House

    house = House(server_folder / "served" / "var", server_folder / "served" / "samples")
    place = house.samples / SOURCE
    place.mkdir(parents=True)
    manifest = make_slv(place)
    manifest.write(place / MANIFEST)
    found = Served(house, free_port(), place / manifest.files[0])
    found.inbox.mkdir(parents=True)
    for name in ("dropped.csv", "dropped again.csv"):
        (found.inbox / name).write_bytes(found.sample.read_bytes())
    server = EmbeddedServer(house.home / "postgres").start()
    unflushed(house.home / "postgres")
    command = [sys.executable, "-m", "pipelines.cli", "ui", "--port", str(found.port)]
    with (house.home / "ui.log").open("wb") as log:
        ui = subprocess.Popen(command, cwd=PROJECT, env=house.environment, stdout=log, stderr=log)
    try:
        wait_for(
            "the UI answers", lambda: ui.poll() is None and socket.socket().connect_ex(("127.0.0.1", found.port)) == 0
        )
        yield found
    finally:
        ui.send_signal(signal.SIGTERM)
        ui.wait(240)
        server.stop()


def test_nothing_planted_is_in_dagsters_storage_after_the_demo(demo: House) -> None:
    assert tables_with_a_planted_value(demo) == []


def test_the_code_location_loads_and_everything_that_starts_by_itself_runs(served: Served) -> None:
    told = served.ask(f"""{{
        workspaceOrError {{... on Workspace {{locationEntries {{name locationOrLoadError {{__typename}}}}}}}}
        sensorsOrError(repositorySelector: {REPOSITORY}) {{... on Sensors {{results {{name sensorState {{status}}}}}}}}
        schedulesOrError(repositorySelector: {REPOSITORY}) {{
            ... on Schedules {{results {{name scheduleState {{status}}}}}}}}
    }}""")
    assert told["workspaceOrError"]["locationEntries"] == [
        {"name": "homeward", "locationOrLoadError": {"__typename": "RepositoryLocation"}}
    ]
    states = {one["name"]: one["sensorState"]["status"] for one in told["sensorsOrError"]["results"]}
    states |= {one["name"]: one["scheduleState"]["status"] for one in told["schedulesOrError"]["results"]}
    assert states == dict.fromkeys(
        ["inbox", "marts_after_publication", "prune_runs_weekly", "refresh_marts_nightly", "retain_weekly"], "RUNNING"
    )


def test_every_country_is_a_group_of_stages_with_the_marts_downstream(served: Served) -> None:
    nodes = served.ask("{assetNodes {assetKey {path} groupName description kinds dependencyKeys {path}}}")["assetNodes"]
    shown = {"/".join(node["assetKey"]["path"]): node for node in nodes}
    stages = ["received", "pseudonymized", "harmonized", "validated", "published"]
    for source in list_sources():
        country = load_source(source).country
        assert all(shown[f"{source}/{stage}"]["groupName"] == country for stage in [*stages, "deliveries"])
        for before, after in itertools.pairwise(stages):
            assert shown[f"{source}/{after}"]["dependencyKeys"] == [{"path": [*source.split("/"), before]}]
    upstream = {"/".join(key["path"]) for key in shown["marts/indicator_value"]["dependencyKeys"]}
    assert upstream == {f"{source}/published" for source in list_sources()}
    assert all(node["description"] and node["kinds"] for node in nodes)


def test_a_dropped_delivery_is_published_and_the_marts_are_refreshed_without_a_command(served: Served) -> None:
    wait_for("the delivery's run", lambda: ("deliver_slv_dgme_returns", "SUCCESS") in served.runs())
    wait_for("the refreshing of the marts", lambda: ("refresh_marts", "SUCCESS") in served.runs())
    expected = served.house.manifests()[SOURCE].counts()
    entry = served.house.status()[SOURCE]
    assert (entry["state"], {name: entry[name] for name in expected}) == ("published", expected)
    assert served.house.sql("SELECT count(*) > 0 FROM marts.indicator_value") == [(True,)]
    assert list((served.house.home / "outbox" / SOURCE).glob("*/return.xlsx"))


def test_an_asset_tells_its_counts_schema_lineage_owner_and_checks_by_rule_family(served: Served) -> None:
    node = served.ask("""{assetNodeOrError(assetKey: {path: ["slv", "dgme_returns", "validated"]}) {... on AssetNode {
        pools owners {... on UserAssetOwner {email}}
        assetChecksOrError {... on AssetChecks {checks {name executionForLatestMaterialization {status}}}}
        metadataEntries {label __typename}
        assetMaterializations(limit: 1) {partition metadataEntries {label ... on IntMetadataEntry {intValue}}}
    }}}""")["assetNodeOrError"]
    assert node["pools"] == ["warehouse"]
    assert node["owners"] == [{"email": load_source(SOURCE).owner}]
    checks = {c["name"]: c["executionForLatestMaterialization"] for c in node["assetChecksOrError"]["checks"]}
    assert checks.keys() == {"accepted", "reading", "gate", "mapping", "keys", "rules"}
    assert checks["accepted"]["status"] == "SUCCEEDED"
    assert checks["mapping"]["status"] == "FAILED"
    kinds = {entry["label"]: entry["__typename"] for entry in node["metadataEntries"]}
    assert kinds["dagster/column_schema"] == "TableSchemaMetadataEntry"
    assert kinds["dagster/column_lineage"] == "TableColumnLineageMetadataEntry"
    (materialization,) = node["assetMaterializations"]
    counts = {entry["label"]: entry.get("intValue") for entry in materialization["metadataEntries"]}
    assert counts["dagster/row_count"] == served.house.manifests()[SOURCE].counts()["accepted"]


def test_the_pool_of_the_warehouse_holds_one_step_at_a_time_and_nothing_is_reported_home(served: Served) -> None:
    told = served.ask("{instance {info concurrencyLimits {concurrencyKey limit}}}")["instance"]
    assert told["concurrencyLimits"] == [{"concurrencyKey": "warehouse", "limit": 1}]
    assert "telemetry:\n  enabled: false" in told["info"]


def test_the_same_file_dropped_twice_is_answered_already_received(served: Served) -> None:
    assert list(served.inbox.iterdir()) == []
    assert len(served.house.ask("status")) == 1
    assert [job for job, _ in served.runs()].count("deliver_slv_dgme_returns") == 1


def test_a_run_of_the_command_line_appears_and_one_that_fails_tells_no_value(served: Served) -> None:
    """The vault's index is taken away under a delivery: the fault is a line, and Dagster keeps nothing of a person."""
    delivery = served.house.status()[SOURCE]["delivery"]
    vault = f"postgresql://postgres@/vault?host={served.house.home / 'postgres'}"
    with psycopg.connect(vault, autocommit=True) as connection:
        connection.execute("ALTER TABLE vault.blind_index RENAME TO elsewhere")
        try:
            done = served.house.process("run", "--source", SOURCE, "--delivery", delivery, expect=3)
        finally:
            connection.execute("ALTER TABLE vault.elsewhere RENAME TO blind_index")
    assert len(done.stderr.strip().splitlines()) == 1
    wait_for("the failed run in the UI", lambda: ("deliver_slv_dgme_returns", "FAILURE") in served.runs())
    (failed,) = served.ask("{runsOrError(filter: {statuses: [FAILURE]}) {... on Runs {results {runId}}}}")[
        "runsOrError"
    ]["results"]
    asked = "{logsForRun(runId: %s) {... on EventConnection {events {... on LogMessageEvent {level message}}}}}"
    events = served.ask(asked % json.dumps(failed["runId"]))["logsForRun"]["events"]
    (told,) = [event["message"] for event in events if event.get("level") == "ERROR"]
    assert told in done.stderr, "the run says what the command said"
    assert tables_with_a_planted_value(served.house) == []
    assert found_in((served.house.home / "ui.log").read_text(), planted(served.house)) == []


def planted(house: House) -> list[str]:
    """Planted values as they stand, and as JSON would write them."""
    values = {
        one.value for manifest in house.manifests().values() for one in manifest.planted if len(one.value) >= GRAM
    }
    assert values
    return sorted(values | {json.dumps(value)[1:-1] for value in values})


def found_in(text: str, needles: list[str]) -> list[str]:
    """Which of thousands of needles are in a long text: only those whose first letters are there are searched for.

    Not at the end of a longer number, nor as the seconds of a time of day: one of ten thousand times to the
    microsecond ends like some latitude."""
    grams = {text[start : start + GRAM] for start in range(len(text) - GRAM + 1)}
    likely = [needle for needle in needles if needle[:GRAM] in grams]
    alone = {needle: (BEFORE if needle[0].isdigit() else "") + re.escape(needle) for needle in likely}
    return [needle for needle in likely if re.search(alone[needle], text)]


def tables_with_a_planted_value(house: House) -> list[str]:
    """Of Dagster's storage, searched in every column whatever its type."""
    needles = planted(house)
    with psycopg.connect(f"postgresql://postgres@/dagster?host={house.home / 'postgres'}") as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        assert ("event_logs",) in tables
        leaking = []
        for (table,) in tables:
            rows = connection.execute(sql.SQL("SELECT t::text FROM {} AS t").format(sql.Identifier(table)))
            if found_in("\n".join(row for (row,) in rows), needles):
                leaking.append(table)
    return leaking
