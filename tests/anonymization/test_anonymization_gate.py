from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

from anonymization.gate import Gate
from anonymization.vault.vault import Vault
from codebook.errors import Refused
from sources.batches import SafeBatch, TextBatch
from sources.models import Source

Rows = Callable[..., TextBatch]
MakeSource = Callable[..., Source]

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


def dry(source: Source, *batches: TextBatch) -> SafeBatch:
    gate = Gate(source, None)
    return [gate.pass_batch(batch) for batch in batches][-1]


def issues(safe: SafeBatch) -> list[tuple[Any, ...]]:
    return [(i["row"], i["rule"], i["severity"], i["column"]) for i in safe.issues.to_pylist()]


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


@pytest.mark.parametrize(
    "stray",
    [
        "ana@example.org",
        "ask +503 7123 4567",
        "04567890-3",
        "490154203237518",
        "49-015420-323751-8",
        "imei:352099001761481",
        "collect:Xh3kPq9aLm2T",
        "00:1A:2B:3C:4D:5E",
        "13.692900 -89.218200",
        "13.692900 -89.218200 650.0 4.3",
        "[13.692941, -89.218243]",
        "ANA LÓPEZ ",
        "+964 (770) 123-45 67",
        "00964 770 123 4567",
        "+٩٦٤ ٧٧٠ ١٢٣ ٤٥٦٧",
        "০৪৫৬৭৮৯০-৩",
        "IMEI: 490154203237518, white",
        "write to ana.lopez+help@mail.example.org, please",
        "13°41'34\"N 89°13'06\"W",
        "13° 41.567′ N",
    ],
)
def test_a_stray_contact_in_a_plain_column_keeps_its_row_here(register: Source, rows: Rows, stray: str) -> None:
    safe = dry(register, rows({"FILE": "F1", "SEX": stray, "NAME": "Ana López"}, {"FILE": "F2"}))
    assert safe.data["_row"].to_pylist() == [3]
    assert issues(safe) == [(2, "gate.personal_data", "error", "SEX")]


def test_a_plain_column_full_of_personal_data_stops_the_delivery(register: Source, rows: Rows) -> None:
    contacts = rows(*({"FILE": f"F{i}", "SEX": f"person{i}@example.org"} for i in range(5)))
    with pytest.raises(Refused, match="5 cells of column SEX look like") as raised:
        dry(register, contacts)
    assert raised.value.rule == "delivery.personal_data_in_plain_column"
    assert "person" not in str(raised.value).replace("personal", "")


def test_ordinary_values_are_not_taken_for_personal_data(register: Source, rows: Rows) -> None:
    ordinary = ["+5", "13.69 -89.21", "2026-01-01T10:00:00+03:00", "uuid:8d1c6f0e-4f1b-4c2e-9a3d", "1+1@", "250000"]
    ordinary += ["00123456789", "+12.3456789", "25 °C", "IMEI unknown", "latest 5.123456"]
    ordinary += ["San Salvador", "Ana", "10:00:00", "vZh5rqTMPVpxNwPrgRwyTa", "13.69294100"]
    # nine digits each, of which one in ten passes the check of a DUI by chance
    ordinary += [str(100_000_000 + 7_654_321 * i) for i in range(40)]
    # and fifteen, of which one in ten passes that of an IMEI
    ordinary += [str(100_000_000_000_000 + 7_654_321_123 * i) for i in range(40)]
    safe = dry(register, rows(*({"FILE": f"F{i}", "SEX": value} for i, value in enumerate(ordinary))))
    assert issues(safe) == []


def test_numbers_of_the_country_are_looked_for_though_no_column_declares_them(
    make_source: MakeSource, rows: Rows
) -> None:
    plain = """
  - name: main
    key: [FILE]
    entities: {household: {}}
    columns:
      - {name: FILE, class: technical}
      - {name: REMARK, class: plain}
"""
    numbers = rows({"FILE": "F1", "REMARK": "1234 56789 0101"}, blank={})
    assert issues(dry(make_source("gtm/x", "GTM", plain), numbers)) == [(2, "gate.personal_data", "error", "REMARK")]
    assert issues(dry(make_source("hti/x", "HTI", plain), numbers)) == []


def test_a_column_of_devices_and_places_stops_the_delivery_and_says_what_they_look_like(
    register: Source, rows: Rows
) -> None:
    cells = ["imei:352099001761481", "imei:352099001761482", "13.692900 -89.218200", "13.692901 -89.218201"]
    with pytest.raises(Refused, match="4 cells of column SEX look like numbers of devices or coordinates") as raised:
        dry(register, rows(*({"FILE": f"F{i}", "SEX": cell} for i, cell in enumerate(cells))))
    assert "352099" not in str(raised.value)
    assert "13.69" not in str(raised.value)


@pytest.mark.parametrize(("first", "comma"), [(13.69294, "."), (-89.2182361, "."), (-8.2863893, ","), (9.0054, ".")])
def test_a_latitude_or_longitude_alone_in_its_column_stops_the_delivery(
    register: Source, rows: Rows, first: float, comma: str
) -> None:
    cells = [f"{first + number / 777:.7f}".replace(".", comma) for number in range(9)]
    with pytest.raises(Refused, match="9 cells of column SEX look like coordinates"):
        dry(register, rows(*({"FILE": f"F{i}", "SEX": cell} for i, cell in enumerate(cells))))


@pytest.mark.parametrize(("first", "header"), [(-1.2920659, "SEX"), (-0.1869644, "SEX"), (0.3475964, "gps_Latitude")])
def test_a_coordinate_near_zero_is_told_by_its_sign_or_its_header(
    make_source: MakeSource, rows: Rows, first: float, header: str
) -> None:
    plain = f"""
  - name: main
    key: [FILE]
    entities: {{household: {{}}}}
    columns: [{{name: FILE, class: technical}}, {{name: {header}, class: plain}}]
"""
    cells = [{"FILE": f"F{number}", header: f"{first + number / 77777:.7f}"} for number in range(9)]
    with pytest.raises(Refused, match=f"9 cells of column {header} look like coordinates"):
        dry(make_source("ken/x", "KEN", plain), rows(*cells, blank={}))


@pytest.mark.parametrize(
    ("cell", "what"),
    [
        ("+503 7890 12{0}", "phones"),
        ("wa.me/5037890{0}1", "phones"),
        ("7890-12{0}", "phones"),  # as it is dialled at home
        ("192.168.11.{0}", "numbers of devices"),
        ("POINT(-89.1823{0} 13.7{0}5)", "coordinates"),
        ('{{"type": "Point", "coordinates": [-89.1823{0}, 13.7{0}5]}}', "coordinates"),
        ("https://maps.example.org/?q=13.7{0}5,-89.1823{0}", "coordinates"),
        ("N13 41 {0} W89 13 06", "coordinates"),
        ("76W4MQV8+{1}", "coordinates"),
        ("///tabla.río.{1}", "coordinates"),
        ("GB33 BUKB 2020 1555 5555 55", "accounts"),
        ("4111 1111 1111 1111", "accounts"),
    ],
)
def test_what_reaches_or_locates_somebody_stops_the_delivery_however_it_is_written(
    register: Source, rows: Rows, cell: str, what: str
) -> None:
    cells = [cell.format(number, "QRVWX"[number % 5] * 2) for number in range(10, 34)]
    with pytest.raises(Refused, match=f"24 cells of column SEX look like {what}"):
        dry(register, rows(*({"FILE": f"F{i}", "SEX": one} for i, one in enumerate(cells))))


def test_numbers_of_files_days_and_versions_are_no_phones_and_no_addresses(register: Source, rows: Rows) -> None:
    made = [
        [str(70_000_000 + number) for number in range(30)],  # as long as a phone
        [f"{70_000_000 + 37_501 * number:010d}" for number in range(30)],
        [f"2024-{1000 + 17 * number}" for number in range(30)],
        [f"2024-0{1 + number % 9}-{10 + number % 19}" for number in range(30)],
        [f"{20 + number} 500 000" for number in range(30)],
        [f"2.0.{number}.1" for number in range(30)],
        [f"4{number}11 1111 1111 11{number}" for number in range(10, 40)],  # of which one in ten passes by chance
        [f"{number}.5 km + {number}.25 km" for number in range(30)],
    ]
    for cells in made:
        assert issues(dry(register, rows(*({"FILE": f"F{i}", "SEX": cell} for i, cell in enumerate(cells))))) == []


NAMES = ("Ana", "José", "Fatima", "Almaz", "Nino", "Omar", "Wanda", "Luis")
OWN = [
    {
        "FILE": f"F{number}",
        "DUI": f"12{number:06d}-1",
        "FAMILY": f"EXP-{7 * number:05d}",
        "NAME": f"{NAMES[number % 8]} {NAMES[number % 7]}son",
        "BORN": f"{1 + number:02d}/{1 + number % 12:02d}/{1950 + number}",
        "PHONE": f"78901{number:03d}",
    }
    for number in range(24)
]


@pytest.mark.parametrize(
    "again",
    [
        lambda row: row["DUI"].replace("-", " "),  # with no check digit to tell it by
        lambda row: row["FAMILY"].lower(),
        lambda row: row["PHONE"],
        lambda row: f"(503) {row['PHONE']}",
        lambda row: "-".join(reversed(row["BORN"].split("/"))),
        lambda row: f"{row['BORN']} 00:00:00",
        lambda row: ", ".join(reversed(row["NAME"].upper().split())),
        lambda row: f"daughter of {row['NAME'].replace('é', 'e')}",
    ],
)
def test_a_passing_column_that_repeats_what_identifies_its_rows_stops_the_delivery(
    register: Source, rows: Rows, again: Callable[[dict[str, str]], str]
) -> None:
    with pytest.raises(Refused, match="24 cells of column SEX") as raised:
        dry(register, rows(*({**row, "SEX": again(row)} for row in OWN)))
    assert raised.value.rule == "delivery.personal_data_in_plain_column"
    told = str(raised.value)
    assert not any(value in told for row in OWN for value in (row["DUI"], row["NAME"], row["PHONE"], row["FAMILY"]))


def test_a_column_that_repeats_a_few_by_chance_passes(register: Source, rows: Rows) -> None:
    said = [{**row, "SEX": row["NAME"].split()[0] if number < 3 else f"V{number}"} for number, row in enumerate(OWN)]
    assert not [one for one in issues(dry(register, rows(*said))) if one[1] == "gate.personal_data"]
    years = [{**row, "SEX": row["BORN"][-4:]} for row in OWN]
    assert len(dry(register, rows(*years)).data) == len(OWN)


def test_weights_shares_and_amounts_are_no_coordinates(register: Source, rows: Rows) -> None:
    made = [
        [f"{0.4 + number / 7:.7f}" for number in range(9)],  # weights of a survey, around 1
        [f"{number / 9:.7f}" for number in range(9)],  # shares
        [f"{3.7 * 2.9**number:.5f}" for number in range(5)],  # amounts, far apart
        [f"{13.5 + number / 777:.2f}" for number in range(9)],  # a kilometre and coarser
        [f"{number / 3 - 1.4:.7f}" for number in range(9)],  # an index of wealth, around 0
    ]
    for cells in made:
        assert issues(dry(register, rows(*({"FILE": f"F{i}", "SEX": cell} for i, cell in enumerate(cells))))) == []


def test_only_the_rows_own_full_name_is_taken_for_a_name(register: Source, rows: Rows) -> None:
    said = [("Ana López", "Eva Paz"), ("San Salvador", "San Salvador"), ("Eva", "Eva")]
    batch = rows(*({"FILE": f"F{i}", "SEX": cell, "NAME": name} for i, (cell, name) in enumerate(said)))
    assert issues(dry(register, batch)) == [(3, "gate.personal_data", "error", "SEX")]


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
