"""A word that hardly anybody bears, one slip from a name of many, is that name; what many bear is a name of its own."""

import numpy as np
import pyarrow as pa
import pytest

from anonymization.linkage import features, similarity
from anonymization.linkage.misspelt import corrected
from anonymization.linkage.names import fold
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


@pytest.fixture(scope="module")
def hookless() -> pa.Table:
    """Serbian names by one office in Cyrillic, by another in Latin without hooks; Micić and Mišić are two families."""
    written = ["душица", "мишић", "мишић", "мицић", "ђурић", "вуковић", "вуковић", "вучковић", "сава"]
    named = [*written, "dusica", "micic", "misic", "djuric", "duric", "vuckovic", "sava", "mišić"]
    blank = dict.fromkeys(features.PERSONS.names)
    rows = [blank | {"person_id": n, "family": fold(name), "born": "1990-05-05"} for n, name in enumerate(named)]
    prepared = features.prepared(pa.Table.from_pylist(rows, features.PERSONS))
    persons = corrected(Roster.of([prepared]), similarity.no_frequencies(), similarity.WORDS)
    columns = persons.columns(persons.names, np.arange(len(named)))
    return pa.table({"written": named, "keys": prepared["keys"], **columns})


@pytest.mark.parametrize(
    ("latin", "cyrillic"),
    [
        ("dusica", "душица"),
        ("misic", "мишић"),
        ("djuric", "ђурић"),
        ("duric", "ђурић"),
        ("sava", "сава"),
        ("mišić", "мишић"),
    ],
)
def test_a_latin_word_without_hooks_is_the_cyrillic_name_that_it_is(
    hookless: pa.Table, latin: str, cyrillic: str
) -> None:
    rows = [hookless["written"].to_pylist().index(name) for name in (latin, cyrillic)]
    for column in ("bag", "bag_k", "family_w", "family_k"):
        one, other = hookless[column].take(rows).to_pylist()
        assert one == other, column


def test_a_cyrillic_name_is_found_by_its_latin_letters_without_hooks(hookless: pa.Table) -> None:
    keys = dict(zip(hookless["written"].to_pylist(), map(set, hookless["keys"].to_pylist()), strict=True))
    assert keys["dusica"] <= keys["душица"]
    assert keys["vuckovic"] <= keys["вучковић"]


def test_names_in_cyrillic_stay_apart_whatever_their_latin_letters_are(hookless: pa.Table) -> None:
    rows = [hookless["written"].to_pylist().index(name) for name in ("мишић", "мицић", "вуковић", "вучковић")]
    assert len(set(map(tuple, hookless["bag"].take(rows).to_pylist()))) == len(rows)
