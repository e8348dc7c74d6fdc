"""Does a crosswalk fit its source and the codebook? The first fault is an error with its line and the nearest name.

The laws kept here: what passes the gate has a place in the crosswalk; what identifies a person, and free text, has
none; every name exists; a row that can never match is a mistake. How values are converted is harmonization's business.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NoReturn

from codebook.errors import BadDefinition
from codebook.loader import Codebook
from codebook.models import Variable
from codebook.reading import Lines, nearest, place
from sources.crosswalk import BLANK, Condition, MapRow
from sources.models import Source
from sources.params import admin_level, constant_value, number_form
from values.dates import date_form

RULES_OF_TYPE: dict[str, tuple[str, ...]] = {
    "code": ("recode", "constant", "select_multiple", "first_of", "case"),
    "codes": ("select_multiple", "recode", "constant", "first_of", "case"),
    "integer": ("number", "age", "constant"),
    "decimal": ("number", "constant"),
    "date": ("date", "constant"),
    "place": ("geography", "constant"),
    "text": ("copy", "constant"),
}
CODED_RULES = ("recode", "select_multiple", "first_of", "case")


def check_crosswalk(source: Source, lines: Lines, codebook: Codebook) -> None:
    """Every row of the crosswalk against source.yaml and codebook, then what the rows together leave out."""
    _check_entities(source, lines, codebook)
    for row in source.crosswalk:
        _Row(row, source, codebook).check()
    for rows in source.crosswalk.variables.values():
        variable = codebook.entities[rows[0].entity].variable(rows[0].variable)
        _check_variable(source, rows, variable.type == "codes")
    _check_every_column_has_a_place(source, lines)


def _check_entities(source: Source, lines: Lines, codebook: Codebook) -> None:
    for index, table in enumerate(source.tables):
        for entity in table.entities:
            if entity not in codebook.entities:
                where = lines.where("tables", index, "entities", entity)
                raise BadDefinition(f"unknown entity `{entity}`", where, nearest(entity, codebook.entities))


class _Row:
    """One row beside all that it names."""

    def __init__(self, row: MapRow, source: Source, codebook: Codebook) -> None:
        self.row, self.source, self.codebook = row, source, codebook

    def check(self) -> None:
        row = self.row
        if row.table or row.rule or row.column:
            self.known("table", row.table, [table.name for table in self.source.tables])
        if row.variable:
            self.known("entity", row.entity, self.codebook.entities)
            self.known("variable", row.variable, self.codebook.entities[row.entity].names)
        for column in row.columns:
            self.check_column(column)
        if row.rule is not None:
            made = self.source.table(row.table).entities
            if row.entity not in made:
                self.wrong(f"table `{row.table}` makes no `{row.entity}`", f"{nearest(row.entity, made)} (source.yaml)")
            self.check_rule(self.codebook.entities[row.entity].variable(row.variable))

    def wrong(self, what: str, mend: str) -> NoReturn:
        raise BadDefinition(what, _where(self.source, self.row), mend)

    def known(self, what: str, name: str, names: Iterable[str]) -> None:
        if name not in names:
            self.wrong(f"unknown {what} `{name}`", nearest(name, names))

    def check_column(self, name: str) -> None:
        table = self.source.table(self.row.table)
        column = table.column(name)
        if column is None:
            self.wrong(
                f"column `{name}` is not declared in source.yaml", nearest(name, [c.name for c in table.columns])
            )
        if self.row.rule is None or column.passes:
            return
        if column.class_ == "identifier":
            self.wrong(f"column `{name}` is an identifier", "identifiers never leave the gate: remove this row")
        if column.class_ == "free_text":
            self.wrong(f"column `{name}` is free text", "free text is withheld: remove this row, or add policy: redact")
        self.wrong(f"column `{name}` is ignored and does not pass the gate", "give it a class that passes, or no row")

    def check_rule(self, variable: Variable) -> None:
        row, allowed = self.row, RULES_OF_TYPE[variable.type]
        if row.rule not in allowed:
            what = f"rule {row.rule} cannot make `{row.variable}`, which is of type {variable.type}"
            self.wrong(what, f"use {' or '.join(allowed)}")
        if row.rule == "constant":
            self.check_constant(variable)
        elif row.rule in CODED_RULES:
            self.check_coded()
        elif not row.column:
            self.wrong(f"rule {row.rule} without a column", "name the source column that it reads")
        elif bool(row.code) != bool(row.target):
            self.wrong("code and target stand together or not at all", "a row without both reads the value")
        if row.target:
            self.check_target(variable)
        self.check_free_text(variable)
        if variable.role == "free_text":
            return
        if row.rule == "copy":
            self.check_class("technical", "is copied as it is")
        if row.column and variable.restricted:
            self.check_class("sensitive", f"makes `{variable.name}`, which is restricted,")
        self.check_param(variable)

    def check_free_text(self, variable: Variable) -> None:
        """A redacted note is still free text: it goes where free text is kept, and nothing else goes there."""
        if variable.role == "free_text" and self.row.column:
            self.check_class("free_text", f"makes `{variable.name}`, which is free text,")
        table = self.source.table(self.row.table)
        notes = [name for name in self.row.columns if (c := table.column(name)) is not None and c.class_ == "free_text"]
        if notes and variable.role != "free_text":
            self.wrong(f"column `{notes[0]}` is free text", f"`{variable.name}` is not: map it to one of that role")

    def check_constant(self, variable: Variable) -> None:
        if bool(self.row.target) == bool(self.row.param):
            self.wrong("a constant is either a target or a param", "fill one of the two")
        if variable.coded and not self.row.target:
            self.wrong(f"the constant of `{variable.name}` is a code", "write its name as target")
        if variable.type == "place":
            self.known("P-code", self.row.param, {place.pcode for place in self.codebook.places(self.source.country)})

    def check_coded(self) -> None:
        row = self.row
        if row.rule == "case":
            if not row.column and not row.when:
                self.wrong("a case without column or condition", "name column and code, or conditions in `when`")
            if bool(row.column) != bool(row.code):
                self.wrong(
                    "column and code stand together or not at all", "`*` is any filled cell, (blank) an empty one"
                )
        elif not row.column or not row.code:
            self.wrong(f"rule {row.rule} without column or code", "`*` is any filled cell, (blank) an empty one")
        if row.rule == "select_multiple" and row.when and row.code != BLANK:
            self.wrong("ticked codes have no conditions", "leave `when` empty, or use rule case")
        if not row.target and not (row.rule == "select_multiple" and row.status == "impossible"):
            self.wrong("a code without target", "name a code of the list, or an answer state such as not_applicable")

    def check_target(self, variable: Variable) -> None:
        target, states = self.row.target, [state.name for state in self.codebook.states]
        if variable.codelist is not None:
            codes = self.codebook.codelists[variable.codelist]
            if target not in codes:
                mend = nearest(target, (*codes.names, *states))
                self.wrong(f"target `{target}` is not in code list `{variable.codelist}`", mend)
        elif target not in states:
            self.wrong(f"target `{target}` is no answer state", nearest(target, states))

    def check_class(self, wanted: str, why: str) -> None:
        column = self.source.table(self.row.table).column(self.row.column)
        if column is not None and column.class_ != wanted:
            what = f"column `{column.name}` {why} but is {column.class_}"
            self.wrong(what, f"declare it with class: {wanted}, or map it otherwise")

    def check_param(self, variable: Variable) -> None:
        row = self.row
        try:
            if row.rule == "constant" and row.param:
                constant_value(variable.type, row.param)
            elif row.rule in ("number", "age"):
                number_form(row.param, self.source.format.decimal)
            elif row.rule == "geography" and (row.param or not row.code):
                admin_level(row.param)
            elif row.rule == "date" and (row.param or not row.code):
                date_form(self.date_param())
            elif row.param and row.rule in ("copy", *CODED_RULES):
                raise ValueError("it takes none: remove the param")
        except ValueError as error:
            self.wrong(f"param of rule {row.rule}", str(error))

    def date_param(self) -> str:
        form = self.row.param or self.source.format.date_format
        if not form:
            raise ValueError("a date needs its form: %d/%m/%Y, iso, year, ethiopian:%d/%m/%Y ...")
        return form


def _check_variable(source: Source, rows: tuple[MapRow, ...], listed: bool) -> None:
    """What the rows of one variable say together; `listed`: whether it takes several answers, from several columns."""
    first = rows[0]
    seen: dict[tuple[str, str, tuple[Condition, ...]], int] = {}
    columns = list(dict.fromkeys(row.column for row in rows if row.column))
    for row in rows:
        where = _where(source, row)
        if row.rule != first.rule:
            raise BadDefinition(
                f"{row.entity}.{row.variable} has rules {first.rule} and {row.rule}", where, f"keep {first.rule}"
            )
        one_column = row.rule == "recode" or (row.rule == "select_multiple" and not listed)
        if one_column and row.column != columns[0]:
            mend = "use rule first_of or case for several columns"
            raise BadDefinition(f"{row.rule} of columns `{columns[0]}` and `{row.column}`", where, mend)
        match = (row.column, row.code, row.when)
        if match in seen:
            raise BadDefinition(
                "a row that never matches", where, f"line {seen[match]} has the same code and conditions"
            )
        seen[match] = row.line
    reading = {row.column for row in rows if not row.code}
    if first.rule in ("number", "age", "date", "geography", "copy"):
        for column in columns:
            if column not in reading and not all(row.code == BLANK for row in rows if row.column == column):
                raise BadDefinition(
                    f"column `{column}` has special codes but no row that reads it",
                    _where(source, first),
                    "add a row with empty code and target",
                )


def _check_every_column_has_a_place(source: Source, lines: Lines) -> None:
    for index, table in enumerate(source.tables):
        named = source.crosswalk.columns(table.name)
        for number, column in enumerate(table.columns):
            if column.passes and not any(column.covers(name) for name in named):
                raise BadDefinition(
                    f"column `{column.name}` passes the gate but is not in crosswalk.csv",
                    lines.where("tables", index, "columns", number),
                    "map it, record it as impossible with a note, or declare it with class: ignore",
                )


def _where(source: Source, row: MapRow) -> str:
    return place(source.folder / "crosswalk.csv", row.line)
