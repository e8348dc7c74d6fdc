"""The warehouse follows the vault: one person under two tokens counts once, and no row of core is rewritten."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, text
from warehouse_deliveries import Supplier, key

from codebook.loader import Codebook
from warehouse import access, marts, tokens

ANA, ANNA = key("token ana"), key("token anna")


@dataclass(frozen=True)
class Said:
    event_id: int
    kind: str
    token: uuid.UUID
    current_token: uuid.UUID
    at: datetime = datetime(2026, 11, 22, tzinfo=UTC)


def said(number: int, token: bytes, current: bytes) -> Said:
    kind = "split" if token == current else "merge"
    return Said(number, kind, uuid.UUID(bytes=token), uuid.UUID(bytes=current))


def tell(engine: Engine, *events: Said) -> int:
    """The vault's events, of which the warehouse asks for the new ones."""

    def after(number: int) -> Sequence[Said]:
        return [event for event in events if event.event_id > number]

    return tokens.follow(engine, "SLV", after)


def facts(engine: Engine) -> list[str]:
    with engine.connect() as conn:
        return list(conn.scalars(text("SELECT r::text FROM core.return_event AS r ORDER BY 1")))


def returned(engine: Engine, codebook: Codebook) -> int:
    """The indicator persons_returned of the country, for all time."""
    marts.refresh(engine, codebook)
    with engine.connect() as conn:
        return int(
            conn.scalar(
                text(
                    "SELECT value FROM marts.indicator_value WHERE indicator = 'persons_returned' AND period = 'all'"
                    " AND source_id IS NULL AND disaggregation = 'total'"
                )
            )
            or 0
        )


@pytest.fixture
def two_returns(supplier: Supplier) -> None:
    """Of two people, of whom the vault has said nothing yet."""
    with supplier.engine.begin() as conn:
        conn.execute(text("TRUNCATE core.token_event, core.current_token"))
    rows = [
        {"key": "1", "row": 2, "person_token": ANA, "return_date": datetime(2025, 1, 1).date()},
        {"key": "2", "row": 3, "person_token": ANNA, "return_date": datetime(2025, 2, 1).date()},
    ]
    supplier.deliver("first", {"return_event": rows})


@pytest.mark.usefixtures("two_returns")
def test_a_merge_counts_as_one_and_a_split_as_two_and_no_fact_changes(engine: Engine, codebook: Codebook) -> None:
    before = facts(engine)
    assert returned(engine, codebook) == 2
    merge = said(1, ANNA, ANA)
    assert tell(engine, merge) == 1
    assert returned(engine, codebook) == 1
    assert tell(engine, merge) == 0
    assert tell(engine, merge, said(2, ANNA, ANNA)) == 1
    assert returned(engine, codebook) == 2
    assert facts(engine) == before


@pytest.mark.usefixtures("two_returns")
def test_readers_see_the_current_token_of_their_country_only(engine: Engine, warehouse_url: str) -> None:
    tell(engine, said(3, ANNA, ANA))
    ask = "SELECT count(*) AS n FROM core.current_token"
    assert access.query(warehouse_url, ask, "officer_slv").to_pylist() == [{"n": 1}]
    assert access.query(warehouse_url, ask, "officer_hnd").to_pylist() == [{"n": 0}]
    ask = "SELECT DISTINCT person_token FROM marts.return_event"
    shown = access.query(warehouse_url, ask, "officer_slv")
    assert shown["person_token"].to_pylist() == [str(uuid.UUID(bytes=ANA))]
    assert access.query(warehouse_url, ask, "analyst").num_rows == 1


@pytest.mark.usefixtures("two_returns")
def test_what_a_vault_that_was_brought_back_does_not_know_is_forgotten(engine: Engine, codebook: Codebook) -> None:
    """It counts on from an earlier event, and until it came to the last one that was known its word went unheard."""
    merge = said(1, ANNA, ANA)
    tell(engine, merge, said(2, ANNA, ANNA), said(3, ANNA, ANA))
    assert returned(engine, codebook) == 1
    split = said(2, ANNA, ANNA)
    assert tell(engine, merge, replace(split, at=datetime(2026, 11, 23, tzinfo=UTC))) == 2
    assert returned(engine, codebook) == 2
    assert tell(engine) == 0
    assert tell(engine, merge) == 1
    assert returned(engine, codebook) == 1
