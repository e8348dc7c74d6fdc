"""A proposed crosswalk.csv: every row `proposed`, with its score and its evidence in the note.

Codes for which no answer is sure get no row: a row is a decision, and without one the supplier's rows are rejected, not
guessed at. How many they are stands in the note of the variable's first row.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence

from codebook.loader import Codebook
from codebook.models import Variable
from sources.crosswalk import BLANK, MapRow
from sources.proposing.answers import Answer
from sources.proposing.constants import Constant, constants
from sources.proposing.declaring import ProposedTable
from sources.proposing.described import Described, Match, date_forms
from sources.proposing.words import plain

COLUMNS = [name for name in MapRow.model_fields if not name.startswith("_")]
_SURE = 0.95


def crosswalk_csv(tables: Sequence[ProposedTable], codebook: Codebook, country: str) -> str:
    """The text of crosswalk.csv; `country`: to which people came back, three letters."""
    written = io.StringIO(newline="")
    writer = csv.DictWriter(written, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for table in tables:
        for match in table.matches:
            for row in (*_rows(table.name, match, codebook), *_skipped(table.name, match, codebook)):
                writer.writerow(row | {"state": "proposed"})
        for constant in constants(table.matches, country, codebook):
            writer.writerow(_constant(table.name, constant, codebook) | {"state": "proposed"})
    return written.getvalue()


def _skipped(table: str, match: Match, codebook: Codebook) -> Iterator[dict[str, str]]:
    """Rows for blank cells that were not asked for, beside rows that make something of the filled ones."""
    if match.target.variable.codelist is not None and not match.answers:
        return
    state = next(state for state in codebook.states if state.name == "skipped_by_logic")
    made = {
        "entity": match.target.entity,
        "variable": match.target.variable.name,
        "rule": _rule(match),
        "table": table,
        "column": match.column.name,
        "code": BLANK,
        "label": "(not asked)",
        "target": state.name,
        "target_label": state.label("en"),
    }
    for skip in match.skipped:
        note = {"note": f"{skip.score:.2f}: {skip.evidence}"}
        yield made | note | {"when": skip.when, "status": "exact" if skip.score >= _SURE else "undetermined"}


def _constant(table: str, constant: Constant, codebook: Codebook) -> dict[str, str]:
    codelist = codebook.codelist_of(constant.entity, constant.variable)
    return {
        "entity": constant.entity,
        "variable": constant.variable,
        "rule": "constant",
        "table": table,
        "target": constant.target,
        "target_label": codelist.label(codelist.code(constant.target)),
        "status": "undetermined",
        "note": f"{constant.score:.2f}: {constant.evidence}",
    }


def _rule(match: Match) -> str:
    variable = match.target.variable
    if match.rule:
        return match.rule
    if variable.codelist is None:
        return _RULES[variable.type]
    return "select_multiple" if variable.type == "codes" or "select_multiple" in match.column.kinds else "recode"


def _rows(table: str, match: Match, codebook: Codebook) -> Iterator[dict[str, str]]:
    variable = match.target.variable
    column = match.column
    made = {"entity": match.target.entity, "variable": variable.name, "table": table, "column": column.name}
    note = f"{match.score:.2f}: {match.evidence}"
    status = {"status": "exact" if match.score >= _SURE else "undetermined"}
    if variable.codelist is not None:
        if not match.answers:
            yield made | {"status": "impossible", "note": f"{note}: name an answer for each of them"}
            return
        yield from _code_rows(made | {"rule": _rule(match)}, match, variable.codelist, codebook, note)
        return
    yield from _special_codes(made | {"rule": _RULES[variable.type]}, match.column.codes, match.answers, codebook)
    forms = date_forms(column)
    param = ""
    if variable.type == "date":
        param = forms[0]
        note += f"; the dates fit as well: {', '.join(forms[1:])}" if len(forms) > 1 else ""
    elif variable.type == "place":
        param = variable.name[-4:]
    elif variable.type in ("integer", "decimal"):
        param = conversion(column, variable)
        note += f"; converted {param.partition('=')[2]} by its words" if param else ""
    yield made | status | {"rule": _RULES[variable.type], "label": column.label, "param": param, "note": note}


_PERIODS: Mapping[str, frozenset[str]] = {
    "day": frozenset(("day", "days", "daily", "jour", "jours", "dia", "dias", "diario", "يوم", "ايام")),
    "week": frozenset(("week", "weeks", "weekly", "semaine", "semaines", "semana", "semanas", "semanal", "اسبوع")),
    "month": frozenset(("month", "months", "monthly", "mois", "mensuel", "mes", "meses", "mensual", "شهر", "اشهر")),
    "year": frozenset(("year", "years", "annual", "yearly", "an", "ans", "annee", "annees", "annuel", "ano", "anos"))
    | frozenset(("anio", "anios", "anual", "سنة", "سنوات")),
}
"""Words of headers and labels, folded, that name a period."""


def conversion(column: Described, variable: Variable) -> str:
    """The param that converts the one period which a column names to the variable's; empty where nothing differs.

    A duration is counted in its unit; an amount is one per the period that the variable names.
    """
    said = set(f"{plain(column.name)} {plain(column.label)}".split())
    given = [period for period, words in _PERIODS.items() if said & words]
    wanted = (variable.unit or "").removesuffix("s")
    if variable.unit == "currency":
        wanted = "month" if variable.name.startswith("monthly") else ""
    if wanted not in ("day", "week", "month") or len(given) != 1 or given[0] == wanted:
        return ""
    return f"{'per' if variable.unit == 'currency' else 'unit'}={given[0]}>{wanted}"


_RULES: Mapping[str, str] = {
    "integer": "number",
    "decimal": "number",
    "date": "date",
    "place": "geography",
    "text": "copy",
}


def _code_rows(
    made: dict[str, str], match: Match, codelist: str, codebook: Codebook, note: str
) -> Iterator[dict[str, str]]:
    left = [code for code in match.column.codes if code not in match.answers and code not in match.nothing]
    if left:
        note += f"; {len(left)} codes without a proposal"
    for code, label in match.column.codes.items():
        answer = match.answers.get(code)
        if answer is not None:
            said = f"{note}; code {answer.score:.2f}: {answer.evidence}"
            yield made | _code_row(code, label, answer, codebook, codelist) | {"note": said}
        elif code in match.nothing:
            yield made | {"code": code, "label": label or code, "status": "impossible", "note": f"{note}; not ticked"}


def _special_codes(
    made: dict[str, str], codes: Mapping[str, str], answers: Mapping[str, Answer], codebook: Codebook
) -> Iterator[dict[str, str]]:
    """Codes of a number that stand for an answer state."""
    any_list = next(iter(codebook.codelists))
    for code, answer in answers.items():
        note = f"{answer.score:.2f}: {answer.evidence}"
        yield made | _code_row(code, codes[code], answer, codebook, any_list) | {"note": note}


def _code_row(code: str, label: str, answer: Answer, codebook: Codebook, codelist: str) -> dict[str, str]:
    listed = codebook.codelists[codelist]
    return {
        "code": code,
        "label": label or code,
        "target": answer.target,
        "target_label": listed.label(listed.code(answer.target)),
        "status": "exact" if answer.score >= _SURE else "undetermined",
    }
