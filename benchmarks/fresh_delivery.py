"""Deliveries of made-up sources: rows drawn from what each CSV in `fresh_sources/` says that a column holds.

A row there is a column or one of its codes, with the variable and the answer that are right. `when` says on which
answer of another column a question was asked, `asks: several` that its answers are joined in one cell. Delivered is a
KoboToolbox export with its form where the name ends in `_kobo`, Stata where in `_stata`; else SPSS where the codes
have labels, and CSV where they have none. What is right is told here; how much of it is found, in `fresh_scaffold`.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from codebook.loader import load_codebook
from sources.batches import PlainFile

FOLDER = Path(__file__).parent / "fresh_sources"
_ROWS, _SEED = 400, 20261122
_BLANK = "(blank)"
_LONGEST_LABEL = 80
"""Of a Stata variable; a longer question is cut off."""
_NAMES = ("Amina Traoré", "José Pérez", "Awa Koné", "Luis Ajú", "Rana Salim", "Omar Diallo", "Ana Tum", "Jon Bello")
_SENTENCES = ("llamó el martes y no estaba", "called twice but nobody was there", "est revenu seul au village")
_TOWNS = ("Azogues", "Loja Norte", "Ikeja", "Kano South", "Daule", "Oredo East", "Paute", "Machala")

Row = Mapping[str, str]


@dataclass(frozen=True)
class Fresh:
    """A made-up source: its rows as written."""

    name: str
    rows: tuple[Row, ...]

    @property
    def columns(self) -> dict[str, list[Row]]:
        found: dict[str, list[Row]] = {}
        for row in self.rows:
            found.setdefault(row["column"], []).append(row)
        return found

    def pairs(self) -> set[tuple[str, str, str]]:
        return {(row["column"], *_variable(row)) for row in self.rows if row["variable"]}

    def codes(self) -> set[tuple[str, str, str, str, str]]:
        told = [row for row in self.rows if row["variable"] and row["target"]]
        return {(row["column"], *_variable(row), row["code"], row["target"]) for row in told}


def _variable(row: Row) -> tuple[str, str]:
    entity, _, variable = row["variable"].partition(".")
    return entity, variable


def fresh_sources() -> list[Fresh]:
    """Every source of the folder, by name."""
    found = []
    for path in sorted(FOLDER.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as handle:
            found.append(Fresh(path.stem, tuple(csv.DictReader(handle))))
    return found


def write(fresh: Fresh, folder: Path) -> tuple[PlainFile, PlainFile | None]:
    """A delivery of the source, with its form where it has one."""
    cells = _drawn(fresh)
    if fresh.name.endswith("_kobo"):
        system = {"_id": [str(n + 1) for n in range(_ROWS)], "_uuid": [f"u{n}" for n in range(_ROWS)]}
        return _as_csv(folder / f"{fresh.name}.csv", cells | system, ","), _form(fresh, folder)
    if fresh.name.endswith("_stata"):
        return _labelled(fresh, cells, folder / f"{fresh.name}.dta"), None
    if any(row["code_label"] for row in fresh.rows):
        return _labelled(fresh, cells, folder / f"{fresh.name}.sav"), None
    return _as_csv(folder / f"{fresh.name}.csv", cells, ";"), None


def _drawn(fresh: Fresh) -> dict[str, list[str]]:
    drawn = random.Random(_SEED)
    cells: dict[str, list[str]] = {}
    for name, listed in fresh.columns.items():
        told = [row for row in listed if row["code"] != _BLANK]
        column = [_cell(told, n, drawn) for n in range(_ROWS)]
        gate, _, answer = (listed[0].get("when") or "").partition("=")
        if gate:
            column = [cell if cells[gate][n] == answer else "" for n, cell in enumerate(column)]
        cells[name] = column
    return cells


def _cell(listed: list[Row], n: int, drawn: random.Random) -> str:
    row = listed[0]
    kind, _, detail = row["code"].partition(":")
    if row.get("asks") == "several":
        ticked = drawn.sample([one["code"] for one in listed], drawn.randint(1, min(3, len(listed))))
        return " ".join(ticked)
    if row["target"] or kind not in _MADE:
        return drawn.choice(listed)["code"]
    born = row["variable"] == "person.birth_year" and kind == "date"
    return _MADE["born" if born else kind](detail, n, drawn)


def _born(form: str, n: int, drawn: random.Random) -> str:
    return (date(1955, 1, 1) + timedelta(days=drawn.randrange(19_000))).strftime(form)


def _date(form: str, n: int, drawn: random.Random) -> str:
    return (date(2019, 1, 1) + timedelta(days=drawn.randrange(2_400))).strftime(form)


def _whole(ends: str, n: int, drawn: random.Random) -> str:
    low, _, high = ends.partition("-")
    return str(drawn.randint(int(low), int(high)))


def _place(where: str, n: int, drawn: random.Random) -> str:
    country, _, level = where.partition(":")
    named = [p.name for p in load_codebook().places(country.upper()) if str(p.level) == level]
    return drawn.choice(sorted(named))


_MADE: Mapping[str, Callable[[str, int, random.Random], str]] = {
    "id": lambda detail, n, drawn: f"R-{n:05d}",
    "name": lambda detail, n, drawn: drawn.choice(_NAMES),
    "phone": lambda detail, n, drawn: f"+503 7{drawn.randrange(10**7):07d}",
    "text": lambda detail, n, drawn: f"{drawn.choice(_SENTENCES)} {n}",
    "money": lambda detail, n, drawn: str(drawn.randrange(40, 9_000) * 25),
    "placewords": lambda detail, n, drawn: drawn.choice(_TOWNS),
    "date": _date,
    "born": _born,
    "int": _whole,
    "place": _place,
}


def _as_csv(path: Path, cells: Mapping[str, list[str]], delimiter: str) -> PlainFile:
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, delimiter=delimiter)
        writer.writerow(cells)
        writer.writerows(zip(*cells.values(), strict=True))
    return PlainFile(path)


def _labelled(fresh: Fresh, cells: Mapping[str, list[str]], path: Path) -> PlainFile:
    """As SPSS or Stata: numbers with labels, and blank cells as missing numbers."""
    import pandas as pd
    import pyreadstat

    frame = pd.DataFrame({name: _numbers(column) for name, column in cells.items()})
    coded = {
        name: {float(row["code"]): row["code_label"] for row in listed if row["code_label"]}
        for name, listed in fresh.columns.items()
    }
    labels = {name: listed[0]["label"] for name, listed in fresh.columns.items()}
    values = {name: told for name, told in coded.items() if told}
    if path.suffix == ".dta":
        whole = {name: {int(code): label for code, label in told.items()} for name, told in values.items()}
        short = {name: label[:_LONGEST_LABEL] for name, label in labels.items()}
        pyreadstat.write_dta(frame, str(path), column_labels=short, variable_value_labels=whole, version=15)
    else:
        pyreadstat.write_sav(frame, str(path), column_labels=labels, variable_value_labels=values)
    return PlainFile(path)


def _numbers(column: list[str]) -> list[float] | list[str]:
    if all(cell == "" or cell.isdigit() for cell in column):
        return [float(cell) if cell else float("nan") for cell in column]
    return column


def _form(fresh: Fresh, folder: Path) -> PlainFile:
    """The XLSForm: a question a column, its answers as choices, the condition of `when` as `relevant`."""
    import xlsxwriter

    path = folder / f"{fresh.name}_form.xlsx"
    with xlsxwriter.Workbook(path) as book:
        survey, choices = book.add_worksheet("survey"), book.add_worksheet("choices")
        survey.write_row(0, 0, ["type", "name", "label", "relevant"])
        choices.write_row(0, 0, ["list_name", "name", "label"])
        listed = [row for row in fresh.rows if row["code_label"] and row["code"] != _BLANK]
        for at, row in enumerate(listed):
            choices.write_row(at + 1, 0, [row["column"], row["code"], row["code_label"]])
        for at, (name, rows) in enumerate(fresh.columns.items()):
            gate, _, answer = (rows[0].get("when") or "").partition("=")
            relevant = f"${{{gate}}} = '{answer}'" if gate else ""
            survey.write_row(at + 1, 0, [_question(name, rows), name, rows[0]["label"], relevant])
    return PlainFile(path)


def _question(name: str, rows: list[Row]) -> str:
    if rows[0]["code_label"]:
        return f"select_{'multiple' if rows[0].get('asks') == 'several' else 'one'} {name}"
    kind = rows[0]["code"].partition(":")[0]
    return {"date": "date", "int": "integer", "money": "integer"}.get(kind, "text")
