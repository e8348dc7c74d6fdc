"""Exports and their forms written as tables, and what must come out of them."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from small_forms import export, workbook
from small_sources import MemoryFile, issues, rows, source, table

from connectors import Opened, open_delivery

CHOICES = """
list_name | name | label::English (en) | label::French (fr)
yn        | y    | Yes                 | Oui
yn        | n    | No                  | Non
fruit     | a    | Apple               | Pomme
fruit     | b    | Big apple           | Grosse pomme
fruit     | c    | Cherry / plum       |
"""
FRUIT = """
type                  | name | label::English (en) | label::French (fr)
start                 | start
begin_group           | g    | Group: one          | Groupe un
select_one yn         | q    | Do you like it?     | Aimez-vous ?
select_multiple fruit | m    | Which: fruit?       | Quels fruits ?
geopoint              | loc  | Where               | Où
end_group
"""
ENGLISH = {"values": "labels", "language": "English (en)", "multiple_select": "both"}
FRENCH = {"values": "labels", "language": "French (fr)", "multiple_select": "both"}
BOTH = {"multiple_select": "both"}
LABELS = {"values": "labels"}


class Case(NamedTuple):
    """An export, its form (one or several versions), what is read of it (the first column is the key), the rows that
    come out (`.` is blank), and what was found: `row column rule severity`."""

    form: str | tuple[MemoryFile, ...]
    export: str
    read: str
    found: str
    issues: Sequence[str] = ()
    kobo: dict[str, Any] | None = None
    choices: str = CHOICES


def cells(text: str) -> list[list[str]]:
    lines = (line.strip() for line in text.strip().splitlines())
    return [re.split(r"\s+\|(?:\s+|$)", line) if line else [] for line in lines]


def sheet(text: str) -> list[list[str | None]]:
    return [[cell or None for cell in row] for row in cells(text)]


def xlsform(survey: str, choices: str = CHOICES) -> MemoryFile:
    return MemoryFile("form.xlsx", workbook({"survey": sheet(survey), "choices": sheet(choices)}))


def asset(version: str, survey: Sequence[dict[str, Any]], choices: Sequence[dict[str, Any]] = ()) -> MemoryFile:
    """A version of a form as the server's API shows it; versions are deployed in the order of their names."""
    content = {"survey": list(survey), "choices": list(choices), "translations": ["English (en)"]}
    shown = {"content": content, "version_id": f"v{version}", "date_deployed": f"2024-0{version}-01T00:00:00Z"}
    return MemoryFile(f"v{version}.json", json.dumps(shown).encode())


def opened(case: Case) -> Opened:
    written = [["" if cell == "." else cell for cell in row] for row in cells(case.export)]
    forms = (xlsform(case.form, case.choices),) if isinstance(case.form, str) else case.form
    columns = case.read.split()
    declared = source({"kind": "kobo_csv", **(case.kobo or {})}, table("main", columns, key=columns[:1]))
    return open_delivery([MemoryFile("x.csv", export(*written)), *forms], declared)


def told(row: dict[str, Any]) -> str:
    """A row as a case writes it."""
    shown = ("." if value is None else f"'{value}'" if " " in str(value) else value for value in list(row.values())[1:])
    return " ".join(shown)


def holds(case: Case) -> None:
    """Reading gives the rows and the findings of the case."""
    read = opened(case)
    assert [told(row) for row in rows(read)] == case.found.split(" / ")
    assert [" ".join(map(str, issue)) for issue in issues(read)] == list(case.issues)
