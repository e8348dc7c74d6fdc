"""`homeward profile` shows no cell: not where one stands in place of a header, nor in place of a form's version."""

from __future__ import annotations

import json
from pathlib import Path

import openpyxl
import pandas as pd
import pyreadstat
import pytest

from anonymization.leaks.canaries import Canaries
from anonymization.leaks.search import LeakSearch
from pipelines.profiling import show_profile, without_values

CANARIES = Canaries(seed=23)
HEADERS = ("age", "2024-01", "P30001002003", "q_10_15", "% 18-59", "2019-2020", "1.2.10", "30/40/50", "Round 2 2024")
BORN = (
    "1987-03-12",
    "12/03/1987",
    "12.03.87",
    "12 de marzo de 1987",
    "12-Mar-1987",
    "12-mar-87",
    "March 12, 1987",
    "1987-03-12 00:00:00",
    "١٩٨٧/٣/١٢",
    "۱۳۶۶-۱۲-۲۱",
    "19870312",
    "(1987-03-12)",
)


def profiled(path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    shown = []
    for as_json in (True, False):
        show_profile(path, form=None, json=as_json)
        shown.append(capsys.readouterr().out)
    json.loads(shown[0])
    return "\n".join(shown)


def leaks(shown: str) -> list[str]:
    search = LeakSearch(CANARIES)
    search.look(shown, "stdout", "profile")
    return [leak.canary for leak in search.leaks]


def test_a_header_that_is_somebodys_number_or_address(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    persons = [CANARIES.phone("persian"), CANARIES.phone(), CANARIES.email(), CANARIES.gps(), CANARIES.number("arabic")]
    plain = ["case_no", "given", "family", "born", "address", "notes", "consent", "sex", "returned", "department"]
    header = [*plain, *persons, *HEADERS]
    rows = [[str(number), *("1" for _ in header[1:])] for number in range(1, 9)]
    text = "\n".join(";".join(row) for row in [header, *rows])
    (tmp_path / "list.csv").write_text(text, encoding="utf-8")
    shown = profiled(tmp_path / "list.csv", capsys)
    assert leaks(shown) == []
    assert all(name in shown for name in ("(column 11)", "(column 15)", *HEADERS))


def test_a_label_that_holds_somebodys_number_or_address(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels = [f"Ask {CANARIES.phone()}", CANARIES.email(), f"near {CANARIES.gps()}", "Age in years"]
    frame = pd.DataFrame({f"q{number}": [1, 2] for number in range(len(labels))})
    codes = {"q0": {1: CANARIES.phone("persian"), 2: "no phone"}, "q1": {1: CANARIES.email(), 2: CANARIES.gps()}}
    pyreadstat.write_sav(frame, tmp_path / "survey.sav", column_labels=labels, variable_value_labels=codes)
    shown = profiled(tmp_path / "survey.sav", capsys)
    assert leaks(shown) == []
    assert all(label in shown for label in ("Age in years", "no phone"))


@pytest.mark.parametrize("born", BORN)
def test_a_birth_date_is_no_header_and_no_label(tmp_path: Path, capsys: pytest.CaptureFixture[str], born: str) -> None:
    """A sheet that was turned on its side has a column for each day of birth."""
    (tmp_path / "turned.csv").write_text(f"district;sex;{born};total\nNorte;F;1;7\nSur;M;2;8\n", encoding="utf-8")
    shown = profiled(tmp_path / "turned.csv", capsys)
    assert born not in shown
    assert all(name in shown for name in ("district", "(column 3)", "total"))
    column = {"name": "sex", "label": born, "value_labels": {"1": born, "2": "woman"}}
    (told,) = without_values({"tables": [{"columns": [column]}], "facts": {}})["tables"][0]["columns"]
    assert (told["label"], told["value_labels"]) == ("", {"1": "", "2": "woman"})


@pytest.mark.parametrize("unit", ["@", "a@", "+1", "1.2345,", "-1 ", "((", "x.", "12-", "1/2/", "12 de ", " "])
def test_a_header_of_one_thing_over_and_over_holds_nobody_up(unit: str) -> None:
    """A cell of a million signs, where a sheet has no header: by the square of its length it would take hours."""
    column = {"name": unit * 1_000_000, "label": "", "value_labels": {}}
    assert without_values({"tables": [{"columns": [column]}], "facts": {}})["tables"][0]["columns"]


def test_what_stands_in_place_of_the_version_of_a_form(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    header = ["case_no", "sex", "_id", "_uuid", "_submission_time", "__version__", "_index"]
    versions = ["vQ7aXk2LmN", *(CANARIES.name(script) for script in ("latin", "ethiopic", "arabic"))]
    book = openpyxl.Workbook()
    book.active.append(header)
    for number, version in enumerate(versions, 1):
        book.active.append(["1", "F", number, f"u-{number}", "2024-05-17T10:00:00", version, number])
    book.save(tmp_path / "export.xlsx")
    shown = profiled(tmp_path / "export.xlsx", capsys)
    assert leaks(shown) == []
    assert "vQ7aXk2LmN" in shown
