"""The machine fails: a full disk, a server that stops in mid-run. One line, nothing lost, and the next run is whole."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from interrupted import counts_add_up, deliver, ended, events, rows, start

from warehouse.embedded import EmbeddedServer

if TYPE_CHECKING:
    from homes import House

pytestmark = pytest.mark.slow

SOURCE = "slv/dgme_returns"


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[None]:
    """A file system of its own, of this size, at `folder`; what was written is still there when it is left."""
    folder.mkdir(parents=True, exist_ok=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("a small file system can only be mounted by root")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)  # somebody may still be about to close a file


def enlarge(folder: Path) -> None:
    subprocess.run(["mount", "-o", "remount,size=64m", str(folder)], check=True)


FULL = {"vault/store": ("64k", "no room left"), "store": ("48k", "No space left on device")}
"""Where the disk is full, its size, and what is said of it."""


@pytest.mark.parametrize("part", FULL)
def test_a_full_disk_is_one_line_and_the_next_run_is_whole(demo: House, house: House, part: str) -> None:
    size, words = FULL[part]
    deliver(house)
    folder = house.home / part
    with small_disk(folder, size):
        done = house.process("run", "--source", SOURCE, expect=3)
        (told,) = [line for line in done.stderr.splitlines() if line.startswith("homeward: ")]
        assert words in told

        assert "Traceback" not in done.stdout + done.stderr
        assert [path for path in folder.rglob("*") if path.is_file() and path.name.startswith(".")] == []
        assert house.sql("SELECT count(*) FROM core.person") == [(0,)]
        enlarge(folder)
        house.homeward("run", "--source", SOURCE, expect=1)
        counts_add_up(house)
        assert rows(house) == rows(demo)


def test_a_database_that_stops_in_mid_run_is_one_line_and_the_next_run_is_whole(demo: House, house: House) -> None:
    deliver(house)
    process = start(house)
    while process.poll() is None and "pseudonymized" not in events(house):
        time.sleep(0.02)
    postmaster = int((house.home / "postgres" / "postmaster.pid").read_text().split()[0])
    os.kill(postmaster, signal.SIGQUIT)
    code, said = ended(process)
    assert code == 3
    assert [line for line in said.splitlines() if line.startswith("homeward: ")]
    EmbeddedServer(house.home / "postgres").start()
    house.homeward("run", "--source", SOURCE, expect=1)
    counts_add_up(house)
    assert rows(house) == rows(demo)


def test_a_database_that_drops_every_connection_is_one_line_and_the_next_run_is_whole(
    demo: House, house: House
) -> None:
    deliver(house)
    process = start(house)
    while process.poll() is None and "harmonized" not in events(house):
        time.sleep(0.02)
    over = threading.Event()

    def drop() -> None:
        while not over.wait(0.02):
            house.sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = 'warehouse' AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )

    dropping = threading.Thread(target=drop)
    dropping.start()
    code, said = ended(process)
    over.set()
    dropping.join()
    assert code == 3
    assert [line for line in said.splitlines() if line.startswith("homeward: ")]
    house.homeward("run", "--source", SOURCE, expect=1)
    counts_add_up(house)
    assert rows(house) == rows(demo)
