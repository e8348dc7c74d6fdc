"""Erasing people from the warehouse: the marts are then as if all had been made anew, and nobody else's rows go."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from sqlalchemy import Engine, text
from warehouse_deliveries import Supplier, key, rows_of

from codebook import scoring
from codebook.loader import Codebook, load_codebook
from warehouse import erasure, indicators, marts
from warehouse.shared_records import Row

Tables = dict[str, list[str]]
MARTS = ("core.rss_score", "marts.indicator_value")


def figures(engine: Engine) -> Tables:
    with engine.connect() as conn:
        return {
            table: sorted(conn.scalars(text(f"SELECT (to_jsonb(t) - 'computed_at')::text FROM {table} AS t")))
            for table in MARTS
        }


def persons_returned(engine: Engine) -> dict[str, int]:
    """By country, for all time."""
    ask = """SELECT country, value::int FROM marts.indicator_value WHERE indicator = 'persons_returned'
        AND source_id IS NULL AND period = 'all' AND disaggregation = 'total'"""
    with engine.connect() as conn:
        return dict(conn.execute(text(ask)).all())


def interview(codebook: Codebook, number: int, wave: str) -> dict[str, Any]:
    code = lambda name, value: codebook.codelist_of("rss_response", name).code(value)  # noqa: E731
    answers = {
        item: code(item, "dont_know" if (number + at) % 3 else codebook.codelist_of("rss_response", item).names[0])
        for at, item in enumerate(scoring.plan("rss_2018", "iom_2018", codebook).items)
    }
    when = dt.date(2025 if wave == "baseline" else 2026, 1, 1 + number)
    return answers | {"wave": code("wave", wave), "recall": code("recall", "concurrent"), "interview_date": when}


@pytest.fixture
def persons(engine: Engine, codebook: Codebook, tmp_path: Path) -> None:
    """Nine people in each of two countries: interviews, returns, cases and assistance, and what each of them is."""
    for source, country in (("slv/all", "SLV"), ("slv/too", "SLV"), ("hnd/all", "HND")):
        rows: dict[str, list[dict[str, Any]]] = {
            name: [] for name in ("rss_response", "return_event", "case", "assistance", "person")
        }
        for number in range(9):
            own = {"person_token": key(f"{country} {number}"), "row": number + 2}
            rows["person"].append({"key": f"p{number}", **own, "sex": 1 + number % 2})
            rows["return_event"].append({"key": f"r{number}", **own, "return_date": dt.date(2024 + number % 2, 3, 1)})
            rows["case"].append({"key": f"c{number}", **own, "status": 2, "close_date": dt.date(2025, 5, 1)})
            rows["assistance"].append({"key": f"a{number}", **own, "type": 1, "case_key": key(f"c{number}")})
            for at, wave in enumerate(("baseline", "endline")):
                answers = interview(codebook, number, wave)
                rows["rss_response"].append({"key": f"i{number} {wave}", **own, "row": number + 2 + 10 * at, **answers})
        Supplier(engine, codebook, tmp_path, source, country).deliver("all", rows)
    marts.refresh(engine, codebook)


def _nothing_is_kept(entity: str, _: Sequence[Row]) -> pa.Table:
    return load_codebook().arrow_schema(entity).empty_table()


def erase(engine: Engine, *numbers: int) -> erasure.Gone:
    people = [erasure.Person([uuid.UUID(bytes=key(f"SLV {number}"))], {}) for number in numbers]
    return erasure.erase(engine, "SLV", people, _nothing_is_kept)


def entities(gone: erasure.Gone) -> set[str]:
    return {table.removeprefix("core.") for rows in gone.rows for table, count in rows.items() if count}


@pytest.mark.usefixtures("persons")
def test_marts_of_the_country_are_as_if_all_had_been_made_anew(engine: Engine, codebook: Codebook) -> None:
    before, counted = figures(engine), persons_returned(engine)
    assert marts.are_of(engine, codebook)
    gone = erase(engine, 3, 4)
    assert [rows["core.rss_response"] for rows in gone.rows] == [4, 4]
    assert [rows["core.return_event"] for rows in gone.rows] == [2, 2]
    assert not gone.others
    marts.refresh_country(engine, codebook, "SLV", entities(gone))
    alone = figures(engine)
    marts.refresh(engine, codebook)
    assert alone == figures(engine)
    assert all(alone[table] != before[table] for table in MARTS)
    assert persons_returned(engine) == {"SLV": counted["SLV"] - 2, "HND": 9}


@pytest.mark.usefixtures("persons")
@pytest.mark.parametrize("entity", ["return_event", "case", "assistance", "rss_response"])
def test_only_what_reads_an_entity_is_made_anew_and_nothing_else_has_changed(
    engine: Engine, codebook: Codebook, entity: str
) -> None:
    with engine.begin() as conn:
        conn.execute(
            text(f'DELETE FROM core."{entity}" WHERE person_token = :one'), {"one": uuid.UUID(bytes=key("SLV 5"))}
        )
    marts.refresh_country(engine, codebook, "SLV", {entity})
    alone = figures(engine)
    marts.refresh(engine, codebook)
    assert alone == figures(engine)


@pytest.mark.usefixtures("persons")
def test_a_row_that_hung_on_theirs_and_is_about_somebody_else_is_told(engine: Engine) -> None:
    person = erasure.Person([uuid.UUID(bytes=key("SLV 6"))], {})
    with engine.begin() as conn:
        conn.execute(
            text("UPDATE core.person SET source_row = 8 WHERE record_key = :k"), {"k": uuid.UUID(bytes=key("p1"))}
        )
    assert erasure.erase(engine, "SLV", [person], _nothing_is_kept).others


def family(supplier: Supplier) -> list[dict[str, Any]]:
    """Two people of one household: row 3, which came last, says how large it is; row 2 says something else."""
    people = [{"row": 2, "person_token": key("mother")}, {"row": 3, "person_token": key("daughter")}]
    returns = [{"key": f"return {one['row']}", **one, "household_key": key("family")} for one in people]
    households = [{"key": "family", **one, "size": one["row"]} for one in people]
    supplier.deliver("family", {"return_event": returns, "household": households})
    return households


def households_of(supplier: Supplier) -> list[tuple[Any, ...]]:
    ask = "SELECT size, source_row, person_token FROM core.household WHERE source_id = :source"
    with supplier.engine.connect() as conn:
        return [tuple(row) for row in conn.execute(text(ask), {"source": supplier.source})]


def test_a_household_to_which_others_belong_is_told_by_their_row(
    engine: Engine, codebook: Codebook, supplier: Supplier
) -> None:
    rows = family(supplier)
    mother, daughter = (uuid.UUID(bytes=key(name)) for name in ("mother", "daughter"))
    assert households_of(supplier) == [(3, 3, daughter)]
    asked = []

    def tell(entity: str, wanted: Sequence[Row]) -> pa.Table:
        asked.append((entity, [(one.source, one.table, one.number) for one in wanted]))
        return rows_of(codebook, "household", [row for row in rows if row["row"] in [one.number for one in wanted]])

    gone = erasure.erase(engine, "SLV", [erasure.Person([daughter], {})], tell)
    assert asked == [("household", [(supplier.source, "main", 2)])]
    assert households_of(supplier) == [(2, 2, mother)]
    assert gone.rows[0]["core.return_event"] == 1
    assert gone.rows[0]["core.household"] == 0
    assert gone.others, "so that figures which read households are made anew"
    erasure.erase(engine, "SLV", [erasure.Person([mother], {})], tell)
    assert households_of(supplier) == []


def test_a_household_goes_where_nobody_can_tell_what_others_said(engine: Engine, supplier: Supplier) -> None:
    family(supplier)
    erasure.erase(engine, "SLV", [erasure.Person([uuid.UUID(bytes=key("daughter"))], {})], _nothing_is_kept)
    assert households_of(supplier) == []


@pytest.mark.usefixtures("persons")
@pytest.mark.parametrize("source", ["slv/all", "slv/too"])
def test_figures_do_not_hang_on_the_order_in_which_rows_lie(engine: Engine, codebook: Codebook, source: str) -> None:
    with engine.begin() as conn:  # two rows of one delivery are the same person, who is of two sexes there
        for table in ("person", "return_event", "rss_response"):
            tokens = {"one": uuid.UUID(bytes=key("SLV 7")), "other": uuid.UUID(bytes=key("SLV 8")), "source": source}
            merge = f"UPDATE core.{table} SET person_token = :one WHERE person_token = :other AND source_id = :source"
            conn.execute(text(merge), tokens)
    marts.refresh(engine, codebook)
    before = figures(engine)
    for row in ("p7", "p8"):
        with engine.begin() as conn:  # a row that is written anew lies behind all others
            for table in ("rss_score", "return_event", "assistance", "rss_response"):
                conn.execute(text(f"UPDATE core.{table} SET country = country WHERE source_id = :s"), {"s": source})
            conn.execute(
                text("UPDATE core.person SET country = country WHERE source_id = :source AND record_key = :key"),
                {"source": source, "key": uuid.UUID(bytes=key(row))},
            )
        marts.refresh(engine, codebook)
        assert figures(engine) == before


def test_every_computation_says_what_it_reads(codebook: Codebook) -> None:
    assert all(indicators._read_from(codebook, one) <= codebook.entities.keys() for one in codebook.indicators.values())


def test_rows_of_a_delivery_that_waits_to_be_published_go_too(supplier: Supplier) -> None:
    """What was staged is the login's own: as the loader nobody was erased in the country until the delivery was out."""
    rows = [
        {"key": f"{name} returns", "row": at, "person_token": key(name)} for at, name in enumerate(("ana", "rosa"), 2)
    ]
    staged = supplier.stage(supplier.register("waits"), {"return_event": rows})
    ana = erasure.Person([uuid.UUID(bytes=key("ana"))], {})
    (gone,) = erasure.erase(supplier.engine, supplier.country, [ana], _nothing_is_kept).rows
    assert gone["staging"] == 1
    with supplier.engine.connect() as conn:
        left = conn.scalars(text(f'SELECT person_token FROM staging."{staged.entity("return_event")}"')).all()
    assert left == [uuid.UUID(bytes=key("rosa"))]
