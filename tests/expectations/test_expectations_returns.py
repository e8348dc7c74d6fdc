"""The marked return: three files that say the same, in the supplier's rows, columns and language, without a value."""

import datetime as dt
import json
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from openpyxl import load_workbook

from codebook.errors import Unavailable
from codebook.loader import load_codebook
from expectations import returns, returns_html, returns_xlsx
from expectations.returns import LISTED, Return, ReturnedTable
from expectations.verdicts import FINDINGS, RowCounts

Finding = tuple[str, str, str | None, int | None, str | None, str | None]

FOUND: list[Finding] = [
    ("rule.case.open_date.date", "error", "main", 17, None, "open_date"),
    ("rule.case.close_after_open", "error", "main", 9, None, "close_date"),
    ("map.unknown_code", "error", "main", 3, "estado", "status"),
    ("map.unknown_code", "error", "main", 3, "estado", "closure_reason"),
    ("map.unknown_code", "error", "main", 2, "estado", "status"),
    ("rule.case.record_key", "query", "main", 5, None, "record_key"),
    ("gate.undeclared_column", "note", "main", None, "=cmd|calc", None),
    ("delivery.wrong_encoding", "note", None, None, None, None),
]


def table_of(findings: list[Finding]) -> pa.Table:
    rows = [(rule, "1.0.0", severity, *place) for rule, severity, *place in findings]
    return pa.Table.from_pylist([dict(zip(FINDINGS.names, row, strict=True)) for row in rows], schema=FINDINGS)


def a_return(language: str = "es", found: list[Finding] = FOUND, **changes: Any) -> Return:
    main = ReturnedTable(
        "main",
        "Casos",
        RowCounts(rows_in=100, accepted=96, flagged=1, rejected=4),
        headers={"estado": "Estado del caso"},
        columns={
            ("case", "open_date"): ("FEC_APERTURA",),
            ("case", "close_date"): ("FEC_CIERRE",),
            ("case", "record_key"): ("EXPEDIENTE",),
        },
    )
    facts = {
        "source": "hnd/inm_cases",
        "delivery": "2026-11-22-1a2b3c4d",
        "title": "Casos de retorno",
        "language": language,
        "files": ("casos.csv",),
        "received": dt.date(2026, 11, 22),
        "state": "published",
        "tables": (main,),
        "versions": {"codebook": "1.0.0", "crosswalk": "abcdef012345"},
        "codebook": load_codebook(),
        "findings": table_of(found),
    }
    return Return(**(facts | changes))


def read_json(folder: Path) -> Any:
    return json.loads((folder / "return.json").read_text("utf-8"))


def sheets(folder: Path) -> dict[str, list[tuple[Any, ...]]]:
    book = load_workbook(folder / "return.xlsx")
    return {sheet.title: [tuple(cell.value for cell in row) for row in sheet.iter_rows()] for sheet in book}


def test_json_names_the_suppliers_own_sheet_row_and_column(tmp_path: Path) -> None:
    said = read_json(returns.write(tmp_path / "out", a_return()))
    assert said["totals"] == {"rows_in": 100, "accepted": 96, "flagged": 1, "rejected": 4}
    assert said["versions"] == {"codebook": "1.0.0", "crosswalk": "abcdef012345"}
    places = {(one["rule"], one["scope"], one["sheet"], one["row"], one["column"]) for one in said["findings"]}
    assert places == {
        ("rule.case.open_date.date", "row", "Casos", 17, "FEC_APERTURA"),
        ("rule.case.close_after_open", "row", "Casos", 9, "FEC_CIERRE, FEC_APERTURA"),
        ("map.unknown_code", "row", "Casos", 2, "Estado del caso"),
        ("map.unknown_code", "row", "Casos", 3, "Estado del caso"),
        ("rule.case.record_key", "row", "Casos", 5, "EXPEDIENTE"),
        ("gate.undeclared_column", "column", "Casos", None, "=cmd|calc"),
        ("delivery.wrong_encoding", "delivery", None, None, None),
    }
    assert [rule["severity"] for rule in said["rules"]] == ["error", "error", "error", "query", "note", "note"]
    assert {rule["rule"]: rule["count"] for rule in said["rules"]}["map.unknown_code"] == 2


def test_a_finding_has_the_same_id_whenever_it_is_found_again(tmp_path: Path) -> None:
    first = read_json(returns.write(tmp_path / "out", a_return()))["findings"]
    again = read_json(returns.write(tmp_path / "out", a_return("ar", FOUND[::-1])))["findings"]
    other = read_json(returns.write(tmp_path / "out", a_return(delivery="2026-11-23-1a2b3c4d")))["findings"]
    ids = {one["id"] for one in first}
    assert len(ids) == len(first)
    assert ids == {one["id"] for one in again}
    assert not ids & {one["id"] for one in other}


def test_the_workbook_begins_with_what_passed(tmp_path: Path) -> None:
    book = sheets(returns.write(tmp_path / "out", a_return()))
    assert list(book) == ["Resumen", "Hallazgos por regla", "Filas con hallazgos"]
    assert book["Resumen"][0] == ("Aceptadas", 96)
    rows = book["Filas con hallazgos"][1:]
    assert [(row[0], row[1]) for row in rows if isinstance(row[1], int)] == [("Casos", n) for n in (2, 3, 5, 9, 17)]


def test_a_column_named_like_a_formula_stays_text(tmp_path: Path) -> None:
    folder = returns.write(tmp_path / "out", a_return())
    cells = [cell for sheet in load_workbook(folder / "return.xlsx") for row in sheet.iter_rows() for cell in row]
    hostile = [cell for cell in cells if cell.value == "=cmd|calc"]
    assert [cell.data_type for cell in hostile] == ["s"]
    assert hostile[0].quotePrefix


def test_the_page_is_offline_and_has_no_script(tmp_path: Path) -> None:
    page = (returns.write(tmp_path / "out", a_return()) / "return.html").read_text("utf-8")
    assert not re.search(r"<script|\bon\w+=|https?://|<img|<link|@import|url\(", page)
    assert page.index("Aceptadas") < page.index("Rechazadas")


def test_a_hostile_column_name_is_escaped_on_the_page() -> None:
    found: list[Finding] = [("gate.undeclared_column", "note", "main", None, "<script>alert(1)</script>", None)]
    page = returns_html.render(returns.gather(a_return(found=found)))
    assert "<script>" not in page


def test_arabic_reads_from_right_to_left_and_isolates_ids(tmp_path: Path) -> None:
    folder = returns.write(tmp_path / "out", a_return("ar"))
    page = (folder / "return.html").read_text("utf-8")
    assert '<html lang="ar" dir="rtl">' in page
    assert '<bdi dir="ltr">map.unknown_code</bdi>' in page
    book = load_workbook(folder / "return.xlsx")
    assert all(sheet.sheet_view.rightToLeft for sheet in book)


def test_listings_stop_and_totals_do_not(tmp_path: Path) -> None:
    found: list[Finding] = [("map.unknown_code", "error", "main", row, "estado", "status") for row in range(2, 3002)]
    folder = returns.write(tmp_path / "out", a_return("en", found))
    said, book = read_json(folder), sheets(folder)
    page = (folder / "return.html").read_text("utf-8")
    assert (len(said["findings"]), said["rules"][0]["count"]) == (3000, 3000)
    assert book["Findings by rule"][1][3] == 3000
    notice = f"The list stops at {LISTED} of 3000 findings of this rule; return.json holds all of them."
    assert notice in page
    assert book["Rows with findings"][1][4] == notice
    assert len(book["Rows with findings"]) == LISTED + 2
    assert page.count("Estado del caso") == LISTED


def test_a_delivery_without_findings_passed(tmp_path: Path) -> None:
    folder = returns.write(tmp_path / "out", a_return("fr", [], tables=()))
    assert read_json(folder)["findings"] == []
    assert "Il n’y a aucun constat." in (folder / "return.html").read_text("utf-8")


def test_a_refused_delivery_gets_a_return_that_says_why(tmp_path: Path) -> None:
    refused = a_return(
        "es", [], state="refused", tables=(), refused_reason="delivery.missing_column", refused_where="FEC_CIERRE"
    )
    folder = returns.write(tmp_path / "out", refused)
    said = read_json(folder)
    assert (said["state"], said["refused_reason"]) == ("refused", "delivery.missing_column")
    assert [(one["scope"], one["severity"]) for one in said["findings"]] == [("delivery", "error")]
    assert said["findings"][0]["message"] == "Falta una columna del acuerdo. (FEC_CIERRE)"
    page = (folder / "return.html").read_text("utf-8")
    assert "La entrega fue rechazada" in page
    assert "FEC_CIERRE" in page
    assert ("Motivo", "Falta una columna del acuerdo. (FEC_CIERRE)") in sheets(folder)["Resumen"]


def test_a_refusal_names_the_columns_that_it_is_about(tmp_path: Path) -> None:
    rule = "delivery.missing_column"
    found: list[Finding] = [(rule, "error", None, None, column, None) for column in ("EXPEDIENTE", "SEXO")]
    refused = a_return("fr", found, state="refused", tables=(), refused_reason=rule, refused_where="casos.csv")
    folder = returns.write(tmp_path / "out", refused)
    said = read_json(folder)
    assert [(one["scope"], one["column"]) for one in said["findings"]] == [("column", "EXPEDIENTE"), ("column", "SEXO")]
    assert "(EXPEDIENTE, SEXO, casos.csv)" in said["rules"][0]["message"]
    assert "(EXPEDIENTE, SEXO, casos.csv)" in (folder / "return.html").read_text("utf-8")


@pytest.mark.parametrize(("language", "file"), [("fr", "fichier 2"), ("es", "archivo 2"), ("ar", "الملف 2")])
def test_a_file_without_its_name_is_called_so_in_the_language(tmp_path: Path, language: str, file: str) -> None:
    folder = returns.write(tmp_path / "out", a_return(language, files=("casos.csv", "file 2.xlsx")))
    assert f"casos.csv, {file}.xlsx" in (folder / "return.html").read_text("utf-8")
    assert read_json(folder)["files"] == ["casos.csv", "file 2.xlsx"]


def test_french_has_a_space_before_a_colon(tmp_path: Path) -> None:
    page = (returns.write(tmp_path / "out", a_return("fr")) / "return.html").read_text("utf-8")
    assert "Nombre\N{NO-BREAK SPACE}: " in page


def test_a_disk_that_is_full_leaves_the_older_return_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = returns.write(tmp_path / "out", a_return())
    before = {file.name: file.read_bytes() for file in folder.iterdir()}

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(returns_xlsx, "write", full)
    with pytest.raises(Unavailable, match="out: No space left on device"):
        returns.write(folder, a_return("fr"))
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before
    assert [file.name for file in tmp_path.iterdir()] == ["out"]


def test_an_older_return_of_the_delivery_is_replaced(tmp_path: Path) -> None:
    returns.write(tmp_path / "out", a_return())
    folder = returns.write(tmp_path / "out", a_return("fr"))
    assert read_json(folder)["language"] == "fr"
    assert sorted(file.name for file in folder.iterdir()) == ["return.html", "return.json", "return.xlsx"]
