"""`homeward scaffold`: what it proposes loads, passes nothing that it does not recognise, and runs for nobody yet."""

from __future__ import annotations

import csv
import gzip
import json
import re
import shlex
import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest
import xlsxwriter

from assets.factory import source_assets
from assets.intake import Delivery
from assets.scaffold import Scaffolded, scaffold
from assets.stages.admit import admit
from assets.workplace import Workplace
from codebook.errors import BadDefinition, HomewardError, Refused
from sources.batches import PlainFile
from sources.loader import load_source
from sources.models import SasFormat

SEXES = ["Femenino", "Masculino"] * 6
HEADER = "REGISTRO;NOMBRE;SEXO;ESTADO_CIVIL;FECHA_RETORNO;NACIONALIDAD;LOTE;OBSERVACIONES"


def row(n: int) -> str:
    married = "Casado" if n else "Rosa Xol me dijo"
    notes = f"llegó con su prima Ana Tum {n} veces por la noche"
    return f"R{n};Ana Tum;{SEXES[n]};{married};0{n % 9 + 1}/0{n % 4 + 1}/2024;Guatemala;L{n % 3};{notes}"


@pytest.fixture
def written(tmp_path: Path) -> Scaffolded:
    file = tmp_path / "arrivals.csv"
    file.write_text("\n".join([HEADER, *map(row, range(12))]), encoding="utf-8")
    return scaffold(PlainFile(file), None, "GTM", "gtm/arrivals", tmp_path / "sources")


def rows_of(written: Scaffolded) -> list[dict[str, str]]:
    return list(csv.DictReader((written.folder / "crosswalk.csv").read_text(encoding="utf-8").splitlines()))


def test_what_is_proposed_loads_and_waits_for_approval(written: Scaffolded) -> None:
    source = load_source("gtm/arrivals", written.folder.parents[1])
    assert len(source.crosswalk.proposed) == len(source.crosswalk.rows) > 3
    made = {(r["column"], r["variable"], r["rule"]) for r in rows_of(written)}
    assert {("SEXO", "sex", "recode"), ("FECHA_RETORNO", "return_date", "date")} <= made
    assert {(r["code"], r["target"]) for r in rows_of(written) if r["column"] == "SEXO"} == {
        ("Femenino", "female"),
        ("Masculino", "male"),
    }


def test_a_proposed_source_does_not_keep_the_others_from_being_loaded(written: Scaffolded) -> None:
    """Dagster refuses a code location with an owner that is neither an address nor a team."""
    assert source_assets(load_source("gtm/arrivals", written.folder.parents[1]))
    declared = written.folder / "source.yaml"
    declared.write_text(re.sub("owner: .*", "owner: somebody", declared.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(BadDefinition, match="owner"):
        load_source("gtm/arrivals", written.folder.parents[1])


def test_every_row_says_how_sure_it_is_and_why(written: Scaffolded) -> None:
    assert all(float(row["note"][:4]) >= 0.5 and "«" in row["note"] for row in rows_of(written))
    assert not any(row["reviewer"] for row in rows_of(written))


def test_what_is_not_recognised_does_not_pass(written: Scaffolded) -> None:
    source = load_source("gtm/arrivals", written.folder.parents[1])
    classes = {column.name: column.class_ for column in source.tables[0].columns}
    assert (classes["NOMBRE"], classes["OBSERVACIONES"], classes["LOTE"]) == ("identifier", "free_text", "ignore")
    assert classes["REGISTRO"] == "identifier"
    assert set(source.passing("main")) == {match.column.name for match in written.tables[0].matches}


@pytest.mark.parametrize("packed", [False, True])
def test_records_of_json_are_proposed_from_packed_or_not(tmp_path: Path, packed: bool) -> None:
    records = [{"sexo": SEXES[n], "fec_retorno": f"2024-02-0{n % 9 + 1}"} for n in range(12)]
    content = json.dumps({"result": {"items": records}}).encode()
    file = tmp_path / ("returns.json.gz" if packed else "returns.json")
    file.write_bytes(gzip.compress(content) if packed else content)
    written = scaffold(PlainFile(file), None, "SLV", "slv/packed", tmp_path / "sources")
    source = load_source("slv/packed", tmp_path / "sources")
    assert (source.format.kind, getattr(source.format, "records", "")) == ("json", "result/items")
    assert {(r["column"], r["variable"]) for r in rows_of(written)} >= {("fec_retorno", "return_date")}


def test_an_archive_of_several_files_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        archive.writestr("a.csv", "SEXO\nM\n")
        archive.writestr("b.csv", "SEXO\nF\n")
    with pytest.raises(Refused, match="2 files"):
        scaffold(PlainFile(tmp_path / "two.zip"), None, "SLV", "slv/two", tmp_path / "sources")


def test_somebodys_own_words_are_no_code(written: Scaffolded) -> None:
    told = (written.folder / "crosswalk.csv").read_text() + (written.folder / "source.yaml").read_text()
    assert "Casado" in told
    assert "Rosa" not in told
    assert "prima" not in told


def test_dates_that_fit_two_forms_say_so(written: Scaffolded) -> None:
    note = next(row["note"] for row in rows_of(written) if row["variable"] == "return_date")
    assert "%m/%d/%Y" in note


def test_nothing_runs_before_it_is_approved(written: Scaffolded) -> None:
    source = load_source("gtm/arrivals", written.folder.parents[1])
    today = datetime.now(UTC).date()
    agreed = source.model_copy(update={"expires": today})
    with pytest.raises(Refused) as refusal:
        admit(cast(Workplace, None), Delivery(agreed, f"{today}-00000000", "", today, ()))
    assert refusal.value.rule == "delivery.proposed_mapping"
    assert str(written.folder / "crosswalk.csv") in str(refusal.value)
    assert "approved" in str(refusal.value)


def test_a_source_that_is_there_is_left_alone(written: Scaffolded, tmp_path: Path) -> None:
    with pytest.raises(HomewardError, match="there already"):
        scaffold(PlainFile(tmp_path / "arrivals.csv"), None, "GTM", "gtm/arrivals", tmp_path / "sources")


@pytest.mark.parametrize(("country", "source"), [("GTM", "slv/x"), ("Guatemala", "gtm/x"), ("GTM", "gtm/X-1")])
def test_names_that_are_none_are_refused(tmp_path: Path, country: str, source: str) -> None:
    with pytest.raises(HomewardError):
        scaffold(PlainFile(tmp_path / "a.csv"), None, country, source, tmp_path)


def test_the_commands_of_the_page_serve(tmp_path: Path) -> None:
    """docs/add-a-source.md starts with them, on the file that stands on the page."""
    project = Path(__file__).resolve().parents[2]
    page = (project / "docs" / "add-a-source.md").read_text(encoding="utf-8")
    (content,) = re.findall(r"\*\*`arrivals.csv`\*\*\n\n```csv\n(.*?)```", page, re.DOTALL)
    (tmp_path / "arrivals.csv").write_text(content, encoding="utf-8")
    (block,) = re.findall(r"```sh\n(homeward profile .*?)```", page, re.DOTALL)
    commands = block.splitlines()
    assert [command.split()[1] for command in commands] == ["profile", "scaffold"]
    for command in commands:
        typed = subprocess.run(
            [sys.executable, "-m", "pipelines.cli", *shlex.split(command)[1:]],
            cwd=tmp_path,
            env={"PYTHONPATH": str(project), "PATH": ""},
            capture_output=True,
            text=True,
            check=False,
        )
        assert typed.returncode == 0, typed.stderr
        assert "Ana Xol" not in typed.stdout + typed.stderr
    proposed = load_source("gtm/arrivals_proposed", tmp_path / "sources")
    assert proposed.crosswalk.proposed


@pytest.mark.corpus
def test_a_catalog_of_labels_beside_the_file_is_declared(corpus: Path, tmp_path: Path) -> None:
    data, catalog = (
        PlainFile(corpus / "stata_sas" / name) for name in ("test_data_win.sas7bdat", "test_formats_win.sas7bcat")
    )
    scaffold(data, catalog, "GTM", "gtm/panel", tmp_path)
    declared = load_source("gtm/panel", tmp_path).format
    assert isinstance(declared, SasFormat)
    assert declared.catalog


def test_a_header_below_titles_is_proposed_where_it_stands(tmp_path: Path) -> None:
    file = tmp_path / "arrivals.csv"
    titles = ["Arrivals 2026;;;;;;;", ";;;;;;;"]
    file.write_text("\n".join([*titles, HEADER, *map(row, range(12))]), encoding="utf-8")
    written = scaffold(PlainFile(file), None, "GTM", "gtm/arrivals", tmp_path / "sources")
    declared = load_source("gtm/arrivals", written.folder.parents[1]).format
    assert declared.kind == "csv"
    assert (declared.header_row, declared.header_rows) == (3, 1)


@pytest.mark.parametrize("name", ["arrivals.csv", "arrivals.xlsx"])
def test_a_file_without_a_header_is_refused_and_no_record_becomes_a_name(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    records = [(f"R{n}", "Ana Tum", f"0{n + 1}/06/2009") for n in range(9)]
    if name.endswith("csv"):
        file.write_text("\n".join(map(";".join, records)), encoding="utf-8")
    else:
        with xlsxwriter.Workbook(file) as book:
            sheet = book.add_worksheet()
            for at, record in enumerate(records):
                sheet.write_row(at, 0, record)
    with pytest.raises(Refused, match="no row looks like a header"):
        scaffold(PlainFile(file), None, "GTM", "gtm/arrivals", tmp_path / "sources")
    assert not (tmp_path / "sources").exists()


def test_what_the_form_asks_under_a_condition_is_skipped_where_it_does_not_hold(tmp_path: Path) -> None:
    form, export = tmp_path / "form.xlsx", tmp_path / "export.csv"
    questions = [
        ("type", "name", "label", "relevant"),
        ("integer", "hh_size", "How many people live in the household?", ""),
        ("select_one yn", "has_debt", "Does the household owe money?", ""),
        ("select_one size", "debt_size", "Debt against monthly spending", "${has_debt} = 'yes'"),
    ]
    listed = [
        ("yn", "yes", "Yes"),
        ("yn", "no", "No"),
        ("size", "d", "Debt is larger"),
        ("size", "s", "Spending is larger"),
    ]
    with xlsxwriter.Workbook(form) as book:
        survey, choices = book.add_worksheet("survey"), book.add_worksheet("choices")
        for at, question in enumerate(questions):
            survey.write_row(at, 0, question)
        for at, choice in enumerate([("list_name", "name", "label"), *listed]):
            choices.write_row(at, 0, choice)
    answers = [f"{n},{n % 9 + 1},{'yes,d' if n % 2 else 'no,'},u{n}" for n in range(1, 41)]
    export.write_text("\n".join(["_id,hh_size,has_debt,debt_size,_uuid", *answers]), encoding="utf-8")
    written = scaffold(PlainFile(export), PlainFile(form), "ETH", "eth/debts", tmp_path / "sources")
    blank = [(r["column"], r["when"], r["target"], r["status"]) for r in rows_of(written) if r["code"] == "(blank)"]
    assert blank == [("debt_size", "asked(debt_size)=no", "skipped_by_logic", "exact")]
    source = load_source("eth/debts", tmp_path / "sources")
    assert {c.name: c.class_ for c in source.tables[0].columns}["asked(debt_size)"] == "technical"


def test_what_a_profile_says_of_a_table_is_said_again(tmp_path: Path) -> None:
    file = tmp_path / "arrivals.csv"
    second = ["", "LUGAR;AÑO;TOTAL;;;;;", *(f"Petén;202{n};{n};;;;;" for n in range(6))]
    file.write_text("\n".join([HEADER, *map(row, range(12)), *second]), encoding="utf-8")
    written = scaffold(PlainFile(file), None, "GTM", "gtm/arrivals", tmp_path / "sources")
    (told,) = written.remarks()["main"]
    assert "Another table may begin in row" in told
    assert f"  # {told}" in (written.folder / "source.yaml").read_text(encoding="utf-8").splitlines()
