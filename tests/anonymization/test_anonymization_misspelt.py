"""A word that hardly anybody bears, one slip from a name of many, is that name; what many bear is a name of its own."""

import numpy as np
import pyarrow as pa
import pytest

from anonymization.linkage import features, similarity
from anonymization.linkage.misspelt import corrected
from anonymization.linkage.roster import Roster

CROWD = ["حيدر", "حسين", "ياسين", "ፋጡማ", "carmen", "samira"] * 20 + ["marlene"] * 3


@pytest.fixture(scope="module")
def table() -> pa.Table:
    given = [*CROWD, "حدر", "ፋረማ", "camren", "marlen", "yasin", "ali"]
    blank = dict.fromkeys(features.PERSONS.names)
    rows = [blank | {"person_id": n, "given": name, "born": "1990-05-05"} for n, name in enumerate(given)]
    prepared = features.prepared(pa.Table.from_pylist(rows, features.PERSONS))
    counted = similarity.no_frequencies()
    counted.add(prepared)
    persons = corrected(Roster.of([prepared]), counted, similarity.WORDS)
    return pa.table({"keys": prepared["keys"], **persons.columns(persons.names, np.arange(len(given)))})


def meant(table: pa.Table, name: str) -> tuple[str | None, list[str]]:
    row = table["given_n"].to_pylist().index(name)
    return table["given_c"][row].as_py(), table["bag"][row].as_py()


@pytest.mark.parametrize(("written", "name"), [("حدر", "حيدر"), ("ፋረማ", "ፋጡማ"), ("camren", "carmen")])
def test_a_slip_of_a_name_that_many_bear_is_corrected(table: pa.Table, written: str, name: str) -> None:
    corrected_name, bag = meant(table, written)
    assert corrected_name is not None
    assert [corrected_name] == bag == meant(table, name)[1]


@pytest.mark.parametrize("name", ["حسين", "ياسين", "samira", "marlene", "ali"])
def test_a_name_stays_what_it_is(table: pa.Table, name: str) -> None:
    """Of many; of few but more than a slip is copied; or like no other."""
    assert meant(table, name)[0] is None


def test_what_was_written_and_its_keys_stay(table: pa.Table) -> None:
    row = table["given_n"].to_pylist().index("camren")
    assert table["given_s"][row].as_py() == "kamrin"
    assert not any("karmin" in key for key in table["keys"][row].as_py())


def test_words_and_their_skeletons_stay_side_by_side(table: pa.Table) -> None:
    for words, bones in (("bag", "bag_k"), ("given_w", "given_k")):
        lengths = [[len(cell or ()) for cell in table[name].to_pylist()] for name in (words, bones)]
        assert lengths[0] == lengths[1]
