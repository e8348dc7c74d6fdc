"""Risk of microdata, held to the worked examples of the papers and guides that defined the measures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import nbinom

from anonymization.disclosure import Goal, closeness, diversity, individual_risk, measure, protect, sharing

# World Bank / IHSN, Statistical Disclosure Control for Microdata: A Practice Guide, table of frequencies and risks.
GUIDE = pd.DataFrame(
    [
        ("urban", "f", "sec incomplete", "employed", 180),
        ("urban", "f", "sec incomplete", "employed", 180),
        ("urban", "f", "prim incomplete", "non-lf", 215),
        ("urban", "m", "sec complete", "employed", 76),
        ("rural", "f", "sec complete", "unemployed", 186),
        ("urban", "m", "sec complete", "employed", 76),
        ("urban", "f", "prim complete", "non-lf", 180),
        ("urban", "m", "post-sec", "unemployed", 215),
        ("urban", "f", "sec incomplete", "non-lf", 186),
        ("urban", "f", "sec incomplete", "non-lf", 76),
    ],
    columns=["residence", "sex", "education", "labour", "weight"],
)
KEYS = ["residence", "sex", "education", "labour"]

# Li, Li and Venkatasubramanian 2007, tables 3 and 5: salaries in thousands by class.
SALARIES = {"1": (3, 4, 5), "2": (6, 8, 11), "3": (7, 9, 10)}
CLOSER = {"1": (3, 5, 9), "2": (6, 8, 11), "3": (4, 7, 10)}

# Machanavajjhala and others 2006, figure 3: a 3-diverse table of inpatients.
INPATIENTS = {
    "1305*": ("heart", "viral", "cancer", "cancer"),
    "1485*": ("cancer", "heart", "viral", "viral"),
    "1306*": ("heart", "viral", "cancer", "cancer"),
}


def by_class(classes: dict[str, tuple[object, ...]]) -> pd.DataFrame:
    return pd.DataFrame([(name, value) for name, values in classes.items() for value in values], columns=["q", "s"])


def test_frequencies_and_risks_are_those_of_the_practice_guide() -> None:
    assert sharing(GUIDE, KEYS).tolist() == [2, 2, 1, 2, 1, 2, 1, 1, 2, 2]
    assert sharing(GUIDE, KEYS, GUIDE["weight"]).tolist() == [360, 360, 215, 152, 186, 152, 180, 215, 262, 262]
    risks = individual_risk(GUIDE, KEYS, GUIDE["weight"])
    expected = [0.0054, 0.0054, 0.0251, 0.0126, 0.0282, 0.0126, 0.0290, 0.0251, 0.0074, 0.0074]
    assert risks.round(4).tolist() == expected
    risk = measure(GUIDE, KEYS, k=3, weights=GUIDE["weight"])
    assert (risk.k, risk.below) == (1, 10)
    assert risk.expected == pytest.approx(sum(expected), abs=5e-4)
    assert risk.global_risk == pytest.approx(risk.expected / 10)


@pytest.mark.parametrize("f", [2, 3, 30, 500, 20_000])
def test_the_weighted_risk_of_a_large_class_is_the_expectation_of_one_in_the_population(f: int) -> None:
    """Held to the negative binomial distribution that defines it, summed up; classes of hundreds had no risk at all."""
    p = 0.02
    frame = pd.DataFrame({"a": ["x"] * f})
    population = np.arange(f, int(f / p * 12) + 4_000)
    expected = float((nbinom.pmf(population - f, f, p) / population).sum())
    assert individual_risk(frame, ["a"], [1 / p] * f) == pytest.approx(np.full(f, expected), rel=1e-4)


@pytest.mark.parametrize("weights", [[1.0], [0.0] * 4, [-2.0] * 4, [np.nan] * 4, ["Ana"] * 4, [None] * 4])
def test_weights_that_are_none_are_refused(weights: list[Any]) -> None:
    """In words that quote none of them."""
    with pytest.raises(ValueError, match="4 numbers above 0"):
        measure(pd.DataFrame({"a": ["x"] * 4}), ["a"], 2, weights)


def test_rows_of_one_label_are_told_apart() -> None:
    """As of frames put together without a new index: all of them lost their cells, or protection failed."""
    frame = pd.DataFrame({"a": ["x"] * 12, "b": ["p"] * 11 + ["q"]}, index=[0] * 12)
    done = protect(frame, Goal(["a", "b"], k=11, global_risk=0.1))
    assert done.frame["b"].isna().tolist() == [False] * 11 + [True]
    assert done.frame.index.tolist() == [0] * 12


def test_without_weights_the_records_are_the_population() -> None:
    assert individual_risk(GUIDE, KEYS).tolist() == [0.5, 0.5, 1, 0.5, 1, 0.5, 1, 1, 0.5, 0.5]


def test_a_withheld_cell_agrees_with_everything() -> None:
    frame = pd.DataFrame({"a": ["x", "x", None, "y"], "b": ["1", "2", "1", "1"]})
    assert sharing(frame, ["a", "b"]).tolist() == [2, 1, 3, 2]


def test_diversity_of_the_inpatients_is_three() -> None:
    frame = by_class(INPATIENTS)
    assert diversity(frame, ["q"], "s") == 3
    entropy = -(0.5 * np.log(0.5) + 2 * 0.25 * np.log(0.25))
    assert diversity(frame, ["q"], "s", "entropy") == pytest.approx(np.exp(entropy))
    assert diversity(by_class({"1": ("a", "a")}), ["q"], "s") == 1


def test_closeness_is_that_of_the_paper() -> None:
    """The paper's own figures: 0.375 for {3k, 4k, 5k} among the nine salaries, and 0.167 for its table 5."""
    assert closeness(by_class(SALARIES), ["q"], "s", "ordered") == pytest.approx(0.375)
    assert closeness(by_class(CLOSER), ["q"], "s", "ordered") == pytest.approx(0.167, abs=5e-4)
    assert closeness(by_class({"1": ("a", "a"), "2": ("b", "b")}), ["q"], "s") == pytest.approx(0.5)


@pytest.mark.parametrize("kind", ["equal", "ordered"])
def test_closeness_counts_records_whose_keys_are_withheld(kind: Any) -> None:
    """They were left out, of their class and of everybody: what was protected looked closer than it is."""
    frame = pd.DataFrame({"a": ["x", "x", "x", None], "b": ["y"] * 4, "s": [1, 1, 2, 2]})
    assert closeness(frame, ["a", "b"], "s", kind) == pytest.approx(0.5)
    assert np.isnan(closeness(frame.assign(s=None), ["a", "b"], "s", kind))


def test_closeness_leaves_out_who_has_no_value() -> None:
    frame = pd.DataFrame({"a": ["x", "x", "z", "z", "z"], "s": ["p", "q", "p", "q", None]})
    assert closeness(frame, ["a"], "s") == 0


def test_risks_of_the_eight_records_of_sdcmicro() -> None:
    """Capobianchi, Polettini and Lucarelli's records, as sdcMicro's guide prints their risks: two pairs, four alone."""
    frame = pd.DataFrame({"key": list("pqqrstup")})
    weights = [18, 45.5, 39, 17, 541, 8, 5, 92]
    expected = [0.017, 0.022, 0.022, 0.177, 0.012, 0.297, 0.402, 0.017]
    assert individual_risk(frame, ["key"], weights).round(3).tolist() == expected


RECORDS = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from("xy"), st.sampled_from("123")), min_size=12, max_size=60
)


@settings(max_examples=60, deadline=None)
@given(records=RECORDS, k=st.integers(2, 5))
def test_protected_records_share_their_key_with_enough_and_nothing_else_changes(
    records: list[tuple[str, str, str]], k: int
) -> None:
    frame = pd.DataFrame(records, columns=["a", "b", "c"])
    done = protect(frame, Goal(["a", "b", "c"], k=k, global_risk=1 / k))
    assert (sharing(done.frame, ["a", "b", "c"]) >= k).all()
    kept = done.frame.notna()
    assert (done.frame[kept].fillna("") == frame[kept].fillna("")).all().all()
    assert done.after.below == 0


def test_recodings_are_taken_only_while_they_are_needed() -> None:
    frame = pd.DataFrame({"age": [*range(20, 40)] * 4, "sex": ["f", "m"] * 40})
    bands = {"age": lambda ages: ages // 10 * 10}
    everyone = {"age": lambda ages: ages * 0}
    done = protect(frame, Goal(["sex", "age"], k=15, global_risk=0.1), [bands, everyone])
    assert set(done.frame["age"]) == {20, 30}, "ten-year bands were enough"
    assert done.withheld == 0
    assert done.decisions.table()["rule"].tolist() == ["recoding"]
    assert (done.before.k, done.after.k) == (4, 20)


def test_what_is_missing_before_and_after_a_recoding_was_not_changed_by_it() -> None:
    frame = pd.DataFrame({"age": ["21", "22", "23", "24", None, None]})
    done = protect(frame, Goal(["age"], k=4, global_risk=0.5), [{"age": lambda ages: ages.str[0] + "0"}])
    assert done.decisions.table()["affected"].tolist() == [4]


def test_what_a_recoding_leaves_out_was_changed_by_it() -> None:
    """Numbers that may be missing said none: the log of decisions told of fewer than there were."""
    frame = pd.DataFrame({"age": pd.array([21, 22, 99, None, 24, 25], dtype="Int64")})
    done = protect(frame, Goal(["age"], k=4, global_risk=0.5), [{"age": lambda ages: (ages // 10).where(ages < 90)}])
    assert done.decisions.table()["affected"].tolist() == [5]


def test_the_least_important_key_is_withheld_first() -> None:
    frame = pd.DataFrame({"sex": ["f"] * 6, "district": ["north"] * 5 + ["south"]})
    done = protect(frame, Goal(["sex", "district"], k=5, global_risk=0.2))
    assert done.frame["sex"].notna().all()
    assert done.frame["district"].isna().tolist() == [False] * 5 + [True]


def test_the_global_risk_is_reached_as_well() -> None:
    frame = pd.DataFrame({"a": [str(n % 20) for n in range(200)], "b": ["x"] * 200})
    done = protect(frame, Goal(["a", "b"], k=5))
    assert done.before.global_risk == pytest.approx(0.1)
    assert done.after.global_risk <= 0.03


def test_too_few_records_are_not_released() -> None:
    with pytest.raises(ValueError, match="too few"):
        protect(pd.DataFrame({"a": ["x"] * 4}), Goal(["a"], k=5))


@pytest.mark.parametrize("said", [{"k": 1}, {"k": 0}, {"global_risk": 3}, {"global_risk": 0}, {"keys": []}])
def test_a_goal_that_every_table_reaches_is_none(said: dict[str, Any]) -> None:
    """Three for three percent let everything pass without a word."""
    with pytest.raises(ValueError, match=r"0\.03 for three percent"):
        Goal(**{"keys": ["sex"], **said})


def test_who_says_no_more_asks_for_five_and_a_risk_of_three_percent() -> None:
    assert Goal(["sex"]) == Goal(["sex"], k=5, global_risk=0.03)
