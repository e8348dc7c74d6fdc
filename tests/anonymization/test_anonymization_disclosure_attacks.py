"""What is withheld, an attacker with a program of his own cannot work out: from no release, nor from several."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from small_attacker import Attacker

from anonymization.disclosure import Cells, Previous, audit, cube, lay_out, suppress, unprotected

PROVINCES = {f"d{n}": f"p{n // 2}" for n in range(1, 8)}


def people(seed: int, rows: int, sizes: tuple[int, ...]) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {f"v{n}": [f"d{one}" for one in np.minimum(rng.geometric(0.35, rows), size)] for n, size in enumerate(sizes)}
    )


def with_provinces(frame: pd.DataFrame) -> pd.DataFrame:
    names = list(frame.columns)
    provinces = cube(frame.assign(v0=frame["v0"].map(PROVINCES)), names)
    return pd.concat([cube(frame, names), provinces]).drop_duplicates(names, ignore_index=True)


def published(cells: Cells, threshold: int, before: list[pd.DataFrame] | None = None) -> pd.DataFrame:
    return suppress(cells, threshold, Previous.of(cells, before) if before else None).released


@pytest.mark.parametrize("threshold", [5, 11])
@pytest.mark.parametrize(("rows", "sizes"), [(60, (4, 4)), (300, (3, 3, 3)), (300, (3, 2, 2, 2))])
def test_no_cell_of_a_table_is_worked_out(rows: int, sizes: tuple[int, ...], threshold: int) -> None:
    frame = people(threshold, rows, sizes)
    attacker = Attacker([published(lay_out([cube(frame, list(frame))]), threshold)])
    assert len(attacker.withheld)
    assert attacker.widths().min() >= threshold - 1e-6


@pytest.mark.parametrize("seed", range(4))
def test_the_audit_finds_what_the_attacker_finds(seed: int) -> None:
    """Only the small cells withheld: some of them are told within the threshold, and the audit names these and no
    others."""
    frame = people(seed, 150, (5, 4, 3))
    cells = lay_out([cube(frame, list(frame))])
    small = (cells.counts > 0) & (cells.counts < 5)
    shown = cells.keys.assign(count=pd.Series(cells.counts, dtype="Int64").mask(small))
    attacker = Attacker([shown])
    told = attacker.withheld[attacker.widths() < 5 - 1e-6]
    assert len(told) > 0
    assert unprotected(cells, small, 5).tolist() == told.tolist()


def test_an_audit_that_does_not_end_is_no_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    cells = lay_out([cube(people(3, 200, (2, 2)), ["v0", "v1"])])
    inner = (cells.keys != "total").all(axis=1).to_numpy()
    assert not len(unprotected(cells, inner, 5))
    monkeypatch.setattr(audit, "_FEW", 99)  # each cell by a program of its own
    monkeypatch.setattr(audit, "_WORK", (-1, -1))
    with pytest.raises(ArithmeticError, match="do not release"):
        unprotected(cells, inner, 5)


def test_no_cell_of_a_hierarchy_is_worked_out() -> None:
    parents = {"v0": PROVINCES}
    attacker = Attacker([published(lay_out([with_provinces(people(3, 120, (7, 3)))], parents), 5)], parents)
    assert len(attacker.withheld)
    assert attacker.widths().min() >= 5 - 1e-6


def test_no_cell_of_linked_tables_is_worked_out() -> None:
    frame = people(4, 150, (4, 3, 3))
    tables = [cube(frame, ["v0", "v1"]), cube(frame, ["v0", "v2"]), cube(frame, ["v1", "v2"])]
    attacker = Attacker([published(lay_out(tables), 5)])
    assert len(attacker.withheld)
    assert attacker.widths().min() >= 5 - 1e-6


@pytest.mark.parametrize("more", [1, 3, 40])
@pytest.mark.parametrize("seed", [0, 1])
def test_three_releases_together_tell_no_more_than_each(more: int, seed: int) -> None:
    """Each alone is safe; read together, releases made one by one told a third of their cells within the threshold."""
    frame = people(seed, 100 + 2 * more, (4, 3))
    releases: list[pd.DataFrame] = []
    for rows in (100, 100 + more, 100 + 2 * more):
        releases.append(published(lay_out([cube(frame.iloc[:rows], ["v0", "v1"])]), 5, releases))
    attacker = Attacker(releases)
    assert attacker.widths().min() >= 5 - 1e-6
    assert attacker.widths_between().min(initial=np.inf) >= 5 - 1e-6


def test_the_attacker_works_out_releases_that_know_nothing_of_each_other() -> None:
    frame = people(1, 180, (4, 3))
    releases = [published(lay_out([cube(frame.iloc[:rows], ["v0", "v1"])]), 5) for rows in (100, 140, 180)]
    assert Attacker(releases).widths().min() < 5


def test_a_release_by_more_variables_is_read_with_them_or_not_at_all() -> None:
    """Its cells of several ages are no counts of one sex: which of them came last decided what was known before."""
    frame = people(1, 200, (3, 2))
    first = published(lay_out([cube(frame.iloc[:40], ["v0", "v1"])]), 5)
    fewer = cube(frame, ["v0"])
    with pytest.raises(ValueError, match="a release before has v1, which this one has not"):
        Previous.of(lay_out([fewer]), first)
    both = lay_out([fewer.assign(v1="total")])
    known = {tuple(key): count for *key, count in first.itertuples(index=False)}
    said = Previous.of(both, first.iloc[::-1]).counts
    there = enumerate(both.keys.itertuples(index=False, name=None))
    assert said == {position: known[key] for position, key in there if known[key] is not pd.NA}
    attacker = Attacker([first, published(both, 5, [first])])
    assert attacker.widths().min() >= 5 - 1e-6


def test_a_category_that_nobody_had_before_tells_nothing() -> None:
    frame = people(2, 120, (4, 3))
    later = pd.concat([frame, pd.DataFrame({"v0": ["d9"] * 8, "v1": ["d1"] * 6 + ["d2"] * 2})])
    first = published(lay_out([cube(frame, ["v0", "v1"])]), 5)
    second = published(lay_out([cube(later, ["v0", "v1"])]), 5, [first])
    attacker = Attacker([first, second])
    assert attacker.widths().min() >= 5 - 1e-6
    assert attacker.widths_between().min(initial=np.inf) >= 5 - 1e-6


def test_the_same_table_again_is_withheld_in_the_same_places() -> None:
    cells = lay_out([cube(people(5, 100, (4, 3)), ["v0", "v1"])])
    first = published(cells, 5)
    again = published(cells, 5, [first])
    assert again["count"].isna().tolist() == first["count"].isna().tolist()


def test_releases_that_contradict_each_other_are_refused() -> None:
    frame = people(6, 100, (4, 3))
    first = published(lay_out([cube(frame, ["v0", "v1"])]), 5)
    fewer = lay_out([cube(frame.iloc[:60], ["v0", "v1"])])
    with pytest.raises(ValueError, match="cumulative=False"):
        Previous.of(fewer, first)
    stock = suppress(fewer, 5, Previous.of(fewer, first, cumulative=False))
    assert Attacker([stock.released]).widths().min() >= 5 - 1e-6


def test_a_withheld_cell_that_has_become_empty_contradicts_growth() -> None:
    """Nothing published fell, but b had something: only the tables together say so."""
    before = pd.DataFrame({"x": ["a", "b", "total"], "count": pd.array([None, None, 30], dtype="Int64")})
    now = lay_out([pd.DataFrame({"x": ["a", "b", "total"], "count": [12, 12, 24]})])
    with pytest.raises(ValueError, match="cumulative=False"):
        Previous.of(now, before)
    apart = lay_out([pd.DataFrame({"x": ["a", "b"], "count": [12, 12]})])
    with pytest.raises(ValueError, match="contradict"):
        suppress(apart, 5, Previous.of(apart, before))


def test_what_is_released_does_not_tell_why_a_cell_is_withheld() -> None:
    """Who reads that a cell was small knows that it is below the threshold."""
    done = suppress(lay_out([cube(people(7, 60, (4, 4)), ["v0", "v1"])]), 5)
    assert {"small_cell", "complementary"} <= set(done.table["reason"])
    assert done.released.columns.tolist() == ["v0", "v1", "count"]


@pytest.mark.parametrize("count", [-3, 2.5, None])
def test_amounts_are_no_counts(count: float | None) -> None:
    with pytest.raises(ValueError, match="not whole"):
        lay_out([pd.DataFrame({"x": ["a", "b"], "count": [9, count]})])


@pytest.mark.parametrize("threshold", [1, 0, -5])
def test_a_threshold_that_withholds_nothing_is_refused(threshold: int) -> None:
    cells = lay_out([cube(pd.DataFrame({"a": ["x"]}), ["a"])])
    with pytest.raises(ValueError, match="withholds nothing"):
        suppress(cells, threshold)


def test_people_without_a_category_are_not_left_out_in_silence() -> None:
    frame = pd.DataFrame({"x": ["a"] * 9 + [None], "y": ["b"] * 10})
    with pytest.raises(ValueError, match="1 records have no category of x"):
        cube(frame, ["x", "y"])
    states = frame.fillna({"x": "refused"})
    assert cube(states, ["x", "y"]).query("x == 'total' and y == 'total'")["count"].tolist() == [10]
    with pytest.raises(ValueError, match="as margins are"):
        cube(frame.fillna({"x": "total"}), ["x", "y"])
