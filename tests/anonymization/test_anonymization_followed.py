"""Events that somebody wrote into the vault, or took out of it, are noticed alike, told, and set right by decisions."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from uuid import UUID

import pytest
from databases import new_database
from sqlalchemy import create_engine, make_url, text

from anonymization.gate import Gate
from anonymization.keys.ring import Keyring
from anonymization.linkage import decisions, review
from anonymization.vault import audit, erasure, mending
from anonymization.vault.followed import Undecided
from anonymization.vault.vault import Vault
from codebook.errors import HomewardError
from sources.batches import TextBatch
from sources.models import Source

Rows = Callable[..., TextBatch]
TAKEN_OUT = {
    "an event": "DELETE FROM vault.token_event WHERE event_id = (SELECT max(event_id) FROM vault.token_event)",
    "all events": "TRUNCATE vault.token_event",
    "the group": "DELETE FROM vault.same_person",
    "group and events": "DELETE FROM vault.same_person; DELETE FROM vault.token_event",
}
WRITTEN = {
    "a split": "INSERT INTO vault.token_event (country, kind, token, current_token)"
    " SELECT country, 'split', token, token FROM vault.token_event ORDER BY event_id DESC LIMIT 1",
    "of nobody": "INSERT INTO vault.token_event (country, kind, token, current_token)"
    " VALUES ('SLV', 'merge', gen_random_uuid(), gen_random_uuid())",
    "a merge": "INSERT INTO vault.token_event (country, kind, token, current_token)"
    " SELECT 'SLV', 'merge', a.token, b.token FROM vault.person AS a, vault.person AS b"
    " WHERE a.person_id = (SELECT max(person_id) FROM vault.person) AND b.person_id <> a.person_id",
    "a group": "UPDATE vault.same_person SET head = (SELECT min(person_id) FROM vault.person);"
    " INSERT INTO vault.same_person SELECT person_id, (SELECT min(person_id) FROM vault.person) FROM vault.person"
    " ON CONFLICT DO NOTHING",
    "a decision": "INSERT INTO vault.decision (country, one, other, weight, model, state)"
    " SELECT 'SLV', min(person_id), max(person_id), 9, 'model', 'accepted' FROM vault.person;"
    " UPDATE vault.same_person SET head = (SELECT min(person_id) FROM vault.person);"
    " INSERT INTO vault.same_person SELECT person_id, (SELECT min(person_id) FROM vault.person) FROM vault.person"
    " ON CONFLICT DO NOTHING;"
    " INSERT INTO vault.token_event (country, kind, token, current_token) SELECT 'SLV', 'merge', a.token, b.token"
    " FROM vault.person AS a, vault.person AS b WHERE b.person_id = (SELECT min(person_id) FROM vault.person)",
}


@dataclass(frozen=True)
class Founded:
    """A vault of five people by rising id: an officer joined the first three, one after the other; two stand alone."""

    database: str
    keys: Path
    people: list[UUID]


@pytest.fixture(scope="module")
def founded(
    postgres_url: str, migrated: str, tmp_path_factory: pytest.TempPathFactory, similar: Source, rows: Rows
) -> Iterator[Founded]:
    """Made once; each test has copies of its database and of its keys."""
    keys = tmp_path_factory.mktemp("founded") / "keys"
    with new_database(postgres_url, migrated) as url:
        vault = Vault(url, Keyring.open(keys))
        people = join_three_of_five(vault, similar, rows)
        vault._engine.dispose()  # nobody may look on while it is copied
        yield Founded(str(make_url(url).database), keys, people)


def join_three_of_five(vault: Vault, similar: Source, rows: Rows) -> list[UUID]:
    vault.migrate()
    said = [{"FILE": f"F{number}", "NAME": f"{name} Portillo"} for number, name in enumerate(("Ana", "Rosa", "Luz"))]
    said += [{"FILE": "F8", "NAME": "Xochitl Amaya"}, {"FILE": "F9", "NAME": "Mario Tobar"}]
    Gate(similar, vault).pass_batch(rows(*said))
    vault.recognise("SLV")
    with vault.transaction() as cursor:
        cursor.execute("DELETE FROM vault.decision_event; DELETE FROM vault.decision")
        found = cursor.execute("SELECT person_id, token FROM vault.person ORDER BY person_id").fetchall()
        for (one, _), (other, _) in pairwise(found[:3]):
            cursor.execute(
                "INSERT INTO vault.decision (country, one, other, weight, model, state)"
                " VALUES ('SLV', %s, %s, 2, 'model', 'waiting')",
                (one, other),
            )
        decisions.seal_all(cursor, vault.keyring)
    for waiting in review.pairs(vault):
        review.settle(vault, waiting.decision_id, review.ACCEPTED, "Marta")
    assert len(counts_as(vault)) == 2
    return [token for _, token in found]


@pytest.fixture
def vault_url(postgres_url: str, founded: Founded) -> Iterator[str]:
    with new_database(postgres_url, founded.database) as url:
        yield url


@pytest.fixture
def keyring(tmp_path: Path, founded: Founded) -> Keyring:
    shutil.copytree(founded.keys, tmp_path / "keys")
    return Keyring.open(tmp_path / "keys")


@pytest.fixture
def people(founded: Founded) -> list[UUID]:
    return list(founded.people)


def counts_as(vault: Vault) -> dict[UUID, UUID]:
    """What the warehouse would be told: tokens that count as another one."""
    last = {event.token: event.current_token for event in vault.token_events("SLV")}
    return {token: current for token, current in last.items() if token != current}


def write(url: str, statement: str) -> None:
    with create_engine(url).begin() as connection:
        connection.execute(text(statement))


@pytest.mark.parametrize("statement", (TAKEN_OUT | WRITTEN).values(), ids=TAKEN_OUT | WRITTEN)
def test_what_was_taken_out_is_noticed_as_what_was_written_is_and_both_are_set_right(
    vault: Vault, vault_url: str, people: list[UUID], statement: str
) -> None:
    before = counts_as(vault)
    assert before == {people[1]: people[0], people[2]: people[0]}
    write(vault_url, statement)
    with pytest.raises(Undecided) as raised:
        vault.token_events("SLV")
    assert "homeward vault events --country SLV" in str(raised.value)
    assert not [token for token in people if str(token) in str(raised.value)], "it is told where others read it"
    assert mending.look(vault, "SLV")
    assert mending.mend(vault, "SLV", "Jorge")
    assert counts_as(vault) == before
    assert set(erasure.find(vault, people[1]).tokens) == set(people[:3])
    assert [erasure.find(vault, token).tokens for token in people[3:]] == [(people[3],), (people[4],)]
    assert not mending.look(vault, "SLV")
    (line,) = audit.lines(vault, 1)
    assert (line.action, line.officer, line.country) == ("events", "Jorge", "SLV")
    assert not [token for token in people if str(token) in str(line.facts)]


def test_where_nothing_is_wrong_nothing_is_written(vault: Vault, people: list[UUID]) -> None:
    before = (vault.token_events("SLV"), audit.head(vault))
    assert not mending.mend(vault, "SLV", "Jorge")
    assert (vault.token_events("SLV"), audit.head(vault)) == before
    assert len(people) == 5


def test_a_decision_that_was_changed_keeps_the_pair_apart_until_an_officer_says_otherwise(
    vault: Vault, vault_url: str, people: list[UUID]
) -> None:
    write(
        vault_url,
        "UPDATE vault.decision SET seal = NULL WHERE decision_id = (SELECT max(decision_id) FROM vault.decision)",
    )
    (number,) = mending.mend(vault, "SLV", "Jorge").decisions
    assert counts_as(vault) == {people[1]: people[0]}
    review.settle(vault, number, review.ACCEPTED, "Marta")
    assert counts_as(vault) == {people[1]: people[0], people[2]: people[0]}


def test_a_decision_about_nobody_goes(vault: Vault, vault_url: str, people: list[UUID]) -> None:
    write(
        vault_url,
        "INSERT INTO vault.decision (country, one, other, weight, model, state)"
        " SELECT 'SLV', min(person_id), 0, 9, 'model', 'accepted' FROM vault.person",
    )
    assert counts_as(vault), "it joins nobody, and stops nothing"
    assert len(mending.mend(vault, "SLV", "Jorge").decisions) == 1
    assert not mending.look(vault, "SLV")
    assert len(people) == 5


def test_with_other_keys_nothing_is_mended(vault: Vault, vault_url: str, people: list[UUID]) -> None:
    """All seals would look forged, and all decisions be undone."""
    with pytest.raises(HomewardError, match="made with another root key"):
        mending.mend(Vault(vault_url, Keyring.throwaway()), "SLV", "Jorge")
    assert len(counts_as(vault)) == len(people[1:3])
