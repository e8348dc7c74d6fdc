"""From which weight on a pair is joined: by the population, never below the least, as usual where little is known."""

from __future__ import annotations

import numpy as np
import pytest

from anonymization.linkage import similarity
from anonymization.linkage.strictness import Bits, Strictness, joined_from

RULES = Strictness(usual=4.75, least=3.25, most=8.0, find=0.9)


def population(sure: int, fair: int, weak: int, doubtful: int) -> Bits:
    """So many pairs of 12, of 6, of 4 and of 1 bit, each a little different, among strangers."""
    bits = [(12.0, sure), (6.0, fair), (4.0, weak), (1.0, doubtful), (-5.0, 20_000)]
    weights = np.concatenate([np.linspace(middle - 0.4, middle + 0.4, many) for middle, many in bits])
    return np.random.default_rng(5).permutation(weights)


def test_where_nearly_all_are_told_apart_only_strong_evidence_joins() -> None:
    assert joined_from(population(20_000, 300, 200, 100), RULES) == pytest.approx(RULES.most, abs=0.1)


def test_as_strict_as_finding_nine_of_ten_allows() -> None:
    weights = population(16_000, 3_000, 1_000, 0)
    joined = joined_from(weights, RULES)
    assert 5.6 < joined < 6.4
    same = 1 / (1 + 2.0**-weights)
    assert same[weights >= joined].sum() / same.sum() == pytest.approx(0.9, abs=0.005)


def test_where_names_tell_less_weaker_evidence_joins_but_none_below_the_least() -> None:
    assert 3.55 < joined_from(population(12_000, 4_500, 2_500, 1_200), RULES) < 4.45
    assert joined_from(population(12_000, 4_500, 600, 2_200), RULES) == pytest.approx(RULES.least, abs=0.05)


def test_where_even_the_least_would_find_few_nobody_is_joined_on_less() -> None:
    assert joined_from(population(6_000, 3_000, 2_000, 12_000), RULES) == pytest.approx(RULES.least, abs=0.05)


@pytest.mark.parametrize("weights", [np.array([]), np.array([-7.0]), np.array([12.0, 3.5, -6.0])])
def test_few_pairs_leave_it_as_it_is(weights: Bits) -> None:
    assert joined_from(weights, RULES) == pytest.approx(RULES.usual, abs=0.05)


def test_more_pairs_of_strangers_change_nothing() -> None:
    weights = population(16_000, 3_000, 1_000, 0)
    more = np.concatenate([weights, np.full(200_000, -30.0)])
    assert joined_from(more, RULES) == pytest.approx(joined_from(weights, RULES), abs=0.01)


def test_the_rules_of_the_model_can_be_kept() -> None:
    rules = Strictness(**similarity.model()["same_from"])
    assert 0 < rules.least < rules.usual < rules.most
    assert 0.5 < rules.find < 1
