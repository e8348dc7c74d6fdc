import itertools

import numpy as np
import pytest

from anonymization.linkage.linking import Resolution, resolve


def link(columns: list[list[int]], known: dict[int, int] | None = None, people: str | None = None) -> Resolution:
    """`people`: of whom each row speaks, a letter a row; rows of two letters disagree."""
    owner = np.zeros(1 + max(max(column) for column in columns), dtype=np.int64)
    for position, person in (known or {}).items():
        owner[position] = person
    disagree = None if people is None else lambda a, b: people[a] != people[b]
    return resolve([np.array(column) for column in columns], owner, disagree)


def test_a_known_identifier_names_the_person() -> None:
    assert link([[0, 1]], known={0: 70, 1: 80}).person.tolist() == [70, 80]


def test_rows_with_one_identifier_are_one_new_person() -> None:
    resolution = link([[0, 1, 0]])
    assert resolution.person.tolist() == [-1, -2, -1]
    assert resolution.new_persons == 2


def test_the_first_known_identifier_decides_and_the_contradiction_is_told() -> None:
    resolution = link([[0], [1]], known={0: 70, 1: 80})
    assert resolution.person.tolist() == [70]
    assert resolution.conflicts.tolist() == [True]


def test_a_weaker_known_identifier_finds_the_person_where_the_stronger_is_new() -> None:
    resolution = link([[0], [1]], known={1: 80})
    assert resolution.person.tolist() == [80]
    assert resolution.owner.tolist() == [80, 80]
    assert not resolution.conflicts.any()


@pytest.mark.timeout(60)
def test_many_groups_that_an_office_s_phone_joins_take_no_square_of_time() -> None:
    """Each row of the office has a second phone, by which it is somebody who came with another number: 4,000 took more
    than a second, and each doubling four times as long."""
    many = 30_000
    numbers = list(range(2 * many))
    offices = [-1] * many + [2 * many] * many
    phones = [2 * many + 1 + row % many for row in numbers]
    assert link([numbers, offices, phones], people="a" * 2 * many).new_persons == 1


def test_a_chain_of_shared_identifiers_is_one_new_person_in_any_order() -> None:
    # number 0 with phone 2; number 1 with phone 2; phone 2 alone; number 1 alone
    assert set(link([[0, 1, -1, 1], [2, 2, 2, -1]]).person.tolist()) == {-1}
    assert set(link([[-1, 1, 1, 0], [2, -1, 2, 2]]).person.tolist()) == {-1}


def test_a_known_person_spreads_along_a_chain() -> None:
    # row 0 is known by number 0 and brings phone 3; row 1 has phone 3 and a new number 1; row 2 number 1 only
    assert link([[0, 1, 1], [3, 3, -1]], known={0: 70}).person.tolist() == [70, 70, 70]


def test_an_identifier_that_two_known_people_bring_goes_to_the_first_row() -> None:
    resolution = link([[0, 1], [2, 2]], known={0: 70, 1: 80})
    assert resolution.owner.tolist() == [70, 80, 70]
    assert resolution.conflicts.tolist() == [False, True]


def test_a_row_that_mixes_two_peoples_new_identifiers_joins_nobody() -> None:
    # Ana by number 0, Berta by phone 3 alone, and a row with Ana's number and Berta's phone
    resolution = link([[0, -1, 0], [-1, 3, 3]], people="ABA")
    assert resolution.person.tolist() == [-1, -2, -1]
    assert resolution.conflicts.tolist() == [False, False, True]
    assert resolution.owner[[0, 3]].tolist() == [-1, -2]


def test_whose_strongest_identifier_it_is_keeps_it_in_any_order() -> None:
    resolution = link([[0, 0, -1], [3, -1, 3]], people="AAB")
    assert resolution.person.tolist() == [-1, -1, -2]
    assert resolution.conflicts.tolist() == [True, False, False]
    assert resolution.owner[[0, 3]].tolist() == [-1, -2]


def test_a_phone_that_two_new_people_share_stays_with_the_first() -> None:
    resolution = link([[0, 1], [2, 2]], people="AB")
    assert resolution.person.tolist() == [-1, -2]
    assert resolution.conflicts.tolist() == [False, True]
    assert resolution.owner.tolist() == [-1, -2, -1]


def test_rows_that_agree_are_joined_as_before() -> None:
    assert link([[0, 1], [2, 2]], people="AA").person.tolist() == [-1, -1]


def test_people_elsewhere_in_the_batch_are_not_touched_by_a_contradiction() -> None:
    resolution = link([[4, 0, 1, 4], [-1, 2, 2, 5]], people="CABC")
    assert resolution.person.tolist() == [-1, -2, -3, -1]
    assert resolution.conflicts.tolist() == [False, False, True, False]


def test_an_identifier_may_stand_in_either_of_two_columns() -> None:
    assert link([[0], [0]]).person.tolist() == [-1]
    assert link([[0, 1], [1, 0]]).person.tolist() == [-1, -1]
    assert link([[0, -1, 2], [-1, 0, -1]]).person.tolist() == [-1, -1, -2]
    assert link([[3, 2, 1, -1], [4, 3, 2, 1]]).person.tolist() == [-1] * 4
    assert link([[0, 1], [1, 0]], people="AB").person.tolist() == [-1, -2]


def test_groups_of_new_rows_are_those_of_a_plain_search() -> None:
    random = np.random.default_rng(7)
    for _ in range(200):
        columns = random.integers(0, 12, (3, 9)) * random.integers(0, 2, (3, 9)) - 1
        columns[0, columns.max(axis=0) < 0] = 11
        found = link(columns.tolist()).person
        stated = [set(row) - {-1} for row in columns.T.tolist()]
        groups = list(range(9))
        for one, other in itertools.product(range(9), repeat=2):
            if stated[one] & stated[other]:
                groups = [groups[one] if group == groups[other] else group for group in groups]
        assert [[a == b for a in found] for b in found] == [[a == b for a in groups] for b in groups]
