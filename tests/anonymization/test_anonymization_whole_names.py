from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest

from anonymization.linkage import features, similarity
from anonymization.linkage.called import with_called
from anonymization.linkage.names import fold, sound
from anonymization.linkage.rarity import in_place, of_whole_names
from anonymization.linkage.roster import Roster

SISTERS = ("елена", "ольга", "марина", "ирина", "юлия")
BROTHERS = ("иван", "сергей", "виктор", "андрей", "юрий")
FAMILIES = ("назаров", "петров", "каримов")


def prepared(names: Sequence[str], sexes: Sequence[str | None], born: str = "1990-05-05") -> Roster:
    empty = dict.fromkeys(features.PERSONS.names)
    rows = [
        empty | {"person_id": n, "full": name, "sex": sex, "born": born}
        for n, (name, sex) in enumerate(zip(names, sexes, strict=True))
    ]
    return roster(rows)


def roster(rows: list[dict[str, object]]) -> Roster:
    return Roster.of([features.prepared(pa.Table.from_pylist(rows, features.PERSONS))])


def called(persons: Roster) -> list[str | None]:
    words: list[str | None] = with_called(persons).columns(["called"], np.arange(len(persons)))["called"].to_pylist()
    return words


def register(family_first: bool) -> tuple[list[str], list[str]]:
    """Each brother and sister of each family, named as an office does it."""
    names, sexes = [], []
    for family in FAMILIES:
        for sex, given, mine in [("F", SISTERS, family + "а"), ("M", BROTHERS, family)]:
            names += [f"{mine} {one}" if family_first else f"{one} {mine}" for one in given]
            sexes += [sex] * len(given)
    return names, sexes


@pytest.mark.parametrize("family_first", [True, False])
def test_the_given_name_is_the_word_that_one_sex_bears_wherever_an_office_writes_it(family_first: bool) -> None:
    names, sexes = register(family_first)
    sounds = set(features.prepared(prepared_as_given(SISTERS + BROTHERS))["given_s"].to_pylist())
    assert set(called(prepared(names, sexes))) == sounds


def prepared_as_given(names: Sequence[str]) -> pa.Table:
    empty = dict.fromkeys(features.PERSONS.names)
    rows = [empty | {"person_id": n, "given": name} for n, name in enumerate(names)]
    return pa.Table.from_pylist(rows, features.PERSONS)


def test_a_father_s_name_behind_a_daughter_s_is_not_her_own() -> None:
    """Farida is no form of Farid, and half of those who bear a man's name in the second place are women."""
    men = ["فرید", "احمد", "کریم", "رحیم", "نادر", "جاوید"]
    women = ["فریده", "کریمه", "لیلا", "مینا", "سحر", "ناهید"]
    names = [f"{own} {father}" for own in men + women for father in men]
    sexes = [sex for sex in "M" * len(men) + "F" * len(women) for _ in men]
    assert set(called(prepared(names, sexes))) == {sound(fold(own)) for own in men + women}


def test_where_no_sex_is_said_the_given_name_is_the_first_word_that_is_no_patronymic() -> None:
    assert called(prepared(["amina yusuf omar", "николаевна ирина"], [None, None])) == ["amina", "irina"]


def test_a_person_without_a_whole_name_is_called_by_none_of_its_words() -> None:
    row = dict.fromkeys(features.PERSONS.names) | {"person_id": 1, "given": "amina", "sex": "F"}
    assert called(roster([row])) == [None]


def test_twins_whose_family_name_comes_first_are_two_people() -> None:
    names, sexes = register(family_first=True)
    persons = prepared([*names, "назарова зульфия ивановна", "назарова малика ивановна"], [*sexes, "F", "F"])
    pairs = similarity.compare(persons, 10_000, similarity.no_frequencies()).to_pylist()
    twins = [pair for pair in pairs if (pair["one"], pair["other"]) == (len(names), len(names) + 1)]
    assert all(pair["band"] != similarity.SAME for pair in twins)


def test_between_scripts_a_name_is_as_frequent_as_all_names_of_its_consonants() -> None:
    """Nadia, Yunus and Niazi have two consonants in common, and each of them is borne by few."""
    names = ["نادیه", "یونس", "nadia", "niazi", "shirin"]
    persons = prepared(names, [None] * len(names))
    persons = of_whole_names(persons.with_words({"bits": pa.array([10.0] * len(persons.words.values))}))
    rare, bare = (persons.columns([name], np.arange(len(names)))[name].to_pylist() for name in ("tf_bag", "tf_bag_k"))
    assert rare == [2**-10] * len(names)
    assert bare == [*[4 * 2**-10] * 4, 2**-10]


def test_words_in_their_usual_order_are_a_rarer_name_than_words_anywhere() -> None:
    persons = prepared(["ali omar", "ali omar", "omar ali", None], [None] * 4)
    usual, unusual = in_place(persons.said["full_n"])
    assert np.log2(unusual) < np.log2(usual) < 0
