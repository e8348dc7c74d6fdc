"""A father's name in the family's box is read as the father's, and a family's name stays where it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa
import pytest

from anonymization.linkage import features, similarity
from anonymization.linkage.fathers import with_fathers
from anonymization.linkage.roster import NONE, Roster

Row = Mapping[str, str]


def roster(rows: Sequence[Row]) -> Roster:
    empty = dict.fromkeys(features.PERSONS.names)
    table = pa.Table.from_pylist([empty | {"person_id": n} | dict(row) for n, row in enumerate(rows)], features.PERSONS)
    return Roster.of([features.prepared(table)])


def names(persons: Roster, person: int) -> dict[str, str]:
    """What somebody is said to be called, by role."""
    said = {role: persons.said[f"{role}_n"] for role in ("given", "father", "grandfather", "family")}
    return {
        role: one.values[f"{role}_n"][int(one.code[person])].as_py()
        for role, one in said.items()
        if one.code[person] != NONE
    }


ETHIOPIA: list[Row] = [
    {"given": given, "father": "samuel", "grandfather": "gezahegn"} for given in ("genet", "liya", "abel", "sara")
]
SERBIA: list[Row] = [{"given": given, "father": "marko", "family": "petrovic"} for given in ("ana", "jovan", "mila")]


def test_a_father_in_the_box_of_the_family_is_a_father() -> None:
    persons = with_fathers(roster([{"given": "genet", "family": "samuel"}, *ETHIOPIA]))
    assert names(persons, 0) == {"given": "genet", "father": "samuel"}
    assert names(persons, 1) == {"given": "genet", "father": "samuel", "grandfather": "gezahegn"}


def test_a_father_and_a_grandfather_in_one_box_are_two() -> None:
    persons = with_fathers(roster([{"given": "genet", "family": "samuel gezahegn"}, *ETHIOPIA]))
    assert names(persons, 0) == {"given": "genet", "father": "samuel", "grandfather": "gezahegn"}


@pytest.mark.parametrize(
    ("row", "others"),
    [
        ({"given": "ana", "family": "petrovic"}, SERBIA),
        ({"given": "ana", "family": "marko"}, [*SERBIA, *[{"given": "x", "father": "y", "family": "marko"}] * 3]),
        ({"given": "genet", "father": "abel", "family": "samuel"}, ETHIOPIA),
        ({"given": "genet", "family": "samuel tesfaye"}, ETHIOPIA),
        ({"given": "rosa", "family": "lopez"}, [{"given": "ana", "family": "lopez"}] * 3),
        ({"full": "genet samuel"}, ETHIOPIA),
    ],
)
def test_every_other_name_stays_where_it_is(row: Row, others: Sequence[Row]) -> None:
    before = roster([row, *others])
    assert names(with_fathers(before), 0) == names(before, 0)


def test_two_boxes_and_three_columns_are_compared_by_the_father_too() -> None:
    """In their own places, and in each other's: the father's name first, as many lists of flights have it."""
    born = {"born": "1988-03-14", "sex": "female"}
    boxes = [("genet", "samuel"), ("samuel", "genet"), ("genet", "lopez"), ("samuel", "lopez")]
    columns = {"given": "genet", "father": "samuel", "grandfather": "gezahegn"} | born
    persons = roster([columns, *({"given": one, "family": other} | born for one, other in boxes), *ETHIOPIA])
    pairs = similarity.compare(persons, 10_000, similarity.no_frequencies()).to_pylist()
    weights = {pair["other"]: pair["weight"] for pair in pairs if pair["one"] == 0}
    in_place, exchanged, another, another_exchanged = (weights.get(n, -9.0) for n in range(1, 5))
    assert in_place > another + 3
    assert exchanged > another_exchanged + 3
