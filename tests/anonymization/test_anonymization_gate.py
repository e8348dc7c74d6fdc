"""What leaves the gate: declared columns of rows with consent, keys of records and persons, notes by their policy."""

from typing import Any

import pyarrow as pa
import pytest
from small_gate import MakeSource, Rows, dry, issues

from anonymization.gate import Gate
from anonymization.vault.vault import Vault
from sources.batches import TextBatch
from sources.models import Source

SURVEY = """
  - name: main
    key: [_id]
    person: {link: [PHONE]}
    consent: {column: consent, accept: ["yes"]}
    entities: {person: {}, rss_response: {}}
    columns:
      - {name: _id, class: technical}
      - {name: PHONE, class: identifier, kind: phone}
      - {name: consent, class: plain}
  - name: members
    key: [_parent_id, _index]
    parent: {table: main, key: [_parent_id]}
    entities: {household: {key: [_parent_id]}}
    columns:
      - {name: _parent_id, class: technical}
      - {name: _index, class: technical}
      - {name: sex, class: plain}
"""


def test_only_declared_columns_of_passing_classes_leave(register: Source, rows: Rows) -> None:
    safe = dry(register, rows({"NOTES": "a note", "GPS": "13.69 -89.21", "audio_1": "a.m4a", "SURPRISE": "x"}))
    passed = ["FILE", "BORN", "SEX", "CONSENT"]
    keys = ["_row", "_key", "_person", "_key_person", "_key_return_event", "_key_household"]
    assert safe.data.column_names == keys + passed


def test_a_passing_column_goes_out_as_it_came(register: Source, rows: Rows) -> None:
    batch = rows({"FILE": "F1", "SEX": "F"}, {"FILE": "F2", "SEX": None}, {"FILE": "F3", "SEX": " m "})
    encoded = batch.cells.set_column(
        batch.cells.column_names.index("SEX"), "SEX", batch.cells["SEX"].dictionary_encode()
    )
    safe = dry(register, TextBatch("main", batch.rows, encoded))
    assert safe.data["SEX"].to_pylist() == ["F", None, " m "]
    assert pa.types.is_dictionary(safe.data["SEX"].type)


def test_without_a_declared_yes_a_row_stays(register: Source, rows: Rows) -> None:
    answers = ["yes", "no", None, "YES", "yes"]
    safe = dry(register, rows(*({"FILE": f"F{i}", "CONSENT": said} for i, said in enumerate(answers))))
    assert safe.data["_row"].to_pylist() == [2, 6]
    assert safe.rejected_rows.to_pylist() == [3, 4, 5]
    assert issues(safe) == [(row, "gate.no_consent", "error", "CONSENT") for row in (3, 4, 5)]


def test_a_consent_column_that_is_not_there_is_no_consent(register: Source, rows: Rows) -> None:
    batch = rows({})
    safe = dry(register, TextBatch("main", batch.rows, batch.cells.drop_columns(["CONSENT"])))
    assert (safe.data.num_rows, safe.rejected_rows.to_pylist()) == (0, [2])


def test_who_gave_no_consent_is_not_in_the_vault(register: Source, vault: Vault, rows: Rows, vault_url: str) -> None:
    from sqlalchemy import create_engine, text

    Gate(register, vault).pass_batch(rows({"DUI": "04567890-3", "CONSENT": "no"}))
    with create_engine(vault_url).connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM vault.person")) == 0


def test_a_row_without_its_key_stays(register: Source, rows: Rows) -> None:
    safe = dry(register, rows({"FILE": None}, {"FILE": "F2"}))
    assert safe.data["_row"].to_pylist() == [3]
    assert issues(safe) == [(2, "gate.missing_key", "error", "FILE")]


@pytest.fixture
def survey(make_source: MakeSource) -> Source:
    return make_source("eth/survey", "ETH", SURVEY)


MAIN: dict[str, Any] = {"_id": "1", "PHONE": None, "consent": "yes"}
MEMBER: dict[str, Any] = {"_parent_id": "1", "_index": "1", "sex": "f"}


def test_a_child_knows_its_parent_by_key(survey: Source, vault: Vault, rows: Rows) -> None:
    gate = Gate(survey, vault)
    parents = gate.pass_batch(rows({"_id": "1"}, {"_id": "2"}, blank=MAIN)).data["_key"].to_pylist()
    children = gate.pass_batch(rows({"_parent_id": "2"}, {"_parent_id": "1"}, table="members", blank=MEMBER))
    assert children.data["_parent"].to_pylist() == [parents[1], parents[0]]
    assert "_person" not in children.data.column_names


def test_children_of_a_held_back_row_stay_with_it(survey: Source, rows: Rows) -> None:
    main = rows({"_id": "1", "consent": "no"}, {"_id": "2"}, blank=MAIN)
    members = [{"_parent_id": "1"}, {"_parent_id": "2"}, {"_parent_id": "1", "_index": "2"}, {"_parent_id": None}]
    safe = dry(survey, main, rows(*members, table="members", blank=MEMBER))
    assert safe.data["_row"].to_pylist() == [3]
    assert issues(safe) == [
        (5, "gate.missing_key", "error", "_parent_id"),
        (2, "gate.parent_rejected", "error", None),
        (4, "gate.parent_rejected", "error", None),
    ]


def test_record_keys_are_the_same_for_ever_and_differ_by_source_table_and_entity(
    register: Source, make_source: MakeSource, vault: Vault, rows: Rows
) -> None:
    batch = rows({"FILE": "F1"}, {"FILE": "F2"})
    one = Gate(register, vault).pass_batch(batch).data
    again = Gate(register, vault).pass_batch(batch).data
    elsewhere = Gate(make_source("slv/other"), vault).pass_batch(batch).data
    names = ["_key", "_key_person", "_key_return_event", "_key_household"]
    assert one.select(names).equals(again.select(names))
    keys = [key for data in (one, elsewhere) for name in names for key in set(data[name].to_pylist())]
    assert len(keys) == len(set(keys))


def test_rows_that_share_an_entity_key_share_the_record(register: Source, vault: Vault, rows: Rows) -> None:
    batch = rows({"FILE": "F1", "FAMILY": "H1"}, {"FILE": "F2", "FAMILY": "H1"}, {"FILE": "F3", "FAMILY": None})
    one, same, none = Gate(register, vault).pass_batch(batch).data["_key_household"].to_pylist()
    assert one == same
    assert none is None


def test_the_person_record_follows_the_person(register: Source, vault: Vault, rows: Rows) -> None:
    batch = rows({"FILE": "F1", "DUI": "04567890-3"}, {"FILE": "F2", "DUI": "04567890-3"}, {"FILE": "F3"})
    data = Gate(register, vault).pass_batch(batch).data
    one, same, other = data["_key_person"].to_pylist()
    assert one == same != other
    assert not set(data["_key_person"].to_pylist()) & set(data["_person"].to_pylist())


def test_two_cells_never_run_together_in_a_key(survey: Source, rows: Rows) -> None:
    members = [{"_parent_id": "1", "_index": "11"}, {"_parent_id": "11", "_index": "1"}]
    safe = dry(survey, rows(*members, table="members", blank=MEMBER))
    assert len(set(safe.data["_key"].to_pylist())) == 2


def test_of_a_birth_date_only_the_year_leaves(register: Source, rows: Rows) -> None:
    born = ["07/11/1988", "١٢/٠٣/٢٠٠١", None, "1988-11-07", "31/02/1990"]
    safe = dry(register, rows(*({"FILE": f"F{i}", "BORN": date} for i, date in enumerate(born))))
    assert safe.data["BORN"].to_pylist() == ["1988", "2001", None, None, None]
    assert issues(safe) == [(row, "map.unreadable_date", "query", "BORN") for row in (5, 6)]


def test_free_text_is_withheld_and_said_once_a_delivery(register: Source, rows: Rows) -> None:
    gate = Gate(register, None)
    batches = [rows({"FILE": "F1", "NOTES": note}) for note in (None, "a note", "another")]
    assert [issues(gate.pass_batch(batch)) for batch in batches] == [
        [], [(None, "gate.free_text_withheld", "note", "NOTES")], []
    ]  # fmt: skip


def test_a_wrong_check_digit_is_asked_about_and_the_row_passes(register: Source, rows: Rows) -> None:
    safe = dry(register, rows({"DUI": "04567890-0"}, {"FILE": "F2", "DUI": "04567890-3"}))
    assert issues(safe) == [(2, "gate.check_digit", "query", "DUI")]
    assert safe.data.num_rows == 2


def test_identifiers_of_two_people_in_one_row_are_asked_about(register: Source, vault: Vault, rows: Rows) -> None:
    gate = Gate(register, vault)
    gate.pass_batch(rows({"FILE": "F1", "DUI": "04567890-3"}, {"FILE": "F2", "PHONE": "7123-4567"}))
    safe = gate.pass_batch(rows({"FILE": "F3", "DUI": "04567890-3", "PHONE": "7123-4567"}))
    assert issues(safe) == [(2, "gate.identity_conflict", "query", None)]


def test_a_dry_run_tells_people_apart_and_gives_other_tokens_each_time(register: Source, rows: Rows) -> None:
    batch = rows({"FILE": "F1", "DUI": "04567890-3"}, {"FILE": "F2", "DUI": "45678903"}, {"FILE": "F3"})
    first, second = (dry(register, batch).data["_person"].to_pylist() for _ in range(2))
    assert first[0] == first[1] != first[2]
    assert not set(first) & set(second)


@pytest.mark.parametrize("kept", [True, False])
def test_an_empty_batch_and_a_batch_held_back_whole_pass_as_nothing(
    register: Source, vault: Vault, rows: Rows, kept: bool
) -> None:
    batch = rows({"CONSENT": "no"})
    batch = batch if kept else TextBatch("main", batch.rows[:0], batch.cells[:0])
    for gate in (Gate(register, vault), Gate(register, None)):
        safe = gate.pass_batch(batch)
        assert safe.data.num_rows == 0
        assert safe.data.schema.field("_person").type == pa.binary(16)


REDACTED = """
  - name: main
    key: [FILE]
    person: {link: [DUI]}
    entities: {person: {}}
    columns:
      - {name: FILE, class: technical}
      - {name: DUI, class: identifier, kind: national_id, scheme: slv_dui}
      - {name: NAME, class: identifier, kind: name, part: full}
      - {name: NOTES, class: free_text, language: %s, policy: redact}
"""


def test_a_source_may_have_its_notes_redacted(make_source: MakeSource, vault: Vault, rows: Rows) -> None:
    gate = Gate(make_source(tables=REDACTED % "es"), vault)
    gate.pass_batch(rows({"FILE": "F1", "DUI": "04567890-3", "NAME": "Zunilda Rosa Quan", "NOTES": None}))
    safe = gate.pass_batch(
        rows(
            {"FILE": "F2", "NAME": "Ana Paz", "NOTES": "Vive con paz y con su prima zunilda, tel. 7123-4567."},
            {"FILE": "F3", "NAME": "Eva", "NOTES": "Sin novedad."},
        )
    )
    assert safe.data["NOTES"].to_pylist() == [
        "Vive con [NAME] y con su prima [NAME], tel. [PHONE].", "Sin novedad."
    ]  # fmt: skip
    assert issues(safe) == []


def test_the_vault_keeps_names_of_notes_as_keyed_hashes_of_the_country(
    make_source: MakeSource, vault: Vault, rows: Rows
) -> None:
    from anonymization.vault.name_words import NameWords

    Gate(make_source(tables=REDACTED % "es"), vault).pass_batch(rows({"NAME": "Zunilda de la O", "NOTES": None}))
    assert NameWords(vault, "SLV").among(["zunilda", "de", "la", "quan"]) == {"zunilda"}
    assert NameWords(vault, "HND").among(["zunilda"]) == set()
    with vault.transaction() as cursor:
        (stored,) = cursor.execute("SELECT string_agg(n::text, '') FROM vault.name_word n").fetchone() or ("",)
    assert "zunilda" not in stored


def test_a_language_that_was_never_measured_is_withheld_whatever_is_declared(
    make_source: MakeSource, rows: Rows
) -> None:
    safe = dry(make_source(tables=REDACTED % "ha"), rows({"NOTES": "Ta dawo gida"}))
    assert safe.data["NOTES"].to_pylist() == [None]
    assert issues(safe) == [(None, "gate.free_text_withheld", "note", "NOTES")]
