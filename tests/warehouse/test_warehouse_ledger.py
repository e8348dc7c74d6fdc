"""The ledger: a delivery is registered once, never goes back, and what happened to it stays written."""

from __future__ import annotations

from sqlalchemy import Engine
from warehouse_deliveries import Supplier

from warehouse import ledger, staging
from warehouse.engine import run


def state(supplier: Supplier, delivery: str) -> str:
    entry = ledger.delivery(supplier.engine, supplier.source, delivery)
    assert entry is not None
    return entry.state


def happened(supplier: Supplier, delivery: str) -> list[str]:
    return [event["event"] for event in ledger.events(supplier.engine, supplier.source, delivery)]


def test_same_bytes_are_the_same_delivery(supplier: Supplier) -> None:
    first = supplier.register("bytes")
    assert supplier.register("bytes") == first
    assert happened(supplier, first) == ["received", "already_received"]
    assert len(ledger.deliveries(supplier.engine, supplier.source)) == 1


def test_state_moves_on_and_never_back(supplier: Supplier) -> None:
    delivery = supplier.register("one")
    for stage in ("pseudonymized", "harmonized", "pseudonymized"):
        ledger.passed(supplier.engine, supplier.source, delivery, stage, {"rows_in": 3, "rows_out": 2, "held_back": 1})
    assert state(supplier, delivery) == "harmonized"
    assert happened(supplier, delivery) == ["received", "pseudonymized", "harmonized", "pseudonymized_again"]
    assert [entry.delivery_id for entry in ledger.unfinished(supplier.engine, supplier.source)] == [delivery]


def test_refused_delivery_says_why_keeps_its_findings_and_may_be_mended(supplier: Supplier) -> None:
    delivery = supplier.register("one")
    supplier.stage(delivery, {"person": [{"key": "a", "row": 2}, {"key": "b", "row": 3}]}, rejected=[2, 3])
    reason = "2 of 2 rows were rejected"
    ledger.refuse(supplier.engine, supplier.source, delivery, rule="delivery.too_many_rejected", reason=reason)
    entry = ledger.delivery(supplier.engine, supplier.source, delivery)
    assert entry is not None
    assert (entry.state, entry.refused_rule, entry.refused_reason) == ("refused", "delivery.too_many_rejected", reason)
    assert (entry.rows_in, entry.accepted, entry.rejected) == (2, 0, 2)
    assert ledger.findings(supplier.engine, supplier.source, delivery)["row"].to_pylist() == [2, 3]
    assert ledger.refusal(supplier.engine, supplier.source, delivery) == reason
    ledger.passed(supplier.engine, supplier.source, delivery, "pseudonymized")
    assert state(supplier, delivery) == "pseudonymized"
    assert ledger.refusal(supplier.engine, supplier.source, delivery) is None


def test_a_refusal_keeps_the_columns_that_it_is_about_and_those_of_the_last_one_only(supplier: Supplier) -> None:
    delivery = supplier.register("one")
    for columns in (["A", "B"], ["B"]):
        ledger.refuse(
            supplier.engine, supplier.source, delivery, rule="delivery.missing_column", reason="no", columns=columns
        )
        found = ledger.findings(supplier.engine, supplier.source, delivery)
        assert found["column"].to_pylist() == columns
        ledger.passed(supplier.engine, supplier.source, delivery, "pseudonymized")
    assert set(found["rule"].to_pylist()) == {"delivery.missing_column"}


def test_rows_held_back_for_want_of_consent_are_told_apart_and_counted_once(supplier: Supplier) -> None:
    delivery = supplier.register("one")
    tables = supplier.stage(delivery, {"person": [{"key": "a", "row": 2}, {"key": "b", "row": 3}]}, rejected=[2])
    with supplier.engine.begin() as conn:
        for rule, row in (("gate.no_consent", 2), ("gate.no_guardian_consent", 2), ("gate.no_guardian_consent", 3)):
            statement = "INSERT INTO {finding} VALUES (%(rule)s, '1', 'error', 'main', %(row)s, 'CONSENT', NULL)"
            run(conn, statement, {"rule": rule, "row": row}, finding=tables.sql(tables.finding))
    assert ledger.without_consent(supplier.engine) == {}
    ledger.refuse(supplier.engine, supplier.source, delivery, rule="delivery.too_many_rejected", reason="2 of 2")
    assert ledger.without_consent(supplier.engine) == {(supplier.source, delivery): 2}
    assert ledger.without_consent(supplier.engine, "gtm/other") == {}


def test_published_delivery_that_is_refused_when_run_again_stays_published(supplier: Supplier) -> None:
    supplier.deliver("one", {"person": [{"key": "a", "row": 2}]})
    delivery = supplier.register("one")
    ledger.refuse(supplier.engine, supplier.source, delivery, rule="delivery.expired", reason="expired")
    assert state(supplier, delivery) == "published"
    assert happened(supplier, delivery)[-1] == "refused_again"


def test_counts_that_do_not_add_up_are_named(supplier: Supplier) -> None:
    delivery = supplier.register("one")
    counts = {"rows_in": 3, "rows_out": 1, "rejected": 1}
    ledger.passed(supplier.engine, supplier.source, delivery, "harmonized", counts)
    (line,) = ledger.mismatches(supplier.engine, supplier.source)
    assert line.endswith("harmonized, delivery *: rows in are not rows out, rejected and merged")


def test_rejection_without_a_reason_is_a_mismatch(supplier: Supplier, engine: Engine) -> None:
    from warehouse import engine as engines

    delivery = supplier.register("one")
    tables = supplier.stage(delivery, {"person": [{"key": "a", "row": 2}, {"key": "b", "row": 3}]})
    with engine.begin() as conn:
        judged = "INSERT INTO {verdict} VALUES ('main', 3, true, false)"
        engines.run(conn, judged, verdict=tables.sql(tables.verdict))
    supplier.publish(delivery, ["person"])
    (line,) = ledger.mismatches(engine, supplier.source)
    assert line.endswith("rejected rows are not the rows with a reason")


def test_staging_again_starts_afresh(supplier: Supplier, engine: Engine) -> None:
    delivery = supplier.register("one")
    supplier.stage(delivery, {"person": [{"key": "a", "row": 2}]})
    tables = supplier.stage(delivery, {"household": [{"key": "h", "row": 2}]})
    with engine.begin() as conn:
        assert staging.entities(conn, tables) == ["household"]
