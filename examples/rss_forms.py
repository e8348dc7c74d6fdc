"""The questionnaire of the two Kobo samples, and its XLSForm: questions and choices with their labels in each language.

`forms/rss_survey.csv` and `forms/rss_choices.csv` hold what is asked; a country's form is the lines marked `both` or
with its name. How answers are exported is the business of `kobo_exports`, which answers of `rss_answers`.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

FORMS = Path(__file__).resolve().parent / "forms"
WRITTEN = datetime(2024, 1, 1)
"""Creation date inside every workbook: the same bytes on every machine, on every day."""


@dataclass(frozen=True)
class Question:
    """One line of a survey: its XLSForm type, its groups (outermost first) and the repeat it stands in, if any."""

    type: str
    name: str
    relevant: str
    constraint: str
    labels: dict[str, str]
    groups: tuple[str, ...] = ()
    repeat: str = ""

    @property
    def kind(self) -> str:
        return self.type.partition(" ")[0]

    @property
    def list_name(self) -> str:
        return self.type.partition(" ")[2]


@dataclass(frozen=True)
class Form:
    """A form as it is designed: `languages` are (column of the CSV files, name in the XLSForm), the default first."""

    title: str
    form_id: str
    version: str
    languages: tuple[tuple[str, str], ...]
    lines: tuple[Question, ...]
    choices: dict[str, dict[str, dict[str, str]]]  # list -> code -> language -> label

    def questions(self, repeat: str = "") -> Iterator[Question]:
        """What makes columns in the table of `repeat`, or in the main table."""
        return (one for one in self.lines if one.repeat == repeat and not one.kind.startswith(("begin", "end_")))

    def choice_label(self, question: Question, code: str, language: str) -> str:
        """Label of a choice as an export shows it: where the form has none, the code (formats.md 1.1)."""
        return self.choices.get(question.list_name, {}).get(code, {}).get(language, "") or code


def load_form(which: str, title: str, form_id: str, version: str, languages: Sequence[tuple[str, str]]) -> Form:
    """The form of one country (`eth`, `civ`)."""
    columns = [column for column, _ in languages]
    lines = []
    groups: list[str] = []
    repeat = ""
    for row in _lines("rss_survey.csv", which):
        kind = row["type"].partition(" ")[0]
        repeat = "" if kind == "end_repeat" else repeat
        if kind in ("end_group", "end_repeat"):
            groups.pop()
        labels = {column: row[column] for column in columns}
        lines.append(
            Question(row["type"], row["name"], row["relevant"], row["constraint"], labels, tuple(groups), repeat)
        )
        if kind in ("begin_group", "begin_repeat"):
            groups.append(row["name"])
        repeat = row["name"] if kind == "begin_repeat" else repeat
    choices: dict[str, dict[str, dict[str, str]]] = {}
    for row in _lines("rss_choices.csv", which):
        choices.setdefault(row["list_name"], {})[row["name"]] = {column: row[column] for column in columns}
    return Form(title, form_id, version, tuple(languages), tuple(lines), choices)


def write_xlsform(form: Form, path: Path) -> Path:
    """The form as an XLSForm workbook: sheets survey, choices, settings."""
    names = [name for _, name in form.languages]
    survey: list[list[str]] = [["type", "name", *(f"label::{name}" for name in names), "relevant", "constraint"]]
    for line in form.lines:
        labels = [line.labels[column] for column, _ in form.languages]
        survey.append([line.type, line.name, *labels, line.relevant, line.constraint])
    choices: list[list[str]] = [["list_name", "name", *(f"label::{name}" for name in names)]]
    for list_name, codes in form.choices.items():
        for code, labels_of in codes.items():
            choices.append([list_name, code, *(labels_of[column] for column, _ in form.languages)])
    settings = [["form_title", "form_id", "version", "default_language"]]
    settings.append([form.title, form.form_id, form.version, names[0]])
    return write_workbook(path, {"survey": survey, "choices": choices, "settings": settings})


def write_workbook(path: Path, sheets: dict[str, Sequence[Sequence[str | int]]]) -> Path:
    """Sheets of text and whole numbers, byte for byte the same each time."""
    import xlsxwriter

    with xlsxwriter.Workbook(str(path)) as workbook:
        workbook.set_properties({"created": WRITTEN})
        for name, rows in sheets.items():
            sheet: Any = workbook.add_worksheet(name)
            for row, cells in enumerate(rows):
                for column, cell in enumerate(cells):
                    if isinstance(cell, int):
                        sheet.write_number(row, column, cell)
                    elif cell:
                        sheet.write_string(row, column, cell)
    return path


def _lines(name: str, which: str) -> list[dict[str, str]]:
    with (FORMS / name).open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["form"] in ("both", which)]
