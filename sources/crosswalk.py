"""A crosswalk as data: one row per target variable, source column and source code, read from crosswalk.csv.

It knows the closed sets of the file and its shape (what stands together, what a condition looks like). Whether the
names in it exist is checked against source and codebook in `checks`; applying it is harmonization's business.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, PrivateAttr, field_validator, model_validator

from codebook.errors import BadDefinition
from codebook.reading import place, read_rows

Rule = Literal[
    "copy", "recode", "number", "date", "constant", "select_multiple", "first_of", "case", "geography", "age"
]
Status = Literal["exact", "broader", "narrower", "partial", "impossible", "undetermined"]

BLANK, ANY = "(blank)", "*"
"""Codes with a meaning of their own: an empty cell, and any filled cell."""


@dataclass(frozen=True, slots=True)
class Condition:
    """`column=code`, to hold on the same row; `code` may be `(blank)` or `*`."""

    column: str
    code: str


class MapRow(BaseModel):
    """One row of crosswalk.csv; an empty cell is an empty text. `line` is its place in the file."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    entity: str = ""
    variable: str = ""
    rule: Rule | None = None
    table: str = ""
    column: str = ""
    code: str = ""
    label: str = ""
    when: tuple[Condition, ...] = ()
    target: str = ""
    target_label: str = ""
    param: str = ""
    status: Status
    note: str = ""
    reviewer: str = ""
    state: Literal["proposed", "approved"]
    _line: int = PrivateAttr(0)

    @field_validator("when", mode="before")
    @classmethod
    def _conditions(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        conditions = []
        for part in value.split("&"):
            column, _, code = (piece.strip() for piece in part.partition("="))
            if not column or not code:
                raise ValueError("write column=code & column2=code2")
            conditions.append(Condition(column, code))
        return tuple(conditions)

    @model_validator(mode="after")
    def _belongs_together(self) -> MapRow:
        if bool(self.entity) != bool(self.variable):
            raise ValueError("entity and variable stand together or not at all")
        if self.rule is None and self.status != "impossible":
            raise ValueError("a row without a rule has status impossible: name a rule, or say so")
        if self.rule is not None and not self.variable:
            raise ValueError(f"rule {self.rule} needs an entity and a variable")
        if self.rule is None and not self.variable and not (self.column and self.note):
            raise ValueError("a column without a place in the codebook is recorded with column and note")
        return self

    @property
    def line(self) -> int:
        return self._line

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
            if row.rule is not None:
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
    rows = []
    for line, row in read_rows(path, MapRow):
        placed = row if row.table else row.model_copy(update={"table": only_table})
        placed._line = line
        rows.append(placed)
    _check_together(path, rows)
    return Crosswalk(tuple(rows))


def _check_together(path: Path, rows: list[MapRow]) -> None:
    """First match in file order wins, so a reader must see all rows of a variable at one glance."""
    last_line: dict[tuple[str, str, str], int] = {}
    before = None
    for row in rows:
        group = (row.table, row.entity, row.variable)
        if row.variable and group != before and group in last_line:
            raise BadDefinition(
                f"rows of {row.entity}.{row.variable} do not stand together",
                place(path, row.line),
                f"move them below line {last_line[group]}",
            )
        last_line[group] = row.line
        before = group
