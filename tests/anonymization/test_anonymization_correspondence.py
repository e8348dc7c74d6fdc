"""Two names that are alike: whether they are one is told by who is surely one person, and by many who are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest

from anonymization.linkage import features
from anonymization.linkage.called import with_called
from anonymization.linkage.correspondence import Given, given_names, learned
from anonymization.linkage.roster import Roster

BORN_APART = -1


class Country:
    """Pairs of persons, each of a birth date of its own: what the one and the other is called."""

    def __init__(self) -> None:
        self.pairs: list[tuple[str, str]] = []
        self.days: list[int] = []

    def add(self, one: str, other: str, times: int) -> None:
        self.pairs += [(one, other)] * times
        self.days += range(len(self.days), len(self.days) + times)

    def bits(self, one: str, other: str, day: int | None = BORN_APART, weight: float = 6.0) -> float:
        """What is added to one more pair; `day`: None is one that nobody else was born on."""
        pairs = [*self.pairs, (one, other)]
        words = sorted({word for pair in pairs for name in pair for word in name.split()})
        first, second = (
            np.array([words.index(said[nth]) if len(said) > nth else -1 for said in map(str.split, sum(pairs, ()))])
            for nth in (0, 1)
        )
        days = np.array([*self.days, len(self.days) if day is None else day])
        weights = np.full(len(pairs), weight)
        at = np.arange(len(pairs)) * 2
        added = learned(weights, at, at + 1, days, weights >= 3.25, Given(words, first, second))
        assert (added <= 0).all()
        return float(added[-1])


@pytest.fixture
def iraq() -> Country:
    """Zaid is written زيد, Ziad زياد, each by many."""
    country = Country()
    for latin, arabic in (("zaid", "زيد"), ("ziad", "زياد")):
        for one, other in ((latin, arabic), (latin, latin), (arabic, arabic)):
            country.add(one, other, 15)
    return country


def test_a_name_that_is_never_written_so_is_another_though_its_consonants_are_the_same(iraq: Country) -> None:
    assert iraq.bits("zaid", "زيد") == 0
    assert iraq.bits("zaid", "زياد") < -4
    assert iraq.bits("زيد", "زياد") < -3


def test_twins_do_not_make_two_names_one(iraq: Country) -> None:
    """All records of two twins have one birth date: it counts once, and not for themselves."""
    alone = iraq.bits("zaid", "زياد", day=None)
    assert alone == pytest.approx(iraq.bits("zaid", "زياد"), abs=0.01)
    iraq.pairs += [("zaid", "زياد")] * 9
    iraq.days += [1_000] * 9
    assert iraq.bits("zaid", "زياد", day=1_000) == pytest.approx(alone, abs=0.01)


def test_a_name_that_is_often_written_so_is_one(iraq: Country) -> None:
    before = iraq.bits("zaid", "زياد")
    iraq.add("zaid", "زياد", 12)
    assert iraq.bits("zaid", "زياد") > before + 3


def test_a_slip_that_few_write_and_names_that_are_not_alike_are_left_to_the_model(iraq: Country) -> None:
    assert iraq.bits("zaid", "zayd") == 0
    iraq.add("omar", "عمر", 15)
    assert iraq.bits("zaid", "عمر") == 0


@pytest.fixture
def salvador() -> Country:
    """José and Josué are many, as first names and as second ones, and hardly ever one written as the other."""
    country = Country()
    for name in ("jose", "josue", "luis", "lucio", "juan jose", "juan josue", "gonzalo luis", "gonzalo lucio"):
        country.add(name, name, 12)
    return country


def test_a_second_name_tells_twins_apart_who_share_the_first(salvador: Country) -> None:
    assert salvador.bits("juan jose", "juan jose") == 0
    assert salvador.bits("juan jose", "juan josue") < -3
    assert salvador.bits("gonzalo luis", "gonzalo lucio") < -3
    assert salvador.bits("juan jose", "juan") == 0


def test_names_in_another_order_are_not_two_names_that_are_alike(salvador: Country) -> None:
    assert salvador.bits("jose luis", "josue luis") < -3
    assert salvador.bits("jose josue", "josue jose") == 0
    assert salvador.bits("josue jose", "jose") == 0


def test_who_is_somebody_else_anyway_is_not_asked_about(iraq: Country) -> None:
    assert iraq.bits("zaid", "زياد", weight=-1.0) == 0


def persons(rows: Sequence[dict[str, str]]) -> Roster:
    empty = dict.fromkeys(features.PERSONS.names)
    table = pa.Table.from_pylist([empty | {"person_id": n} | row for n, row in enumerate(rows)], features.PERSONS)
    return with_called(Roster.of([features.prepared(table)]))


def test_given_names_are_those_of_their_column_or_what_a_whole_name_calls_somebody_by() -> None:
    """Of a whole name those words are given names that one sex alone bears."""
    many = [{"full": f"{name} luna", "sex": sex} for name, sex in (("ana", "female"), ("elena", "female"))] * 8
    many += [{"full": f"{name} luna", "sex": "male"} for name in ("jose", "juan")] * 8
    many += [{"full": f"maria elena {name}", "sex": "female"} for name in ("sol", "cruz")] * 8
    asked = [
        {"given": "jose luis", "family": "paz"},
        {"full": "ana paz", "sex": "female"},
        {"full": "ana elena luna", "sex": "female"},
        {"family": "paz"},
    ]
    given = given_names(persons([*asked, *many]))

    def words(codes: np.ndarray) -> list[str | None]:
        return [given.words[code] if code >= 0 else None for code in codes[: len(asked)].tolist()]

    assert words(given.first) == ["jose", "ana", "ana", None]
    assert words(given.second) == ["luis", None, "elena", None]


def test_a_country_without_names_is_compared_all_the_same() -> None:
    nobody = given_names(persons([{"phone": "+50370123456"}, {"phone": "+50370123456"}]))
    one, other = np.array([0]), np.array([1])
    assert learned(np.array([5.0]), one, other, np.array([3]), np.array([True]), nobody).tolist() == [0]
