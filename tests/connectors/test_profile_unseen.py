"""What a profile says of headers, numbers, names and dates as supplier programs of many countries write them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyreadstat
import pytest
from small_profiles import Deliver, columns, looks

from sources.batches import PlainFile


@pytest.mark.parametrize(
    ("header", "value", "kind"),
    [
        ("Номер_телефону", "0501234567", "phone"),
        ("رقم التليفون", "01012345678", "phone"),
        ("Phone Number", "0700 123 456", "phone"),
        ("Побатькові", "Петрівна", "person_name"),
        ("reporter", "Ana Tum", "person_name"),
        ("soc_sec_id", "1234567", "national_id"),
        ("Ідент_код", "2345678901", "national_id"),
        ("Вулиця", "Шевченка", "address"),
        ("የትውልድ ቀን", "03/02/1990", "birth_date"),
        ("date_of_birth", "19900203", "birth_date"),
        ("IPAddress", "10.1.2.3", "device_id"),
        ("استان", "گیلان", "place_name"),
        ("الملاحظات", "لا يوجد شيء", "free_text"),
        ("ADM0_PCODE", "SV", "country_iso2"),
        ("পিতার নাম", "আয়েশা খাতুন", "person_name"),
        ("মোবাইল নম্বর", "০১৭১২৩৪৫৬৭৮", "phone"),
        ("Soyadı", "Çelik", "person_name"),
        ("İlçe", "Esenyurt", "place_name"),
        ("د زیږیدو نېټه", "1365/04/12", "birth_date"),
        ("ضلع", "ملتان", "place_name"),
        ("Gobolka", "Bay", "place_name"),
        ("जिल्ला", "कास्की", "place_name"),
        ("focal_person", "Nadia Noori", "person_name"),
        ("BRTHDT", "1980-01-02", "birth_date"),
        ("Luogo di nascita", "Dakar", "place_name"),
        ("Comune di residenza", "Brescia", "place_name"),
        ("Travel Doc No", "A0123456", "national_id"),
        ("Reintegration officer", "Awa Njie", "person_name"),
        ("د تذکرې شمېره", "12345678", "national_id"),
        ("Ƙasar da ya dawo daga", "Nijar", "country_name"),
        ("Зареєстроване місце проживання", "м. Харків, вул. Сумська, 5", "address"),
        ("İlçesi", "Fatih", "place_name"),
        ("Father's name of HoF", "Mir Wali", "person_name"),
        ("Departure date", "12-Mar-18", "date:two-digit year"),
        ("Datum povratka", "31.12.2021.", "date:gregorian:%d.%m.%Y."),
        ("د راستنېدو نېټه", "12 وږی 1402", "date:jalali:%d %B %Y"),
        ("የተመለሰበት ቀን", "5 ጥር 2015", "date:ethiopian:%d %B %Y"),
        ("د زیږون نېټه", "1365/04/12", "birth_date"),
        ("Contact téléphonique", "72991234", "phone"),
        ("Pièce d'identité", "CNI123456", "national_id"),
        ("Community of return", "Old Town", "place_name"),
        ("Airport of arrival", "Lahore", "place_name"),
        ("Destination", "Kayes", "place_name"),
        ("ស្រុក", "ព្រះស្តេច", "place_name"),
        ("Հայրանուն", "Արմենի", "person_name"),
        ("เบอร์โทรศัพท์", "0891234567", "phone"),
        ("วันเดือนปีเกิด", "31/12/1990", "birth_date"),
        ("Contacto", "84 123 4567", "phone"),
        ("ዝመጻሉ ሃገር", "ሱዳን", "country_name"),
    ],
)
def test_headers_of_many_languages_say_what_a_column_holds(
    deliver: Deliver, header: str, value: str, kind: str
) -> None:
    assert kind in looks(deliver, f"{header};n", f"{value};1", f" {value};2")[header]


@pytest.mark.parametrize(
    ("header", "values", "kind"),
    [
        ("CEP", ["30140-071", "35010-000", "30110-005"], "phone"),
        ("profile/mimosa_number", ["SD000123", "SD000124", "SD000125"], "place_pcode"),
        ("Giới tính", ["Nam", "Nữ", "Nam"], "place_name"),
        ("Case No", ["LY1TIP000123", "LY1TIP000124", "LY1TIP000125"], "place_pcode"),
        ("years lived in place of residence", ["5", "12", "3"], "place_code"),
        ("caregiver relationship", ["Elder Sister", "Paternal Uncle", "Elder Brother"], "person_name"),
        ("Ime i prezime", ["Ana Čolić", "Dušan Đukić", "Milica Žarković"], "device_id"),
        ("Community", ["Hazara", "Tajik", "Uzbek"], "place_name"),
    ],
)
def test_what_only_looks_like_one_is_none(deliver: Deliver, header: str, values: list[str], kind: str) -> None:
    assert kind not in looks(deliver, f"{header};n", *(f"{v};{n}" for n, v in enumerate(values)))[header]


def test_few_rows_show_their_codes_for_nothing_too(deliver: Deliver) -> None:
    rows = ["23;5;1200;1", "41;-99;2500;2", "99;3;999;3"]
    found = columns(deliver("a.csv", "\n".join(["age;children;wage;id", *rows]).encode()))
    told = {name: list(column["missing_by_label"]) for name, column in found.items()}
    assert told == {"age": ["99"], "children": ["-99"], "wage": [], "id": []}


@pytest.mark.parametrize(
    ("header", "values"),
    [
        ("CurrencyName", ["Dirham", "Lempira", "Euro"]),
        ("Indicator Name", ["Population total", "Land area", "Deaths"]),
        ("respondent_sex", ["Male", "Female", "Female"]),
        ("contact_person/consent", ["Yes", "No", "Yes"]),
    ],
)
def test_a_name_of_a_thing_is_no_name_of_a_person(deliver: Deliver, header: str, values: list[str]) -> None:
    assert "person_name" not in looks(deliver, f"{header};n", *(f"{v};{n}" for n, v in enumerate(values)))[header]


def test_countries_are_known_by_the_languages_of_their_neighbours(deliver: Deliver) -> None:
    """Austria is one in Spanish too, by which the others are looked for in Polish and all languages."""
    found = looks(deliver, "Skąd;n", "Niemcy;1", "Szwecja;2", "Francja;3", "Austria;4", "Niemcy;5")
    assert found["Skąd"] == ["country_name"]


def test_coded_countries_are_told_where_the_file_has_their_labels(tmp_path: Path) -> None:
    path = tmp_path / "a.sav"
    frame = pd.DataFrame({"q1": [1, 2, 1], "q2": [3, 1, 0]})
    labels = ["Pays de retour", "Number of countries crossed"]
    pyreadstat.write_sav(frame, path, column_labels=labels, variable_value_labels={"q1": {1: "Libye", 2: "Maroc"}})
    found = columns(PlainFile(path))
    assert "country_code" in found["q1"]["looks_like"]
    assert "country_code" not in found["q2"]["looks_like"]


def test_labels_that_a_program_made_of_cells_are_not_shown(tmp_path: Path) -> None:
    """`encode` of Stata makes codes of names; provinces of a short file are labelled too, and do not all occur."""
    path, rows = tmp_path / "a.dta", range(1, 31)
    people = {n: f"Ana Tum {'I' * n}" for n in rows}
    provinces = {n: f"Province {n}" for n in range(1, 36)}
    frame = pd.DataFrame({"q1": rows, "q2": rows, "sex": [1, 2] * 15})
    pyreadstat.write_dta(frame, path, variable_value_labels={"q1": people, "q2": provinces, "sex": {1: "M", 2: "F"}})
    found = columns(PlainFile(path))
    assert {name: len(column["value_labels"]) for name, column in found.items()} == {"q1": 0, "q2": 35, "sex": 2}


def test_numbers_of_a_scheme_are_no_telephones_too(deliver: Deliver) -> None:
    numbers = [f"009-{n:03}-{n * 7 % 1000:03}-{n % 10}" for n in range(100, 140)]
    found = looks(deliver, "NIF/NINU;n", *(f"{number};{n}" for n, number in enumerate(numbers)))
    assert not any(kind.startswith("phone") for kind in found["NIF/NINU"])


def test_a_state_among_places_is_one_and_its_name_is_no_persons(deliver: Deliver) -> None:
    found = looks(deliver, "State Name;Ward;Sex;n", "Borno;Bolori;M;1", "Yobe;Gwange;F;2")
    assert found["State Name"] == ["place_name", "key (unique)"]


def test_a_question_is_heard_without_the_groups_around_it(deliver: Deliver) -> None:
    found = looks(deliver, "Contact_address/HHSize;address/street;n", "4;Calle 1;1", "5;Calle 2;2")
    assert (found["Contact_address/HHSize"], found["address/street"][0]) == (["key (unique)"], "address")


def test_streets_and_places_are_no_answers_to_a_question(deliver: Deliver) -> None:
    streets = [f"{a} {b}" for a in ("stanley", "bodenham", "tewksbury") for b in ("street", "place", "circuit")]
    places = ["nhill", "winston hills", "boonah", "mount barker"] * 3
    found = looks(deliver, "x1;x2", *(f"{s};{p}" for s, p in zip(streets, places, strict=False)))
    assert found == {"x1": ["key (unique)"], "x2": []}


def test_numbers_behind_a_prefix_are_no_p_codes(deliver: Deliver) -> None:
    rows = [f"AM{n};AM{n:02}" for n in range(1, 12)]
    assert looks(deliver, "case;adm1_pcode", *rows) == {
        "case": ["key (unique)"],
        "adm1_pcode": ["place_pcode", "key (unique)"],
    }


def test_a_survey_weight_is_not_the_weight_of_a_body(deliver: Deliver) -> None:
    assert looks(deliver, "weight;height;q", "61.5;170;1", "70.2;180;2")["weight"] == []
    assert looks(deliver, "weight;age;q", "0.5;17;1", "1.2;18;2")["weight"] == ["weight"]


def test_system_columns_of_other_survey_programs_are_told(deliver: Deliver) -> None:
    found = looks(deliver, "SubmissionDate,KEY,q", "2019-09-18T08:51:07.481Z,uuid:1,3")
    assert found["KEY"] == ["odk_system"]
    assert looks(deliver, "interview__id,interview__key,q", "1f,11-22,3")["interview__key"] == ["odk_system"]


def test_moments_and_months_are_dates_in_their_calendar(deliver: Deliver) -> None:
    found = looks(deliver, "a;b;n", "1403/11/16 14:30;2026-05;1", "1402/12/29 09:05;2026-04;2")
    assert found["a"] == ["date:jalali:%Y/%m/%d %H:%M", "key (unique)"]
    assert found["b"] == ["date:gregorian:%Y-%m", "key (unique)"]


def test_what_programs_write_for_nothing_is_a_proposed_missing_code(deliver: Deliver) -> None:
    found = columns(deliver("a.csv", b"died;n;who;land\n9999-99-99;1;NA;NA\n2020-01-02;NA;Awa;ML\n2020-02-03;3;;SN\n"))
    assert (found["died"]["looks_like"][0], found["died"]["missing_by_label"]) == (
        "date:gregorian:iso",
        {"9999-99-99": "missing"},
    )
    assert (found["n"]["type"], found["n"]["missing_by_label"]) == ("integer", {"NA": "missing"})
    assert (found["who"]["missing_by_label"], found["land"]["missing_by_label"]) == ({}, {})


def test_groups_of_thousands_are_told_and_where_they_may_be_decimals_it_is_said(deliver: Deliver) -> None:
    rows = ["57,897;1.234,50;57,897", "2,777,228;2.000,10;70,123", "1;3,00;5,001"]
    found = columns(deliver("a.csv", "\n".join(["a;b;c", *rows]).encode()))
    assert [found[name]["type"] for name in "abc"] == [
        "integer, grouped",
        "decimal, grouped",
        "integer, grouped, or decimal",
    ]
    assert found["b"]["decimal"] == ","


@pytest.mark.parametrize(
    ("header", "values"),
    [
        ("lat_dms", ["33°18'45\"N", "8° 05' 07\" N"]),
        ("where", ["38SMB4488383811", "38SMB4488483812"]),
        ("geom", ["POINT (44.36 33.31)", "POINT (44.37 33.32)"]),
        ("where", ["8H7M8Q6X+2C", "8H7M8Q6X+3F"]),
        ("utm_x", ["448838", "448839"]),
        ("where", ["[33.3152, 44.3661]", "[33.3153, 44.3662]"]),
    ],
)
def test_coordinates_are_known_in_every_way_of_writing(deliver: Deliver, header: str, values: list[str]) -> None:
    assert "gps" in looks(deliver, f"{header};n", *(f"{v};{n}" for n, v in enumerate(values)))[header]


def test_an_x_is_a_coordinate_beside_a_y_only(deliver: Deliver) -> None:
    assert looks(deliver, "x;y", "44.36612;33.31521", "44.36613;33.31522")["x"] == ["gps"]
    assert looks(deliver, "x;z", "44.36612;33.31521", "44.36613;33.31522")["x"] == []


@pytest.mark.parametrize("mark", [", ", ";", "|"])
def test_labels_of_several_answers_are_told_with_the_mark_between_them(deliver: Deliver, mark: str) -> None:
    several = ["Cash", "Legal aid", "Cash{0}Food", "Food{0}Legal aid", "Cash{0}Food{0}Legal aid", "Food"]
    rows = [f'"{one.format(mark)}"\t{n}' for n, one in enumerate(several)]
    assert looks(deliver, "services\tn", *rows)["services"][0] == f"select_multiple joined by {mark.strip()}"


def test_names_written_with_a_comma_are_no_answers(deliver: Deliver) -> None:
    names = [
        f'"{a}, {b}"' for a, b in zip(["Paz", "Lugo", "Mora"] * 3, ["Ana", "Luis", "Eva", "Ines"] * 3, strict=False)
    ]
    found = looks(deliver, "person\tn", *(f"{name}\t{n}" for n, name in enumerate(names)))["person"]
    assert not any(kind.startswith("select_multiple") for kind in found)


def test_a_bare_name_is_that_of_a_place_or_of_a_person_by_what_stands_beside_it(deliver: Deliver) -> None:
    names = ["Aldoria", "Brevania", "Castemar", "Dorvale", "Estmark"]
    rows = [f"{n};{name};{n + 7}" for n, name in enumerate(names)]
    assert "person_name" in looks(deliver, "id;name;age", *rows)["name"]
    assert looks(deliver, "id;name;rank", *rows)["name"][0] == "person_name:or of a thing"
    assert looks(deliver, "id;name;population", *rows)["name"][:2] == ["place_name", "person_name:or of a thing"]


def test_digits_of_other_scripts_are_numbers_and_dates(deliver: Deliver) -> None:
    found = columns(deliver("a.csv", "تعداد;تاریخ;ش تذکره\n۱۲;۱۳۷۰/۰۲/۳۱;۱۴۰۰-۱۲۳۴\n۷;۱۳۶۰/۰۲/۳۰;۱۴۰۱-۱۲۳۵\n".encode()))
    assert [column["type"] for column in found.values()] == ["integer", "date", "text"]
    assert found["ش تذکره"]["looks_like"][0] == "national_id"


@pytest.mark.parametrize(
    ("header", "values", "kind"),
    [
        ("when", ["1/24/24 9:01", "12/31/24 10:00"], "date:two-digit year"),
        (
            "when",
            ["28/09/2014", "28/09/2014 13:00:23", "30/09/2014"],
            "date:two forms (%d/%m/%Y and %d/%m/%Y %H:%M:%S)",
        ),
        ("date_eth", ["25/05/2016", "13/06/2015"], "date:ethiopian:%d/%m/%Y"),
        ("የመመለሻ ቀን", ["25/05/2016", "13/06/2015"], "date:ethiopian:%d/%m/%Y"),
        ("période", ["2024-T1", "2024-T2"], "quarter"),
        ("semaine", ["2024-W01", "2024-W15"], "week"),
        ("signature", ["sig 1.png", "sig 2.png"], "attachment"),
        ("ID_CAMP", ["ni-ref-2", "su-idp-5"], "place_code"),
    ],
)
def test_what_cannot_be_read_in_one_way_is_told_so(deliver: Deliver, header: str, values: list[str], kind: str) -> None:
    assert looks(deliver, f"{header};n", *(f"{v};{n}" for n, v in enumerate(values)))[header][0] == kind


def test_codes_far_off_the_numbers_around_them_are_proposed_as_missing(deliver: Deliver) -> None:
    rows = ["34;1200;1;7", "51;-99;3;8", "999;300;2;9", "34;300;1;8", "28;n.d.;3;7", "51;1200;2;9"]
    found = columns(deliver("a.csv", "\n".join(["age;income;q;months", *rows]).encode()))
    assert {name: set(column["missing_by_label"]) for name, column in found.items()} == {
        "age": {"999"},
        "income": {"-99", "n.d."},
        "q": set(),
        "months": set(),
    }


def test_dates_of_many_hands_are_told_as_several_forms(deliver: Deliver) -> None:
    days = ["24/09/2023", "27-Aug-2023", "25/09/23", "2023-08-21", "45152", "18-Aug-2023"]
    assert looks(deliver, "admitted;n", *(f"{day};1" for day in days))["admitted"][0] == "date:several forms"


def test_a_level_or_a_population_is_no_place(deliver: Deliver) -> None:
    found = looks(deliver, "region;location_level;Население;n", "Ош;admin2;322164;1", "Нарын;admin2;292140;1")
    assert (found["region"][0], found["location_level"], found["Население"]) == (
        "place_name",
        [],
        ["key (unique)"],
    )


def test_one_name_of_two_words_among_names_of_one_is_no_combination(deliver: Deliver) -> None:
    kinds = ("FORZADO", "VOLUNTARIO", "VOLUNTARIO ASISTIDO")
    found = looks(deliver, "kind\tn", *(f"{kinds[n % 3]}\t{n}" for n in range(60)))["kind"]
    assert not any(kind.startswith("select_multiple") for kind in found)
