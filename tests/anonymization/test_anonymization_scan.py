"""Values of columns that pass are compared with what is declared: personal data among them stops the delivery."""

from __future__ import annotations

import pickle
from collections.abc import Callable

import pytest
from small_gate import MakeSource, Rows, dry, issues

from anonymization.gate import Gate
from codebook.errors import Refused
from sources.models import Source


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
    assert pickle.loads(pickle.dumps(raised.value)).columns == ("SEX",), "as it comes from a process"
    assert "person" not in str(raised.value).replace("personal", "")


def test_strays_are_counted_over_the_whole_delivery(register: Source, rows: Rows) -> None:
    gate = Gate(register, None)
    two = [{"FILE": f"F{number}", "SEX": f"someone{number}@example.org"} for number in range(2)]
    assert gate.pass_batch(rows(*two)).rejected_rows.to_pylist() == [2, 3]
    with pytest.raises(Refused, match="4 cells of column SEX look like e-mail addresses"):
        gate.pass_batch(rows(*two))


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


@pytest.mark.parametrize(
    "cells", [[f"9774d56d682e54{n:x}" for n in range(16, 22)], ["A000002F1B3C4D", "990000E2016AF1"] * 2]
)
def test_ids_of_devices_in_hexadecimal_digits_stop_the_delivery(register: Source, rows: Rows, cells: list[str]) -> None:
    with pytest.raises(Refused, match="cells of column SEX look like numbers of devices"):
        dry(register, rows(*({"FILE": f"F{i}", "SEX": cell} for i, cell in enumerate(cells))))


@pytest.mark.parametrize(
    "cells", [[f"{10**15 + 7 * n}" for n in range(6)], ["20260101T101530Z", "9774d56d682e549g"] * 3]
)
def test_other_codes_of_the_length_of_a_device_are_none(register: Source, rows: Rows, cells: list[str]) -> None:
    assert issues(dry(register, rows(*({"FILE": f"F{i}", "SEX": cell} for i, cell in enumerate(cells))))) == []


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
