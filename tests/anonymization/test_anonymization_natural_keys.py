"""Keys that look the same are one record's: by them a consent is withdrawn, and who was erased stays away."""

from collections.abc import Callable
from uuid import UUID

import pytest

from anonymization.gate import Gate
from anonymization.vault import erasure
from anonymization.vault.unfinished import Begun
from anonymization.vault.vault import Vault
from sources.batches import SafeBatch, TextBatch
from sources.models import Source

Rows = Callable[..., TextBatch]
SAME = [
    "Núñez-7",
    " Núñez-7",
    "Núñez-7\u00a0",
    "\u200fNúñez-7",
    "Nú\u200bñez-7",
    "Núñez\u00ad-7",
    "Nu\u0301n\u0303ez-7",
]


def passed(source: Source, vault: Vault, batch: TextBatch) -> SafeBatch:
    return Gate(source, vault).pass_batch(batch)


@pytest.mark.parametrize("written", SAME)
def test_what_nobody_sees_makes_no_other_record(register: Source, vault: Vault, rows: Rows, written: str) -> None:
    before = passed(register, vault, rows({"FILE": "Núñez-7", "FAMILY": "Núñez-7"}))
    after = passed(register, vault, rows({"FILE": written, "FAMILY": written}))
    for name in ("_key", "_person", "_key_household", "_key_return_event"):
        assert after.data[name].to_pylist() == before.data[name].to_pylist()


def test_other_letters_make_another_record(register: Source, vault: Vault, rows: Rows) -> None:
    batch = passed(register, vault, rows({"FILE": "Nunez-7"}, {"FILE": "Núñez-7"}, {"FILE": "núñez-7"}, {"FILE": "7"}))
    assert len(set(batch.data["_key"].to_pylist())) == 4


@pytest.mark.parametrize("written", SAME)
def test_who_was_erased_stays_away_however_the_key_is_written(
    register: Source, vault: Vault, rows: Rows, written: str
) -> None:
    batch = passed(register, vault, rows({"FILE": "Núñez-7"}))  # a child without a number
    person = erasure.find(vault, UUID(bytes=batch.data["_person"][0].as_py()))
    key = batch.data["_key"][0].as_py()
    begun = Begun(key.hex(), person.country, person.tokens, frozenset([key]), {}, {"officer": "Marta"})
    erasure.mark(vault, [begun])
    erasure.shred(vault, "SLV", [begun])
    again = passed(register, vault, rows({"FILE": written}))
    assert (again.data.num_rows, again.issues["rule"].to_pylist()) == (0, ["gate.erased"])


@pytest.mark.parametrize("written", ["\u200f", " ", "\u00ad\u200b", ""])
def test_a_key_of_which_nothing_is_seen_is_none(register: Source, vault: Vault, rows: Rows, written: str) -> None:
    safe = passed(register, vault, rows({"FILE": written}, {"FILE": "F2"}))
    assert safe.data["_row"].to_pylist() == [3]
    assert safe.issues["rule"].to_pylist() == ["gate.missing_key"]


def test_a_family_of_which_nothing_is_seen_is_none(register: Source, vault: Vault, rows: Rows) -> None:
    safe = passed(register, vault, rows({"FAMILY": "\u200b"}, {"FILE": "F2", "FAMILY": None}))
    assert safe.data["_key_household"].to_pylist() == [None, None]
