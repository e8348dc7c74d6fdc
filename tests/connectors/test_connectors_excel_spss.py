"""Workbooks and SPSS files as text: what the supplier sees is what is read; codes keep their missing reasons."""

import io
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat
import pytest
import xlsxwriter
from small_forms import workbook
from small_sources import issues, rows, source, table

from codebook.errors import Refused
from connectors import open_delivery
from sources.batches import PlainFile
from sources.models import Source

Deliver = Callable[[str, bytes], PlainFile]

XLSX = {"kind": "xlsx"}
SPSS = {"kind": "spss"}


def test_cells_of_a_workbook_are_what_the_supplier_sees(deliver: Deliver) -> None:
    sheet = [
        ["ID", "CODE", "BORN", "SEEN", "SHARE"],
        ["00123", 123456789012345, date(1990, 5, 1), datetime(2024, 1, 2, 3, 4, 5), 0.25],
        [98, True, None, " ", 3.0],
    ]
    declared = source(XLSX, table("people", ["ID", "CODE", "BORN", "SEEN", "SHARE"], key=["ID"]))
    opened = open_delivery([deliver("a.xlsx", workbook({"notes": [["x"]], "people": sheet}))], declared)
    assert rows(opened, "people") == [
        {
            "row": 2,
            "ID": "00123",
            "CODE": "123456789012345",
            "BORN": "1990-05-01",
            "SEEN": "2024-01-02T03:04:05",
            "SHARE": "0.25",
        },
        {"row": 3, "ID": "98", "CODE": "TRUE", "BORN": None, "SEEN": None, "SHARE": "3"},
    ]


def test_rows_of_a_sheet_keep_the_sheets_own_numbers(deliver: Deliver) -> None:
    """Title rows above the header, an empty row between records, a cell beyond the header."""
    sheet = [[None, "Register 2024"], [None], [None, "ID", "N"], [None, "1", "a"], [], [None, "2", "b", "stray"]]
    declared = source(XLSX | {"header_row": 3}, table("people", ["ID", "N"], key=["ID"]))
    opened = open_delivery([deliver("a.xlsx", workbook({"people": sheet}))], declared)
    assert [(row["row"], row["ID"]) for row in rows(opened, "people", size=1)] == [(4, "1"), (6, "2")]
    assert issues(opened) == [(6, None, "read.ragged_row", "error")]


def test_every_sheet_is_a_table(deliver: Deliver) -> None:
    book = workbook({"a": [["ID"], ["1"]], "b": [["ID"], ["2"], ["3"]]})
    declared = source(XLSX, table("a", ["ID"], key=["ID"]), table("b", ["ID"], key=["ID"]))
    opened = open_delivery([deliver("a.xlsx", book)], declared)
    assert [len(rows(opened, name)) for name in "ab"] == [1, 2]


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"", "delivery.empty"),
        (b"ID;N\n1;a\n", "delivery.unreadable"),
        (workbook({"people": [["ID"], ["1"]]})[:3000], "delivery.unreadable"),
        (workbook({"people": [["ID"]]}), "delivery.empty"),
        (workbook({"people": []}), "delivery.empty"),
        (workbook({"other": [["ID"], ["1"]]}), "delivery.wrong_source"),
        (workbook({"people": [["A", "B"], ["1", "2"]]}), "delivery.wrong_source"),
    ],
)
def test_a_workbook_that_is_no_such_delivery_is_refused(deliver: Deliver, content: bytes, rule: str) -> None:
    file = deliver("a.xlsx", content)
    with pytest.raises(Refused) as caught:
        open_delivery([file], source(XLSX, table("people", ["ID"], key=["ID"])))
    assert caught.value.rule == rule


def test_a_workbook_that_unpacks_without_end_is_refused(deliver: Deliver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.workbooks.workbook_process.MAX_UNPACKED", 1000)
    file = deliver("a.xlsx", workbook({"people": [["ID"], ["1"]]}))
    with pytest.raises(Refused, match="unpacks to more"):
        open_delivery([file], source(XLSX, table("people", ["ID"], key=["ID"])))


def test_a_stray_cell_in_the_far_corner_does_not_fill_the_memory(deliver: Deliver) -> None:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        sheet = book.add_worksheet("people")
        sheet.write_string(0, 0, "ID")
        sheet.write_string(1_048_575, 16_383, "stray")
    file = deliver("a.xlsx", out.getvalue())
    with pytest.raises(Refused, match="far corner"):
        open_delivery([file], source(XLSX, table("people", ["ID"], key=["ID"])))


@pytest.fixture
def system_file(tmp_path: Path) -> Path:
    """Five cases: refused (98) and unknown (99) are user-missing, the last case is system-missing."""
    path = tmp_path / "survey.sav"
    frame = pd.DataFrame(
        {
            "ID": ["A1", "A2", "A3", "A4", "A5"],
            "P1": [1.0, 2.0, 98.0, 99.0, np.nan],
            "PESO": [1.5, 2.0, 0.25, 1e6, np.nan],
            "FECHA": [date(2024, 1, 31), date(1950, 2, 3), None, date(2024, 2, 29), None],
            "NOMBRE": ["Muñoz", "", " ", "José", "Núñez"],
        }
    )
    pyreadstat.write_sav(
        frame,
        path,
        variable_value_labels={"P1": {1: "Sí", 2: "No", 98: "No responde", 99: "No sabe"}},
        missing_ranges={"P1": [{"lo": 98, "hi": 99}]},
    )
    return path


def spss_source(*columns: str) -> Source:
    return source(SPSS, table("main", columns, key=["ID"]))


def test_spss_codes_are_codes_and_keep_why_an_answer_is_missing(system_file: Path) -> None:
    opened = open_delivery([PlainFile(system_file)], spss_source("ID", "P1", "PESO", "FECHA", "NOMBRE"))
    found = rows(opened, size=2)
    assert [row["row"] for row in found] == [1, 2, 3, 4, 5]
    assert [row["P1"] for row in found] == ["1", "2", "98", "99", None]
    assert [row["PESO"] for row in found] == ["1.5", "2", "0.25", "1000000", None]
    assert [row["FECHA"] for row in found] == ["2024-01-31", "1950-02-03", None, "2024-02-29", None]
    assert [row["NOMBRE"] for row in found] == ["Muñoz", None, None, "José", "Núñez"]
    shape = {column.name: column for column in opened.tables["main"].columns}
    assert shape["P1"].value_labels == {"1": "Sí", "2": "No", "98": "No responde", "99": "No sabe"}
    assert shape["P1"].missing == ("98..99",)


@pytest.mark.parametrize("kept", [0, 10, 176, 600])
def test_a_torn_spss_file_is_refused(system_file: Path, kept: int) -> None:
    system_file.write_bytes(system_file.read_bytes()[:kept])
    with pytest.raises(Refused):
        open_delivery([PlainFile(system_file)], spss_source("ID", "P1"))


def test_a_file_of_another_survey_is_refused(system_file: Path) -> None:
    with pytest.raises(Refused) as caught:
        open_delivery([PlainFile(system_file)], spss_source("ID", "Q1", "Q2", "Q3"))
    assert caught.value.rule == "delivery.wrong_source"


@pytest.mark.corpus
def test_every_real_spss_file_is_read_case_by_case(corpus: Path) -> None:
    files = sorted([*(corpus / "spss").rglob("*.sav"), *(corpus / "spss").rglob("*.zsav")])
    assert len(files) > 15
    for file in files:
        frame, meta = pyreadstat.read_sav(file, user_missing=True)
        declared = source(SPSS, table("main", meta.column_names, key=meta.column_names[:1]))
        found = rows(open_delivery([PlainFile(file)], declared), size=100)
        assert [row["row"] for row in found] == list(range(1, len(frame) + 1))
        for name, kind in meta.readstat_variable_types.items():
            if kind == "string":
                assert [row[name] or "" for row in found] == [str(v).strip() and str(v) for v in frame[name]]
            elif meta.original_variable_types[name].startswith("F"):
                numbers = [np.nan if row[name] is None else float(row[name]) for row in found]
                assert np.allclose(numbers, frame[name].to_numpy(float), equal_nan=True)


@pytest.mark.corpus
def test_user_missing_of_a_real_file_is_described(corpus: Path) -> None:
    file = PlainFile(corpus / "spss" / "pyreadstat" / "simple_alltypes.sav")
    shape = open_delivery([file], source(SPSS, table("main", ["x", "y", "z"], key=["x"]))).tables["main"]
    assert {column.name: column.missing for column in shape.columns} == {
        "x": ("7", "8", "99"),
        "y": (),
        "z": ("-999..0", "999"),
    }
