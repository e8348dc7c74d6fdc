"""Persons held to be compared say what they said, whatever page they came on."""

import numpy as np
import pyarrow as pa
import pytest

from anonymization.linkage import features
from anonymization.linkage.roster import Roster
from benchmarks.linkage import persons
from benchmarks.registers import Registers

BLANK = dict.fromkeys(features.PERSONS.names) | {"person_id": 9_999}


@pytest.fixture(scope="module")
def prepared() -> pa.Table:
    table, _ = persons(Registers("arabic", 300, seed=2).records())
    return features.prepared(pa.concat_tables([table, pa.Table.from_pylist([BLANK], features.PERSONS)]))


@pytest.fixture(scope="module")
def roster(prepared: pa.Table) -> Roster:
    return Roster.of([prepared.slice(0, 100), prepared.slice(100, 1), prepared.slice(101)])


def test_every_column_comes_back(prepared: pa.Table, roster: Roster) -> None:
    columns = roster.columns(roster.names, np.arange(len(roster)))
    assert set(columns) == set(prepared.column_names) - {"unique_id", "keys"}
    for name, column in columns.items():
        assert column.to_pylist() == prepared[name].to_pylist(), name
    assert roster.ids.tolist() == prepared["unique_id"].to_pylist()
    assert [len(keys) for keys in roster.keys.to_pylist()] == [len(keys) for keys in prepared["keys"].to_pylist()]


def test_few_persons_come_in_the_order_in_which_they_are_asked_for(prepared: pa.Table, roster: Roster) -> None:
    rows = [300, 7, 7, 150]
    columns = roster.columns(["given_w", "bag", "date", "phone", "year"], np.array(rows), "_l")
    for name, column in columns.items():
        assert column.to_pylist() == prepared[name.removesuffix("_l")].take(rows).to_pylist(), name


def test_a_name_is_held_once(roster: Roster) -> None:
    names = roster.said["given_n"].values["given_n"].to_pylist()
    assert len(names) == len(set(names)) < len(roster) / 2


def test_who_is_silenced_has_said_nothing(roster: Roster) -> None:
    silenced = roster.but("phone", np.arange(len(roster)) < 200)
    rows = np.arange(len(roster))
    before, after = (one.columns(["phone"], rows)["phone"].to_pylist() for one in (roster, silenced))
    assert after == [None] * 200 + before[200:]
