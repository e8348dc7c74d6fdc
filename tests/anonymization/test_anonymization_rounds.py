"""From scored pairs to persons: numbers only."""

import numpy as np

from anonymization.linkage.rounds import Rules, settle

RULES = Rules(ask=0, margin=2, rival=-4, absent=-6, most=8)


def settled(*pairs: tuple[int, int, float]) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Pairs that are merged, and pairs that wait; from 4 bits on a pair is the same person."""
    one, other, weight = (np.array(column) for column in zip(*pairs, strict=True))
    found = settle(one, other, weight.astype(float), weight >= 4, RULES)
    return ([(int(one[i]), int(other[i])) for i in found.merged], [(int(one[i]), int(other[i])) for i in found.waiting])


def test_the_strongest_pair_comes_first() -> None:
    assert settled((1, 2, 9.0), (3, 4, 12.0))[0] == [(3, 4), (1, 2)]


def test_who_has_two_candidates_that_are_two_people_waits() -> None:
    assert settled((1, 2, 9.0), (1, 3, 8.5)) == ([], [(1, 2), (1, 3)])


def test_candidates_that_may_be_one_person_are_no_rivals() -> None:
    merged, _ = settled((1, 2, 9.0), (1, 3, 8.5), (2, 3, -1.0))
    assert merged == [(1, 2), (1, 3)]


def test_a_better_candidate_beats_its_rival() -> None:
    merged, waiting = settled((1, 2, 12.0), (1, 3, 8.5))
    assert merged == [(1, 2)]
    assert waiting == [(1, 3)]


def test_two_groups_are_not_joined_by_one_pair_against_all_others() -> None:
    merged, waiting = settled((1, 2, 12.0), (3, 4, 12.0), (2, 3, 6.0))
    assert merged == [(1, 2), (3, 4)]
    assert waiting == [(2, 3)]


def test_a_weak_pair_is_nobodys_work() -> None:
    assert settled((1, 2, -2.0)) == ([], [])
