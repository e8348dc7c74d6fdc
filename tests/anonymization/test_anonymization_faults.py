"""The vault's bad days: it goes down in the middle, it was tampered with, it is old, and everybody writes at once."""

from __future__ import annotations

import multiprocessing
import pickle
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID

import pytest
from disks import unflushed
from sqlalchemy import create_engine, text

from anonymization.gate import Gate
from anonymization.keys import rotation
from anonymization.keys.ring import Keyring
from anonymization.linkage import decisions, review
from anonymization.vault import enrolment, erasure, line, requests
from anonymization.vault import vault as vaults
from anonymization.vault.unfinished import Begun
from anonymization.vault.vault import Vault
from codebook.errors import HomewardError, Unavailable
from sources.batches import TextBatch
from sources.models import Source
from warehouse.embedded import EmbeddedServer

Rows = Callable[..., TextBatch]
WRITERS = 100


def tokens(source: Source, vault: Vault, batch: TextBatch) -> list[bytes]:
    return Gate(source, vault).pass_batch(batch).data["_person"].to_pylist()


@pytest.mark.parametrize("large", [1, 1_000], ids=["sent by a thread", "at once"])
def test_a_vault_that_goes_down_in_the_middle_is_one_line_and_the_next_run_is_whole(
    register: Source, vault: Vault, vault_url: str, rows: Rows, monkeypatch: pytest.MonkeyPatch, large: int
) -> None:
    monkeypatch.setattr(line, "LARGE", large)
    batch = rows({"DUI": "04567890-3", "NAME": "Xochitl"}, {"FILE": "F2"})

    def goes_down(self: enrolment.Enrolment, way: line.Line, *_: object) -> None:
        way.cursor.execute("RESET ROLE")
        way.cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    with monkeypatch.context() as patched:
        patched.setattr(enrolment.Enrolment, "_write_persons", goes_down)
        with pytest.raises(Unavailable) as raised:
            tokens(register, vault, batch)
    assert "\n" not in str(raised.value)
    assert "Xochitl" not in str(raised.value)
    with create_engine(vault_url).connect() as connection:
        for table in ("person", "blind_index", "identity"):
            assert connection.scalar(text(f"SELECT count(*) FROM vault.{table}")) == 0
    assert len(set(tokens(register, vault, batch))) == 2


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE vault.person SET wrapped_key = set_byte(wrapped_key, 3, 255 - get_byte(wrapped_key, 3))",
        "UPDATE vault.person SET wrapped_key = substr(wrapped_key, 1, 50)",
        "UPDATE vault.person SET wrapped_key = substr(wrapped_key, 1, 20)",
        "UPDATE vault.person SET wrapped_key = ''",
        "UPDATE vault.person SET token = gen_random_uuid()",
    ],
)
def test_a_tampered_key_is_one_line(register: Source, vault: Vault, vault_url: str, rows: Rows, statement: str) -> None:
    people = [{"DUI": "04567890-3", "NAME": "Ana"}, {"FILE": "F2", "DUI": "00016297-5", "NAME": "Luz"}]
    tokens(register, vault, rows(*people))
    with create_engine(vault_url).begin() as connection:
        connection.execute(text(statement))
    for harmed in (
        lambda: tokens(register, vault, rows(*(one | {"NAME": "Xochitl"} for one in people))),
        lambda: rotation.rotate(vault),
    ):
        with pytest.raises(HomewardError, match="is damaged or was changed") as raised:
            harmed()
        assert "\n" not in str(raised.value)


def test_two_who_wait_for_each_other_are_told_to_run_again(vault: Vault) -> None:
    """As an erasure and a batch may, where nothing is tried again by itself."""
    both_hold_one = threading.Barrier(2, timeout=600)

    def waits(first: int, second: int) -> HomewardError | None:
        try:
            with vault.transaction() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", (first,))
                both_hold_one.wait()
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", (second,))
        except HomewardError as error:
            return error
        return None

    with ThreadPoolExecutor(2) as pool:
        found = [error for error in pool.map(waits, (1, 2), (2, 1)) if error is not None]
    (told,) = found
    assert isinstance(told, Unavailable)
    assert str(told).endswith("run again")
    assert str(pickle.loads(pickle.dumps(told))) == str(told)


def test_a_country_key_that_was_changed_stops_everything(
    register: Source, vault: Vault, vault_url: str, rows: Rows
) -> None:
    tokens(register, vault, rows({"DUI": "04567890-3"}))
    with create_engine(vault_url).begin() as connection:
        connection.execute(text("UPDATE vault.country SET wrapped_key = decode(repeat('00', 60), 'hex')"))
    with pytest.raises(HomewardError, match="made with another root key"):
        tokens(register, vault, rows({"DUI": "04567890-3"}))


def test_a_vault_of_the_first_version_is_brought_up(
    register: Source, vault_url: str, keyring: Keyring, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as then:
        then.setattr(vaults, "_PARTS", vaults._PARTS[:1])
        Vault(vault_url, keyring).migrate()
    vault = Vault(vault_url, keyring)
    vault.migrate()
    first = tokens(register, vault, rows({"DUI": "04567890-3"}))
    rotation.rotate(vault)
    assert tokens(register, vault, rows({"DUI": "04567890-3"})) == first


HARM = "UPDATE vault.{0} SET {1} = set_byte({1}, length({1}) - 3, 255 - get_byte({1}, length({1}) - 3))"


def named(vault: Vault, token: UUID) -> object:
    number = requests.ask(vault, token, "family tracing", "Marta", 7)
    requests.approve(vault, number, "Jorge")
    return requests.reveal(vault, number, "Marta")


@pytest.mark.parametrize(
    ("table", "column", "use"),
    [
        ("identity", "sealed", named),
        ("person", "wrapped_key", named),
        ("likeness", "sealed", lambda vault, _: vault.recognise("SLV")),
        ("likeness", "sealed", lambda vault, _: similarity_reviewed(vault)),
        ("frequency", "sealed", lambda vault, _: rotation.rotate(vault)),
    ],
)
def test_a_tampered_record_of_any_table_is_one_line(
    similar: Source,
    vault: Vault,
    vault_url: str,
    rows: Rows,
    table: str,
    column: str,
    use: Callable[[Vault, UUID], object],
) -> None:
    first = tokens(similar, vault, rows({"NAME": "Xochitl", "DUI": "04567890-3"}, {"FILE": "F2", "NAME": "Rosa"}))
    vault.recognise("SLV")
    later = {"FILE": "F3", "NAME": "Xochitl", "DUI": "00016297-5"}, {"FILE": "F4", "NAME": "Luz"}
    tokens(similar, vault, rows(*later))
    with create_engine(vault_url).begin() as connection:
        connection.execute(text(HARM.format(table, column)))
    with pytest.raises(HomewardError, match="is damaged or was changed") as raised:
        use(vault, UUID(bytes=first[0]))
    assert "\n" not in str(raised.value)
    assert "Xochitl" not in str(raised.value)


def similarity_reviewed(vault: Vault) -> object:
    with vault.transaction() as cursor:
        persons = [person for (person,) in cursor.execute("SELECT person_id FROM vault.person ORDER BY 1").fetchall()]
        cursor.execute(
            "INSERT INTO vault.decision (country, one, other, weight, model, state)"
            " VALUES ('SLV', %s, %s, 9, 'model', 'waiting')",
            persons[:2],
        )
        decisions.seal_all(cursor, vault.keyring)
    return review.pairs(vault, "SLV")


@pytest.mark.parametrize(
    ("table", "column"), [("identity", "sealed"), ("likeness", "sealed"), ("person", "wrapped_key")]
)
def test_a_damaged_record_keeps_nobody_from_being_erased(
    similar: Source, vault: Vault, vault_url: str, rows: Rows, table: str, column: str
) -> None:
    first = tokens(similar, vault, rows({"NAME": "Xochitl"}, {"FILE": "F2", "NAME": "Rosa"}))
    vault.recognise("SLV")
    with create_engine(vault_url).begin() as connection:
        connection.execute(text(HARM.format(table, column)))
    person = erasure.find(vault, UUID(bytes=first[0]))
    begun = Begun("certificate", person.country, person.tokens, frozenset(), {}, {"officer": "Marta"})
    erasure.mark(vault, [begun])
    erasure.shred(vault, "SLV", [begun])
    assert begun.done["vault"]["person"] == 1


def write(work: tuple[str, Keyring, Source, TextBatch]) -> list[bytes]:
    url, keyring, source, batch = work
    return tokens(source, Vault(url, keyring), batch)


@pytest.mark.slow
def test_a_hundred_processes_that_write_the_same_people_agree_on_every_token(
    register: Source, keyring: Keyring, rows: Rows, server_folder: Path
) -> None:
    people = [{"FILE": f"F{n}"} for n in range(40)]
    batches = [rows(*people[n % 40 :], *people[: n % 40]) for n in range(WRITERS)]
    context = multiprocessing.get_context("forkserver")
    used = ["pytest", "pandas", "psycopg", "sqlalchemy.dialects.postgresql", "cryptography.hazmat.primitives.kdf.hkdf"]
    context.set_forkserver_preload(["anonymization.gate", *used])
    server = EmbeddedServer(server_folder / "writers").start()
    unflushed(server_folder / "writers")
    try:
        url = server.url("vault")
        Vault(url, keyring).migrate()
        with context.Pool(WRITERS) as pool:
            found = pool.map(write, [(url, keyring, register, batch) for batch in batches], chunksize=1)
            pool.close()  # all end by themselves: who is ended may hold the queue that the others wait for
            pool.join()
        with create_engine(url).connect() as connection:
            assert connection.scalar(text("SELECT count(*) FROM vault.person")) == 40
            assert connection.scalar(text("SELECT count(*) FROM vault.audit")) == WRITERS
    finally:
        server.stop()
    for number, said in enumerate(found):
        assert said == found[0][number % 40 :] + found[0][: number % 40]
