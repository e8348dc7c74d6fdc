"""What years of birth without a day are worth: learned of a country's pairs, and left as it was where they are few."""

from __future__ import annotations

import numpy as np
import pytest

from anonymization.linkage import ages

BORN = np.array([5.0, 0.0, -1.5, -4.5])
"""What the model says of the same year, of a year apart, of two years, and of more."""
Shares = tuple[float, float, float, float]


def country(shares: Shares, pairs: int) -> tuple[ages.Bits, ages.Bits, ages.Years]:
    """Pairs of which half are one person, surely alike otherwise: weight, besides, years apart."""
    random = np.random.default_rng(3)
    same = np.arange(pairs) % 2 == 0
    level = np.where(same, random.choice(4, pairs, p=shares), random.choice(4, pairs, p=(0.03, 0.04, 0.04, 0.89)))
    besides = np.where(same, 7.0, -9.0) + random.normal(0, 0.3, pairs)
    return besides + BORN[level], besides, level


def added(shares: Shares, pairs: int) -> list[float]:
    weight, besides, apart = country(shares, pairs)
    bits = ages.learned(weight, besides, apart, np.zeros(pairs, dtype=bool))
    return [float(np.mean(bits[apart == level])) for level in range(4)]


def test_where_years_are_well_remembered_another_year_says_more() -> None:
    same, next_to, two, far = added((0.97, 0.01, 0.01, 0.01), 20_000)
    assert same == pytest.approx(0.0, abs=0.4)
    assert next_to < -1
    assert two < 0
    assert far < -1


def test_where_ages_are_guessed_a_year_apart_is_nearly_as_good_as_the_same() -> None:
    same, next_to, two, far = added((0.64, 0.18, 0.10, 0.08), 20_000)
    assert -1 < same < 0
    assert next_to > 1.5
    assert two > 1.5
    assert 0 < far < 1.5


def test_few_pairs_leave_the_model_as_it_is() -> None:
    assert added((0.5, 0.3, 0.1, 0.1), 12) == pytest.approx([0, 0, 0, 0], abs=0.1)


def test_pairs_whose_days_are_known_or_whose_years_are_not_said_are_left_alone() -> None:
    weight, besides, apart = country((0.65, 0.2, 0.08, 0.07), 2_000)
    dated, unsaid = np.arange(2_000) < 500, np.arange(2_000) >= 1_800
    bits = ages.learned(weight, besides, np.where(unsaid, -1, apart), dated)
    assert not bits[dated | unsaid].any()
    assert bits[~dated & ~unsaid].all()
    assert not ages.learned(weight, besides, apart, np.ones(2_000, dtype=bool)).any()


def test_namesakes_of_one_year_whose_days_differ_make_the_same_year_say_less() -> None:
    weight, besides, apart = country((0.9, 0.05, 0.02, 0.03), 4_000)
    none = np.zeros(4_000, dtype=bool)
    before = ages.learned(weight, besides, apart, none)[apart == 0].mean()
    strangers = 1_500
    after = ages.learned(
        np.concatenate([weight, np.full(strangers, -9.0)]), np.concatenate([besides, np.full(strangers, 3.0)]),
        np.concatenate([apart, np.zeros(strangers, dtype=np.int64)]),
        np.concatenate([none, np.ones(strangers, dtype=bool)]),
    )[:4_000][apart == 0].mean()  # fmt: skip
    assert after < before - 1
