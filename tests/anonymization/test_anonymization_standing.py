import numpy as np
import pyarrow as pa
import pytest

from anonymization.linkage.standing import Coefficients, among_others

NOBODY = -6.0
LEARNED = Coefficients(alone=1.0, weight=1.0, lead=0.5, crowd=-1.5, dated=-2.0, phone=-0.5)
"""Round figures of the kind that is learned."""
MANY = 20_000
"""Pairs of other persons: what is learned counts for all but a hundredth."""


def weights(
    *pairs: tuple[int, int, float],
    dated: tuple[int, ...] = (),
    unseen: tuple[int, ...] = (),
    phones: bool = False,
    beside: int = MANY,
    joined: tuple[int, ...] = (),
) -> list[float]:
    """What pairs (one, other, bits) weigh among so many `beside` them; of persons `unseen` not all pairs are here,
    those `joined` are one."""
    one, other, bits = (np.array(column) for column in zip(*pairs, strict=True))
    others = 30 + 2 * np.arange(beside)
    groups = np.arange(30 + 2 * beside)
    groups[list(joined)] = min(joined, default=0)
    one, other = np.concatenate([one, others]), np.concatenate([other, others + 1])
    table = pa.table(
        {
            **{"one": one, "other": other, "one_group": groups[one], "other_group": groups[other]},
            "weight": np.concatenate([bits.astype(float), np.full(beside, -6.0)]),
            "phones": np.full(len(pairs) + beside, phones),
        }
    )
    persons = np.arange(30 + 2 * beside)
    weighed = among_others(table, ~np.isin(persons, unseen), np.isin(persons, dated), NOBODY, LEARNED)
    return weighed[: len(pairs)].tolist()


def about(bits: float) -> object:
    return pytest.approx(bits, abs=0.06)


def test_the_nearer_a_rival_the_less_a_pair_weighs() -> None:
    (alone,) = weights((1, 2, 3.0))
    far, _ = weights((1, 2, 3.0), (1, 3, -2.0))
    near, _ = weights((1, 2, 3.0), (1, 3, 2.0))
    assert [alone, far, near] == [about(4.0 + 0.5 * lead) for lead in (9.0, 5.0, 1.0)]


def test_who_may_be_the_same_as_the_candidate_is_no_rival() -> None:
    of_three = weights((1, 2, 3.0), (1, 3, 2.0), (2, 3, 2.0))
    assert of_three[0] == about(4.0 + 0.5 * 9.0 - 1.5)  # each has two candidates, and no rival


def test_who_was_joined_before_is_one_candidate_and_no_rival() -> None:
    met_again = weights((9, 2, 3.0), (9, 3, 3.0), unseen=(2, 3), joined=(2, 3))
    assert met_again == [about(*weights((9, 2, 3.0), unseen=(2,)))] * 2


def test_a_rival_is_known_in_whichever_order_the_two_come() -> None:
    assert weights((1, 2, 3.0), (1, 3, 2.0), (3, 2, 2.0))[0] == weights((1, 2, 3.0), (1, 3, 2.0), (2, 3, 2.0))[0]


def test_the_more_candidates_both_have_the_less_a_pair_weighs() -> None:
    sought_by_one = weights((1, 2, 3.0), (1, 3, -5.0), (1, 4, -5.0))[0]
    sought_by_both = weights((1, 2, 3.0), (1, 3, -5.0), (2, 4, -5.0))[0]
    assert sought_by_one == about(4.0 + 0.5 * 8.0)
    assert sought_by_both == about(sought_by_one - 1.5)


def test_more_than_four_candidates_say_no_more() -> None:
    two, four, twenty = (weights((1, 2, 3.0), *_candidates(n))[0] for n in (2, 4, 20))
    assert two > four == about(twenty)


def _candidates(n: int) -> list[tuple[int, int, float]]:
    """So many of each of 1 and 2, counted with each other."""
    return [(person, 2 + nth, -5.0) for person in (1, 2) for nth in range(1, n)]


def test_candidates_of_whom_not_all_were_seen_are_not_counted() -> None:
    of_known, _ = weights((1, 2, 3.0), (1, 3, -5.0), unseen=(2, 3))
    of_two = weights((1, 2, 3.0), (1, 3, -5.0), (2, 4, -5.0))[0]
    assert of_known == about(of_two)


def test_what_two_known_days_of_birth_say_is_in_the_weight_already() -> None:
    (one_known,) = weights((1, 2, 3.0), dated=(1,))
    assert weights((1, 2, 3.0), dated=(1, 2)) == [about(one_known - 2.0)]


def test_two_phones_say_more_against_a_pair_than_its_own_weight_does() -> None:
    assert weights((1, 2, 3.0), phones=True) == [about(weights((1, 2, 3.0))[0] - 0.5)]


def test_few_pairs_leave_the_weights_as_they_are() -> None:
    assert weights((1, 2, 3.0), beside=0) == [pytest.approx(3.0, abs=0.05)]


def test_no_pairs_are_no_error() -> None:
    none = pa.table(
        {
            **{name: np.empty(0, np.int64) for name in ("one", "other", "one_group", "other_group")},
            "weight": np.empty(0),
            "phones": np.empty(0, bool),
        }
    )
    nobody = np.zeros(0, dtype=bool)
    assert not len(among_others(none, nobody, nobody, NOBODY, LEARNED))
