"""Compiles the rows that make one variable into one vectorised step: names to codes, params to forms, once a source."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence

from codebook.loader import PHYSICAL, Codebook
from codebook.models import Variable
from harmonization.coded import Case, Constant, FirstOf, SelectMultiple, TickedColumns
from harmonization.made import Step
from harmonization.matching import CodeRow
from harmonization.reading import ConstantValue, Reading, ReadRow
from sources.crosswalk import ANY, BLANK, Condition, MapRow
from sources.models import Source
from sources.params import constant_value
from sources.readers import reader


def step(source: Source, codebook: Codebook, rows: tuple[MapRow, ...]) -> Step:
    """The step that makes the variable of `rows`: all its rows in one table, in file order."""
    variable = codebook.entities[rows[0].entity].variable(rows[0].variable)
    return _Compiler(source, codebook, variable).step(rows)


class _Compiler:
    def __init__(self, source: Source, codebook: Codebook, variable: Variable) -> None:
        self.source, self.codebook, self.variable = source, codebook, variable
        self.missing = codebook.state("missing_unexpected")
        self.listed = variable.type == "codes"
        self.kind = PHYSICAL[variable.type][0]

    def step(self, rows: tuple[MapRow, ...]) -> Step:
        match rows[0].rule:
            case "constant":
                return self.constant(rows[0])
            case "recode" | "first_of":
                return FirstOf(self.code_rows(rows), self.missing, self.listed)
            case "case":
                known = known_codes(self.source, rows[0].table)
                return Case(self.code_rows(rows), known, self.missing, self.listed)
            case "select_multiple":
                columns = dict.fromkeys(row.column for row in rows)
                ticked = [self.ticked(column, [row for row in rows if row.column == column]) for column in columns]
                return ticked[0] if len(ticked) == 1 else TickedColumns(ticked)
        read = [row for row in rows if not row.code]
        reads = [ReadRow(row.column, _conditions(row), reader(self.source, self.codebook, row)) for row in read]
        return Reading(self.code_rows(rows), reads, self.missing, self.kind)

    def ticked(self, column: str, rows: Sequence[MapRow]) -> SelectMultiple:
        placeless = [_text(row.code) for row in rows if not row.target]
        return SelectMultiple(self.code_rows(rows), placeless, self.missing, self.listed, column)

    def code_rows(self, rows: Sequence[MapRow]) -> list[CodeRow]:
        return [CodeRow(row.column, _text(row.code), _conditions(row), self.code(row)) for row in rows if row.target]

    def code(self, row: MapRow) -> int:
        if self.variable.codelist is None:
            return self.codebook.state(row.target)
        return self.codebook.codelists[self.variable.codelist].code(row.target)

    def constant(self, row: MapRow) -> Step:
        if self.variable.coded:
            return Constant(self.code(row), self.listed)
        if row.target:
            return ConstantValue(None, self.code(row), self.kind)
        return ConstantValue(constant_value(self.variable.type, row.param), None, self.kind)


def known_codes(source: Source, table: str) -> Mapping[str, frozenset[str]]:
    """By column of a table: the codes that any variable of the crosswalk has a row for."""
    found: dict[str, set[str]] = {}
    for row in source.crosswalk:
        if row.table == table and row.rule is not None and row.code not in ("", BLANK, ANY):
            found.setdefault(row.column, set()).add(_text(row.code))
    return {column: frozenset(codes) for column, codes in found.items()}


def _conditions(row: MapRow) -> tuple[Condition, ...]:
    return tuple(Condition(one.column, _text(one.code)) for one in row.when)


def _text(code: str) -> str:
    """Codes are compared in the form in which cells are (`cells`)."""
    return unicodedata.normalize("NFC", code.strip())
