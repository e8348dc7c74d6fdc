from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy import create_engine, text

from anonymization.gate import Gate
from anonymization.vault import audit, requests
from anonymization.vault.vault import Vault
from codebook.errors import HomewardError
from sources.batches import TextBatch
from sources.models import Source

Rows = Callable[..., TextBatch]


@pytest.fixture
def token(register: Source, vault: Vault, rows: Rows) -> UUID:
    batch = rows({"DUI": "04567890-3", "NAME": "Xochitl"}, {"FILE": "F2", "NAME": "Ana"})
    return UUID(bytes=Gate(register, vault).pass_batch(batch).data["_person"][0].as_py())


def test_two_officers_name_a_person(vault: Vault, token: UUID) -> None:
    number = requests.ask(vault, token, "family tracing", "Marta", 7)
    requests.approve(vault, number, "Jorge")
    (said,) = requests.reveal(vault, number, "Marta")
    assert said.origin == "slv/register main"
    assert (said.record["DUI"], said.record["NAME"]) == ("04567890-3", "Xochitl")


@pytest.mark.parametrize("second", ["Marta", "MARTA", " marta "])
def test_who_asks_cannot_approve(vault: Vault, token: UUID, second: str) -> None:
    number = requests.ask(vault, token, "family tracing", "Marta", 7)
    with pytest.raises(HomewardError, match="who asks cannot approve"):
        requests.approve(vault, number, second)


def test_nobody_sees_what_nobody_approved(vault: Vault, token: UUID) -> None:
    number = requests.ask(vault, token, "family tracing", "Marta", 7)
    with pytest.raises(HomewardError, match="nobody has approved it yet"):
        requests.reveal(vault, number, "Marta")


def test_only_who_asked_sees(vault: Vault, token: UUID) -> None:
    number = requests.ask(vault, token, "family tracing", "Marta", 7)
    requests.approve(vault, number, "Jorge")
    with pytest.raises(HomewardError, match="another officer asked"):
        requests.reveal(vault, number, "Jorge")


@pytest.mark.parametrize("step", ["approve", "reveal"])
def test_an_expired_request_serves_for_nothing(vault: Vault, vault_url: str, token: UUID, step: str) -> None:
    number = requests.ask(vault, token, "family tracing", "Marta", 7)
    if step == "reveal":
        requests.approve(vault, number, "Jorge")
    with create_engine(vault_url).begin() as connection:
        connection.execute(text("UPDATE vault.request SET expires_at = now()"))
    with pytest.raises(HomewardError, match="has expired"):
        requests.approve(vault, number, "Jorge") if step == "approve" else requests.reveal(vault, number, "Marta")


@pytest.mark.parametrize(
    ("purpose", "officer", "days", "what"),
    [("", "Marta", 7, "no purpose"), ("tracing", " ", 7, "nobody is named"), ("tracing", "Marta", 1000, "no time")],
)
def test_a_request_says_who_what_for_and_how_long(
    vault: Vault, token: UUID, purpose: str, officer: str, days: int, what: str
) -> None:
    with pytest.raises(HomewardError, match=what):
        requests.ask(vault, token, purpose, officer, days)


def test_a_token_that_the_vault_does_not_know_is_told(vault: Vault, token: UUID) -> None:
    with pytest.raises(HomewardError, match="knows no person by this token"):
        requests.ask(vault, UUID(int=5), "tracing", "Marta", 7)


def test_every_step_is_in_the_audit_and_names_nobody(vault: Vault, token: UUID) -> None:
    number = requests.ask(vault, token, "family tracing", "Marta", 7)
    requests.approve(vault, number, "Jorge")
    requests.reveal(vault, number, "Marta")
    lines = audit.lines(vault, 3)
    assert [(line.action, line.officer) for line in lines] == [
        ("request", "Marta"), ("approve", "Jorge"), ("reveal", "Marta"),
    ]  # fmt: skip
    told = repr(lines)
    assert not any(secret in told for secret in ("Xochitl", "04567890", str(token), token.hex))


def test_a_tampered_record_is_one_line(vault: Vault, vault_url: str, token: UUID) -> None:
    number = requests.ask(vault, token, "family tracing", "Marta", 7)
    requests.approve(vault, number, "Jorge")
    with create_engine(vault_url).begin() as connection:
        connection.execute(text("UPDATE vault.identity SET sealed = set_byte(sealed, 20, 255 - get_byte(sealed, 20))"))
    with pytest.raises(HomewardError, match="is damaged or was changed") as raised:
        requests.reveal(vault, number, "Marta")
    assert "\n" not in str(raised.value)
