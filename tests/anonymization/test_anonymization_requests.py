from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo
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
    batch = rows(
        {"DUI": "04567890-3", "NAME": "Xochitl", "FAMILY": "F-H1-2025"}, {"FILE": "F2", "NAME": "Tlaloc فاطمة"}
    )
    return UUID(bytes=Gate(register, vault).pass_batch(batch).data["_person"][0].as_py())


def test_two_officers_name_a_person(vault: Vault, token: UUID) -> None:
    number = requests.ask(vault, token, "family tracing", "Marta", 7)
    requests.approve(vault, number, "Jorge")
    (said,) = requests.reveal(vault, number, "Marta")
    assert said.origin == "slv/register main"
    assert (said.record["DUI"], said.record["NAME"]) == ("04567890-3", "Xochitl")


WRITTEN_OTHERWISE = ["Marta", "MARTA", " marta ", "Mar\u200bta", "\uff2darta", "M. arta", "Mar-ta"]
LOOK_THE_SAME = ["M\u0430rta", "\u041cart\u0430", "\u039carta", "M\u0251rta", "\u1d0darta"]


@pytest.mark.parametrize("second", [*WRITTEN_OTHERWISE, *LOOK_THE_SAME])
def test_who_asks_cannot_approve(vault: Vault, token: UUID, second: str) -> None:
    number = requests.ask(vault, token, "family tracing", "Marta", 7)
    with pytest.raises(HomewardError, match="who asks cannot approve"):
        requests.approve(vault, number, second)


@pytest.mark.parametrize("second", ["MORALES, Ana", "morales ana", "Morales-Ana"])
def test_who_asks_cannot_approve_with_the_family_name_in_front(vault: Vault, token: UUID, second: str) -> None:
    number = requests.ask(vault, token, "family tracing", "Ana Morales", 7)
    with pytest.raises(HomewardError, match="who asks cannot approve"):
        requests.approve(vault, number, second)
    requests.approve(vault, number, "Jorge")
    with pytest.raises(HomewardError, match="another officer asked for this"):
        requests.reveal(vault, number, second)


def test_nobody_sees_what_nobody_approved(vault: Vault, token: UUID) -> None:
    number = requests.ask(vault, token, "family tracing", "Marta", 7)
    with pytest.raises(HomewardError, match="nobody has approved it yet"):
        requests.reveal(vault, number, "Marta")


def test_only_who_asked_sees(vault: Vault, token: UUID) -> None:
    number = requests.ask(vault, token, "family tracing", "Marta", 7)
    requests.approve(vault, number, "Jorge")
    with pytest.raises(HomewardError, match="another officer asked"):
        requests.reveal(vault, number, "Jorge")


def test_a_clock_that_an_officer_set_back_opens_no_expired_request(
    vault: Vault, vault_url: str, token: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    class OfficersClock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return datetime.now(tz) - timedelta(days=1_000)

    number = requests.ask(vault, token, "family tracing", "Marta", 1)
    requests.approve(vault, number, "Jorge")
    with create_engine(vault_url).begin() as connection:
        connection.execute(text("UPDATE vault.request SET expires_at = now()"))
    monkeypatch.setattr("anonymization.vault.requests.datetime", OfficersClock)
    with pytest.raises(HomewardError, match="has expired"):
        requests.reveal(vault, number, "Marta")
    assert [one.state for one in requests.requests(vault)] == ["expired"]


@pytest.mark.parametrize(("asks", "approves"), [("कमल शर्मा", "कमला शर्मा"), ("রহিম", "রাহিম")])
def test_a_vowel_sign_makes_another_officer(vault: Vault, token: UUID, asks: str, approves: str) -> None:
    """Kamala could not approve what Kamal asked, and was shown whom he may see."""
    number = requests.ask(vault, token, "family tracing", asks, 7)
    requests.approve(vault, number, approves)
    with pytest.raises(HomewardError, match="another officer asked for this"):
        requests.reveal(vault, number, approves)
    assert len(requests.reveal(vault, number, asks)) == 1


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
    "written",
    [
        "approved_by = 'Jorge', approved_at = now()",
        "expires_at = expires_at + interval '90 days'",
        "token = (SELECT token FROM vault.person AS p WHERE p.token <> request.token LIMIT 1)",
        "asked_by = 'Jorge'",
        "purpose = 'another'",
    ],
)
@pytest.mark.parametrize("approved", [False, True])
def test_who_can_write_into_the_vault_is_no_second_officer(
    vault: Vault, vault_url: str, token: UUID, written: str, approved: bool
) -> None:
    number = requests.ask(vault, token, "family tracing", "Marta", 7)
    if approved:
        requests.approve(vault, number, "Pilar")
    with create_engine(vault_url).begin() as connection:
        connection.execute(text(f"UPDATE vault.request SET {written}"))
    for step in (requests.reveal, requests.approve):
        with pytest.raises(HomewardError, match="the request is not as it was asked and approved"):
            step(vault, number, "Marta")


@pytest.mark.parametrize(
    ("purpose", "officer", "days", "what"),
    [("", "Marta", 7, "no purpose"), ("tracing", " ", 7, "nobody is named"), ("tracing", "Marta", 1000, "no time")],
)
def test_a_request_says_who_what_for_and_how_long(
    vault: Vault, token: UUID, purpose: str, officer: str, days: int, what: str
) -> None:
    with pytest.raises(HomewardError, match=what):
        requests.ask(vault, token, purpose, officer, days)


@pytest.mark.parametrize(
    "purpose",
    [
        "tracing for Xochitl",
        "tracing (XÓCHITL)",
        "where is xochitl",
        "family of Tlaloc, who asked",  # another person of the country
        "الأسرة تسأل عن لفاطمة",  # of another person too, joined with "for"
        "asked by María",
        "tracing of 045678903",
        "tracing of DUI 0456 7890 3",
        "the file F-H1-2025 of her family",
        "call +503 7890 1234",
        "write to somebody@example.org",
        "Xo\u200bchitl",
    ],
)
def test_a_purpose_names_nobody(vault: Vault, token: UUID, purpose: str) -> None:
    with pytest.raises(HomewardError, match="without naming anybody") as raised:
        requests.ask(vault, token, purpose, "Marta", 7)
    assert not any(word in str(raised.value) for word in ("ochitl", "laloc", "045", "7890"))
    assert requests.requests(vault) == []


@pytest.mark.parametrize(
    "purpose",
    [
        "family tracing",
        "Family reunification, requested by the Red Cross on 2026-11-03",
        "Letter 2026/114 of the Ministry of Foreign Affairs",
        "she withdrew her consent and asked to be erased",
        "Solicitud de la persona, carta del 3 de noviembre de 2026",
        "la titular retiró su consentimiento",
        "Demande de l'intéressée, lettre n° 12 du tribunal",
        "طلب صاحبة البيانات حذف بياناتها",
        "court order 114/2026",
        "legal aid",
        "test",
    ],
)
def test_a_purpose_may_say_what_for(vault: Vault, token: UUID, purpose: str) -> None:
    requests.ask(vault, token, purpose, "Marta", 7)


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


def test_every_step_that_was_refused_is_in_the_audit_and_names_nobody(
    vault: Vault, vault_url: str, token: UUID
) -> None:
    number = requests.ask(vault, token, "family tracing", "Marta", 7)
    attempts: list[tuple[str, Callable[[], object]]] = [
        ("a name", lambda: requests.ask(vault, token, "for Xochitl", "Marta", 7)),
        ("no purpose", lambda: requests.ask(vault, token, " ", "Marta", 7)),
        ("knows no person", lambda: requests.ask(vault, UUID(int=5), "tracing", "Marta", 7)),
        ("who asks cannot approve", lambda: requests.approve(vault, number, "Marta")),
        ("nobody has approved", lambda: requests.reveal(vault, number, "Marta")),
        ("nobody has approved", lambda: requests.standing(vault, number, "Marta")),
        ("another officer asked", lambda: requests.reveal(vault, number, "Jorge")),
        ("no such request", lambda: requests.reveal(vault, number + 1, "Jorge")),
        ("has expired", lambda: requests.reveal(vault, number, "Marta")),
        ("has expired", lambda: requests.approve(vault, number, "Jorge")),
    ]
    for why, attempt in attempts:
        if why == "has expired":
            with create_engine(vault_url).begin() as connection:
                connection.execute(text("UPDATE vault.request SET expires_at = now()"))
        with pytest.raises(HomewardError, match=why):
            attempt()
    lines = audit.lines(vault, len(attempts))
    assert {line.action for line in lines} == {"refused"}
    assert all(why in line.facts["why"] for (why, _), line in zip(attempts, lines, strict=True))
    assert [line.facts["step"] for line in lines[3:7]] == ["approve", "reveal", "erase", "reveal"]
    assert lines[3].country == "SLV"
    assert not any(secret in repr(lines) for secret in ("ochitl", str(token), token.hex))
    assert audit.verify(vault, []) is None


@pytest.mark.parametrize("tampered", ["set_byte(sealed, 20, 255 - get_byte(sealed, 20))", "substr(sealed, 1, 5)", "''"])
def test_a_tampered_record_is_one_line(vault: Vault, vault_url: str, token: UUID, tampered: str) -> None:
    number = requests.ask(vault, token, "family tracing", "Marta", 7)
    requests.approve(vault, number, "Jorge")
    with create_engine(vault_url).begin() as connection:
        connection.execute(text(f"UPDATE vault.identity SET sealed = {tampered}"))
    with pytest.raises(HomewardError, match="is damaged or was changed") as raised:
        requests.reveal(vault, number, "Marta")
    assert "\n" not in str(raised.value)
