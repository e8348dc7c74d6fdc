"""Identifiers and tokens of those who came lie apart until the indexes are put in order; all are found all the time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, create_engine, text

from anonymization.gate import Gate
from anonymization.keys import rotation
from anonymization.keys.ring import Keyring
from anonymization.vault import backup, erasure, line, requests, upkeep
from anonymization.vault.elsewhere import elsewhere
from anonymization.vault.sealed_stream import secret_of_passphrase
from anonymization.vault.vault import Vault
from sources.batches import TextBatch
from sources.models import Source

Rows = Callable[..., TextBatch]
Row = dict[str, str | None]
SECRET = secret_of_passphrase("correct horse battery")
_WAITS = """
    SELECT count(*) FROM pg_locks JOIN pg_database AS d ON d.oid = database
    WHERE d.datname = current_database() AND NOT granted AND mode = 'AccessExclusiveLock'"""


@pytest.fixture(autouse=True)
def small_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Indexes of two pages are put in order, and each batch has a thread and a second connection."""
    monkeypatch.setattr(upkeep, "LARGE", 1)
    monkeypatch.setattr(line, "LARGE", 1)


def tokens(source: Source, vault: Vault, batch: TextBatch) -> list[bytes]:
    return Gate(source, vault).pass_batch(batch).data["_person"].to_pylist()


def people(first: int, end: int) -> list[Row]:
    return [{"FILE": f"F{number}", "PHONE": f"7123-{number:04}"} for number in range(first, end)]


def apart(url: str) -> tuple[int, int]:
    """How many identifiers are in order, and how many came since; each person has one, and a token."""
    with create_engine(url).connect() as connection:
        ask = "SELECT count(*) FILTER (WHERE field > 0), count(*) FILTER (WHERE field < 0) FROM vault.blind_index"
        in_order, came = connection.execute(text(ask)).one()
        ask = "SELECT count(*) FILTER (WHERE NOT came), count(*) FILTER (WHERE came) FROM vault.person"
        assert connection.execute(text(ask)).one() == (in_order, came)
        return in_order, came


def until_it_waits(connection: Connection, work: Future[Any]) -> None:
    while not connection.scalar(text(_WAITS)) and not work.done():
        time.sleep(0.01)


def test_who_came_lies_apart_until_the_index_is_put_in_order(
    register: Source, vault: Vault, vault_url: str, rows: Rows
) -> None:
    first = tokens(register, vault, rows(*people(0, 20)))
    assert apart(vault_url) == (0, 20)
    upkeep.put_in_order(vault)
    assert apart(vault_url) == (20, 0)
    both = tokens(register, vault, rows(*people(10, 30)))
    assert both[:10] == first[10:]
    assert apart(vault_url) == (20, 10)
    assert tokens(register, vault, rows(*people(0, 30))) == first + both[10:]
    upkeep.put_in_order(vault)
    assert apart(vault_url) == (30, 0)
    assert tokens(register, vault, rows(*people(0, 30))) == first + both[10:]


def test_an_index_put_in_order_is_answered_from_alone(
    register: Source, vault: Vault, vault_url: str, rows: Rows
) -> None:
    tokens(register, vault, rows(*people(0, 20)))
    upkeep.put_in_order(vault)
    ask = "SELECT relpages, relallvisible FROM pg_class WHERE relname IN ('blind_index', 'person')"
    with create_engine(vault_url).connect() as connection:
        assert connection.execute(text(ask)).all() == [(1, 1), (1, 1)]


def test_a_contradiction_between_one_in_order_and_one_who_came_is_noticed(
    register: Source, vault: Vault, rows: Rows
) -> None:
    (ana,) = tokens(register, vault, rows({"DUI": "04567890-3"}))
    upkeep.put_in_order(vault)
    (rosa,) = tokens(register, vault, rows({"PHONE": "7123-4567"}))
    assert ana != rosa
    both = Gate(register, vault).pass_batch(rows({"DUI": "04567890-3", "PHONE": "7123-4567"}))
    assert both.data["_person"].to_pylist() == [ana]
    assert both.issues["rule"].to_pylist() == ["gate.identity_conflict"]


def test_an_erasure_finds_the_other_programme_before_and_after(
    similar: Source, vault: Vault, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    protection = similar.model_copy(update={"source": "slv/protection", "programme": "protection"})
    declared = {source.source: source for source in (similar, protection)}
    monkeypatch.setattr("anonymization.vault.origins.load_source", declared.__getitem__)
    one, other = (UUID(bytes=tokens(each, vault, rows({"DUI": "04567890-3"}))[0]) for each in (similar, protection))
    for _ in range(2):
        assert elsewhere(vault, "SLV", [one]) == {"protection": (other,)}
        upkeep.put_in_order(vault)


def test_a_rotation_puts_in_order(register: Source, vault: Vault, vault_url: str, rows: Rows) -> None:
    first = tokens(register, vault, rows(*people(0, 20)))
    upkeep.put_in_order(vault)
    more = tokens(register, vault, rows(*people(20, 30)))
    rotation.rotate(vault)
    with create_engine(vault_url).connect() as connection:
        assert connection.scalar(text("SELECT min(field) > 0 FROM vault.blind_index"))
    assert tokens(register, vault, rows(*people(0, 30))) == first + more


def test_nobody_becomes_two_while_the_index_is_put_in_order(register: Source, vault: Vault, rows: Rows) -> None:
    said = people(0, 240)
    starts = [10 * (number % 24) for number in range(96)]
    with ThreadPoolExecutor(5) as pool:
        order = pool.submit(lambda: [upkeep.put_in_order(vault) for _ in range(12)])
        work = [rows(*said[start : start + 20], *said[:10]) for start in starts]
        found = list(pool.map(lambda batch: tokens(register, vault, batch), work))
        order.result()
    everyone = tokens(register, vault, rows(*said))
    assert len(set(everyone)) == 240
    for start, some in zip(starts, found, strict=True):
        assert some == everyone[start : start + 20] + everyone[:10]


def test_nothing_is_put_in_order_between_a_look_up_and_what_follows_from_it(
    register: Source, vault: Vault, vault_url: str, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second connection keeps nobody waiting: who came after it asked would not be met by who writes."""
    tokens(register, vault, rows(*people(0, 20)))
    waiting: list[Future[Any]] = []
    ask = line.Line.ask
    with ThreadPoolExecutor(1) as pool, create_engine(vault_url).connect() as other:

        def asked(way: line.Line, asks: Sequence[line.Ask]) -> Any:
            if not waiting:
                waiting.append(pool.submit(upkeep.put_in_order, vault))
                until_it_waits(other, waiting[0])
                assert not waiting[0].done()
            return ask(way, asks)

        monkeypatch.setattr(line.Line, "ask", asked)
        tokens(register, vault, rows(*people(10, 30)))
        assert waiting[0].result()
    assert apart(vault_url) == (30, 0)


def test_a_token_names_its_person_wherever_it_lies(register: Source, vault: Vault, rows: Rows) -> None:
    for number in range(3):
        (token,) = tokens(register, vault, rows({"PHONE": f"7123-000{number}", "NAME": "Xochitl"}))
        for _ in range(2):
            asked = requests.ask(vault, UUID(bytes=token), "family tracing", "Marta", 7)
            requests.approve(vault, asked, "Jorge")
            assert [said.record["NAME"] for said in requests.reveal(vault, asked, "Marta")] == ["Xochitl"]
            assert erasure.find(vault, UUID(bytes=token)).tokens == (UUID(bytes=token),)
            upkeep.put_in_order(vault)


def test_tokens_of_a_vault_of_before_are_in_order(register: Source, vault: Vault, vault_url: str, rows: Rows) -> None:
    first = tokens(register, vault, rows(*people(0, 20)))
    upkeep.put_in_order(vault)
    with create_engine(vault_url).begin() as connection:
        connection.execute(text("ALTER TABLE vault.person DROP COLUMN came, ADD UNIQUE (token)"))
    vault.migrate()
    assert tokens(register, vault, rows(*people(0, 30)))[:20] == first
    assert apart(vault_url) == (20, 10)


def test_who_reads_at_one_moment_holds_what_is_put_in_order(
    register: Source, vault: Vault, vault_url: str, rows: Rows
) -> None:
    """For whoever looks from before it, a table that was put in order is empty."""
    tokens(register, vault, rows(*people(0, 20)))
    holds = """
        SELECT c.relname FROM pg_locks AS l JOIN pg_class AS c ON c.oid = l.relation
        WHERE l.pid = pg_backend_pid() AND l.mode = 'AccessShareLock' AND c.relname IN ('blind_index', 'person')"""
    with ThreadPoolExecutor(1) as pool, create_engine(vault_url).connect() as other:
        with vault.transaction() as cursor:
            upkeep.at_one_moment(cursor)
            assert len(cursor.execute(holds).fetchall()) == 2
            order = pool.submit(upkeep.put_in_order, vault)
            until_it_waits(other, order)
            for table in ("blind_index", "person"):
                assert cursor.execute(f"SELECT count(*) FROM vault.{table}".encode()).fetchone() == (20,)
        order.result()
    assert apart(vault_url) == (20, 0)


def test_a_backup_holds_every_index_though_they_are_put_in_order_meanwhile(
    register: Source, vault: Vault, vault_url: str, other_url: str, rows: Rows, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    before = tokens(register, vault, rows(*people(0, 20)))
    waiting: list[Future[Any]] = []
    section = backup._Archive.section
    with ThreadPoolExecutor(1) as pool, create_engine(vault_url).connect() as other:

        def begun(archive: backup._Archive, head: dict[str, Any]) -> None:
            if not waiting:
                waiting.append(pool.submit(upkeep.put_in_order, vault))
                until_it_waits(other, waiting[0])
            section(archive, head)

        monkeypatch.setattr(backup._Archive, "section", begun)
        backup.backup(vault, tmp_path / "vault.backup", SECRET, None)
        assert waiting[0].result()
    backup.restore(tmp_path / "vault.backup", SECRET, other_url, tmp_path / "keys", tmp_path / "store")
    there = Vault(other_url, Keyring.open(tmp_path / "keys"))
    assert tokens(register, there, rows(*people(0, 20))) == before
