"""The same person under several tokens: recognised by the model, settled by an officer, taken back."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import create_engine, text

from anonymization.gate import Gate
from anonymization.linkage import recognition, review
from anonymization.vault.vault import Vault
from codebook.errors import HomewardError
from sources.batches import TextBatch
from sources.models import Source

NAMED = """
  - name: main
    key: [FILE]
    person: {link: [DUI], similar: [GIVEN, FAMILY, BORN, PHONE, TOWN]}
    columns:
      - {name: FILE, class: technical}
      - {name: DUI, class: identifier, kind: national_id, scheme: slv_dui}
      - {name: GIVEN, class: identifier, kind: name, part: given}
      - {name: FAMILY, class: identifier, kind: name, part: family}
      - {name: BORN, class: quasi_identifier, keep: year, format: "%d/%m/%Y"}
      - {name: PHONE, class: identifier, kind: phone}
      - {name: TOWN, class: geo}
"""
NOBODY: dict[str, str | None] = {
    "FILE": "F1",
    "DUI": None,
    "GIVEN": "Rosa Elena",
    "FAMILY": "Menjívar Portillo",
    "BORN": "17/05/1990",
    "PHONE": "7123-4567",
    "TOWN": "Soyapango",
}

Rows = Callable[..., TextBatch]
MakeSource = Callable[..., Source]


@pytest.fixture
def source(make_source: MakeSource) -> Source:
    return make_source(tables=NAMED)


@pytest.fixture
def deliver(source: Source, vault: Vault, rows: Rows) -> Callable[..., list[bytes]]:
    """Tokens of rows that are delivered and then recognised."""

    def run(*said: dict[str, str | None]) -> list[bytes]:
        tokens: list[bytes] = Gate(source, vault).pass_batch(rows(*said, blank=NOBODY)).data["_person"].to_pylist()
        vault.recognise("SLV")
        return tokens

    return run


def current(vault: Vault) -> dict[bytes, bytes]:
    """What each token counts as, after all events."""
    return {event.token.bytes: event.current_token.bytes for event in vault.token_events("SLV")}


def persons(vault: Vault, tokens: list[bytes]) -> int:
    counts_as = current(vault)
    return len({counts_as.get(token, token) for token in tokens})


def states(url: str) -> list[str]:
    with create_engine(url).connect() as connection:
        return list(connection.scalars(text("SELECT state FROM vault.decision ORDER BY decision_id")))


def test_another_spelling_of_the_same_person_counts_as_one(
    deliver: Callable[..., list[bytes]], vault: Vault, vault_url: str
) -> None:
    first = deliver({"FILE": "F1"})
    second = deliver({"FILE": "F2", "GIVEN": "ROSA HELENA", "FAMILY": "Menjibar", "TOWN": None})
    assert first != second  # a token is never given twice, so that this can be taken back
    assert persons(vault, first + second) == 1
    assert states(vault_url) == ["merged"]


def test_those_in_the_vault_are_opened_page_by_page(
    deliver: Callable[..., list[bytes]], vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = deliver({"FILE": "F1"}, {"FILE": "F2", "GIVEN": "María Isabel"}, {"FILE": "F3", "GIVEN": "Ana Lucía"})
    monkeypatch.setattr(recognition, "_PAGE", 1)
    again = deliver({"FILE": "F4"}, {"FILE": "F5", "GIVEN": "María"}, {"FILE": "F6", "GIVEN": "Ana Lusía"})
    counts_as = current(vault)
    assert [counts_as.get(token) for token in again] == first


def test_two_rows_of_one_delivery_are_recognised_as_well(deliver: Callable[..., list[bytes]], vault: Vault) -> None:
    assert persons(vault, deliver({"FILE": "F1"}, {"FILE": "F2", "GIVEN": "Rosa"})) == 1


def test_twins_are_two(deliver: Callable[..., list[bytes]], vault: Vault, vault_url: str) -> None:
    assert persons(vault, deliver({"FILE": "F1"}, {"FILE": "F2", "GIVEN": "María Isabel"})) == 2
    assert states(vault_url) == []


def test_father_and_son_of_one_name_are_two(deliver: Callable[..., list[bytes]], vault: Vault) -> None:
    assert persons(vault, deliver({"FILE": "F1"}, {"FILE": "F2", "BORN": "03/11/1962"})) == 2


def test_junk_names_recognise_nobody(deliver: Callable[..., list[bytes]], vault: Vault) -> None:
    nobody = {"GIVEN": "sin nombre", "FAMILY": "XXX"}
    assert persons(vault, deliver({"FILE": "F1", **nobody}, {"FILE": "F2", **nobody})) == 2


def test_two_national_numbers_are_not_joined_by_the_model(deliver: Callable[..., list[bytes]], vault: Vault) -> None:
    assert persons(vault, deliver({"FILE": "F1", "DUI": "04567890-3"}, {"FILE": "F2", "DUI": "01234568-1"})) == 2


def test_a_doubtful_pair_waits_and_counts_as_two_meanwhile(
    deliver: Callable[..., list[bytes]], vault: Vault, vault_url: str
) -> None:
    tokens = deliver({"FILE": "F1"}, {"FILE": "F2", "BORN": None})
    assert persons(vault, tokens) == 2
    assert states(vault_url) == ["waiting"]


def test_countries_are_never_compared(
    make_source: MakeSource, deliver: Callable[..., list[bytes]], vault: Vault, rows: Rows
) -> None:
    here = deliver({"FILE": "F1"})
    there = Gate(make_source("gtm/register", "GTM", NAMED), vault).pass_batch(rows({"FILE": "F1"}, blank=NOBODY))
    vault.recognise("GTM")
    vault.recognise("SLV")
    assert persons(vault, here + there.data["_person"].to_pylist()) == 2


def test_a_redelivery_compares_nobody_again(deliver: Callable[..., list[bytes]], vault: Vault) -> None:
    tokens = deliver({"FILE": "F1"}, {"FILE": "F2", "GIVEN": "Rosa"})
    events = vault.token_events("SLV")
    assert deliver({"FILE": "F1"}, {"FILE": "F2", "GIVEN": "Rosa"}) == tokens
    assert vault.token_events("SLV") == events


def test_nothing_readable_lies_in_the_vault_without_its_keys(
    deliver: Callable[..., list[bytes]], vault: Vault, vault_url: str
) -> None:
    deliver({"FILE": "F1"}, {"FILE": "F2", "GIVEN": "Rosa"})
    with create_engine(vault_url).connect() as connection:
        tables = connection.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'vault'")).all()
        dump = " ".join(str(connection.execute(text(f"SELECT t::text FROM vault.{t} t")).all()) for t in tables)
    for value in ("rosa", "menj", "1990-05-17", "soyapango", "71234567"):
        assert value not in dump.lower()
        assert value.encode().hex() not in dump.lower()


def test_writers_at_once_of_one_person_are_one_person(source: Source, vault: Vault, rows: Rows) -> None:
    def write(number: int) -> bytes:
        batch = rows({"FILE": f"F{number % 25}", "TOWN": f"Town {number}"}, blank=NOBODY)
        token: bytes = Gate(source, vault).pass_batch(batch).data["_person"].to_pylist()[0]
        vault.recognise("SLV")
        return token

    with ThreadPoolExecutor(20) as pool:
        tokens = list(pool.map(write, range(100)))
    assert len(set(tokens)) == 25
    assert persons(vault, tokens) == 1


def test_an_officer_joins_a_waiting_pair_and_it_can_be_taken_back(
    deliver: Callable[..., list[bytes]], vault: Vault, vault_url: str
) -> None:
    tokens = deliver({"FILE": "F1"}, {"FILE": "F2", "BORN": None})
    (pair,) = review.pairs(vault)
    assert {pair.one["given"], pair.other["given"]} == {"rosa elena"}
    review.settle(vault, pair.decision_id, review.ACCEPTED, "officer 1")
    assert persons(vault, tokens) == 1
    review.settle(vault, pair.decision_id, review.UNDONE, "officer 2")
    assert persons(vault, tokens) == 2
    assert [event.kind for event in vault.token_events("SLV")] == ["merge", "split"]
    with create_engine(vault_url).connect() as connection:
        said = connection.execute(text("SELECT state, who FROM vault.decision_event ORDER BY at, state DESC")).all()
    assert said == [("waiting", "model"), ("accepted", "officer 1"), ("undone", "officer 2")]


def test_a_rejected_pair_stays_two_and_its_persons_are_not_joined_by_a_third(
    deliver: Callable[..., list[bytes]], vault: Vault
) -> None:
    tokens = deliver({"FILE": "F1"}, {"FILE": "F2", "BORN": None})
    (pair,) = review.pairs(vault)
    review.settle(vault, pair.decision_id, review.REJECTED, "officer 1")
    third = deliver({"FILE": "F3"})
    assert persons(vault, tokens + third) == 3
    assert {p.state for p in review.pairs(vault)} == {"waiting"}


def test_a_merge_of_the_model_is_undone_in_a_group_of_three(deliver: Callable[..., list[bytes]], vault: Vault) -> None:
    tokens = deliver({"FILE": "F1"}) + deliver({"FILE": "F2", "GIVEN": "Rosa"}) + deliver({"FILE": "F3"})
    assert persons(vault, tokens) == 1
    merged = review.pairs(vault, states=("merged",))
    for pair in merged:
        review.settle(vault, pair.decision_id, review.UNDONE, "officer 1")
    assert persons(vault, tokens) == 3


def test_an_answer_twice_or_by_nobody_is_refused(deliver: Callable[..., list[bytes]], vault: Vault) -> None:
    deliver({"FILE": "F1"}, {"FILE": "F2", "BORN": None})
    (pair,) = review.pairs(vault)
    with pytest.raises(HomewardError, match="nobody is named"):
        review.settle(vault, pair.decision_id, review.ACCEPTED, " ")
    review.settle(vault, pair.decision_id, review.REJECTED, "officer 1")
    with pytest.raises(HomewardError, match="is rejected and cannot become rejected"):
        review.settle(vault, pair.decision_id, review.REJECTED, "officer 2")
    with pytest.raises(HomewardError, match="no such decision"):
        review.settle(vault, 999, review.REJECTED, "officer 2")
