"""Suppression in tables: nothing withheld can be bounded within the threshold, audited by linear programming."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymization.disclosure import Previous, cube, intervals, lay_out, suppress, unprotected

# Federal Committee on Statistical Methodology, Working Paper 22, chapter II: delinquent children by county and the
# education of the head of household; cells below 5 are sensitive.
COUNTIES = {"alpha": (15, 1, 3, 1), "beta": (20, 10, 10, 15), "gamma": (3, 10, 10, 2), "delta": (12, 14, 7, 2)}
EDUCATION = ("low", "medium", "high", "very high")


def records(counts: dict[str, tuple[int, ...]]) -> pd.DataFrame:
    rows = [
        (county, level)
        for county, row in counts.items()
        for level, n in zip(EDUCATION, row, strict=True)
        for _ in range(n)
    ]
    return pd.DataFrame(rows, columns=["county", "education"])


def hidden_in(found: pd.DataFrame, **where: str) -> bool:
    chosen = np.logical_and.reduce([found[name] == value for name, value in where.items()])
    (row,) = found[chosen].to_dict("records")
    return bool(row["reason"] != "published")


def test_a_cell_alone_in_its_row_is_worked_out_from_the_totals() -> None:
    """Working Paper 22's warning: withholding the small cells only, without complements, protects some of them not."""
    cells = lay_out([cube(records(COUNTIES), ["county", "education"])])
    small = (cells.counts > 0) & (cells.counts < 5)
    assert small.sum() == 6
    found = intervals(cells, small)
    delta = (
        np.flatnonzero(small)
        .tolist()
        .index(int(cells.keys.query("county == 'delta' and education == 'very high'").index[0]))
    )
    assert found[delta].tolist() == [2, 2], "Delta's only withheld cell is its total less the others"


def test_the_children_of_working_paper_22_are_protected() -> None:
    cells = lay_out([cube(records(COUNTIES), ["county", "education"])])
    done = suppress(cells, 5)
    assert not len(unprotected(cells, done.hidden, 5))
    for county, level in (("alpha", "medium"), ("alpha", "high"), ("gamma", "low"), ("delta", "very high")):
        assert hidden_in(done.table, county=county, education=level)
    assert not hidden_in(done.table, county="total", education="total")
    assert done.hidden.sum() <= 10, "few more than the six small ones"
    assert done.table.loc[done.hidden, "count"].isna().all()
    assert done.decisions.table()["rule"].tolist() == ["small_cell", "complementary"]


@settings(max_examples=25, deadline=None)
@given(
    counts=st.lists(st.lists(st.integers(0, 30), min_size=3, max_size=3), min_size=3, max_size=4),
    threshold=st.sampled_from([3, 5, 11]),
)
def test_no_withheld_cell_can_be_bounded_within_the_threshold(counts: list[list[int]], threshold: int) -> None:
    rows = [(f"r{i}", f"c{j}") for i, row in enumerate(counts) for j, n in enumerate(row) for _ in range(n)]
    frame = pd.DataFrame([*rows, *(("r9", "c9"),) * 60], columns=["r", "c"])
    cells = lay_out([cube(frame, ["r", "c"])])
    try:
        done = suppress(cells, threshold)
    except ArithmeticError:
        return  # said, not released
    shown = cells.counts[~done.hidden]
    assert ((shown == 0) | (shown >= threshold)).all()
    found = intervals(cells, done.hidden)
    assert (found[:, 1] - found[:, 0] >= threshold - 1e-6).all()
    true = cells.counts[done.hidden]
    assert ((found[:, 0] <= true + 1e-6) & (true <= found[:, 1] + 1e-6)).all(), "the audit knows what is possible"


def test_linked_tables_are_protected_together() -> None:
    """A cell withheld in one table and worked out from another is not withheld."""
    frame = pd.DataFrame(
        [("north", "f", "young")] * 2 + [("north", "m", "old")] * 20 + [("north", "f", "old")] * 30
        + [("south", "f", "young")] * 25 + [("south", "m", "young")] * 19 + [("south", "m", "old")] * 31,
        columns=["place", "sex", "age"],
    )  # fmt: skip
    tables = [cube(frame, ["place", "sex"]), cube(frame, ["place", "age"])]
    cells = lay_out(tables)
    done = suppress(cells, 5)
    assert hidden_in(done.table, place="north", age="young", sex="total")
    assert not len(unprotected(cells, done.hidden, 5))
    margins = cells.keys[(cells.keys["sex"] == "total") & (cells.keys["age"] == "total")]
    assert len(margins) == 3, "place totals of both tables are the same cells"


def test_districts_add_up_to_their_province() -> None:
    frame = pd.DataFrame(
        [("d1", "f")] * 3 + [("d2", "f")] * 9 + [("d3", "f")] * 8 + [("d3", "m")] * 12, columns=["d", "s"]
    )
    districts = cube(frame, ["d", "s"])
    provinces = cube(frame.assign(d=frame["d"].map({"d1": "p1", "d2": "p1", "d3": "p2"})), ["d", "s"])
    table = pd.concat([districts, provinces]).drop_duplicates(["d", "s"], ignore_index=True)
    cells = lay_out([table], {"d": {"d1": "p1", "d2": "p1", "d3": "p2"}})
    done = suppress(cells, 5)
    assert hidden_in(done.table, d="d1", s="f")
    assert hidden_in(done.table, d="d2", s="f"), "or p1 less d2 would tell d1"
    assert not len(unprotected(cells, done.hidden, 5))


def test_a_small_difference_from_the_last_release_is_withheld() -> None:
    frame = pd.DataFrame([("a",)] * 20 + [("b",)] * 30 + [("c",)] * 40, columns=["x"])
    before = cube(frame.iloc[2:], ["x"])
    cells = lay_out([cube(frame, ["x"])])
    previous = Previous.of(cells, before)
    done = suppress(cells, 5, previous)
    assert done.table.set_index("x").loc["a", "reason"] == "difference"
    alone = suppress(cells, 5)
    assert not alone.hidden.any(), "without the earlier release there is nothing small in it"
    assert not len(unprotected(cells, done.hidden, 5, previous.known()))


def test_tables_that_contradict_each_other_are_refused() -> None:
    one = cube(pd.DataFrame({"x": ["a"] * 9}), ["x"])
    with pytest.raises(ValueError, match="different counts"):
        lay_out([one, one.assign(count=8)])
    with pytest.raises(ValueError, match="do not add up"):
        lay_out([pd.DataFrame({"x": ["a", "total"], "count": [5, 9]})])


def test_an_audit_of_thousands_of_withheld_cells_ends() -> None:
    """The simplex alone had not ended in minutes over so many cells that hang together."""
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({f"v{size}": rng.integers(0, size, 20_000).astype(str) for size in (7, 6, 5, 4)})
    cells = lay_out([cube(frame, list(frame))])
    deep = ((cells.keys != "total").sum(axis=1) >= 2).to_numpy()
    assert deep.sum() > 1_500
    begun = time.process_time()
    assert not len(unprotected(cells, deep, 5))
    assert time.process_time() - begun < 30


@pytest.mark.slow
def test_a_table_of_two_thousand_cells_is_protected_within_half_a_minute_of_processor_time() -> None:
    """What makes it fast is proof by moves found for other cells; the audit afterwards knows nothing of them."""
    rng = np.random.default_rng(7)
    frame = pd.DataFrame(
        {
            "district": [f"d{n:02d}" for n in np.minimum(rng.geometric(0.06, 20_000), 60)],
            "sex": rng.choice(["f", "m", "x"], 20_000, p=[0.4, 0.59, 0.01]),
            "age": rng.choice(["child", "young", "adult", "old"], 20_000, p=[0.1, 0.4, 0.45, 0.05]),
            "way": rng.choice(["forced", "assisted", "alone", "other"], 20_000, p=[0.6, 0.25, 0.1, 0.05]),
        }
    )
    cells = lay_out([cube(frame, ["district", "age", "way"]), cube(frame, ["district", "sex"])])
    begun = time.process_time()
    done = suppress(cells, 5)
    assert time.process_time() - begun < 30
    found = intervals(cells, done.hidden)
    assert (found[:, 1] - found[:, 0] >= 5 - 1e-6).all()
    complementary = int((done.table["reason"] == "complementary").sum())
    assert complementary < 2 * int((done.table["reason"] == "small_cell").sum())
