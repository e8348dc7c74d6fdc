"""Repeats in sheets whose names were cut for Excel: found by their columns, tied to their parents, never guessed."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from small_forms import form, workbook
from small_sources import rows, source, table

from codebook.errors import Refused
from connectors import Opened, open_delivery
from connectors.kobo.export import look
from connectors.kobo.sheet_names import may_hold
from sources.batches import PlainFile

Deliver = Callable[[str, bytes], PlainFile]
MEMBERS = "household_members_living_in_the_house"
PAPERS = "household_members_living_in_the_house_papers"
TITLE = "Interviews of people who came back in 2026"
BEHIND = ["_index", "_parent_table_name", "_parent_index", "_submission__id"]


@pytest.mark.parametrize(
    ("sheet", "name", "may"),
    [
        ("members", "members", True),
        ("household_members_living_in_...", MEMBERS, True),
        ("household_members_living... (1)", PAPERS, True),
        ("household_members_living... (12)", PAPERS, False),  # 32 letters: no sheet has them
        (MEMBERS[:31], MEMBERS, True),
        ("children_cartoons", "children/cartoons", True),
        ("member", "members", False),
        ("members...", "members_of_the_household_that_left", False),
    ],
)
def test_a_sheet_may_hold_what_its_name_was_cut_from(sheet: str, name: str, may: bool) -> None:
    assert may_hold(sheet, name) is may


def delivered(deliver: Deliver, sheets: dict[str, Sequence[Sequence[object]]], *names: str) -> Opened:
    """Members with papers, declared as `names`, under a title that is cut too."""
    main = [["who", "_id", "_index"], ["Sara", "101", "1"], ["Omar", "102", "2"]]
    file = deliver("x.xlsx", workbook({f"{TITLE[:28]}...": main, **sheets}))
    columns = {MEMBERS: "m_name", PAPERS: "kind"}
    keys = ["_submission__id", "_position"]
    more = [table(n, [*keys, columns[n]], key=keys, parent={"table": "main", "key": keys[:1]}) for n in names]
    return open_delivery([file], source({"kind": "kobo_xlsx"}, table("main", ["who", "_id"], key=["_id"]), *more))


def members(sheet: str) -> dict[str, Any]:
    return {sheet: [["m_name", *BEHIND], ["Abel", "1", TITLE, "1", "101"], ["Zed", "2", TITLE, "2", "102"]]}


def papers(sheet: str) -> dict[str, Any]:
    return {sheet: [["kind", *BEHIND], ["id", "1", MEMBERS, "2", "102"], ["pass", "2", MEMBERS, "2", "102"]]}


@pytest.mark.parametrize("first", [members, papers], ids=["members first", "papers first"])
def test_two_names_that_are_cut_alike_are_told_apart_by_their_columns(deliver: Deliver, first: Any) -> None:
    second = papers if first is members else members
    sheets = first("household_members_living_in_...") | second("household_members_living... (1)")
    opened = delivered(deliver, sheets, MEMBERS, PAPERS)
    assert [row["m_name"] for row in rows(opened, MEMBERS)] == ["Abel", "Zed"]
    found = [(row["_submission__id"], row["_position"], row["kind"]) for row in rows(opened, PAPERS)]
    assert found == [("102", "1.1", "id"), ("102", "1.2", "pass")]


def test_a_repeat_without_rows_takes_no_other_repeats_sheet(deliver: Deliver) -> None:
    opened = delivered(deliver, members("household_members_living_in_..."), MEMBERS, PAPERS)
    assert len(rows(opened, MEMBERS)) == 2
    assert PAPERS not in opened.tables


def test_an_undeclared_repeat_is_not_taken_for_the_declared_one(deliver: Deliver) -> None:
    sheets = papers("household_members_living_in_...") | members("household_members_living... (1)")
    assert [row["m_name"] for row in rows(delivered(deliver, sheets, MEMBERS), MEMBERS)] == ["Abel", "Zed"]


def test_sheets_that_their_columns_do_not_tell_apart_are_refused(deliver: Deliver) -> None:
    sheets = members("household_members_living_in_...") | members("household_members_living... (1)")
    with pytest.raises(Refused, match="do not tell which repeat they hold"):
        delivered(deliver, sheets, MEMBERS)


def test_a_parent_that_cannot_be_told_ties_nothing(deliver: Deliver) -> None:
    """The parent's sheet was renamed: the submissions that the children name are not those of the main rows."""
    child = [["kind", *BEHIND], ["id", "1", MEMBERS, "1", "102"]]
    with pytest.raises(Refused, match="missing: _position"):
        delivered(deliver, {"my members": members("")[""], "household_members_living... (1)": child}, PAPERS)


def test_a_looked_at_sheet_with_a_cut_name_is_read_through_its_repeat(deliver: Deliver) -> None:
    survey = [
        ("begin_repeat", MEMBERS, "", ""),
        ("select_one yn", "m_name", "Came too?", "Venu aussi ?"),
        ("end_repeat", "", "", ""),
        ("begin_repeat", PAPERS, "", ""),
        ("text", "kind", "Kind", "Type"),
        ("end_repeat", "", "", ""),
    ]
    asked = deliver("form.xlsx", form(survey, [("yn", "1", "Yes", "Oui")]))
    sheet = [["Came too?", *BEHIND], ["Yes", "1", TITLE, "1", "101"]]
    main = [["_id", "_index"], ["101", "1"]]
    file = deliver("x.xlsx", workbook({"main": main, "household_members_living_in_...": sheet}))
    grids, _ = look(file, asked)
    (heading, *_) = grids["household_members_living_in_..."].headings
    (piece,) = grids["household_members_living_in_..."].pieces([heading.position], 10)
    assert heading.names[0] == "m_name"
    assert piece.cells[0].to_pylist() == ["1"]


def test_a_rank_among_labels_is_codes_whichever_of_the_two_it_was_written_as(deliver: Deliver) -> None:
    asked = form(
        [("rank things", "order", "Order", "Ordre")], [("things", "a", "Apple", ""), ("things", "b", "Bread", "")]
    )
    book = workbook({"main": [["Order", "_id"], ["Bread Apple", "1"], ["b a", "2"], ["b Pear", "3"]]})
    declared = source(
        {"kind": "kobo_xlsx", "values": "labels", "language": "English (en)"},
        table("main", ["order", "_id"], key=["_id"]),
    )
    opened = open_delivery([deliver("x.xlsx", book), deliver("form.xlsx", asked)], declared)
    assert [row["order"] for row in rows(opened)] == ["b a", "b a", None]
