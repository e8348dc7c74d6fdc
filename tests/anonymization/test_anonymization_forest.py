import numpy as np
import pyarrow as pa
import pytest

from anonymization.linkage import forest

NODES = pa.table(
    {
        "tree": [0, 0, 0, 1, 1, 1, 1, 1],
        "asks": ["weight", "", "", "dated", "weight", "", "", ""],
        "bound": [1.5, 0.0, 0.0, 1.0, 4.0, 0.0, 0.0, 0.0],
        "low": [1, 0, 0, 1, 2, 0, 0, 0],
        "high": [2, 0, 0, 4, 3, 0, 0, 0],
        "bits": [0.0, -1.0, 2.0, 0.0, 0.0, 10.0, 20.0, 40.0],
    }
)
"""Two trees: a weight over 1.5 is worth two bits, none minus one; and a second one that goes two steps deep."""


def says(**pairs: list[float]) -> list[float]:
    return forest.of(NODES).says({name: np.array(column) for name, column in pairs.items()}).tolist()


def test_every_tree_says_what_its_leaf_holds() -> None:
    assert says(weight=[1.0, 3.0, 5.0, 5.0], dated=[0.0, 0.0, 0.0, 2.0]) == [9.0, 12.0, 22.0, 42.0]


def test_who_stands_on_the_bound_goes_low() -> None:
    assert says(weight=[1.5], dated=[1.0]) == [-1.0 + 10.0]


def test_columns_that_nobody_asks_for_change_nothing() -> None:
    assert says(weight=[3.0], dated=[0.0], phone=[9.0]) == [12.0]


def test_many_pairs_are_asked_in_parts_and_keep_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    weight = np.arange(25.0) % 6
    whole = forest.of(NODES).says({"weight": weight, "dated": weight % 3})
    monkeypatch.setattr(forest, "_PART", 4)
    assert forest.of(NODES).says({"weight": weight, "dated": weight % 3}).tolist() == whole.tolist()


def test_nobody_is_asked_nothing() -> None:
    assert says(weight=[], dated=[]) == []


def test_more_evidence_never_takes_a_weight_down() -> None:
    """The trees that are learned, at chance points of all that they ask."""
    learned = forest.learned()
    draw = np.random.default_rng(1)
    pairs = {column: draw.uniform(-8, 12, 400) for column in learned.columns}
    before = learned.says(pairs)
    for column in sorted({"weight", "third_alone", "third_weight", "nearer_weight", "farther_weight"}):
        more = learned.says(pairs | {column: pairs[column] + draw.uniform(0, 6, 400)})
        assert (more >= before - 1e-9).all(), column
    assert np.ptp(before) > 2  # and something does change it
