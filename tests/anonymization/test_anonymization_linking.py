import numpy as np

from anonymization.linking import Resolution, resolve


def link(columns: list[list[int]], known: dict[int, int] | None = None) -> Resolution:
    owner = np.zeros(1 + max(max(column) for column in columns), dtype=np.int64)
    for position, person in (known or {}).items():
        owner[position] = person
    return resolve([np.array(column) for column in columns], owner)


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
