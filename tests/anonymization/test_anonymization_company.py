import numpy as np
import pyarrow as pa

from anonymization.linkage.company import company

NOBODY, FAR = -9.0, 14.0


def of(*pairs: tuple[int, int, float], joined: tuple[int, ...] = ()) -> dict[str, list[float]]:
    """The company of pairs (one, other, bits), those `joined` before being one person."""
    one, other, bits = (np.array(column) for column in zip(*pairs, strict=True))
    group = np.arange(20)
    group[list(joined)] = min(joined, default=0)
    table = pa.table({"one": one, "other": other, "one_group": group[one], "other_group": group[other]})
    return {name: value.tolist() for name, value in vars(company(table, bits.astype(float))).items()}


def test_two_alone_have_no_company() -> None:
    (alone,) = zip(*of((1, 2, 6.0)).values(), strict=True)
    assert alone == (NOBODY, 0.0, FAR, FAR, 0, 0, 0)


def test_the_third_person_is_who_is_like_both() -> None:
    seen = of((1, 2, 3.0), (1, 3, 7.0), (2, 3, 5.0), (1, 4, 2.0), (2, 4, 9.0))
    assert seen["third"][0] == 5.0  # 3 is like 2 by 5 bits, 4 like 1 by 2 only
    assert (seen["thirds"][0], seen["count"][0]) == (5.0 + 2.0, 2)


def test_who_is_like_one_and_surely_not_the_other_is_a_rival_of_the_one() -> None:
    seen = of((1, 2, 6.0), (1, 3, 4.0), (2, 3, -5.0))
    assert (seen["nearer"][0], seen["farther"][0]) == (2.0, FAR)
    assert (seen["fewer"][0], seen["more"][0]) == (0, 1)
    assert seen["third"][0] == -5.0


def test_who_was_never_seen_with_the_other_is_a_rival_too() -> None:
    seen = of((1, 2, 6.0), (1, 3, 4.0), (2, 4, 5.0))
    assert (seen["nearer"][0], seen["farther"][0]) == (1.0, 2.0)
    assert (seen["fewer"][0], seen["more"][0]) == (1, 1)


def test_who_may_be_the_other_is_no_rival() -> None:
    seen = of((1, 2, 6.0), (1, 3, 4.0), (2, 3, -1.0))
    assert (seen["nearer"][0], seen["farther"][0], seen["third"][0]) == (FAR, FAR, -1.0)


def test_whoever_is_little_alike_is_no_company() -> None:
    assert of((1, 2, 6.0), (1, 3, -3.5))["nearer"][0] == FAR


def test_persons_joined_before_are_like_each_other_though_nobody_compares_them_again() -> None:
    met_again = of((9, 2, 3.0), (9, 3, 4.0), joined=(2, 3))
    assert met_again["third"] == [4.0, 3.0]
    assert met_again["nearer"] == [3.0 - NOBODY, 4.0 - NOBODY]  # no rival
    apart = of((9, 2, 3.0), (9, 3, 4.0))
    assert apart["nearer"] == [-1.0, 1.0]


def test_the_order_of_the_two_says_nothing() -> None:
    one_way = of((1, 2, 6.0), (1, 3, 4.0), (2, 3, 3.0), (2, 4, 5.0))
    another = of((2, 1, 6.0), (3, 1, 4.0), (3, 2, 3.0), (4, 2, 5.0))
    assert one_way == another


def test_no_pairs_have_no_company() -> None:
    none = pa.table({name: pa.array([], pa.int64()) for name in ("one", "other", "one_group", "other_group")})
    assert [len(column) for column in vars(company(none, np.zeros(0))).values()] == [0] * 7
