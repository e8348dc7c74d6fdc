"""Somebody comes with their paper, is found by it at the terminal and from a pipe, and erased by what was found."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from homes import PROJECT

from examples.dgme_slv import FILE, make_slv

if TYPE_CHECKING:
    from homes import House

pytestmark = pytest.mark.slow

SOURCE = "slv/dgme_returns"
FIND = ("vault", "find", "--country", "slv", "--purpose", "erasure", "--as", "Marta", "--scheme")


def arrived(house: House) -> tuple[str, str]:
    """A register in the warehouse: number and token of one of its people."""
    house.samples.mkdir(parents=True)
    make_slv(house.samples)
    path = house.samples / FILE
    rows = list(csv.DictReader(io.StringIO(path.read_bytes().decode("cp1252"), newline=""), delimiter=";"))
    house.homeward("deliver", str(path), "--source", SOURCE)
    house.homeward("run", "--source", SOURCE, expect=None)
    found = house.sql("SELECT person_token::text, source_row FROM core.return_event ORDER BY source_row")
    numbers = ((rows[row - 2]["DUI"].strip(), token) for token, row in found)
    return next((number, token) for number, token in numbers if number)


def from_a_pipe(house: House, given: bytes, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "pipelines.cli", *FIND, *arguments]
    return subprocess.run(
        command, cwd=PROJECT, env=house.environment, input=given, capture_output=True, check=False, timeout=300
    )


def at_a_terminal(house: House, *typed: str) -> tuple[str, str, int]:
    """What is on the screen, what the command printed, and its exit code; each line is typed when it is asked for."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "pipelines.cli", *FIND, "slv_dui", "--json"]
    process = subprocess.Popen(
        command, cwd=PROJECT, env=house.environment, stdin=theirs, stderr=theirs, stdout=subprocess.PIPE,
        start_new_session=True,
    )  # fmt: skip
    screen = b""
    for line in typed:
        while not screen.endswith(b": "):
            screen += os.read(ours, 1)
        os.write(ours, f"{line}\n".encode())
        screen += b"|"
    said, _ = process.communicate(timeout=300)
    os.close(theirs)
    with suppress(OSError):  # so the end is told, once all that was written has come
        while block := os.read(ours, 100_000):
            screen += block
    os.close(ours)
    return screen.decode(), said.decode(), process.returncode


def kept(house: House) -> bytes:
    """All that a command can have left: databases as text, and every file outside the server and the sealed store."""
    told: list[Any] = []
    for database in ("warehouse", "vault", "dagster"):
        with psycopg.connect(f"postgresql://postgres@/{database}?host={house.home / 'postgres'}") as connection:
            tables = connection.execute(
                "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables"
                " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
            ).fetchall()
            told += [connection.execute(f"SELECT t::text FROM {table} AS t").fetchall() for (table,) in tables]
    server = house.home / "postgres"
    files = [
        data
        for path, data in house.files(house.home / "vault" / "store")
        if server not in path.parents or path.name == "log" or path.suffix == ".log"
    ]
    return repr(told).encode() + b"".join(files)


def test_who_comes_with_a_paper_is_found_and_erased_and_the_number_stays_nowhere(house: House) -> None:
    number, token = arrived(house)
    bare = number.replace("-", "")
    screen, said, code = at_a_terminal(house, number, number)
    assert code == 0, screen
    assert json.loads(said)["persons"] == [{"programme": None, "tokens": [token], "by": ["slv_dui"]}]
    piped = from_a_pipe(house, f"\ufeff{bare}\r\n".encode(), "slv_dui")
    assert (piped.returncode, token in piped.stdout.decode()) == (0, True), piped.stderr
    for given in (f"{number}\n{number}\n".encode(), b"", b"\xff\xfe" + number.encode(), b"1" * 2_000):
        refused = from_a_pipe(house, given, "slv_dui")
        assert refused.returncode == 2
        assert len(refused.stderr.splitlines()) == 1
        assert bare not in refused.stderr.decode().replace("-", "")
    misplaced = from_a_pipe(house, bare.encode(), number)
    assert (misplaced.returncode, number in misplaced.stderr.decode()) == (2, False)
    shown = screen + said + piped.stdout.decode() + piped.stderr.decode()
    assert not [form for form in (number, bare) if form in shown]

    house.homeward("vault", "erase", "--token", token, "--reason", "asked for", "--as", "Marta")
    gone = from_a_pipe(house, bare.encode(), "slv_dui")
    assert gone.stdout.decode().strip() == "Nobody is known by it."
    assert b"Marta" in kept(house), "what is kept is read"
    assert not [form for form in (number, bare) if form.encode() in kept(house)]
    lines = [line for line in house.ask("vault", "audit", "--last", "99") if line["action"] == "find"]
    facts = {"scheme": "slv_dui", "purpose": "erasure"}
    assert [line["facts"] for line in lines] == [facts | {"persons": count} for count in (1, 1, 0)]
    assert {line["officer"] for line in lines} == {"Marta"}
    house.homeward("vault", "audit", "--verify")
