"""A vault whose persons are found by an older model, or are told more about, on a real server."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from anonymization.gate import Gate
from anonymization.keys import rotation
from anonymization.linkage import recognition, reindex, similarity
from anonymization.vault.vault import Vault
from sources.batches import TextBatch
from sources.models import Source

NAMED = """
  - name: main
    key: [FILE]
    person: {link: [DUI], similar: [GIVEN, FAMILY, BORN, PHONE]}
    columns:
      - {name: FILE, class: technical}
      - {name: DUI, class: identifier, kind: national_id, scheme: slv_dui, optional: true}
      - {name: GIVEN, class: identifier, kind: name, part: given}
      - {name: FAMILY, class: identifier, kind: name, part: family}
      - {name: BORN, class: quasi_identifier, keep: year, format: "%d/%m/%Y"}
      - {name: PHONE, class: identifier, kind: phone}
"""
ROSA: dict[str, str | None] = {
    "FILE": "F1", "DUI": None, "GIVEN": "Rosa Elena", "FAMILY": "Menjívar Portillo", "BORN": "17/05/1990",
    "PHONE": "7123-4567",
}  # fmt: skip

Deliver = Callable[..., list[bytes]]


@pytest.fixture
def deliver(make_source: Callable[..., Source], vault: Vault, rows: Callable[..., TextBatch]) -> Deliver:
    source = make_source(tables=NAMED)

    def run(*said: dict[str, str | None]) -> list[bytes]:
        tokens: list[bytes] = Gate(source, vault).pass_batch(rows(*said, blank=ROSA)).data["_person"].to_pylist()
        return tokens

    return run


def persons(vault: Vault, tokens: list[bytes]) -> int:
    counts_as = {event.token.bytes: event.current_token.bytes for event in vault.token_events("SLV")}
    return len({counts_as.get(token, token) for token in tokens})


def asked(url: str, statement: str) -> list[tuple[object, ...]]:
    with create_engine(url).connect() as connection:
        return [tuple(row) for row in connection.execute(text(statement))]


def aged(url: str) -> None:
    """The vault as another model left it: its keys find nobody, its counts cannot be read."""
    with create_engine(url).begin() as connection:
        connection.execute(text("UPDATE vault.block_version SET version = 'similarity-0 names-0'"))
        connection.execute(text("UPDATE vault.block SET key = gen_random_uuid()"))
        connection.execute(text("DELETE FROM vault.frequency"))


def test_persons_of_an_older_model_are_found_again(deliver: Deliver, vault: Vault, vault_url: str) -> None:
    first = deliver({})
    vault.recognise("SLV")
    aged(vault_url)
    second = deliver({"FILE": "F2", "GIVEN": "ROSA HELENA", "FAMILY": "Menjibar"})
    vault.recognise("SLV")
    assert persons(vault, first + second) == 1
    assert asked(vault_url, "SELECT version FROM vault.block_version") == [(similarity.version(),)]


def test_who_comes_while_everybody_is_made_anew_keeps_their_keys(
    deliver: Deliver, vault: Vault, vault_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What they had brought was taken for keys of before and deleted: nobody found them by it any more."""
    deliver({})
    vault.recognise("SLV")
    aged(vault_url)
    one_page = reindex._one_page
    with ThreadPoolExecutor(1) as pool:
        coming: list[Future[list[bytes]]] = []

        def another_comes(*page: Any) -> None:
            one_page(*page)
            if not coming:
                coming.append(pool.submit(deliver, {"FILE": "F2", "GIVEN": "Marta", "FAMILY": "Sosa"}))
            given_up = time.monotonic() + 120
            while not coming[0].done() and not waiting(vault_url) and time.monotonic() < given_up:
                time.sleep(0.01)

        monkeypatch.setattr(reindex, "_one_page", another_comes)
        vault.recognise("SLV")
        coming[0].result()
    assert asked(vault_url, "SELECT count(DISTINCT person_id) FROM vault.block") == [(2,)]


def waiting(url: str) -> int:
    """Sessions of this database that wait for a lock."""
    ask = "SELECT count(DISTINCT pid) FROM pg_locks JOIN pg_stat_activity USING (pid)"
    ((found,),) = asked(url, f"{ask} WHERE NOT granted AND datname = current_database()")
    return int(str(found))


def test_keys_after_a_rebuild_are_those_of_a_new_vault(deliver: Deliver, vault: Vault, vault_url: str) -> None:
    deliver(*({"FILE": f"F{n}", "PHONE": f"7123-45{n:02}", "BORN": f"17/05/19{n:02}"} for n in range(60, 90)))
    vault.recognise("SLV")
    keys = "SELECT key, person_id FROM vault.block ORDER BY 1, 2"
    made = asked(vault_url, keys)
    aged(vault_url)
    assert asked(vault_url, keys) != made
    with vault.transaction() as cursor:
        assert reindex.rebuild(cursor, vault.keys_of(cursor, "SLV")) == 30
    assert asked(vault_url, keys) == made


def test_a_rebuild_that_breaks_off_has_done_nothing(
    deliver: Deliver, vault: Vault, vault_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver({})
    vault.recognise("SLV")
    aged(vault_url)
    before = asked(vault_url, "SELECT key, person_id FROM vault.block ORDER BY 1, 2")
    with monkeypatch.context() as patch:
        patch.setattr(reindex, "_STAND", "SELECT 1 / 0, %s, %s")
        with pytest.raises(Exception, match="vault"):
            vault.recognise("SLV")
    assert asked(vault_url, "SELECT key, person_id FROM vault.block ORDER BY 1, 2") == before
    vault.recognise("SLV")
    assert asked(vault_url, "SELECT version FROM vault.block_version") == [(similarity.version(),)]


def test_a_rebuild_after_a_rotation_keeps_everybody_found(deliver: Deliver, vault: Vault, vault_url: str) -> None:
    first = deliver({})
    vault.recognise("SLV")
    rotation.rotate(vault, "SLV")
    aged(vault_url)
    second = deliver({"FILE": "F2", "GIVEN": "Rosa"})
    vault.recognise("SLV")
    assert persons(vault, first + second) == 1


def test_what_a_later_delivery_adds_is_compared(deliver: Deliver, vault: Vault) -> None:
    tokens = deliver({}, {"FILE": "F2", "BORN": None, "PHONE": None})
    vault.recognise("SLV")
    assert persons(vault, tokens) == 2  # a name alone is nobody
    assert deliver({"FILE": "F2"}) == tokens[1:]
    vault.recognise("SLV")
    assert persons(vault, tokens) == 1


def test_who_is_compared_again_is_counted_once(deliver: Deliver, vault: Vault, vault_url: str) -> None:
    deliver({"BORN": None})
    vault.recognise("SLV")
    deliver({})
    vault.recognise("SLV")
    told_more = _counts(vault)
    aged(vault_url)
    vault.recognise("SLV")
    assert told_more == _counts(vault)


def _counts(vault: Vault) -> bytes:
    with vault.transaction() as cursor:
        return recognition.frequencies_of(cursor, vault.keys_of(cursor, "SLV")).dumps()


def test_a_pair_that_waited_is_joined_once_more_is_known(deliver: Deliver, vault: Vault, vault_url: str) -> None:
    deliver({}, {"FILE": "F2", "BORN": None})
    vault.recognise("SLV")
    assert asked(vault_url, "SELECT state FROM vault.decision") == [("waiting",)]
    deliver({"FILE": "F2"})
    vault.recognise("SLV")
    assert asked(vault_url, "SELECT state FROM vault.decision") == [("merged",)]
    events = asked(vault_url, "SELECT state FROM vault.decision_event ORDER BY at, state DESC")
    assert events == [("waiting",), ("merged",)]


def test_what_was_known_is_not_overwritten(deliver: Deliver, vault: Vault, vault_url: str) -> None:
    deliver({})
    sealed = asked(vault_url, "SELECT sealed FROM vault.likeness")
    deliver({"GIVEN": "Somebody", "BORN": "01/01/1990", "PHONE": None})
    assert asked(vault_url, "SELECT sealed FROM vault.likeness") == sealed
