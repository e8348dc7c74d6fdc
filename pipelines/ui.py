"""Serving the Dagster UI: on loopback only, since the open-source UI has no login."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys

from codebook.errors import HomewardError
from pipelines import console
from pipelines.instance import prepare_environment
from pipelines.settings import PROJECT

LOOPBACK = "127.0.0.1"


def serve(port: int) -> int:
    """Run `dagster dev` (UI and daemon) until it is stopped; its exit code. The embedded server is held meanwhile."""
    if _taken(port):
        raise HomewardError(
            f"port {port} is taken", where=LOOPBACK, mend="stop what listens there, or: homeward ui --port N"
        )
    prepare_environment()
    console.err.print(f"Dagster UI: http://{LOOPBACK}:{port}  (stop with Ctrl-C)", highlight=False)
    # Dagster stops its own children when it is interrupted, and on nothing else: being terminated is passed on as that,
    # and an interrupt that a calling shell had switched off is switched on again.
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, signal.default_int_handler)
    quiet = "ignore:Function `dev_command` is superseded"  # by a command line of its own, which is not installed
    command = [sys.executable, "-W", quiet, "-m", "dagster", "dev", "--host", LOOPBACK, "--port", str(port)]
    command += ["--workspace", str(PROJECT / "workspace.yaml")]
    dagster = subprocess.Popen(command, cwd=PROJECT, start_new_session=True)  # noqa: S603
    try:
        return dagster.wait()
    except KeyboardInterrupt:
        dagster.send_signal(signal.SIGINT)
        dagster.wait()
        return 0


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, port)) == 0
