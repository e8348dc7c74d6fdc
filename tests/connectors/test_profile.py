"""`homeward profile`: rows and columns as they are, likely personal data named, and no value shown."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from small_profiles import Deliver, profiled

from codebook.errors import HomewardError
from connectors.profiling import profile as profiling
from connectors.unknown import delivered
from sources.batches import PlainFile


def looks(file: PlainFile) -> dict[str, list[str]]:
    return {column["name"]: column["looks_like"] for table in profiled(file)["tables"] for column in table["columns"]}


def table_of(header: str, *columns: list[str]) -> bytes:
    return "\n".join([header, *(";".join(row) for row in zip(*columns, strict=True))]).encode()


PEOPLE = ["Rosa Xol", "Luis Cuc", "Ana Tum", "Eva Caal", "Juan Ixim", "Leo Pop"]
PHONES = ["+50370001234", "7000 1235", "70001236", "7000-1237", "70001238", "70001239"]
NUMBERS = ["04567890-3", "12345678-4", "00000001-8", "00000002-6", "00000003-4", "00000004-2"]
BORN = ["03/05/1991", "20/11/1986", "01/01/2005", "09/09/1999", "30/06/1980", "13/02/1975"]


def test_personal_data_is_named_and_never_shown(deliver: Deliver) -> None:
    content = table_of("NOMBRE;TELEFONO;DUI;FECHA_NAC", PEOPLE, PHONES, NUMBERS, BORN)
    file = deliver("people.csv", content)
    found = looks(file)
    assert found["NOMBRE"][0] == "person_name"
    assert found["TELEFONO"][0] == "phone"
    assert "national_id:slv_dui" in found["DUI"]
    assert found["FECHA_NAC"][:2] == ["birth_date", "date:gregorian:%d/%m/%Y"]
    told = json.dumps(profiled(file), ensure_ascii=False)
    assert not [value for value in (*PEOPLE, *PHONES, *NUMBERS, *BORN) if value in told]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_json_of_two_bytes_a_letter_is_json_and_not_a_line_of_people(deliver: Deliver, encoding: str) -> None:
    found = profiled(deliver("people.json", json.dumps([{"name": name} for name in PEOPLE]).encode(encoding)))
    assert [[column["name"] for column in table["columns"]] for table in found["tables"]] == [["name"]]


def test_a_name_is_seen_without_a_header_that_says_so(deliver: Deliver) -> None:
    people = [
        f"{first} {last}" for first in ("Awa", "Moussa", "Fanta", "Issa", "Aya") for last in ("Ba", "Sow", "Fall", "Sy")
    ]
    assert "person_name" in looks(deliver("a.csv", table_of("x7;n", people, ["1"] * 20)))["x7"]


def test_day_and_month_that_cannot_be_told_apart_are_told_as_both(deliver: Deliver) -> None:
    found = looks(deliver("a.csv", table_of("when;n", ["01/02/2024", "03/04/2024"], ["1", "2"])))["when"]
    assert found[:2] == ["date:gregorian:%d/%m/%Y", "date:gregorian:%m/%d/%Y"]


@pytest.mark.parametrize(
    ("days", "calendar"),
    [
        (["1401/02/31", "1402/01/31", "1400/12/29"], "jalali"),
        (["30/14/2015", "05/14/2014", "01/01/2016"], ""),
        (["2015/13/05", "2014/13/03", "2016/01/01"], "ethiopian"),
        (["05/13/2015", "03/13/2014", "01/01/2016"], "ethiopian gregorian"),
        (["۱۴۰۱/۰۲/۳۱", "۱۴۰۰/۰۱/۱۵"], "jalali"),
    ],
)
def test_calendars_are_told_by_the_days_that_exist(deliver: Deliver, days: list[str], calendar: str) -> None:
    found = looks(deliver("a.csv", table_of("when;n", days, ["1"] * len(days))))["when"]
    assert sorted({kind.split(":")[1] for kind in found if kind.startswith("date")}) == calendar.split()


def test_places_countries_options_and_positions(deliver: Deliver) -> None:
    content = table_of(
        "code;land;reason;reason/war;gps;deviceid",
        ["SV0101", "SV0102", "SV0203", "SV0301"],
        ["SLV", "GTM", "MEX", "USA"],
        ["war", "war family", "family", "work war"],
        ["1", "1", "0", "1"],
        ["13.70 -89.20 0 0", "13.71 -89.21 0 0", "13.72 -89.22 0 0", "13.73 -89.23 0 0"],
        ["350000000000001"] * 4,
    )
    found = looks(deliver("a.csv", content))
    assert [kinds[0] for kinds in found.values()] == [
        "place_pcode",
        "country_iso3",
        "select_multiple",
        "select_multiple_option",
        "gps",
        "device_id",
    ]


def test_distinct_says_when_it_is_a_lower_bound(deliver: Deliver, monkeypatch: pytest.MonkeyPatch) -> None:
    file = deliver("a.csv", table_of("key;group", [f"k{n}" for n in range(300)], ["a", "b", "c"] * 100))
    monkeypatch.setattr(profiling, "MAX_HASHES", 100)
    key, group = profiled(file)["tables"][0]["columns"]
    assert (key["distinct_exact"], group["distinct_exact"], group["distinct"]) == (False, True, 3)
    assert "key (unique)" not in key["looks_like"]


def test_a_column_with_a_few_words_among_numbers_says_so(deliver: Deliver) -> None:
    file = deliver("a.csv", table_of("wage;n", [*map(str, range(30)), "NC"], ["1"] * 31))
    assert profiled(file)["tables"][0]["columns"][0]["type"] == "integer, some text"


def test_hashtags_below_the_header_are_no_row(deliver: Deliver) -> None:
    (table,) = profiled(deliver("a.csv", b"region;people\n#adm1+name;#affected\nNord;3\n"))["tables"]
    assert (table["rows"], table["hxl_row"]) == (1, True)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.csv", b""),
        ("junk.bin", bytes(range(256)) * 40),
        ("cut.xlsx", b"PK\x03\x04" + b"\0" * 300),
        ("cut.sav", b"$FL2@(#) SPSS DATA FILE" + b"\0" * 50),
        ("page.pdf", b"%PDF-1.7 ..."),
        ("page.html", b"<html><table></table></html>"),
    ],
)
def test_what_is_no_table_is_refused_in_one_line(deliver: Deliver, name: str, content: bytes) -> None:
    with pytest.raises(HomewardError) as refusal:
        profiled(deliver(name, content))
    assert name in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_folders_and_links_are_refused(deliver: Deliver, tmp_path: Path) -> None:
    link = tmp_path / "link.csv"
    link.symlink_to(deliver("a.csv", b"a;b\n1;2\n").path)
    for path in (tmp_path, link, tmp_path / "absent.csv"):
        with pytest.raises(HomewardError):
            delivered(path)


def listed(corpus: Path) -> dict[str, tuple[str, str]]:
    """File -> size and shape, as INDEX.md states them."""
    rows = re.findall(r"^\| (\S[^|]*?) \| (\d+) \| ([^|]*) \|$", (corpus / "INDEX.md").read_text("utf-8"), re.M)
    return {file: (size, shape) for file, size, shape in rows}


FEWER = {
    # letters above letters: nothing tells that the first row is a header, so it is counted as a record
    "registries/messytables/span_rich.xls": {"Sheet1": -1},
    # blank rows between lists of choices
    "kobo/reach_iraq_returnees/xlsform.xlsx": {"choices": 1},
    "kobo/kpi_legacy_kobocat/childrens_survey.xls": {"choices": 2},
    "kobo/kpi_legacy_kobocat/transportation.xls": {"survey": 1, "choices": 1},
    "kobo/kpi_legacy_kobocat/tutorial_w_repeats.xls": {"choices": 1},
    "kobo/kpi_legacy_kobocat/tutorial_arabic_labels.xls": {"choices": 1},
    # hashtags below the header
    "kobo/formpack_generated/hxl_grouped_repeatable/hxl.xlsx": dict.fromkeys(
        ("Household survey with HXL an...", "houshold_member_repeat"), 1
    ),
    "registries/iom_dtm_ocha/download-global-pcode-lengths.csv": {"main": 1},
    "registries/iom_dtm_ocha/download-global-pcodes-adm-1-2.csv": {"main": 1},
    "registries/iom_dtm_ocha/global-iom-dtm-from-api-admin-0-to-2.csv": {"main": 1},
}
"""Rows of a sheet or file that are no records, by why."""
OTHERWISE = {
    "kobo/kpi_legacy_kobocat/tutorial_w_repeats.csv": "repeats flattened into columns are a table of their own",
    "registries/messytables/begrotingsanalyse-2011.csv": "title, blank rows and notes",
    "registries/messytables/excel_pasting.csv": "title and blank rows",
    "registries/messytables/spanish_chars.csv": "a blank row",
    "registries/messytables/weird_head_padding.csv": "the index found no header",
    "registries/smungs/cashflows.xlsx": "header of several rows",
    "registries/smungs/groundwater.xlsx": "header of several rows",
    "registries/smungs/us-crime-2.xlsx": "title above the header, notes below",
    "registries/smungs/us-crime-3.xlsx": "title above the header, notes below",
}
"""Files whose shape in INDEX.md counts lines that are no records; fewer rows are read, never more."""
NO_TABLE = ("tutorial_w_repeats.xml", "test_formats_win.sas7bcat", "spss_labels.zip")


def expected(file: str, shape: str) -> dict[str, tuple[int, int]]:
    """Table -> rows and columns, as the index states them; every table but of a JSON file."""
    if lines := re.match(r"(\d+) lines x (\d+)", shape):
        return {"main": (int(lines[1]) - 1, int(lines[2]))}
    if cases := re.match(r"(\d+)x(\d+), enc", shape):
        return {"main": (int(cases[1]), int(cases[2]))}
    sheets = re.findall(r"([^;]+?): (\d+)x(\d+)(?:; |$)", shape)
    return {name: (max(0, int(rows) - 1), int(columns)) for name, rows, columns in sheets}


@pytest.mark.corpus
@pytest.mark.slow
def test_rows_and_columns_are_those_of_the_index(corpus: Path) -> None:
    wrong = []
    shapes = listed(corpus)
    assert len(shapes) > 90
    for file, (_, shape) in shapes.items():
        if file.endswith(NO_TABLE):
            with pytest.raises(HomewardError):
                profiled(PlainFile(corpus / file))
            continue
        tables = {table["name"]: table for table in profiled(PlainFile(corpus / file))["tables"]}
        if "list len" in shape:
            assert tables["main"]["rows"] == int(shape.split()[-1])
        for name, (rows, columns) in expected(file, shape).items():
            table = tables[name] if name in tables else next(iter(tables.values()))
            found = (table["rows"] + FEWER.get(file, {}).get(name, 0), len(table["columns"]))
            if file in OTHERWISE:
                assert found[0] <= rows, file
            elif found != (rows, columns):
                wrong.append((file, name, found, (rows, columns)))
    assert wrong == []


@pytest.mark.corpus
def test_the_iraqi_survey_shows_its_personal_columns(corpus: Path) -> None:
    found = looks(PlainFile(corpus / "kobo" / "reach_iraq_returnees" / "raw_data.csv"))
    assert "kobo_system" in found["X_uuid"]
    assert {name for name in found if any(kind.startswith(("date", "birth")) for kind in found[name])} >= {
        "return_date"
    }


def test_help_does_not_load_what_a_profile_needs() -> None:
    code = "import sys, pipelines.cli; print(sorted({'pandas', 'numpy', 'pyarrow', 'rapidfuzz'} & set(sys.modules)))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


def test_tagged_missings_are_missing_codes_and_no_text(tmp_path: Path) -> None:
    import pandas as pd
    import pyreadstat

    path = tmp_path / "a.dta"
    frame = pd.DataFrame({"q": [1, 2, "a", "b"] * 5})
    pyreadstat.write_dta(frame, str(path), missing_user_values={"q": ["a", "b"]})
    (column,) = profiled(PlainFile(path))["tables"][0]["columns"]
    assert (column["type"], column["missing_codes"], column["filled"]) == ("integer", [".a", ".b"], 20)
