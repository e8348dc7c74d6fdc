"""Laws that hold for all input: no default branch, no dependence on batches, the codebook's schema and nothing else."""

from __future__ import annotations

import unicodedata

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kept_rows import read_back

from codebook.loader import load_codebook
from harmonization import Harmonizer
from sources.batches import ISSUES

ROWS = """
person.sex | recode | SEX | 1 | | male |
person.sex | recode | SEX | 2 | | female |
person.vulnerability | select_multiple | V | a | | elderly |
person.vulnerability | select_multiple | V | b | | chronic_illness |
household.size | number | SIZE | | | |
household.size | number | SIZE | 98 | | dont_know |
household.return_date | date | D | | | | %d/%m/%Y
household.debt_vs_spending | case | SEX | 1 | D=* | no_debt |
household.debt_vs_spending | case | SIZE | 98 | | refused |
"""
COLUMNS = ("SEX", "V", "SIZE", "D")
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8)
CELL = st.one_of(st.none(), st.sampled_from(["1", "2", "98", "a b", "01/02/2024", ""]), TEXT)
BATCH = st.lists(st.tuples(CELL, CELL, CELL, CELL), min_size=1, max_size=12)


EVERY = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.fixture
def harmonized(write_source):
    source = write_source(ROWS, COLUMNS, classes={"V": "sensitive"})
    harmonizer = Harmonizer(source, load_codebook())
    return lambda data: harmonizer.apply(read_back(data, source))


def by_column(rows):
    return dict(zip(COLUMNS, zip(*rows, strict=True), strict=True))


@EVERY
@given(rows=BATCH)
def test_every_cell_is_answered_blank_or_one_issue(harmonized, safe_batch, rows):
    done = harmonized(safe_batch(by_column(rows)))
    wrong = {(i["row"] - 2) for i in done.issues.to_pylist() if i["variable"] == "sex"}
    assert sum(i["variable"] == "sex" for i in done.issues.to_pylist()) == len(wrong)
    for position, code in enumerate(done.entities["person"]["sex"].to_pylist()):
        text = unicodedata.normalize("NFC", (rows[position][0] or "").strip())
        known = {"1": 1, "2": 2}.get(text)
        assert code == (known or -5)
        assert (position in wrong) == (known is None and text != "")


@EVERY
@given(rows=BATCH)
def test_a_value_that_is_not_there_has_a_state_and_one_that_is_has_none(harmonized, safe_batch, rows):
    household = harmonized(safe_batch(by_column(rows))).entities["household"]
    for name in ("size", "return_date"):
        for value, state in zip(household[name].to_pylist(), household[f"{name}_state"].to_pylist(), strict=True):
            assert (value is None) == (state is not None)
            assert state in (None, -1, -5)


@EVERY
@given(rows=BATCH, cut=st.integers(0, 12))
def test_how_rows_are_batched_makes_no_difference(harmonized, safe_batch, rows, cut):
    whole = safe_batch(by_column(rows))
    done = harmonized(whole)
    parts = [harmonized(part) for part in (whole.slice(0, cut), whole.slice(cut))]
    for entity, table in done.entities.items():
        assert pa.concat_tables([part.entities[entity] for part in parts]).equals(table)
    assert pa.concat_tables([part.issues for part in parts]).equals(done.issues)


@EVERY
@given(rows=BATCH)
def test_dictionary_encoded_columns_read_like_text(harmonized, safe_batch, rows):
    plain = safe_batch(by_column(rows))
    encoded = pa.table(
        {name: plain[name].dictionary_encode() if name in COLUMNS else plain[name] for name in plain.column_names}
    )
    done, same = harmonized(plain), harmonized(encoded)
    assert all(same.entities[entity].equals(table) for entity, table in done.entities.items())
    assert same.issues.equals(done.issues)


def test_the_schema_is_the_codebooks_also_of_an_empty_batch(harmonized, safe_batch):
    for data in (
        safe_batch(by_column([("1", "a", "3", None)])),
        safe_batch(by_column([("1", "a", "3", None)])).slice(1),
    ):
        done = harmonized(data)
        assert done.issues.schema.equals(ISSUES)
        for entity, table in done.entities.items():
            assert table.schema.equals(load_codebook().arrow_schema(entity))
            assert table.num_rows == len(data)


def test_keys_and_place_of_a_row_are_kept(harmonized, safe_batch):
    data = safe_batch(by_column([("1", None, None, None)]), first_row=7)
    person = harmonized(data).entities["person"].to_pylist()[0]
    assert person["record_key"] == person["person_token"] == person["household_key"] == (7).to_bytes(16, "big")
    assert (person["source_table"], person["source_row"], person["case_key"]) == ("main", 7, None)


def test_a_row_without_the_key_of_an_entity_makes_no_record_of_it(harmonized, safe_batch):
    data = safe_batch(by_column([("1", None, None, None), ("2", None, None, None)]))
    place = data.column_names.index("_key_household")
    data = data.set_column(place, "_key_household", pa.array([None, b"k" * 16], pa.binary(16)))
    done = harmonized(data)
    assert done.entities["household"]["source_row"].to_pylist() == [3]
    assert done.entities["person"]["source_row"].to_pylist() == [2, 3]


def test_a_column_that_this_file_does_not_have_is_not_collected(harmonized, safe_batch):
    data = safe_batch({"SEX": ["1"], "V": [None], "SIZE": ["2"]})
    household = harmonized(data).entities["household"]
    assert household["return_date"].to_pylist() == household["return_date_state"].to_pylist() == [None]
