"""Dagster's own services in `homeward leakcheck`: the inbox sensor, the daemon, its run workers, and what the UI shows.

They run on a storage of their own, a schema in Dagster's database, so that a daemon of the deployment does not take the
check's runs, nor this one the deployment's. What was said and shown is handed back; it is not searched here.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import LiteralString

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from codebook.errors import Unavailable
from pipelines.settings import PROJECT
from pipelines.ui import LOOPBACK

SCHEMA = "homeward_leakcheck"
PATIENCE_SECONDS = 900
"""Until the runs must have ended: this guards against hanging, and is many times what a busy machine takes."""
_LOOK_SECONDS = 0.5
_ENDED = {"SUCCESS", "FAILURE", "CANCELED"}

_RUNS = "{runsOrError {... on Runs {results {runId status}}}}"
_METADATA = """metadataEntries {label description ... on TextMetadataEntry {text} ... on MarkdownMetadataEntry {mdStr}
    ... on JsonMetadataEntry {jsonString} ... on PathMetadataEntry {path} ... on UrlMetadataEntry {url}
    ... on TableSchemaMetadataEntry {schema {columns {name description}}}}"""
_ERROR = "{message stack className cause {message stack}}"
_PAGES = {
    "assets": f"""{{assetNodes {{assetKey {{path}} description groupName {_METADATA}
        partitionKeys assetMaterializations {{partition tags {{key value}} {_METADATA}}}
        assetChecksOrError {{... on AssetChecks {{checks {{name description executionForLatestMaterialization {{
            status evaluation {{description {_METADATA}}}}}}}}}}}}}}}""",
    "runs": f"""{{runsOrError {{... on Runs {{results {{runId jobName status tags {{key value}}
        eventConnection {{events {{... on MessageEvent {{message stepKey}}
            ... on MaterializationEvent {{label {_METADATA}}} ... on ExecutionStepFailureEvent {{error {_ERROR}}}
            ... on RunFailureEvent {{error {_ERROR}}} ... on EngineEvent {{error {_ERROR}}}}}}}}}}}}}}}""",
    "ticks": f"""{{repositoriesOrError {{... on RepositoryConnection {{nodes {{sensors {{name sensorState {{
        ticks {{status skipReason cursor runKeys error {_ERROR} logEvents {{events {{message}}}}}}}}}}}}}}}}}}""",
    "locations": f"""{{workspaceOrError {{... on Workspace {{locationEntries {{name locationOrLoadError {{
        ... on PythonError {_ERROR}}}}}}}}}}}""",
}


@dataclass(frozen=True)
class Shown:
    """What the services said on their way, and what the UI shows afterwards, by page."""

    said: bytes
    pages: Mapping[str, bytes]


def make_storage(url: str) -> str:
    """The address of an empty storage within Dagster's database at `url`."""
    drop_storage(url)
    _execute(url, "CREATE SCHEMA {}")
    own = make_url(url).update_query_dict({"options": f"-csearch_path={SCHEMA}"})
    return own.render_as_string(hide_password=False)


def drop_storage(url: str) -> None:
    """Take the storage away, if there is one."""
    _execute(url, "DROP SCHEMA IF EXISTS {} CASCADE")


def _execute(url: str, statement: LiteralString) -> None:
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(sql.Identifier(SCHEMA)))


def run_by_services(environment: dict[str, str], log: Path, runs: int) -> Shown:
    """Serve the check's code location until the sensor has started so many runs and all have ended."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-m", "dagster", "dev", "--host", LOOPBACK, "--port", str(port)]
    command += ["--module-name", "pipelines.leak_location", "--working-directory", str(PROJECT)]
    with log.open("wb") as out:
        services = subprocess.Popen(  # noqa: S603  # our own
            command, cwd=PROJECT, env=environment, stdout=out, stderr=out, start_new_session=True
        )
        try:
            pages = _pages(services, port, runs)
        finally:
            _stop(services)
    return Shown(log.read_bytes(), pages)


def _pages(services: subprocess.Popen[bytes], port: int, runs: int) -> dict[str, bytes]:
    address = f"http://{LOOPBACK}:{port}"
    give_up = time.monotonic() + PATIENCE_SECONDS
    ended: list[str] = []
    while len(ended) < runs:
        if services.poll() is not None or time.monotonic() > give_up:
            what = f"{len(ended)} of {runs} runs ended in Dagster's daemon"
            raise Unavailable(what, "homeward leakcheck", "see that `homeward ui` works, and check again")
        time.sleep(_LOOK_SECONDS)
        try:
            found = json.loads(_asked(address, _RUNS))["data"]["runsOrError"]["results"]
        except OSError:  # it does not answer yet
            continue
        ended = [run["runId"] for run in found if run["status"] in _ENDED]
    shown = {f"UI: {name}": _asked(address, query) for name, query in _PAGES.items()}
    for name, answer in shown.items():
        if "errors" in json.loads(answer):
            raise Unavailable(f"the page cannot be asked for in this version of Dagster: {name}", "homeward leakcheck")
    return shown | {
        f"UI: run {number}": _fetched(f"{address}/download_debug/{run}") for number, run in enumerate(ended)
    }


def _asked(address: str, query: str) -> bytes:
    body = json.dumps({"query": query}).encode()
    return _fetched(urllib.request.Request(f"{address}/graphql", body, {"Content-Type": "application/json"}))  # noqa: S310


def _fetched(what: str | urllib.request.Request) -> bytes:
    with urllib.request.urlopen(what, timeout=PATIENCE_SECONDS) as answer:  # noqa: S310  # our own, on loopback
        content: bytes = answer.read()
        return content


def _stop(services: subprocess.Popen[bytes]) -> None:
    """All of them: a session of their own, of which nothing is needed any more."""
    with suppress(ProcessLookupError):
        os.killpg(services.pid, signal.SIGKILL)
    services.wait()
