"""Serving the Dagster UI: on loopback only, since the open-source UI has no login."""

from __future__ import annotations

import subprocess
import sys

from pipelines import console
from pipelines.instance import prepare_environment
from pipelines.settings import PROJECT


def serve(port: int) -> int:
    """Run `dagster dev` (UI and daemon) until it is stopped; its exit code."""
    prepare_environment()
    console.err.print(f"Dagster UI: http://127.0.0.1:{port}  (stop with Ctrl-C)", highlight=False)
    command = [sys.executable, "-m", "dagster", "dev", "--host", "127.0.0.1", "--port", str(port)]
    return subprocess.call([*command, "--workspace", str(PROJECT / "workspace.yaml")], cwd=PROJECT)  # noqa: S603
