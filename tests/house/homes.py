"""A home in which Homeward runs, as the tests of the whole house see it: through the command line only."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
from clerk import PROJECT, clerk
from disks import unflushed

from examples.dgme_slv import FILE, SOURCE, make_slv
from examples.manifest import Manifest
from warehouse.embedded import EmbeddedServer

__all__ = ["PROJECT", "House", "empty_home", "registered_home"]


@dataclass(frozen=True)
class House:
    """A home in which Homeward runs, spoken to through its command line only."""

    home: Path
    samples: Path

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {"HOMEWARD_HOME": str(self.home), "HOMEWARD_SAMPLES": str(self.samples)}

    def homeward(self, *arguments: str, expect: int | None = 0, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a command; `expect` is the exit code it must have (None: any)."""
        return _as_expected(clerk().run(arguments, self.environment | more), expect)

    def process(self, *arguments: str, expect: int | None = 0, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a command in a process of its own; it is ended where the test takes longer than it may."""
        command = [sys.executable, "-m", "pipelines.cli", *arguments]
        environment = self.environment | more
        done = subprocess.run(command, check=False, cwd=PROJECT, env=environment, capture_output=True, text=True)
        return _as_expected(done, expect)

    def ask(self, *arguments: str, **more: Any) -> Any:
        """What a command says with --json."""
        return json.loads(self.homeward(*arguments, "--json", **more).stdout)

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        """Look into the warehouse past its roles, as only a test may."""
        with psycopg.connect(f"postgresql://postgres@/warehouse?host={self.home / 'postgres'}") as connection:
            return connection.execute(statement).fetchall()

    def files(self, *beside: Path) -> Iterator[tuple[Path, bytes]]:
        """Every file of the home with its content, but those below `beside` and those that servers remove meanwhile."""
        for at, folders, names in os.walk(self.home):
            folders[:] = [name for name in folders if Path(at, name) not in beside]
            for path in (Path(at, name) for name in names):
                with suppress(FileNotFoundError):
                    if stat.S_ISREG(path.stat().st_mode):
                        yield path, path.read_bytes()

    def manifests(self) -> dict[str, Manifest]:
        found = [Manifest.read(path) for path in self.samples.glob("*/*/manifest.json")]
        return {manifest.source: manifest for manifest in found}

    def status(self) -> dict[str, dict[str, Any]]:
        """The latest delivery of every source."""
        return {entry["source"]: entry for entry in reversed(self.ask("status"))}


@contextmanager
def empty_home(folder: Path) -> Iterator[House]:
    """An empty home below `folder`; its server is held up, so that each command does not start its own."""
    with _served(_copy(folder, _stopped_server(folder))) as house:
        yield house


@contextmanager
def registered_home(folder: Path) -> Iterator[House]:
    """The same once the Salvadoran sample was delivered and published; it lies in `samples`."""
    with _served(_copy(folder, _registered(folder))) as house:
        yield house


@contextmanager
def _served(house: House) -> Iterator[House]:
    server = EmbeddedServer(house.home / "postgres").start()
    try:
        yield house
    finally:
        server.stop()
        shutil.rmtree(house.home.parent, ignore_errors=True)


@cache
def _stopped_server(folder: Path) -> House:
    """The server of an empty home with the schemas of its warehouse: made once, in a second, and copied in a tenth."""
    house = _house_below(folder)
    server = EmbeddedServer(house.home / "postgres").start()
    unflushed(house.home / "postgres")
    house.homeward("query", "SELECT 1")
    server.stop()
    left = {path.name for path in house.home.iterdir()}
    assert left == {"postgres", ".postgres-lock"}, "no keys: every home makes its own"
    return house


@cache
def _registered(folder: Path) -> House:
    house = _copy(folder, _stopped_server(folder))
    house.samples.mkdir()
    make_slv(house.samples)
    server = EmbeddedServer(house.home / "postgres").start()
    house.homeward("deliver", str(house.samples / FILE), "--source", SOURCE)
    house.homeward("run", "--source", SOURCE, expect=1)
    server.stop()
    return house


def _copy(folder: Path, of: House) -> House:
    house = _house_below(folder)
    subprocess.run(["cp", "--archive", f"{of.home.parent}/.", house.home.parent], check=True)
    return house


def _house_below(folder: Path) -> House:
    own = Path(tempfile.mkdtemp(dir=folder))
    own.chmod(0o755)
    return House(own / "var", own / "samples")


def _as_expected(done: subprocess.CompletedProcess[str], expect: int | None) -> subprocess.CompletedProcess[str]:
    assert expect is None or done.returncode == expect, f"exit {done.returncode}: {done.stdout}\n{done.stderr}"
    return done
