"""Consent that is withdrawn: no version of the record stays, and no earlier delivery brings it back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from warehouse_deliveries import Supplier, key

from warehouse import consent, ledger
from warehouse.publish import Mode

ANA, EVA = UUID(int=1).bytes, UUID(int=2).bytes


def event(natural: str, row: int, token: bytes = ANA, **said: Any) -> dict[str, Any]:
    return {"key": natural, "row": row, "person_token": token, **said}


def versions(supplier: Supplier, entity: str = "return_event") -> list[tuple[bytes, bool]]:
    """Record key of every version of the source's records, and whether it is a closed one."""
    ask = (
        f"SELECT record_key, false AS closed FROM core.{entity} WHERE source_id = :s"
        f" UNION ALL SELECT record_key, true FROM core.{entity}_history WHERE source_id = :s ORDER BY 2, 1"
    )
    with supplier.engine.connect() as connection:
        return [(row[0].bytes, row[1]) for row in connection.execute(text(ask), {"s": supplier.source})]


@pytest.mark.parametrize("mode", ["snapshot", "increment"])
def test_closed_versions_go_with_it(supplier: Supplier, mode: Mode) -> None:
    for content, age in (("one", 30), ("two", 31)):
        rows = [event("a", 2, age_at_return=age), event("b", 3, EVA, age_at_return=age)]
        people = [event("ana", 2, sex=2, birth_year=1990 + age), event("eva", 3, EVA, birth_year=1990 + age)]
        supplier.deliver(content, {"return_event": rows, "person": people}, mode=mode)
    assert (key("a"), True) in versions(supplier)
    assert (key("ana"), True) in versions(supplier, "person")
    left = {"return_event": [event("b", 3, EVA, age_at_return=31)], "person": [event("eva", 3, EVA, birth_year=2021)]}
    done = supplier.deliver("three", left, mode=mode, withdrawn=[("return_event", "a")])
    assert done.entities["return_event"]["withdrawn"] == 1
    assert versions(supplier) == [(key("b"), False), (key("b"), True)]
    assert versions(supplier, "person") == [(key("eva"), False), (key("eva"), True)]
    assert ledger.mismatches(supplier.engine, supplier.source) == []


def test_what_a_snapshot_only_leaves_out_keeps_its_history(supplier: Supplier) -> None:
    supplier.deliver("one", {"return_event": [event("a", 2), event("b", 3, EVA)]})
    supplier.deliver("two", {"return_event": [event("b", 3, EVA)]}, withdrawn=[("return_event", "never seen")])
    assert versions(supplier) == [(key("b"), False), (key("a"), True)]


def test_a_late_increment_does_not_bring_back_what_was_withdrawn_after_it(supplier: Supplier) -> None:
    early = supplier.register("early")
    supplier.deliver(
        "late", {"return_event": [event("b", 2, EVA)]}, mode="increment", withdrawn=[("return_event", "a")]
    )
    supplier.stage(early, {"return_event": [event("a", 2), event("c", 3, EVA)]})
    done = supplier.publish(early, ["return_event"], mode="increment")
    assert done.entities["return_event"]["outdated"] == 1
    assert {record for record, _ in versions(supplier)} == {key("b"), key("c")}
    assert ledger.mismatches(supplier.engine, supplier.source) == []


def test_who_consents_again_later_stands_again(supplier: Supplier) -> None:
    supplier.deliver("one", {"return_event": [event("a", 2)]}, mode="increment")
    supplier.deliver("two", {"return_event": []}, mode="increment", withdrawn=[("return_event", "a")])
    assert versions(supplier) == []
    supplier.deliver("three", {"return_event": [event("a", 2)]}, mode="increment")
    assert versions(supplier) == [(key("a"), False)]


def test_an_older_withdrawal_does_not_undo_a_later_consent(supplier: Supplier) -> None:
    early = supplier.register("early")
    supplier.deliver("late", {"return_event": [event("a", 2)]}, mode="increment")
    supplier.stage(early, {"return_event": []}, withdrawn=[("return_event", "a")])
    supplier.publish(early, ["return_event"], mode="increment")
    assert versions(supplier) == [(key("a"), False)]


def test_of_people_whose_rows_lost_consent_no_version_stays_but_of_who_has_other_rows(supplier: Supplier) -> None:
    """Members of a household make nothing but a person; one of them is another household's too."""
    first, second = supplier.register("one"), supplier.register("two")
    for delivery, year in ((first, 1990), (second, 1991)):
        people = [event("ana", 2, birth_year=year), event("eva", 3, EVA, birth_year=year)]
        supplier.stage(delivery, {"person": people})
        supplier.publish(delivery, ["person"], mode="increment")
    rows = {first: {("main", 2), ("main", 3)}, second: {("main", 2), ("main", 3)}}
    assert consent.forget_persons(supplier.engine, supplier.source, rows, {ANA}) == 3
    assert versions(supplier, "person") == [(key("eva"), False)]
    assert consent.forget_persons(supplier.engine, supplier.source, rows, {ANA}) == 0, "and again nothing"
