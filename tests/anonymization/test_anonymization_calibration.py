import numpy as np
import pyarrow as pa

from anonymization.linkage.calibration import calibrated

NOBODY = -6.0
SAME_DAY, ANOTHER_DAY = 9.0, -5.3


def weights(undated: list[tuple[int, int, float]], agreeing: int, disagreeing: int) -> list[float]:
    """Calibrated weights of pairs (one, other, bits without a birth date) whose dates are not known, in a country where
    so many pairs of three bits have one day of birth, and so many have two."""
    besides = np.array([bits for _, _, bits in undated] + [3.0] * (agreeing + disagreeing))
    born = np.array([0.0] * len(undated) + [SAME_DAY] * agreeing + [ANOTHER_DAY] * disagreeing)
    others = 1_000 + 2 * np.arange(agreeing + disagreeing)
    one = np.array([one for one, _, _ in undated] + others.tolist(), dtype=np.int64)
    other = np.array([other for _, other, _ in undated] + (others + 1).tolist(), dtype=np.int64)
    pairs = pa.table(
        {
            **{"one": one, "other": other, "one_group": one, "other_group": other},
            "weight": besides + born,
            "besides": besides,
            "phone": np.zeros(len(besides)),
        }
    )
    return calibrated(pairs, born != 0, NOBODY)[: len(undated)].tolist()


def test_a_pair_is_worth_as_much_as_birth_dates_say_of_pairs_like_it() -> None:
    (agreed,) = weights([(1, 2, 3.0)], agreeing=5_000, disagreeing=10)
    (denied,) = weights([(1, 2, 3.0)], agreeing=3_000, disagreeing=3_000)
    assert agreed > 5.0
    assert -0.5 < denied < 0.5  # one of two


def test_few_pairs_leave_the_weights_of_the_model() -> None:
    assert abs(weights([(1, 2, 3.0)], agreeing=0, disagreeing=0)[0] - 3.0) < 1e-9
    assert abs(weights([(1, 2, 3.0)], agreeing=5, disagreeing=0)[0] - 3.0) < 0.5


def test_who_has_a_rival_as_near_is_joined_less_easily() -> None:
    alone, beside, rival = weights([(1, 2, 3.0), (5, 6, 3.0), (5, 7, 3.0)], agreeing=5_000, disagreeing=10)
    assert alone > 5.0 > beside == rival


def test_a_birth_date_that_contradicts_outweighs_what_is_learned() -> None:
    pairs = pa.table(
        {
            **{"one": [1, 3], "other": [2, 4], "one_group": [1, 3], "other_group": [2, 4]},
            **{"weight": [8.0 - 5.3, 8.0], "besides": [8.0, 8.0], "phone": [0.0, 0.0]},
        }
    )
    contradicted, agreed = calibrated(pairs, np.array([True, False]), NOBODY)
    assert contradicted < 5.0 < agreed


def test_no_pairs_are_no_error() -> None:
    rows = {name: np.empty(0, np.int64) for name in ("one", "other", "one_group", "other_group")}
    none = pa.table(rows | {name: np.empty(0) for name in ("weight", "besides", "phone")})
    assert not len(calibrated(none, np.zeros(0, dtype=bool), NOBODY))
