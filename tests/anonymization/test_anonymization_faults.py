"""The vault's bad days: it goes down in the middle, it was tampered with, it is old, and everybody writes at once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import create_engine, text

from anonymization.gate import Gate
from anonymization.keys import rotation
from anonymization.keys.ring import Keyring
from anonymization.vault import enrolment
from anonymization.vault import vault as vaults
from anonymization.vault.vault import Vault
from codebook.errors import HomewardError, Unavailable
from sources.batches import TextBatch
from sources.models import Source

Rows = Callable[..., TextBatch]
WRITERS = 100


def tokens(source: Source, vault: Vault, batch: TextBatch) -> list[bytes]:
    return Gate(source, vault).pass_batch(batch).data["_person"].to_pylist()


def test_a_vault_that_goes_down_in_the_middle_is_one_line_and_the_next_run_is_whole(
    register: Source, vault: Vault, vault_url: str, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = rows({"DUI": "04567890-3", "NAME": "Xochitl"}, {"FILE": "F2"})

    def goes_down(self: enrolment.Enrolment, cursor: enrolment.Vaultside, *_: object) -> None:
        cursor.execute("RESET ROLE")
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

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
        "UPDATE vault.person SET token = gen_random_uuid()",
    ],
)
def test_a_tampered_key_is_one_line(register: Source, vault: Vault, vault_url: str, rows: Rows, statement: str) -> None:
    tokens(register, vault, rows({"DUI": "04567890-3", "NAME": "Ana"}))
    with create_engine(vault_url).begin() as connection:
        connection.execute(text(statement))
    for harmed in (
        lambda: tokens(register, vault, rows({"DUI": "04567890-3", "NAME": "Xochitl"})),
        lambda: rotation.rotate(vault),
    ):
        with pytest.raises(HomewardError, match="is damaged or was changed") as raised:
            harmed()
        assert "\n" not in str(raised.value)


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


@pytest.mark.slow
def test_a_hundred_writers_of_the_same_people_agree_on_every_token(
    register: Source, vault: Vault, vault_url: str, rows: Rows
) -> None:
    people = [{"FILE": f"F{n}"} for n in range(40)]
    batches = [rows(*people[n % 40 :], *people[: n % 40]) for n in range(WRITERS)]
    with ThreadPoolExecutor(WRITERS) as pool:
        found = list(pool.map(lambda batch: tokens(register, vault, batch), batches))
    with create_engine(vault_url).connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM vault.person")) == 40
    for number, said in enumerate(found):
        assert said == found[0][number % 40 :] + found[0][: number % 40]
