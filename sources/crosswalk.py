"""A crosswalk as data: one row per target variable, source column and source code, read from crosswalk.csv.

It knows the closed sets of the file and its shape (what stands together, what a condition looks like). Whether the
names in it exist is checked against source and codebook in `checks`; applying it is harmonization's business.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from codebook.errors import BadDefinition
from sources.reading import Line, nearest, read_rows, short

HEADER = (
    "entity", "variable", "rule", "table", "column", "code", "label", "when",
    "target", "target_label", "param", "status", "note", "reviewer", "state",
)  # fmt: skip
RULES = (
    "copy", "recode", "number", "date", "constant", "select_multiple", "first_of", "case", "geography", "age",
)  # fmt: skip
STATUSES = ("exact", "broader", "narrower", "partial", "impossible", "undetermined")
STATES = ("proposed", "approved")
BLANK, ANY = "(blank)", "*"
"""Codes with a meaning of their own: an empty cell, and any filled cell."""


@dataclass(frozen=True, slots=True)
class Condition:
    """`column=code`, to hold on the same row; `code` may be `(blank)` or `*`."""

    column: str
    code: str


@dataclass(frozen=True, slots=True)
class MapRow:
    """One row of crosswalk.csv; `line` is its place in the file."""

    line: int
    entity: str
    variable: str
    rule: str
    table: str
    column: str
    code: str
    label: str
    when: tuple[Condition, ...]
    target: str
    target_label: str
    param: str
    status: str
    note: str
    reviewer: str
    state: str

    @property
    def maps(self) -> bool:
        """Whether the row makes a value; the others only record that something has no place."""
        return bool(self.variable and self.rule)

    @property
    def columns(self) -> tuple[str, ...]:
        """Source columns the row reads or speaks of."""
        named = (self.column, *(condition.column for condition in self.when))
        return tuple(name for name in named if name)


@dataclass(frozen=True)
class Crosswalk:
    """All rows of a source's crosswalk in file order, with the ways the house looks at them."""

    rows: tuple[MapRow, ...]

    def __iter__(self) -> Iterator[MapRow]:
        return iter(self.rows)

    @cached_property
    def variables(self) -> Mapping[tuple[str, str, str], tuple[MapRow, ...]]:
        """(table, entity, variable) -> the rows that make it, in file order."""
        groups: dict[tuple[str, str, str], list[MapRow]] = {}
        for row in self.rows:
            if row.maps:
                groups.setdefault((row.table, row.entity, row.variable), []).append(row)
        return {group: tuple(rows) for group, rows in groups.items()}

    @property
    def proposed(self) -> tuple[MapRow, ...]:
        """Rows nobody has approved yet; a delivery is not run while there are any."""
        return tuple(row for row in self.rows if row.state == "proposed")

    def columns(self, table: str) -> list[str]:
        """Every source column of the table that the crosswalk names, once, in file order."""
        return list(dict.fromkeys(name for row in self.rows if row.table == table for name in row.columns))


def read_crosswalk(path: Path, only_table: str = "") -> Crosswalk:
    """Read crosswalk.csv; `only_table` stands in where `table` is empty. BadDefinition with file and line."""
    rows = tuple(_row(line, only_table) for line in read_rows(path, HEADER))
    _check_together(path, rows)
    return Crosswalk(rows)


def _row(line: Line, only_table: str) -> MapRow:
    cells = line.cells
    _one_of(line, "rule", RULES, or_empty=True)
    _one_of(line, "status", STATUSES)
    _one_of(line, "state", STATES)
    if bool(cells["entity"]) != bool(cells["variable"]):
        raise BadDefinition("entity and variable stand together or not at all", line.where, "fill both or neither")
    if not cells["rule"] and cells["status"] != "impossible":
        raise BadDefinition("a row without a rule", line.where, "name a rule, or set status to impossible")
    if cells["status"] == "impossible" and not cells["variable"] and not cells["note"]:
        raise BadDefinition("a column recorded as impossible without a note", line.where, "say why in the column note")
    fields = {name: cells[name] for name in HEADER if name not in ("when", "table")}
    return MapRow(line=line.number, table=cells["table"] or only_table, when=_conditions(line), **fields)


def _one_of(line: Line, name: str, allowed: tuple[str, ...], or_empty: bool = False) -> None:
    value = line.cells[name]
    if value not in allowed and not (or_empty and not value):
        raise BadDefinition(f"unknown {name} {value!r}", line.where, nearest(value, allowed))


def _conditions(line: Line) -> tuple[Condition, ...]:
    conditions = []
    for part in filter(None, (part.strip() for part in line.cells["when"].split("&"))):
        column, equals, code = part.partition("=")
        if not equals or not column.strip() or not code.strip():
            raise BadDefinition(
                f"condition {part!r} is not column=code", line.where, "write column=code & column2=code2"
            )
        conditions.append(Condition(column.strip(), code.strip()))
    return tuple(conditions)


def _check_together(path: Path, rows: tuple[MapRow, ...]) -> None:
    """First match in file order wins, so a reader must see all rows of a variable at one glance."""
    seen: dict[tuple[str, str, str], MapRow] = {}
    before = None
    for row in rows:
        group = (row.table, row.entity, row.variable)
        if row.variable and group != before and group in seen:
            raise BadDefinition(
                f"rows of {row.entity}.{row.variable} do not stand together",
                f"{short(path)} line {row.line}",
                f"move them below line {seen[group].line}",
            )
        seen[group] = row
        before = group
