"""One register delivered, run in a process that can be killed, and what must be so once it was run again."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import psycopg

from examples.dgme_slv import FILE, make_slv
from warehouse import staging

if TYPE_CHECKING:
    from homes import House

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
    out, err = process.communicate(timeout=600)
    assert "Traceback" not in out + err
    return process.returncode, out + err


def finish(house: House) -> None:
    """Run what is left; nothing may be. That a run was killed, the server may notice a moment later."""
    give_up = time.monotonic() + 240
    done = house.homeward("run", expect=None)
    while "another run holds this source" in done.stdout + done.stderr and time.monotonic() < give_up:
        done = house.homeward("run", expect=None)
    assert done.returncode in {0, 1}, done.stdout + done.stderr


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


def events(house: House) -> list[str]:
    """What the ledger saw so far; nothing where the schemas are not made yet."""
    try:
        return [event for (event,) in house.sql("SELECT event FROM audit.delivery_event ORDER BY event_id")]
    except psycopg.Error:
        return []
