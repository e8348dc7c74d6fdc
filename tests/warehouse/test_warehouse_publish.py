"""How deliveries become what is current: first, changed, withdrawn, rejected, merged, late and repeated ones."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine, text
from warehouse_deliveries import Supplier, key

from codebook.errors import HomewardError
from warehouse import ledger


def returned(natural: str, row: int, **variables: Any) -> dict[str, Any]:
    return {"key": natural, "row": row, **variables}


def current(supplier: Supplier, entity: str = "return_event") -> dict[bytes, dict[str, Any]]:
    with supplier.engine.connect() as conn:
        rows = conn.execute(text(f"SELECT * FROM core.{entity} WHERE source_id = :s"), {"s": supplier.source})
        return {row["record_key"].bytes: dict(row) for row in rows.mappings()}


def history(supplier: Supplier, entity: str = "return_event") -> list[dict[str, Any]]:
    with supplier.engine.connect() as conn:
        found = text(f"SELECT * FROM core.{entity}_history WHERE source_id = :s ORDER BY valid_to")
        return [dict(row) for row in conn.execute(found, {"s": supplier.source}).mappings()]


def test_first_delivery_is_current_and_names_its_versions(supplier: Supplier) -> None:
    done = supplier.deliver("one", {"return_event": [returned("a", 2, age_at_return=30), returned("b", 3)]})
    assert done.tables == {"main": {"rows_in": 2, "rows_out": 2, "rejected": 0}}
    row = current(supplier)[key("a")]
    assert (row["age_at_return"], row["source_row"], row["country"]) == (30, 2, "SLV")
    assert (row["crosswalk_version"], row["codebook_version"]) == ("abc123", supplier.codebook.version)
    assert ledger.mismatches(supplier.engine, supplier.source) == []


def test_snapshot_supersedes_changed_withdraws_missing_and_leaves_the_rest(supplier: Supplier) -> None:
    supplier.deliver("one", {"return_event": [returned(k, n, age_at_return=30) for n, k in enumerate("abc", 2)]})
    before = current(supplier)
    done = supplier.deliver(
        "two",
        {"return_event": [returned("b", 2, age_at_return=30), returned("c", 3, age_at_return=31), returned("d", 4)]},
    )
    counted = done.entities["return_event"]
    assert {k: counted[k] for k in ("inserted", "superseded", "unchanged", "withdrawn")} == {
        "inserted": 1, "superseded": 1, "unchanged": 1, "withdrawn": 1,
    }  # fmt: skip
    now = current(supplier)
    assert set(now) == {key("b"), key("c"), key("d")}
    assert now[key("b")] == before[key("b")], "an unchanged row keeps the delivery that first brought it"
    closed = {row["record_key"].bytes: row["closed_reason"] for row in history(supplier)}
    assert closed == {key("a"): "withdrawn", key("c"): "superseded"}
    assert all(row["valid_to"] > row["valid_from"] for row in history(supplier))
    assert ledger.mismatches(supplier.engine, supplier.source) == []


def test_as_of_shows_what_was_current_then(supplier: Supplier) -> None:
    supplier.deliver("one", {"return_event": [returned("a", 2, age_at_return=30), returned("b", 3)]})
    then = current(supplier)[key("a")]["valid_from"]
    supplier.deliver("two", {"return_event": [returned("a", 2, age_at_return=31)]})
    with supplier.engine.connect() as conn:
        rows = conn.execute(
            text("SELECT record_key, age_at_return FROM core.return_event_as_of(:t) WHERE source_id = :s"),
            {"t": then, "s": supplier.source},
        )
        assert {row.record_key.bytes: row.age_at_return for row in rows} == {key("a"): 30, key("b"): None}


def test_increment_withdraws_nothing(supplier: Supplier) -> None:
    supplier.deliver("one", {"return_event": [returned("a", 2)]}, mode="increment")
    supplier.deliver("two", {"return_event": [returned("b", 2)]}, mode="increment")
    assert set(current(supplier)) == {key("a"), key("b")}


def test_rejected_row_never_enters_and_is_quarantined_with_its_reason(supplier: Supplier) -> None:
    done = supplier.deliver("one", {"return_event": [returned("a", 2), returned("b", 3)]}, rejected=[3])
    assert done.tables["main"] == {"rows_in": 2, "rows_out": 1, "rejected": 1}
    assert set(current(supplier)) == {key("a")}
    with supplier.engine.connect() as conn:
        quarantine = conn.execute(text("SELECT * FROM audit.quarantine WHERE source_id = :s"), {"s": supplier.source})
        (row,) = quarantine.mappings()
    assert (row["source_row"], row["reasons"], row["source_columns"]) == (3, ["map.unknown_code"], ["SEXO"])
    assert ledger.mismatches(supplier.engine, supplier.source) == []


def test_row_published_before_and_rejected_now_stays_as_it_was(supplier: Supplier) -> None:
    supplier.deliver("one", {"return_event": [returned("a", 2, age_at_return=30), returned("b", 3)]})
    supplier.deliver("two", {"return_event": [returned("a", 2, age_at_return=99), returned("b", 3)]}, rejected=[2])
    assert current(supplier)[key("a")]["age_at_return"] == 30
    assert history(supplier) == []


def test_rows_of_one_person_are_merged_the_last_one_wins_and_a_conflict_is_a_query(supplier: Supplier) -> None:
    rows = [
        returned("p", 2, sex=1, birth_year=1990),
        returned("p", 3, sex=1, birth_year=1991),
        returned("p", 4, sex=1, birth_year=1991),
        returned("q", 5, sex=2),
    ]
    done = supplier.deliver("one", {"person": rows})
    assert done.entities["person"]["merged"] == 2
    assert current(supplier, "person")[key("p")]["source_row"] == 4
    delivery = supplier.register("one")
    findings = ledger.findings(supplier.engine, supplier.source, delivery).to_pylist()
    assert [(f["row"], f["rule"], f["severity"]) for f in findings] == [(2, "key.conflicting_attributes", "query")]
    assert ledger.mismatches(supplier.engine, supplier.source) == []


def test_a_rejected_row_does_not_win_over_an_accepted_one(supplier: Supplier) -> None:
    rows = [returned("p", 2, birth_year=1990), returned("p", 3, birth_year=2090)]
    supplier.deliver("one", {"person": rows}, rejected=[3])
    assert current(supplier, "person")[key("p")]["birth_year"] == 1990


def test_publishing_again_does_nothing(supplier: Supplier) -> None:
    delivery = supplier.register("one")
    supplier.stage(delivery, {"return_event": [returned("a", 2), returned("b", 3)]}, rejected=[3])
    first = supplier.publish(delivery, ["return_event"])
    before = current(supplier)
    supplier.stage(delivery, {"return_event": [returned("a", 2), returned("b", 3)]}, rejected=[3])
    again = supplier.publish(delivery, ["return_event"])
    assert again.again
    assert again.tables == first.tables
    assert current(supplier) == before
    assert history(supplier) == []


def test_new_crosswalk_version_publishes_the_same_delivery_again(supplier: Supplier) -> None:
    from warehouse import publish

    delivery = supplier.register("one")
    supplier.stage(delivery, {"return_event": [returned("a", 2, age_at_return=30), returned("b", 3)]})
    supplier.publish(delivery, ["return_event"])
    supplier.stage(delivery, {"return_event": [returned("a", 2, age_at_return=31), returned("b", 3)]})
    mended = publish.Publication(supplier.source, delivery, "SLV", "snapshot", supplier.codebook.version, "def456")
    done = publish.publish(supplier.engine, mended, ["return_event"], supplier.codebook)
    assert done.entities["return_event"]["superseded"] == 1
    assert current(supplier)[key("a")]["crosswalk_version"] == "def456"
    assert current(supplier)[key("b")]["crosswalk_version"] == "abc123"


def test_late_snapshot_is_superseded_before_it_begins(supplier: Supplier) -> None:
    early, late = supplier.register("early"), supplier.register("late")
    supplier.stage(late, {"return_event": [returned("a", 2, age_at_return=31)]})
    supplier.publish(late, ["return_event"])
    supplier.stage(early, {"return_event": [returned("a", 2, age_at_return=30), returned("b", 3)]})
    done = supplier.publish(early, ["return_event"])
    assert done.entities["return_event"]["outdated"] == 2
    assert {k: v["age_at_return"] for k, v in current(supplier).items()} == {key("a"): 31}
    entry = ledger.delivery(supplier.engine, supplier.source, early)
    assert entry is not None
    assert entry.state == "superseded"
    assert ledger.mismatches(supplier.engine, supplier.source) == []


def test_late_increment_does_not_touch_records_that_came_again_later(supplier: Supplier) -> None:
    early, late = supplier.register("early"), supplier.register("late")
    for delivery, age in ((late, 31), (early, 30)):
        rows = [returned("a", 2, age_at_return=age), returned(f"only {age}", 3)]
        supplier.stage(delivery, {"return_event": rows})
        supplier.publish(delivery, ["return_event"], mode="increment")
    now = current(supplier)
    assert set(now) == {key("a"), key("only 30"), key("only 31")}
    assert now[key("a")]["age_at_return"] == 31


def test_what_was_not_judged_is_not_published(supplier: Supplier) -> None:
    delivery = supplier.register("one")
    tables = supplier.stage(delivery, {"return_event": [returned("a", 2)]})
    with supplier.engine.begin() as conn:
        conn.execute(text(f'DROP TABLE staging."{tables.verdict}"'))
    with pytest.raises(HomewardError, match="was not validated"):
        supplier.publish(delivery, ["return_event"])
    assert current(supplier) == {}


def test_failure_in_the_midst_leaves_everything_as_it_was(supplier: Supplier, engine: Engine) -> None:
    supplier.deliver("one", {"return_event": [returned("a", 2)], "person": [returned("p", 2)]})
    delivery = supplier.register("two")
    tables = supplier.stage(delivery, {"return_event": [returned("a", 2, age_at_return=9)], "person": []})
    with engine.begin() as conn:
        conn.execute(text(f'ALTER TABLE staging."{tables.entity("person")}" DROP COLUMN birth_year'))
    with pytest.raises(HomewardError, match="SQLSTATE 42703"):
        supplier.publish(delivery, ["return_event", "person"])
    assert current(supplier)[key("a")]["age_at_return"] is None
    assert history(supplier) == []
    supplier.stage(delivery, {"return_event": [returned("a", 2, age_at_return=9)], "person": []})
    supplier.publish(delivery, ["return_event", "person"])
    assert current(supplier)[key("a")]["age_at_return"] == 9


def test_entity_without_a_single_row_withdraws_what_was(supplier: Supplier) -> None:
    supplier.deliver("one", {"return_event": [returned("a", 2)], "person": [returned("p", 2)]})
    delivery = supplier.register("two")
    supplier.stage(delivery, {"return_event": [returned("a", 2)]})
    done = supplier.publish(delivery, ["return_event", "person"])
    assert done.entities["person"]["withdrawn"] == 1
    assert current(supplier, "person") == {}
