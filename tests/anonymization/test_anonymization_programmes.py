"""Programmes of one country: their sources know the same person under tokens, keys and indexes that nothing joins."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy import create_engine, text

from anonymization.gate import Gate
from anonymization.keys import rotation
from anonymization.linkage import review
from anonymization.vault import erasure
from anonymization.vault.elsewhere import elsewhere
from anonymization.vault.requests import as_token
from anonymization.vault.unfinished import Begun
from anonymization.vault.vault import Vault
from sources.batches import TextBatch
from sources.models import Source

Rows = Callable[..., TextBatch]
Row = dict[str, str | None]
DUI: Row = {"DUI": "04567890-3"}


@pytest.fixture
def protection(similar: Source) -> Source:
    return similar.model_copy(update={"source": "slv/protection", "programme": "protection"})


def passed(source: Source, vault: Vault, batch: TextBatch) -> dict[str, list[bytes]]:
    data = Gate(source, vault).pass_batch(batch).data
    return {name: data[name].to_pylist() for name in data.column_names if name.startswith("_") and name != "_row"}


def test_the_same_number_is_two_persons_in_two_programmes_and_one_in_one(
    similar: Source, protection: Source, vault: Vault, rows: Rows
) -> None:
    common, other = passed(similar, vault, rows(DUI)), passed(protection, vault, rows(DUI))
    assert common["_person"] != other["_person"]
    beside = protection.model_copy(update={"source": "slv/shelters"})
    assert passed(beside, vault, rows(DUI))["_person"] == other["_person"]
    assert passed(protection, vault, rows(DUI)) == other, "and the same again"


def test_two_programmes_share_no_key_even_of_one_source_id(similar: Source, vault: Vault, rows: Rows) -> None:
    moved = similar.model_copy(update={"programme": "protection"})
    one, two = passed(similar, vault, rows(DUI)), passed(moved, vault, rows(DUI))
    shared = {name for name in one if set(one[name]) & set(two[name])}
    assert shared == set()


def test_no_index_of_one_programme_is_found_in_another(
    similar: Source, protection: Source, vault: Vault, vault_url: str, rows: Rows
) -> None:
    passed(similar, vault, rows(DUI))
    passed(protection, vault, rows(DUI))
    with create_engine(vault_url).connect() as connection:
        assert connection.scalar(text("SELECT count(DISTINCT idx) FROM vault.blind_index")) == 2
        assert connection.scalar(text("SELECT count(DISTINCT field) FROM vault.blind_index")) == 2
        assert connection.scalar(text("SELECT count(*) - count(DISTINCT key) FROM vault.block")) == 0


def test_nobody_is_recognised_across_programmes(similar: Source, protection: Source, vault: Vault, rows: Rows) -> None:
    alike: Row = {"NAME": "Rosa Elena Menjívar Portillo", "BORN": "17/05/1990"}
    passed(similar, vault, rows(alike))
    passed(protection, vault, rows(alike))
    recognised = vault.recognise("SLV")
    assert (recognised.compared, recognised.merged, recognised.waiting) == (2, 0, 0)
    passed(protection, vault, rows(alike | {"FILE": "F2"}))
    again = vault.recognise("SLV")
    assert again.merged + len(review.pairs(vault, "SLV")) == 1, "within the programme they are compared"


def test_an_erasure_is_of_one_programme(similar: Source, protection: Source, vault: Vault, rows: Rows) -> None:
    common, other = passed(similar, vault, rows(DUI)), passed(protection, vault, rows(DUI))
    person = erasure.find(vault, as_token(common["_person"][0].hex()))
    keys = frozenset(common["_key"])
    begun = Begun("certificate", person.country, person.tokens, keys, {}, {"officer": None})
    erasure.mark(vault, [begun])
    erasure.shred(vault, begun.country, [begun])
    assert passed(similar, vault, rows(DUI))["_person"] == []
    assert passed(protection, vault, rows(DUI))["_person"] == other["_person"]


def test_who_holds_the_keys_finds_the_person_in_the_other_programme(
    similar: Source, protection: Source, vault: Vault, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    declared = {source.source: source for source in (similar, protection)}
    monkeypatch.setattr("anonymization.vault.origins.load_source", declared.__getitem__)
    common = passed(similar, vault, rows(DUI, {"FILE": "F2", "DUI": "01234567-8"}))["_person"]
    other = passed(protection, vault, rows({"FILE": "X", **DUI}))["_person"]
    rotation.rotate(vault)
    one, alone, there = (UUID(bytes=token) for token in (*common, *other))
    assert elsewhere(vault, "SLV", [one]) == {"protection": (there,)}
    assert elsewhere(vault, "SLV", [there]) == {"": (one,)}
    assert elsewhere(vault, "SLV", [alone]) == {}


def test_a_vault_of_before_goes_on_as_the_common_programme(
    similar: Source, vault: Vault, vault_url: str, rows: Rows
) -> None:
    before = passed(similar, vault, rows(DUI))
    engine = create_engine(vault_url)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE vault.likeness DROP COLUMN programme"))
    opened = Vault(vault_url, vault.keyring)
    opened.migrate()
    assert passed(similar, opened, rows(DUI)) == before
    assert opened.recognise("SLV").compared == 1
