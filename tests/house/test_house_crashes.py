"""Killed at any moment or run twice at once: running again gives what an undisturbed run gives, once."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from examples.dgme_slv import FILE, make_slv
from warehouse import staging
from warehouse.ledger import WAY

if TYPE_CHECKING:
    from homes import House

pytestmark = pytest.mark.slow

SOURCE = "slv/dgme_returns"
ENTITIES = ("person", "household", "return_event")
OWN = "'record_key', 'person_token', 'household_key', 'case_key', 'valid_from', 'delivery_id'"
"""What differs between two homes, since keys and tokens are random: everything else must be the same."""


def start(house: House) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "pipelines.cli", "run", "--source", SOURCE]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, env=house.environment, **streams)


def deliver(house: House, drop_row: int = 0) -> None:
    """The sample, or a file of its own without one of the first rows, so that it is another delivery."""
    house.samples.mkdir(parents=True, exist_ok=True)
    make_slv(house.samples)
    path = house.samples / FILE
    if drop_row:
        lines = path.read_bytes().splitlines(keepends=True)
        path.write_bytes(b"".join(lines[:drop_row] + lines[drop_row + 1 :]))
    house.homeward("deliver", str(path), "--source", SOURCE)


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    out, err = process.communicate(timeout=120)
    assert "Traceback" not in out + err
    return process.returncode, out + err


def rows(house: House) -> dict[str, list[Any]]:
    """What is published, without what is random in each home."""
    what = f"(to_jsonb(c) - ARRAY[{OWN}])::text FROM core"
    return {
        entity: house.sql(f"SELECT {what}.{entity} AS c WHERE source_id = '{SOURCE}' ORDER BY 1") for entity in ENTITIES
    }


def counts_add_up(house: House) -> None:
    assert house.sql("SELECT * FROM audit.count_mismatch") == []
    assert (
        house.sql(f"SELECT tablename FROM pg_tables WHERE schemaname = '{staging.SCHEMA}' AND tablename LIKE 'd2%'")
        == []
    )
    assert list(house.home.glob("store/**/.*")) == []
    (entry,) = house.ask("status")
    assert entry["state"] == "published"
    assert (entry["rows_in"], entry["accepted"], entry["rejected"]) == (605, 573, 32)
    assert (house.home / "outbox" / SOURCE / entry["delivery"] / "return.json").is_file()
    assert house.sql("SELECT count(*) FROM audit.delivery_event WHERE event = 'published'") == [(1,)]


def test_killed_at_random_moments_and_run_again_is_as_if_nothing_had_been(demo: House, house: House) -> None:
    deliver(house)
    moments = random.Random(20261122)
    for _ in range(4):
        process = start(house)
        time.sleep(moments.uniform(0.5, 6))
        process.send_signal(signal.SIGKILL)
        process.communicate()
    house.homeward("run", expect=None)
    counts_add_up(house)
    assert rows(house) == rows(demo)


def events(house: House) -> list[str]:
    """What the ledger saw so far; nothing where the schemas are not made yet."""
    try:
        return [event for (event,) in house.sql("SELECT event FROM audit.delivery_event ORDER BY event_id")]
    except psycopg.Error:
        return []


def test_killed_after_every_stage_and_run_again_is_as_if_nothing_had_been(demo: House, house: House) -> None:
    deliver(house)
    for stage in WAY:
        seen, process = len(events(house)), start(house)
        while process.poll() is None and not any(event.startswith(stage) for event in events(house)[seen:]):
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert any(event.startswith(stage) for event in events(house)[seen:])
    house.homeward("run", expect=None)
    counts_add_up(house)
    assert rows(house) == rows(demo)


def test_two_runs_at_once_publish_once(demo: House, house: House) -> None:
    deliver(house)
    codes = [ended(process)[0] for process in (start(house), start(house))]
    assert 1 in codes, "one did it; the other found nothing, or the delivery held"
    assert set(codes) <= {0, 1, 3}
    counts_add_up(house)
    assert rows(house) == rows(demo)
