"""What the documentation tells people to type does what it says: every command, in order, in the home of the demo."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from homes import PROJECT
from pages import commands
from ports import free_port

from codebook.loader import load_codebook
from warehouse.embedded import EmbeddedServer

if TYPE_CHECKING:
    from homes import House

pytestmark = pytest.mark.slow

SLV, ETH = "slv/dgme_returns", "eth/kobo_rss"
ELSEWHERE = {"homeward leakcheck"}
"""Takes two minutes, and `test_house_leakcheck` runs it whole."""
BROUGHT = "04567890-3\n"
"""The number of somebody who comes with their papers; other commands ask for nothing."""
SERVES = {0, 1}
"""Done, or done with rejected rows: nothing that the documentation shows is refused or fails."""


@dataclass(frozen=True)
class Reader:
    """Somebody who types what the documentation says, in a folder with the files that it speaks of."""

    demo: House
    folder: Path
    meant: dict[str, str]
    environment: dict[str, str]

    def types(self, command: str) -> subprocess.Popen[str]:
        words = [self.meant.get(word, word) for word in shlex.split(command)[1:]]
        return subprocess.Popen(
            [sys.executable, "-m", "pipelines.cli", *words],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


@pytest.fixture(scope="module")
def reader(demo: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    folder = tmp_path_factory.mktemp("reader")
    files = {source: list(manifest.files) for source, manifest in demo.manifests().items()}
    for source in (SLV, ETH):
        for name in files[source]:
            shutil.copyfile(demo.samples / source / name, folder / name)
    items = list(load_codebook().instruments["rss_2018"].items)
    (folder / "answers.csv").write_text(f"{','.join(items)}\n{','.join(['refused'] * len(items))}\n")
    ((record_key, token),) = demo.sql(
        "SELECT record_key::text, person_token::text FROM core.return_event"
        f" WHERE source_id = '{SLV}' ORDER BY source_row LIMIT 1"
    )
    (form,) = [name for name in files[ETH] if "all_versions" not in name]
    (export,) = [name for name in files[ETH] if name != form]
    meant = {
        "FILE": files[SLV][0],
        "EXPORT": export,
        "FORM": form,
        "SOURCE": SLV,
        "KEY": demo.status()[SLV]["delivery"],
        "RECORD_KEY": record_key,
        "TOKEN": token,
        "ID": "1",
    }
    registry = EmbeddedServer(demo.samples / "hnd" / "postgres").start()
    try:
        at = {"HOMEWARD_HND_INM_CASES_URL": registry.url("warehouse"), "PYTHONPATH": str(PROJECT)}
        at |= {"HOMEWARD_BACKUP_PASSPHRASE": "correct horse battery"}
        yield Reader(demo, folder, meant, demo.environment | at)
    finally:
        registry.stop()
        EmbeddedServer(demo.home / "postgres").start()  # one of the commands stops it


@pytest.mark.timeout(2400)  # each command is a process of its own, and there are more than thirty
def test_every_command_of_the_documentation_serves(reader: Reader) -> None:
    told = commands()
    assert len(told) > 12
    assert {line.split()[1] for line in told} >= {"deliver", "run", "status", "check", "query", "explain", "score"}
    failed = []
    for command in told:
        if command in ELSEWHERE or command.startswith("homeward ui"):
            continue
        typed = reader.types(command)
        said, _ = typed.communicate(BROUGHT, timeout=850)
        if typed.returncode not in SERVES:
            failed.append(f"{command}: exit {typed.returncode}: {said}")
    assert failed == []
    assert (reader.folder / "marked" / "return.html").exists()
    assert (reader.folder / "vault.backup").stat().st_mode & 0o777 == 0o600


def test_the_release_of_the_documentation_is_read_by_analysts_without_its_small_cells(reader: Reader) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", (PROJECT / "docs/release.md").read_text("utf-8"), re.DOTALL)
    url = reader.demo.homeward("warehouse", "url").stdout.strip()
    done = subprocess.run(
        [sys.executable, "-c", f"URL = {url!r}\n{block}"],
        cwd=PROJECT, env=reader.environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "small_cell" in done.stdout
    try:
        asked = ("query", "SELECT * FROM released.returns_by_province", "--as", "analyst", "--format", "json")
        cells = json.loads(reader.demo.homeward(*asked).stdout)
    finally:
        with psycopg.connect(url.replace("+psycopg", "")) as connection:
            connection.execute("DROP TABLE released.returns_by_province")
    counts = [cell["count"] for cell in cells]
    assert None in counts
    assert not any(count in range(1, 5) for count in counts)


def test_the_ui_of_the_documentation_starts_and_stops(reader: Reader) -> None:
    port = free_port()
    ui = reader.types(f"homeward ui --port {port}")
    try:
        give_up = time.monotonic() + 240
        while socket.socket().connect_ex(("127.0.0.1", port)) != 0:
            assert ui.poll() is None
            assert time.monotonic() < give_up
            time.sleep(0.5)
        again = reader.types(f"homeward ui --port {port}")
        assert again.wait(240) == 2
    finally:
        ui.send_signal(signal.SIGTERM)
        said, _ = ui.communicate(timeout=240)
    assert ui.returncode == 0
    assert f"http://127.0.0.1:{port}" in said
