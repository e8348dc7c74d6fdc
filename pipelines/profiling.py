"""The command `profile`: what is in a file that nobody has declared yet."""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.text import Text

from pipelines import console
from sources.readers import VERSION

_VERSION = re.compile(VERSION)
_SOMEBODYS = re.compile(
    r"\S@[^\s@]+\.\w|\+\s?\d[\d\s().-]{7,}\d|-?\d{1,3}\.\d{4,}[\s,;]+-?\d{1,3}\.\d{4,}|^\W*\d(?:[\s.()/-]{0,2}\d){8,}\W*$"
)
"""E-mail addresses, telephones, places, long numbers: where a sheet has no header, its first cells stand there."""
_DATE = re.compile(
    r"^\W*(?:"
    r"\d{4}([-/. ])\d\d?\1\d\d?|\d\d?([-/. ])\d\d?\2\d{4}|[0-3]\d([-/.])[0-3]\d\3\d\d|(?:19|20)\d\d[01]\d[0-3]\d"
    r"|\d\d?[-/. ]+(?:de )?[^\W\d_]{3,12}\.?[-/. ]+(?:del? )?\d{4}|\d\d?-[^\W\d_]{3}-\d\d"
    r"|[^\W\d_]{3,12}\.? \d\d?, ?\d{4}"
    r")(?:[T ]\d\d:\d\d[\d:.]{0,12}Z?)?\W*$"
)
"""A whole date and nothing else: somebody's birth date, where a table was turned on its side, or has no header."""


def show_profile(file: Path, form: Path | None, json: bool) -> None:
    """Print the profile of a file, read beside its form if one is given."""
    from connectors.profiling.profile import profile
    from connectors.steady import unchanged
    from connectors.unknown import delivered, open_unknown

    plain, beside = delivered(file), delivered(form) if form else None
    with console.watching(f"reading {file.name}"), unchanged(file), _without_looking_for_cycles():
        looked = open_unknown(plain, beside)
        found = without_values(profile(looked, file.name))
    if json:
        console.print_json(found)
        return
    console.out.print(
        Text(file.name, style="bold"),
        f": {found['format']}" + (f", {found['encoding']}" if found["encoding"] else ""),
        sep="",
    )
    for line in _notes(found["facts"]):
        console.out.print(line)
    for table in found["tables"]:
        _show_table(table)


def without_values(found: dict[str, Any]) -> dict[str, Any]:
    """The profile as it may be shown. Headers that are somebody's number, address or date are told by their place,
    labels of columns and codes that hold one not at all: some programs make labels of cells. Of the column of a form's
    version only what has the form of one is told: the rest are cells of one filled otherwise."""
    tables = [
        table | {"columns": [_nobodys(column, place) for place, column in enumerate(table["columns"], 1)]}
        for table in found["tables"]
    ]
    facts = dict(found["facts"])
    if versions := facts.get("form_versions"):
        facts["form_versions"] = [one for one in versions if _VERSION.fullmatch(one)]
    if said := facts.get("form_version"):
        facts["form_version"] = ", ".join(one for one in said.split(", ") if _VERSION.fullmatch(one))
    return found | {"tables": tables, "facts": facts}


def _nobodys(column: dict[str, Any], place: int) -> dict[str, Any]:
    labels = {code: _unless_somebodys(label) for code, label in column["value_labels"].items()}
    name, label = _unless_somebodys(column["name"], f"(column {place})"), _unless_somebodys(column["label"])
    return column | {"name": name, "label": label, "value_labels": labels}


def _unless_somebodys(text: str, instead: str = "") -> str:
    return instead if _SOMEBODYS.search(text) or _DATE.match(text) else text


@contextmanager
def _without_looking_for_cycles() -> Iterator[None]:
    """Records are lists in their millions that hold no cycles: looking for some took half the time of 100,000."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _notes(facts: dict[str, Any]) -> list[str]:
    """What a person has to know about the file before declaring it: what was guessed, and what stands beside tables."""
    notes = []
    if facts.get("encoding_candidates"):
        notes.append(f"The encoding may be {', '.join(facts['encoding_candidates'])}: read as the first; declare it.")
    elif facts.get("encoding_detected"):
        notes.append("The encoding was found by its letters: have it confirmed.")
    if facts.get("delimiter"):
        rows = f", {facts['header_rows']} rows" if facts["header_rows"] > 1 else ""
        mark = {"\t": "tab", " ": "space"}.get(facts["delimiter"], facts["delimiter"])
        header = f"header in row {facts['header_row']}{rows}" if facts["header_rows"] else "no row looks like a header"
        notes.append(f"Delimiter {mark}; {header}.")
    if facts.get("escaped_quotes"):
        notes.append("Quotation marks have a backslash before them, which stays in the cells: ask for doubled marks.")
    if facts.get("values"):
        spoken = f" in {facts['language']}" if facts.get("language") else ""
        notes.append(f"Exported as {facts['values']}{spoken}, separator {facts['separator']}.")
    for fact, what in (
        ("archive", "Files"),
        ("beside_records", "Beside the records"),
        ("multiple_response_sets", "Sets"),
    ):
        if facts.get(fact):
            notes.append(f"{what}: {', '.join(map(str, facts[fact]))}.")
    sheets = facts.get("sheets") or {}
    hidden = [name for name, sheet in sheets.items() if sheet.get("hidden")]
    merged = [name for name, sheet in sheets.items() if sheet.get("merged_below")]
    if hidden:
        notes.append(f"Hidden sheets: {', '.join(hidden)}.")
    if merged:
        told = "cells merged over several rows have their text in the first of them only: ask for them unmerged"
        notes.append(f"Sheets {', '.join(merged)}: {told}.")
    return notes


def _show_table(table: dict[str, Any]) -> None:
    from connectors.profiling.remarks import remarks

    columns = table["columns"]
    title = f"{table['name']}: {table['rows']:,} rows, {len(columns)} columns"
    rows = [
        [
            column["name"],
            column["label"],
            column["type"],
            column["filled"],
            f"{'' if column['distinct_exact'] else 'at least '}{column['distinct']:,}",
            len(column["value_labels"]) or None,
            ", ".join([*column["missing_codes"], *(f"{code}?" for code in column["missing_by_label"])]),
            ", ".join(column["looks_like"]),
        ]
        for column in columns
    ]
    heads = ("name", "label", "type", "filled", "distinct", "labels", "missing codes", "looks like")
    console.print_table(heads, rows, title)
    for line in remarks(table):
        console.out.print(line)
