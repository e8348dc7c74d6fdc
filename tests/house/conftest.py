"""The whole house, once: `homeward demo` in a home of its own, and the doors through which the tests look at it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from examples.manifest import Manifest
from warehouse.embedded import EmbeddedServer

PROJECT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class House:
    """A home in which Homeward runs, spoken to through its command line only."""

    home: Path
    samples: Path

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {"HOMEWARD_HOME": str(self.home), "HOMEWARD_SAMPLES": str(self.samples)}

    def homeward(self, *arguments: str, expect: int | None = 0, **more: str) -> subprocess.CompletedProcess[str]:
        """Run the command line; `expect` is the exit code it must have (None: any)."""
        command = [sys.executable, "-m", "pipelines.cli", *arguments]
        done = subprocess.run(
            command, check=False, cwd=PROJECT, env=self.environment | more, capture_output=True, text=True, timeout=280
        )
        assert expect is None or done.returncode == expect, f"exit {done.returncode}: {done.stdout}\n{done.stderr}"
        return done

    def ask(self, *arguments: str, **more: Any) -> Any:
        """What a command says with --json."""
        return json.loads(self.homeward(*arguments, "--json", **more).stdout)

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        """Look into the warehouse past its roles, as only a test may."""
        with psycopg.connect(f"postgresql://postgres@/warehouse?host={self.home / 'postgres'}") as connection:
            return connection.execute(statement).fetchall()

    def manifests(self) -> dict[str, Manifest]:
        found = [Manifest.read(path) for path in self.samples.glob("*/*/manifest.json")]
        return {manifest.source: manifest for manifest in found}

    def status(self) -> dict[str, dict[str, Any]]:
        """The latest delivery of every source."""
        return {entry["source"]: entry for entry in reversed(self.ask("status"))}


@pytest.fixture(scope="session")
def demo(server_folder: Path) -> Iterator[House]:
    """The home after `homeward demo`; the server is held up, so that each command does not start its own."""
    house = House(server_folder / "demo" / "var", server_folder / "demo" / "samples")
    server = EmbeddedServer(house.home / "postgres").start()
    try:
        house.homeward("demo")
        yield house
    finally:
        server.stop()


@pytest.fixture
def house(server_folder: Path) -> Iterator[House]:
    """An empty home."""
    folder = Path(tempfile.mkdtemp(dir=server_folder))
    folder.chmod(0o755)
    made = House(folder / "var", folder / "samples")
    server = EmbeddedServer(made.home / "postgres").start()
    try:
        yield made
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
