"""Where a profile finds the header, the records and the notes of a file, and what parts its cells."""

from __future__ import annotations

import json

import pytest
from small_profiles import Deliver, columns, profiled

from codebook.errors import HomewardError


@pytest.mark.parametrize(
    "rows",
    [
        ["DURAND;Zoe;13/06/2009", "PETIT;Noe;14/07/2008", "NERI;Ana;15/08/2007"],
        ["ana@x.org;1;2020-01-01T10:00:00Z", "eva@x.org;2;2020-01-02T10:00:00Z"],
        ["Neri;Paris;oui", "Petit;Lyon;non", "Neri;Lyon;oui", "Petit;Paris;non"],
    ],
)
def test_a_record_is_no_header_and_is_not_shown(deliver: Deliver, rows: list[str]) -> None:
    told = profiled(deliver("a.csv", "\n".join(rows).encode()))
    assert [column["name"] for column in told["tables"][0]["columns"]] == ["column 1", "column 2", "column 3"]
    assert (told["tables"][0]["rows"], told["facts"]["header_rows"]) == (len(rows), 0)
    assert not [cell for row in rows for cell in row.split(";") if len(cell) > 2 and cell in json.dumps(told)]


@pytest.mark.parametrize(
    "rows",
    [
        ["McDonald;Anna", "Smith;Joan", "Brown;Mary", "Jones;Kate"],
        ["Awa Njie;Basse", *(f"{a} {b};Brikama" for a in ("Musa", "Binta", "Lamin") for b in ("Jallow", "Touray"))],
    ],
)
def test_the_first_of_a_list_of_people_names_no_column(deliver: Deliver, rows: list[str]) -> None:
    found = profiled(deliver("a.csv", "\n".join(rows).encode()))["tables"][0]
    assert (found["rows"], [column["name"] for column in found["columns"]]) == (len(rows), ["column 1", "column 2"])


def test_days_may_name_columns_of_numbers(deliver: Deliver) -> None:
    found = columns(deliver("a.csv", b"Fecha,2020-03-01,2020-03-02\nCasos,1.0,2.0\nAltas,3.5,4.5\n"))
    assert list(found) == ["Fecha", "2020-03-01", "2020-03-02"]


def test_a_header_stands_right_above_its_hashtags(deliver: Deliver) -> None:
    found = profiled(deliver("a.csv", b"Junk,Junk,Junk\nOrg,No tag,Province\n#org,,#adm1\nX,x,Coast\nY,y,Hills\n"))
    assert [column["name"] for column in found["tables"][0]["columns"]] == ["Org", "No tag", "Province"]
    assert found["tables"][0]["rows"] == 2
    alone = profiled(deliver("b.csv", b'#description,#adm1\n"Line 1\nLine 2",Coast\n'))
    assert [column["name"] for column in alone["tables"][0]["columns"]] == ["#description", "#adm1"]


def test_the_words_and_names_below_a_qualtrics_header_are_no_records(deliver: Deliver) -> None:
    ids = ",".join('"{""ImportId"":""' + name + '""}"' for name in ("startDate", "QID1"))
    found = columns(deliver("a.csv", f"StartDate,Q1\nBegin,How old?\n{ids}\n2017-07-18 08:28:09,7\n".encode()))
    assert (found["Q1"]["label"], found["Q1"]["type"], found["Q1"]["filled"]) == ("How old?", "integer", 1)


def test_a_third_header_row_with_a_year_in_brackets_belongs_to_the_header(deliver: Deliver) -> None:
    rows = [f'North,d{n},"{n + 10},000",{n % 5}' for n in range(9)]
    content = "\n".join([",,People,Phase", "Region,District,-2022,IPC", *rows, 'TOTAL,,"99,000",'])
    told = profiled(deliver("a.csv", content.encode()))["tables"][0]
    assert [column["name"] for column in told["columns"]] == ["Region", "District", "People / -2022", "Phase / IPC"]
    assert (told["rows"], told["total_rows"]) == (10, 1)


def test_tabs_part_a_table_that_has_as_many_commas(deliver: Deliver) -> None:
    content = "freq,unit,geo\\TIME_PERIOD\t2022\t2023\nA,MEUR,AT\t1.5\t: \nA,MEUR,DE\t2.5\t3.5\n"
    assert list(columns(deliver("a.tsv", content.encode()))) == ["freq,unit,geo\\TIME_PERIOD", "2022", "2023"]


def test_tabs_part_a_table_that_has_more_commas_than_tabs(deliver: Deliver) -> None:
    rows = [f"A,PER,AF,TOTAL,T,{land}\t{n} \t: " for n, land in enumerate(("AT", "BE", "DE"))]
    found = profiled(deliver("a.tsv", "\n".join(["freq,unit,citizen,age,sex,geo\t2020 \t2021 ", *rows]).encode()))
    assert len(found["tables"][0]["columns"]) == 3


def test_a_look_names_every_code_page_it_may_be(deliver: Deliver) -> None:
    """In both pages of Western and of Central Europe these bytes make words."""
    told = profiled(deliver("a.csv", "N° dossier;Nom\n1;Boué\n2;Pérez\n3;Lefèvre\n4;Dernière\n".encode("cp1252")))
    assert told["facts"]["encoding_candidates"][:2] == ["cp1252", "cp1250"]
    assert told["encoding"] == "cp1252"


def test_a_dump_of_a_database_is_no_table(deliver: Deliver) -> None:
    content = b"-- from the ministry\n\ninsert into `people` (`name`, `age`)\nvalues\n('Rosa Xol', 31);\n"
    with pytest.raises(HomewardError, match="SQL script") as refusal:
        profiled(deliver("a.sql", content))
    assert "Rosa" not in str(refusal.value)


def test_a_submission_with_empty_lists_is_one_record(deliver: Deliver) -> None:
    told = profiled(deliver("a.json", b'{"_uuid":"1f","q":"7","_tags":[],"_notes":[],"_attachments":[]}'))
    assert (told["tables"][0]["rows"], len(told["tables"][0]["columns"])) == (1, 5)
    with pytest.raises(HomewardError, match="empty"):
        profiled(deliver("b.json", b'{"count":0,"next":null,"results":[]}'))


def test_hashtags_with_slips_among_them_are_a_row_of_hashtags_all_the_same(deliver: Deliver) -> None:
    found = profiled(deliver("a.csv", b"id,iso3,lat\n,#country+iso3,geo+lat\n1,TCD,12.1\n"))["tables"][0]
    assert (found["rows"], found["hxl_row"]) == (2, False)  # one tag of two cells could be a value
    found = profiled(deliver("a.csv", b"id,iso3,lat\n#id,#country+iso3,geo+lat\n1,TCD,12.1\n"))["tables"][0]
    assert (found["rows"], found["hxl_row"]) == (1, True)


def test_notes_below_a_table_are_told_and_are_no_rows(deliver: Deliver) -> None:
    content = "Date,Men,Women\n01/10/2023,12,340\n13/10/2023,9,298\nTOTAL,21,638\n* Figures are preliminary\n"
    told = profiled(deliver("a.csv", content.encode()))["tables"][0]
    assert (told["rows"], told["total_rows"], told["note_rows"]) == (3, 1, 1)
    assert told["columns"][0]["looks_like"][0] == "date:gregorian:%d/%m/%Y"
    sparse = profiled(deliver("b.csv", b"type,name,label\ntext,a,A\nend group,,\ntext,b,B\nend group,,\n"))
    assert (sparse["tables"][0]["rows"], sparse["tables"][0]["note_rows"]) == (4, 0)
