"""return.xlsx: a workbook of three sheets to work through: summary, findings by rule, rows with findings.

Written row by row in constant memory. Text is only ever written as text (`write()` would turn `=...` in a column name
into a formula), with the quote prefix that keeps it text when it is edited.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from expectations.returns import LISTED, Report
from expectations.returns_words import SEVERITY_WORDS, cut_short, scope_word, summary

Row = Sequence[str | int | None]


def write(report: Report, path: Path) -> None:
    """Raises OSError when the disk does not take it."""
    import xlsxwriter
    from xlsxwriter.exceptions import XlsxWriterException

    say = report.words.say
    options = {"constant_memory": True, "tmpdir": str(path.parent), "strings_to_formulas": False}
    workbook = xlsxwriter.Workbook(str(path), options)
    styles = {
        "text": workbook.add_format({"quote_prefix": True, "text_wrap": True, "valign": "top"}),
        "number": workbook.add_format({"valign": "top", "num_format": "0"}),
        "head": workbook.add_format({"quote_prefix": True, "bold": True, "bottom": 1, "text_wrap": True}),
    }
    severities = {name: say(word) for name, word in SEVERITY_WORDS.items()}
    rules = [
        (one.rule, one.version, severities[one.severity], one.count, one.text.message, one.text.mend)
        for one in report.rules
    ]
    heads = {name: say(name) for name in ("Rule", "Version", "Severity", "Sheet", "Row", "Column")}
    found, mend = say("What was found"), say("How to mend")
    by_rule = (heads["Rule"], heads["Version"], heads["Severity"], say("Number"), found, mend)
    by_row = (heads["Sheet"], heads["Row"], heads["Column"], heads["Severity"], found, mend, heads["Rule"], say("Id"))

    _sheet(workbook, styles, report, say("Summary"), (28, 60), None, summary(report))
    _sheet(workbook, styles, report, say("Findings by rule"), (36, 9, 12, 10, 60, 60), by_rule, rules)
    _sheet(workbook, styles, report, say("Rows with findings"), (16, 9, 24, 12, 60, 60, 36, 15), by_row, _rows(report))
    try:
        workbook.close()
    except XlsxWriterException as error:
        raise OSError("XlsxWriter could not write the workbook") from error


def _rows(report: Report) -> list[Row]:
    """In the order of the supplier's file; of one rule at most LISTED rows, and a line that says how many more."""
    listed: list[tuple[tuple[str, int], Row]] = []
    left: dict[str, int] = {}
    severities = {name: report.words.say(word) for name, word in SEVERITY_WORDS.items()}
    for mark in report.marks:
        room = left.setdefault(mark.rule, LISTED)
        scope = scope_word(report.words, mark.scope)
        for (finding, row), _ in zip(mark.findings(report.facts.delivery), range(room), strict=False):
            place = (mark.sheet or "", row or 0)
            texts = (severities[mark.severity], mark.text.message, mark.text.mend, mark.rule, finding)
            listed.append((place, (mark.sheet, scope if row is None else row, mark.column, *texts)))
        left[mark.rule] = max(0, room - mark.count)
    listed.sort(key=lambda line: line[0])
    notices: list[Row] = [
        (None, None, None, None, cut_short(report.words, rule.count), None, rule.rule, None)
        for rule in report.rules
        if rule.count > LISTED
    ]
    return notices + [row for _, row in listed]


def _sheet(
    workbook: Any,
    styles: dict[str, Any],
    report: Report,
    name: str,
    widths: Sequence[int],
    head: Sequence[str] | None,
    rows: Sequence[Row],
) -> None:
    sheet = workbook.add_worksheet(name[:31])
    if report.words.language == "ar":
        sheet.right_to_left()
    for column, width in enumerate(widths):
        sheet.set_column(column, column, width)
    first = 0
    if head is not None:
        for column, text in enumerate(head):
            sheet.write_string(0, column, text, styles["head"])
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, max(1, len(rows)), len(head) - 1)
        first = 1
    for line, row in enumerate(rows, first):
        for column, cell in enumerate(row):
            if isinstance(cell, int):
                sheet.write_number(line, column, cell, styles["number"])
            elif cell:
                sheet.write_string(line, column, cell, styles["text"])
