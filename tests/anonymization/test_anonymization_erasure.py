from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy import create_engine, text

from anonymization.gate import Gate
from anonymization.keys import rotation
from anonymization.vault import erasure, retention
from anonymization.vault.vault import Vault
from codebook.errors import HomewardError
from sources.batches import SafeBatch, TextBatch
from sources.models import Source

Rows = Callable[..., TextBatch]


def passed(source: Source, vault: Vault, batch: TextBatch) -> SafeBatch:
    return Gate(source, vault).pass_batch(batch)


def erase(vault: Vault, batch: SafeBatch, row: int = 0) -> dict[str, int]:
    person = erasure.find(vault, UUID(bytes=batch.data["_person"][row].as_py()))
    erasure.mark(vault, person, [batch.data["_key"][row].as_py()])
    return erasure.shred(vault, person, "Marta", "certificate")


def rules(batch: SafeBatch) -> list[tuple[int, str]]:
    return sorted(set(zip(batch.issues["row"].to_pylist(), batch.issues["rule"].to_pylist(), strict=True)))


def test_nothing_of_an_erased_person_is_left_in_the_vault(
    register: Source, vault: Vault, vault_url: str, rows: Rows
) -> None:
    batch = passed(register, vault, rows({"DUI": "04567890-3"}, {"FILE": "F2"}))
    gone = erase(vault, batch)
    assert {table: count for table, count in gone.items() if count} == {"blind_index": 1, "identity": 1, "person": 1}
    with create_engine(vault_url).connect() as connection:
        for table in ("person", "identity", "blind_index"):
            assert connection.scalar(text(f"SELECT count(*) FROM vault.{table}")) == 1
    with pytest.raises(HomewardError, match="knows no person by this token"):
        erase(vault, batch)


@pytest.mark.parametrize(
    "again", [{"DUI": "04567890-3"}, {"FILE": "F9", "DUI": "4567890-3"}, {"FILE": "F1", "DUI": None}]
)
@pytest.mark.parametrize("rotated", [False, True])
def test_an_erased_person_does_not_come_back(
    register: Source, vault: Vault, rows: Rows, again: dict[str, str | None], rotated: bool
) -> None:
    first = passed(register, vault, rows({"DUI": "04567890-3"}, {"FILE": "F2"}))
    if rotated:
        rotation.rotate(vault)
    erase(vault, first)
    if rotated:
        rotation.rotate(vault)
    second = passed(register, vault, rows(again, {"FILE": "F2"}))
    assert rules(second) == [(2, "gate.erased")]
    assert second.data["_person"].to_pylist() == first.data["_person"].to_pylist()[1:]


def test_another_country_is_not_touched(
    make_source: Callable[..., Source], register: Source, vault: Vault, rows: Rows
) -> None:
    there = make_source("gtm/register", "GTM")
    passed(there, vault, rows({"DUI": "04567890-3"}))
    erase(vault, passed(register, vault, rows({"DUI": "04567890-3"})))
    assert rules(passed(there, vault, rows({"DUI": "04567890-3"}))) == []


def test_what_a_source_may_no_longer_keep_is_forgotten_and_persons_stay(
    make_source: Callable[..., Source], vault: Vault, vault_url: str, rows: Rows
) -> None:
    one, other = make_source("slv/a"), make_source("slv/ab")
    first = passed(one, vault, rows({"DUI": "04567890-3"})).data["_person"].to_pylist()
    passed(other, vault, rows({"DUI": "04567890-3"}))
    assert retention.forget(vault, "slv/a", dry_run=True) == 1
    assert retention.forget(vault, "slv/a") == 1
    with create_engine(vault_url).connect() as connection:
        assert connection.scalars(text("SELECT name FROM vault.identity JOIN vault.origin USING (origin)")).all() == [
            "slv/ab main"
        ]
    assert passed(one, vault, rows({"DUI": "04567890-3"})).data["_person"].to_pylist() == first
