"""What somebody writes into the vault's database joins nobody: approvals and queues show the decided persons only."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import create_engine, text

from anonymization.gate import Gate
from anonymization.keys.ring import Keyring
from anonymization.linkage import decisions, review
from anonymization.vault import backup, erasure, requests
from anonymization.vault.sealed_stream import secret_of_passphrase
from anonymization.vault.vault import Vault
from codebook.errors import HomewardError
from sources.batches import TextBatch
from sources.models import Source

Rows = Callable[..., TextBatch]
SECRET = secret_of_passphrase("correct horse battery")

JOINS = {
    "a group": "INSERT INTO vault.same_person SELECT person_id, (SELECT min(person_id) FROM vault.person)"
    " FROM vault.person",
    "a decision": "INSERT INTO vault.decision (country, one, other, weight, model, state)"
    " SELECT 'SLV', min(person_id), max(person_id), 9, 'model', 'accepted' FROM vault.person;"
    " INSERT INTO vault.same_person SELECT person_id, (SELECT min(person_id) FROM vault.person) FROM vault.person",
    "a seal of another state": "UPDATE vault.decision SET state = 'accepted';"
    " INSERT INTO vault.same_person SELECT person_id, (SELECT min(person_id) FROM vault.person) FROM vault.person",
}


@pytest.fixture
def tokens(similar: Source, vault: Vault, rows: Rows) -> list[UUID]:
    """Two people whom nothing joins."""
    said = ({"NAME": "Xochitl Amaya", "DUI": "04567890-3"}, {"FILE": "F2", "NAME": "Rosa Portillo"})
    passed = Gate(similar, vault).pass_batch(rows(*said)).data
    vault.recognise("SLV")
    return [UUID(bytes=token) for token in passed["_person"].to_pylist()]


@pytest.fixture
def pair(vault: Vault, tokens: list[UUID]) -> list[UUID]:
    """The two, whom the model has found alike."""
    with vault.transaction() as cursor:
        cursor.execute(
            "INSERT INTO vault.decision (country, one, other, weight, model, state)"
            " SELECT 'SLV', min(person_id), max(person_id), 2, 'model', 'waiting' FROM vault.person"
        )
        decisions.seal_all(cursor, vault.keyring)
    return tokens


def write(url: str, statement: str) -> None:
    with create_engine(url).begin() as connection:
        connection.execute(text(statement))


def named(vault: Vault, token: UUID) -> list[requests.Said]:
    number = requests.ask(vault, token, "family tracing", "Marta", 7)
    requests.approve(vault, number, "Jorge")
    return requests.reveal(vault, number, "Marta")


@pytest.mark.parametrize("what", JOINS)
def test_an_approval_shows_nobody_whom_somebody_wrote_beside_the_person(
    vault: Vault, vault_url: str, pair: list[UUID], what: str
) -> None:
    number = requests.ask(vault, pair[1], "family tracing", "Marta", 7)
    requests.approve(vault, number, "Jorge")
    if what == "a decision":
        write(vault_url, "DELETE FROM vault.decision")
    write(vault_url, JOINS[what])
    for act in (lambda: requests.reveal(vault, number, "Marta"), lambda: erasure.find(vault, pair[1])):
        with pytest.raises(HomewardError, match=r"as it was decided|that no decision joins") as raised:
            act()
        assert "\n" not in str(raised.value)


@pytest.mark.parametrize("act", ["list", "accept"])
def test_a_pair_that_somebody_wrote_is_laid_before_no_officer(
    vault: Vault, vault_url: str, tokens: list[UUID], act: str
) -> None:
    write(
        vault_url,
        "INSERT INTO vault.decision (country, one, other, weight, model, state)"
        " SELECT 'SLV', min(person_id), max(person_id), 9, 'model', 'waiting' FROM vault.person",
    )
    with pytest.raises(HomewardError, match="it is not as it was decided"):
        review.pairs(vault) if act == "list" else review.settle(vault, 1, review.ACCEPTED, "Marta")


def test_who_was_joined_lawfully_is_shown_with_all_tokens(vault: Vault, pair: list[UUID]) -> None:
    (waiting,) = review.pairs(vault)
    review.settle(vault, waiting.decision_id, review.ACCEPTED, "Marta")
    assert len(named(vault, pair[1])) == 2
    review.settle(vault, waiting.decision_id, review.UNDONE, "Marta")
    assert len(named(vault, pair[1])) == 1


def test_a_decision_that_was_taken_back_is_not_brought_back_by_its_seal(
    vault: Vault, vault_url: str, pair: list[UUID]
) -> None:
    """Who had read the seal of before wrote it again, and was shown both by a lawful approval of one."""
    (waiting,) = review.pairs(vault)
    review.settle(vault, waiting.decision_id, review.ACCEPTED, "Marta")
    with vault.transaction() as cursor:
        ((seal,),) = cursor.execute("SELECT encode(seal, 'hex') FROM vault.decision").fetchall()
    review.settle(vault, waiting.decision_id, review.UNDONE, "Marta")
    write(vault_url, JOINS["a group"])
    write(vault_url, f"UPDATE vault.decision SET state = 'accepted', seal = '\\x{seal}'")
    for act in (lambda: named(vault, pair[1]), lambda: erasure.find(vault, pair[0])):
        with pytest.raises(HomewardError, match="it is not as it was decided"):
            act()
    write(vault_url, "DELETE FROM vault.same_person")
    review.settle(vault, waiting.decision_id, review.UNDONE, "Marta")
    review.settle(vault, waiting.decision_id, review.ACCEPTED, "Marta")
    assert len(named(vault, pair[1])) == 2, "what an officer says last counts"


EVENT = (
    "INSERT INTO vault.token_event (country, kind, token, current_token)"
    " SELECT 'SLV', 'merge', a.token, b.token FROM vault.person AS a, vault.person AS b"
    " WHERE a.person_id = (SELECT max(person_id) FROM vault.person)"
    " AND b.person_id = (SELECT min(person_id) FROM vault.person)"
)
INVENTED = {
    "an event": EVENT,
    "with a group": f"{JOINS['a group']}; {EVENT}",
    "with a decision": f"{JOINS['a decision']}; {EVENT}",
    "about nobody": "INSERT INTO vault.token_event (country, kind, token, current_token)"
    " SELECT 'SLV', 'merge', token, gen_random_uuid() FROM vault.person",
}


@pytest.mark.parametrize("statement", INVENTED.values(), ids=INVENTED)
def test_the_warehouse_follows_no_event_that_nobody_decided(
    vault: Vault, vault_url: str, tokens: list[UUID], statement: str
) -> None:
    assert len(tokens) == 2
    write(vault_url, statement)
    with pytest.raises(HomewardError) as raised:
        vault.token_events("SLV")
    assert "homeward vault events --country SLV" in str(raised.value)


def test_a_split_that_no_officer_said_is_not_followed(vault: Vault, vault_url: str, pair: list[UUID]) -> None:
    (waiting,) = review.pairs(vault)
    review.settle(vault, waiting.decision_id, review.ACCEPTED, "Marta")
    joined = vault.token_events("SLV")
    assert [event.kind for event in joined] == ["merge"]
    write(vault_url, EVENT.replace("'merge', a.token, b.token", "'split', a.token, a.token"))
    with pytest.raises(HomewardError, match="whom no decision names"):
        vault.token_events("SLV", joined[-1].event_id)
    review.settle(vault, waiting.decision_id, review.UNDONE, "Marta")
    assert [event.kind for event in vault.token_events("SLV")] == ["merge", "split", "split"]
    assert len(pair) == 2


def test_decisions_of_an_older_vault_and_of_its_backup_stand(
    vault: Vault, vault_url: str, other_url: str, pair: list[UUID], tmp_path: Path
) -> None:
    (waiting,) = review.pairs(vault)
    review.settle(vault, waiting.decision_id, review.ACCEPTED, "Marta")
    write(vault_url, "ALTER TABLE vault.decision DROP COLUMN seal")
    older = Vault(vault_url, vault.keyring)
    backup.backup(older, tmp_path / "older", SECRET, None)
    older.migrate()
    assert len(named(older, pair[1])) == 2
    home = tmp_path / "restored"
    backup.restore(tmp_path / "older", SECRET, other_url, home / "keys", home / "store")
    assert len(named(Vault(other_url, Keyring.open(home / "keys")), pair[1])) == 2


def test_a_restore_over_an_older_vault_seals_nothing_with_keys_of_its_own(
    vault: Vault, vault_url: str, pair: list[UUID], tmp_path: Path
) -> None:
    backup.backup(vault, tmp_path / "archive", SECRET, None)
    write(vault_url, "ALTER TABLE vault.decision DROP COLUMN seal")
    with pytest.raises(HomewardError, match="the vault is not empty"):
        backup.restore(tmp_path / "archive", SECRET, vault_url, tmp_path / "new" / "keys", tmp_path / "new" / "store")
    older = Vault(vault_url, vault.keyring)
    older.migrate()
    assert len(review.pairs(older)) == 1


def test_an_older_vault_is_not_sealed_with_keys_that_are_not_its_own(
    vault: Vault, vault_url: str, pair: list[UUID], tmp_path: Path
) -> None:
    """A home with other keys had sealed every decision, and with the right ones no officer saw or erased anybody."""
    (waiting,) = review.pairs(vault)
    review.settle(vault, waiting.decision_id, review.ACCEPTED, "Marta")
    write(vault_url, "ALTER TABLE vault.decision DROP COLUMN seal")
    with pytest.raises(HomewardError, match="the vault was made with another root key"):
        Vault(vault_url, Keyring.open(tmp_path / "others")).migrate()
    older = Vault(vault_url, vault.keyring)
    older.migrate()
    assert len(named(older, pair[1])) == 2
