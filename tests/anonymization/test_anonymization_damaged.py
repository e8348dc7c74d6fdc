"""One person whose sealed key or record does not open is held back, told, and keeps nobody else from passing."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy import create_engine, text

from anonymization.gate import Gate
from anonymization.linkage import reindex
from anonymization.vault import erasure, requests
from anonymization.vault.unfinished import Begun
from anonymization.vault.vault import Vault
from codebook.errors import HomewardError
from sources.batches import SafeBatch, TextBatch
from sources.models import Source

Rows = Callable[..., TextBatch]
Row = dict[str, str | None]
WHOSE = "(SELECT person_id FROM vault.person WHERE token = :token)"
KEY = (
    "UPDATE vault.person SET wrapped_key = set_byte(wrapped_key, 3, 255 - get_byte(wrapped_key, 3))"
    f" WHERE person_id = {WHOSE}"
)
CUT = f"UPDATE vault.person SET wrapped_key = substr(wrapped_key, 1, 20) WHERE person_id = {WHOSE}"
TOKEN = f"UPDATE vault.person SET token = gen_random_uuid() WHERE person_id = {WHOSE}"
LIKENESS = (
    f"UPDATE vault.likeness SET sealed = set_byte(sealed, 20, 255 - get_byte(sealed, 20)) WHERE person_id = {WHOSE}"
)
ANA, ROSA, LUZ = (
    {"FILE": "F1", "DUI": "04567890-3", "NAME": "Ana", "BORN": None},
    {"FILE": "F2", "DUI": "00016297-5", "NAME": "Rosa", "BORN": None},
    {"FILE": "F3", "NAME": "Luz"},
)


def passed(source: Source, vault: Vault, batch: TextBatch) -> SafeBatch:
    return Gate(source, vault).pass_batch(batch)


def tokens(safe: SafeBatch) -> list[UUID]:
    return [UUID(bytes=token) for token in safe.data["_person"].to_pylist()]


def harm(url: str, statement: str, token: UUID) -> None:
    with create_engine(url).begin() as connection:
        assert connection.execute(text(statement), {"token": token}).rowcount == 1


@pytest.mark.parametrize("statement", [KEY, CUT, TOKEN, LIKENESS], ids=["key", "cut", "token", "likeness"])
def test_only_the_damaged_person_s_row_is_held_back_and_the_others_pass(
    similar: Source, vault: Vault, vault_url: str, rows: Rows, statement: str
) -> None:
    ana, rosa = tokens(passed(similar, vault, rows(ANA, ROSA)))
    vault.recognise("SLV")
    harm(vault_url, statement, ana)
    news: Row = {"BORN": "17/05/1990"}
    safe = passed(similar, vault, rows(ANA | news, ROSA | news, LUZ))
    told = [(i["row"], i["rule"], i["severity"]) for i in safe.issues.to_pylist() if i["severity"] == "error"]
    assert told == [(2, "gate.identity_damaged", "error")]
    assert safe.rejected_rows.to_pylist() == [2]
    assert safe.data["_row"].to_pylist() == [3, 4]
    assert tokens(safe)[0] == rosa
    assert vault.recognise("SLV").compared >= 1, "and the others are compared"
    number = requests.ask(vault, rosa, "family tracing", "Marta", 7)
    requests.approve(vault, number, "Jorge")
    (said,) = requests.reveal(vault, number, "Marta")
    assert said.record["NAME"] == "Rosa"


def test_a_damaged_person_keeps_nobody_from_being_compared_or_from_another_model(
    similar: Source, vault: Vault, vault_url: str, rows: Rows
) -> None:
    same: Row = {"NAME": "Xochitl Amaya", "BORN": "17/05/1990"}
    ana, _ = tokens(passed(similar, vault, rows(ANA | same, ROSA)))
    harm(vault_url, KEY, ana)
    assert vault.recognise("SLV").compared == 2
    assert vault.recognise("SLV").compared == 0, "nobody waits for ever"
    passed(similar, vault, rows(LUZ | same))
    assert vault.recognise("SLV").compared == 1, "her keys lead to her, and she is passed over"
    with vault.transaction() as cursor:
        assert reindex.rebuild(cursor, vault.keys_of(cursor, "SLV")) == 3


def test_who_shares_a_number_with_a_damaged_person_is_not_taken_for_them(
    register: Source, vault: Vault, vault_url: str, rows: Rows
) -> None:
    phone: Row = {"PHONE": "7012-3456"}
    (ana,) = tokens(passed(register, vault, rows({"NAME": "Ana Amaya", **phone})))
    harm(vault_url, KEY, ana)
    crowd = [{"FILE": f"G{at}", "NAME": name, **phone} for at, name in enumerate(("Luz Paz", "Rosa Gil", "Eva Sol"))]
    assert ana not in tokens(passed(register, vault, rows(*crowd)))


@pytest.mark.parametrize("statement", [KEY, LIKENESS], ids=["key", "likeness"])
def test_many_who_do_not_open_are_no_accident_and_stop_the_delivery(
    similar: Source, vault: Vault, vault_url: str, rows: Rows, statement: str
) -> None:
    for token in tokens(passed(similar, vault, rows(ANA, ROSA))):
        harm(vault_url, statement, token)
    news: Row = {"BORN": "17/05/1990"}
    with pytest.raises(HomewardError, match="is damaged or was changed"):
        passed(similar, vault, rows(ANA | news, ROSA | news))


def test_a_damaged_person_can_be_erased(similar: Source, vault: Vault, vault_url: str, rows: Rows) -> None:
    (ana,) = tokens(passed(similar, vault, rows(ANA)))
    harm(vault_url, KEY, ana)
    begun = Begun("certificate", "SLV", erasure.find(vault, ana).tokens, frozenset(), {}, {"officer": "Marta"})
    erasure.mark(vault, [begun])
    erasure.shred(vault, "SLV", [begun])
    assert begun.done["vault"]["person"] == 1
