"""Whatever stands in the cells of an XLSForm, an export beside it gives its rows or one refusal in one line."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_exports import CHOICES, sheet
from small_forms import export
from small_sources import MemoryFile, rows, source, table

from codebook.errors import HomewardError
from connectors import open_delivery

SURVEY = """
type                           | name | label::English (en) | label::French (fr) | relevant               | calculation
start                          | start
begin_group                    | g    | Group               | Groupe             | ${age} > 3
select_one yn or_other         | q    | Do you?             | Est-ce ?           | ${q} = 'y' and ${r}
select_multiple fruit          | m    | Which?              | Quels ?            | selected(${m}, 'a')
rank fruit                     | r    | Order               |                    | today() - ${d} > 3
end_group
integer                        | age  | Age                 | Age                | count(${kids}) > 1
calculate                      | c    |                     |                    |                        | ${age} * 2
date                           | d    | Day                 | Jour               | ${c} > 3
begin_kobomatrix               | mx   | Matrix
text                           | mxc  | Cell
end_kobomatrix
begin_repeat                   | kids | Kids                | Enfants            | ${c} = 2
text                           | kn   | Name                | Nom                | position(..) = 1
end_repeat
select_one_from_file towns.csv | t    | Town                | Ville
"""
EXPORTS = {
    "xml": export(
        ["start", "g/q", "g/m", "g/m/a", "g/r", "age", "d", "t", "_id"],
        ["2024-01-01T08:00", "y", "a b", "1", "b a", "7", "2024-01-01", "Uch", "7"],
    ),
    "labels": export(
        ["Group/Do you?", "Group/Which?", "Group/Which?/Apple", "Group/Order", "Age", "Day", "Town", "_id"],
        ["Yes", "Apple Big apple", "1", "Big apple Apple", "7", "2024-01-01", "Uch", "7"],
    ),
}
READ = ["q", "m", "r", "age", "asked(q)", "asked(m)", "asked(r)", "asked(age)", "asked(d)"]
WORDS = [
    *("", " ", "\0", "\n", "\r", "_x000D_", "\u00a0", "\u200b", "\ufeff", "0", "-1", "1E+05", "#N/A", "=1+1", "${"),
    *("${age}", "${kids}", "${q}${q}", "((((", "'", '"', "$" * 50, "(" * 5_000, "-" * 3_000, "not(" * 1_000, "9" * 400),
    *("begin_group", "begin repeat", "end_group", "end repeat", "begin_kobomatrix", "begin_rank", "begin_score"),
    *("select_one", "select_one  ", "select_multiple yn or_other", "select_one yn or_other or_other", "rank"),
    *("select_one_from_file", "select one from yn", "calculate", "label", "label::", "label::English (en)", "name"),
    *("type", "list_name", "or_other", "other", "position(..)", "position(../..)", "indexed-repeat(${kn},${kids},1)"),
    *("if(1,2", "1 div 0", "${age} mod 0", "today()", "now() - now() > 0", "once(today())", "substr(${q},9,1)", "a/b"),
    *("sum(${kn})", "min()", "max(${age},", "jr:choice-name(${q},'${q}')", "regex(${q},'(a+)+$')", "x" * 40_000),
]  # fmt: skip
QUIET: dict[str, Any] = {
    "deadline": None, "suppress_health_check": list(HealthCheck), "derandomize": True, "database": None,
}  # fmt: skip


@st.composite
def spoiled(draw: st.DrawFn, text: str) -> list[list[str | None]]:
    """A sheet in which cells hold other words, and rows are dropped, doubled or moved."""
    cells = sheet(text)
    for _ in range(draw(st.integers(0, 4))):
        row = draw(st.integers(0, len(cells) - 1))
        match draw(st.sampled_from(["cell", "cell", "cell", "drop", "double", "move", "cut"])):
            case "cell":
                at = draw(st.integers(0, 5))
                cells[row] = [*cells[row], *[None] * 6][:6]
                cells[row][at] = draw(st.sampled_from(WORDS) | st.text(max_size=8))
            case "drop" if len(cells) > 1:
                del cells[row]
            case "double":
                cells[row:row] = [list(cells[row])] * draw(st.sampled_from([1, 2, 70]))
            case "move":
                cells.insert(draw(st.integers(0, len(cells) - 1)), cells.pop(row))
            case "cut":
                cells[row] = cells[row][: draw(st.integers(0, 3))]
    return cells


def as_csv(survey: list[list[str | None]], choices: list[list[str | None]]) -> bytes:
    """An XLSForm as one CSV: in this process, where a workbook is parsed in one of its own."""
    out = io.StringIO()
    writer = csv.writer(out)
    for name, cells in (("survey", survey), ("choices", choices)):
        writer.writerow([name])
        writer.writerows([None, *row] for row in cells)
    return out.getvalue().encode("utf-8", "surrogatepass")


@pytest.mark.parametrize("values", EXPORTS)
def test_a_spoiled_form_gives_rows_or_one_line(values: str) -> None:
    told: list[str] = []
    kobo = {"kind": "kobo_csv", "values": values, "multiple_select": "both"}
    if values == "labels":
        kobo["language"] = "English (en)"
    optional = [{"name": name, "optional": True} for name in READ]
    declared = source(kobo, table("main", ["_id", *optional], key=["_id"]))

    @settings(max_examples=120, **QUIET)
    @given(spoiled(SURVEY), spoiled(CHOICES))
    def spoil(survey: list[list[str | None]], choices: list[list[str | None]]) -> None:
        form = MemoryFile("form.csv", as_csv(survey, choices))
        try:
            opened = open_delivery([MemoryFile("x.csv", EXPORTS[values]), form], declared)
            assert [row["_id"] for row in rows(opened)] == ["7"]
        except HomewardError as refused:
            told.append(str(refused))

    spoil()
    assert told
    assert not any("\n" in line for line in told)
