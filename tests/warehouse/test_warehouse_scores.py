"""Scores computed in SQL are those of the codebook, for any answers; the figures follow from them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Engine, text
from warehouse_deliveries import Supplier, key

from codebook import scoring
from codebook.loader import Codebook
from warehouse import marts

INTERVIEWS = 400
GATES = ("consent", "interview_completed")


def random_answers(codebook: Codebook, method: str) -> pd.DataFrame:
    """Mostly answers, some states, few of them without points, so that every reason and every band occurs."""
    random = np.random.default_rng(20180413)
    items = scoring.plan("rss_2018", method, codebook).items
    columns: dict[str, Any] = {}
    for item in items:
        codes = codebook.codelist_of("rss_response", item)
        pointless = random.random(INTERVIEWS) < 0.01
        special = random.random(INTERVIEWS) < random.choice([0.02, 0.4])
        answers = random.choice(codes.names, INTERVIEWS)
        states = random.choice(["dont_know", "refused", "not_applicable"], INTERVIEWS)
        columns[item] = np.where(pointless, "skipped_by_logic", np.where(special, states, answers))
    for gate in GATES:
        columns[gate] = random.choice(["yes", "no"], INTERVIEWS, p=[0.95, 0.05])
    columns["age"] = random.integers(12, 60, INTERVIEWS)
    return pd.DataFrame(columns)


def interviews(codebook: Codebook, frame: pd.DataFrame) -> list[dict[str, Any]]:
    rows = []
    for number, answers in enumerate(frame.to_dict("records")):
        coded = {
            name: answer if name == "age" else codebook.codelist_of("rss_response", name).code(answer)
            for name, answer in answers.items()
        }
        rows.append({"key": f"i{number}", "row": number + 2, **coded})
    return rows


@pytest.mark.parametrize("method", ["iom_2018", "iom_2018_note"])
def test_sql_scores_are_the_codebooks_scores(engine: Engine, codebook: Codebook, tmp_path: Path, method: str) -> None:
    frame = random_answers(codebook, method)
    supplier = Supplier(engine, codebook, tmp_path, f"slv/scores_{method}")
    supplier.deliver("random", {"rss_response": interviews(codebook, frame)})
    marts.refresh(engine, codebook)
    expected = scoring.score(frame, "rss_2018", method, codebook)
    with engine.connect() as conn:
        found = conn.execute(
            text("SELECT * FROM marts.rss_score WHERE source_id = :s AND method = :m"),
            {"s": supplier.source, "m": method},
        )
        by_key = {row["record_key"].bytes: row for row in found.mappings()}
    assert len(by_key) == INTERVIEWS
    for number, should in enumerate(expected.to_dict("records")):
        row = by_key[key(f"i{number}")]
        for name in scoring.SCORES:
            assert (row[name] is None) == bool(np.isnan(should[name]))
            assert row[name] is None or float(row[name]) == pytest.approx(should[name], abs=1e-12)
        for name in ("special_answers", "low_confidence", "band", "missing_items", "reason"):
            assert row[name] == should[name], (number, name)
    assert {row["reason"] for row in by_key.values()} == {
        None, "missing_items", "no_consent", "not_completed", "under_age",
    }  # fmt: skip


def answered(codebook: Codebook, every: str, **others: Any) -> dict[str, Any]:
    """An interview with the same state in every item."""
    items = scoring.plan("rss_2018", "iom_2018", codebook).items
    return {item: codebook.codelist_of("rss_response", item).code(every) for item in items} | others


def test_nothing_but_dont_know_is_exactly_one_half_and_of_low_confidence(supplier: Supplier) -> None:
    unsure = answered(supplier.codebook, "dont_know", key="a", row=2)
    supplier.deliver("one", {"rss_response": [unsure]})
    marts.refresh(supplier.engine, supplier.codebook)
    with supplier.engine.connect() as conn:
        found = conn.execute(text("SELECT * FROM marts.rss_score WHERE source_id = :s"), {"s": supplier.source})
        for row in found.mappings():
            assert {row[name] for name in scoring.SCORES} == {Decimal("0.5")}
            assert (row["band"], row["low_confidence"]) == ("middle", True)


def value(engine: Engine, source: str, indicator: str, **where: str) -> Any:
    conditions = "".join(f" AND {name} = :{name}" for name in where)
    with engine.connect() as conn:
        rows = conn.execute(
            text(
                "SELECT value FROM marts.indicator_value WHERE source_id = :source AND indicator = :indicator"
                f" AND period = 'all'{conditions}"
            ),
            {"source": source, "indicator": indicator, **where},
        ).all()
    assert len(rows) == 1, (indicator, where, len(rows))
    return rows[0][0]


def test_scores_become_figures_with_method_wave_and_threshold(supplier: Supplier) -> None:
    wave = supplier.codebook.codelist_of("rss_response", "wave")
    recall = supplier.codebook.codelist_of("rss_response", "recall")
    person, other = key("p"), key("q")
    base = {"wave": wave.code("baseline"), "recall": recall.code("concurrent"), "interview_date": dt.date(2025, 1, 5)}
    end = {"wave": wave.code("endline"), "recall": recall.code("concurrent"), "interview_date": dt.date(2026, 1, 5)}
    half = answered(supplier.codebook, "dont_know")
    better = half | {"soc_has_id": supplier.codebook.codelist_of("rss_response", "soc_has_id").code("yes")}
    remembered = half | base | {"recall": recall.code("retrospective"), "soc_has_id": 2}
    rows = [
        {"key": "1", "row": 2, "person_token": person, **half, **base},
        {"key": "2", "row": 3, "person_token": person, **better, **end},
        {"key": "3", "row": 4, "person_token": other, **remembered},
        {"key": "4", "row": 5, "person_token": other, **better, **end},
    ]
    supplier.deliver("one", {"rss_response": rows})
    marts.refresh(supplier.engine, supplier.codebook)
    named = {"method": "iom_2018", "dimension": "composite", "disaggregation": "total"}
    figures = lambda indicator, **where: value(supplier.engine, supplier.source, indicator, **named, **where)  # noqa: E731
    assert figures("rss_mean", wave="baseline") == Decimal("0.5"), "a remembered baseline is none"
    assert figures("rss_mean", wave="endline") == Decimal("0.525")
    assert figures("rss_median", wave="endline") == Decimal("0.525")
    assert figures("rss_paired_change", wave="baseline to endline") == Decimal("0.025")
    assert figures("rss_low_confidence_share", wave="endline") == 1
    with supplier.engine.connect() as conn:
        shares = conn.execute(
            text(
                "SELECT parameters ->> 'threshold', value, n, below_minimum_cell FROM marts.indicator_value"
                " WHERE source_id = :s AND indicator = 'rss_share_at_or_above' AND period = 'all'"
                " AND method = 'iom_2018' AND dimension = 'composite' AND disaggregation = 'total'"
                " AND wave = 'endline' ORDER BY 1"
            ),
            {"s": supplier.source},
        ).all()
    assert [tuple(row) for row in shares] == [("0.5", 1, 2, True), ("0.66", 0, 2, True)]


def test_persons_events_services_and_closures_are_four_different_units(supplier: Supplier) -> None:
    book = supplier.codebook
    person = key("p")
    female = book.codelist_of("person", "sex").code("female")
    closed = {
        "status": book.codelist_of("case", "status").code("closed"),
        "closure_reason": book.codelist_of("case", "closure_reason").code("left_area"),
    }
    day = dt.date(2025, 3, 1)
    entities = {
        "person": [{"key": "p", "row": 2, "person_token": person, "sex": female}],
        "return_event": [
            {"key": "r1", "row": 2, "person_token": person, "return_date": day},
            {"key": "r2", "row": 3, "person_token": person, "return_date": day},
            {"key": "r3", "row": 4, "person_token": person, "return_date": dt.date(2026, 3, 1)},
        ],
        "case": [{"key": "c", "row": 5, "person_token": person, **closed}],
        "assistance": [{"key": f"a{n}", "row": 6 + n, "case_key": key("c"), "assistance_date": day} for n in range(3)],
    }
    supplier.deliver("one", entities)
    marts.refresh(supplier.engine, book)
    figures = lambda indicator, **where: value(supplier.engine, supplier.source, indicator, **where)  # noqa: E731
    assert figures("persons_returned", disaggregation="total") == 1
    assert figures("persons_returned", disaggregation="sex", category="female") == 1
    assert figures("return_events", disaggregation="total") == 2, "one person and one day are one return"
    assert figures("persons_supported", disaggregation="total") == 1
    assert figures("services_delivered", disaggregation="total") == 3
    assert figures("cases_closed_by_reason", disaggregation="closure_reason", category="left_area") == 1


def test_figures_name_their_deliveries_and_versions(supplier: Supplier) -> None:
    supplier.deliver("one", {"return_event": [{"key": "r", "row": 2, "person_token": key("p")}]})
    marts.refresh(supplier.engine, supplier.codebook)
    with supplier.engine.connect() as conn:
        row = conn.execute(
            text("SELECT * FROM marts.indicator_value WHERE source_id = :s AND indicator = 'return_events' LIMIT 1"),
            {"s": supplier.source},
        ).mappings().one()  # fmt: skip
    assert row["delivery_ids"] == [supplier.register("one")]
    assert (row["crosswalk_versions"], row["codebook_version"]) == (["abc123"], supplier.codebook.version)


def test_refresh_replaces_comparability(engine: Engine, codebook: Codebook) -> None:
    row = {"source_id": "slv/x", "country": "SLV", "entity": "person", "variable": "sex", "status": "exact", "note": ""}
    marts.refresh(engine, codebook, [row])
    assert marts.refresh(engine, codebook, [row])["comparability"] == 1


def test_marts_are_behind_from_a_publication_to_the_next_refresh(supplier: Supplier) -> None:
    marts.refresh(supplier.engine, supplier.codebook)
    assert not marts.are_behind(supplier.engine)
    supplier.deliver("one", {"person": [{"key": "a", "row": 2}]})
    assert marts.are_behind(supplier.engine)
    marts.refresh(supplier.engine, supplier.codebook)
    assert not marts.are_behind(supplier.engine)
