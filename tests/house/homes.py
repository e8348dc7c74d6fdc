"""A home in which Homeward runs, as the tests of the whole house see it: through the command line only."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from examples.manifest import Manifest

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
            command, check=False, cwd=PROJECT, env=self.environment | more, capture_output=True, text=True, timeout=850
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
