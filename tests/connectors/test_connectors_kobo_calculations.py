"""Conditions that rest on calculations which the export left out: done again, or open, never guessed."""

from __future__ import annotations

import pytest
from small_forms import workbook
from small_sources import MemoryFile, rows, source, table

from connectors import Opened, open_delivery

CALCULATED = {
    "adult": "if(${age} >= 18, 1, 0)",
    "kind_of": "if(${adult} = 1, 'grown', 'child')",  # a calculation on a calculation
    "twice": "${age} * 2",
    "third": "${age} div 3",
    "words": "concat(${name}, ' of ', ${village})",
    "size": "count(${members})",
    "grown": "if(${age} >= 18, 1, '')",  # a number or nothing
    "looked": "pulldata('places', 'a', 'b', ${village})",
    "by_lot": "once(random())",
    "loop": "${pool} + 1",
    "pool": "${loop} + 1",
    "later": "${day} + 7",
    "true_": "${age} > 3",
    "in_time": "if(now() > ${day}, 1, 0)",
}
"""Of three households: Sara is 20 and lives in Uch with two members, Omar tells no age and has none, Zed is 10."""
OF_HOUSEHOLDS = {
    "${adult} = 1": "yes no no",
    "${adult} = '1'": "yes no no",
    "${kind_of} = 'grown'": "yes no no",
    "${kind_of} != 'grown' and ${name} = 'Omar'": "no yes no",
    "${twice} > 30": "yes ? no",  # of no number devices store nothing, or `NaN`
    "${twice} = 40 or ${name} = 'Omar'": "yes yes no",
    "${third} > 3.3": "yes ? yes",
    "${words} = 'Sara of Uch'": "yes no no",
    "${size} = 2": "yes no no",
    "${grown} = ''": "no yes yes",
    "${grown} = 1": "yes no no",
    "${asked_of_adults} = 'x1'": "yes no no",  # not asked of the others, and blank
    "${asked_of_adults} = ''": "no yes yes",
}
UNREAD = {
    "${looked} = 'x'": "pulldata()",
    "${by_lot} > 0.5": "random()",
    "${loop} > 1": "rests on itself",
    "${later} = '2024-01-08'": "a date that is worked out",
    "${true_} = 'true'": "true or false",
}
OPEN = {"${in_time} = 1": "? ? ?"}
"""When it was worked out is not known."""
OF_MEMBERS = {
    "${adult} = 1": "yes yes no",  # the household's
    "${their} = 6": "yes no no",
    "${sum_of_both} > 24": "yes no no",
}


LADDER = {f"c{n}": f"${{c{n - 1}}} + ${{c{max(n - 2, 0)}}}" for n in range(1, 60)}
"""Each rests on the two before it."""


def delivered(of_main: list[str], of_members: list[str]) -> Opened:
    survey: list[list[str | None]] = [
        ["type", "name", "relevant", "calculation"],
        ["start", "start", None, None],
        ["end", "end", None, None],
        ["text", "name", None, None],
        ["text", "village", None, None],
        ["integer", "age", None, None],
        ["date", "day", None, None],
        *(["calculate", name, None, expression] for name, expression in CALCULATED.items()),
        ["begin_group", "adults", "${adult} = 1", None],
        ["calculate", "asked_of_adults", None, "concat('x', ${adult})"],
        ["end_group", None, None, None],
        *(["text", f"main{n}", condition, None] for n, condition in enumerate(of_main)),
        ["begin_repeat", "members", None, None],
        ["integer", "years", None, None],
        ["calculate", "their", None, "${years} + 1"],
        ["calculate", "sum_of_both", None, "${years} + ${age}"],
        *(["text", f"members{n}", condition, None] for n, condition in enumerate(of_members)),
        ["end_repeat", None, None, None],
    ]
    blank: list[str | None] = [None]
    households: list[list[str | None]] = [
        ["Sara", "Uch", "20", "2024-01-01", "7", "1"],
        ["Omar", "Kot", None, "2024-01-01", "8", "2"],
        ["Zed", "Kot", "10", None, "9", "3"],
    ]
    header = ["start", "end", "name", "village", "age", "day"]
    book: dict[str, list[list[str | None]]] = {
        "main": [[*header, *(f"main{n}" for n in range(len(of_main))), "_id", "_index"]],
        "members": [["years", *(f"members{n}" for n in range(len(of_members))), "_parent_index", "_submission__id"]],
    }
    for row in households:
        book["main"].append(["2024-03-01T08:00", "2024-03-01T09:00", *row[:4], *blank * len(of_main), *row[4:]])
    for years, parent, submission in (("5", "1", "7"), ("1", "1", "7"), ("3", "3", "9")):
        book["members"].append([years, *blank * len(of_members), parent, submission])
    form = workbook({"survey": survey, "choices": [["list_name", "name", "label"]]})
    keys = ["_submission__id", "_position"]
    declared = source(
        {"kind": "kobo_xlsx"},
        table("main", ["_id", *(f"asked(main{n})" for n in range(len(of_main)))], key=["_id"]),
        table("members", [*keys, *(f"asked(members{n})" for n in range(len(of_members)))], key=keys),
    )
    return open_delivery([MemoryFile("x.xlsx", workbook(book)), MemoryFile("form.xlsx", form)], declared)


def told(opened: Opened, where: str, conditions: list[str]) -> dict[str, str]:
    found = list(rows(opened, where))
    return {
        condition: " ".join(row[f"asked({where}{n})"] or "?" for row in found) for n, condition in enumerate(conditions)
    }


@pytest.fixture(scope="module")
def answered() -> Opened:
    return delivered([*OF_HOUSEHOLDS, *OPEN, *UNREAD], [*OF_MEMBERS])


def test_a_calculation_that_was_not_exported_is_done_again(answered: Opened) -> None:
    found = told(answered, "main", [*OF_HOUSEHOLDS, *OPEN])
    assert found == OF_HOUSEHOLDS | OPEN
    assert told(answered, "members", [*OF_MEMBERS]) == OF_MEMBERS


def test_one_that_only_the_device_could_do_is_named_and_left_open(answered: Opened) -> None:
    unread = answered.facts["relevance_not_read"]
    assert isinstance(unread, dict)
    first = len(OF_HOUSEHOLDS) + len(OPEN)
    assert [word in unread[f"main{first + n}"] for n, word in enumerate(UNREAD.values())] == [True] * len(UNREAD)
    assert len(unread) == len(UNREAD)
    found = list(rows(answered))
    assert {row[f"asked(main{first + n})"] for row in found for n in range(len(UNREAD))} == {None}


def test_calculations_that_rest_on_one_another_are_each_done_once() -> None:
    """One on the two before it, and so on: every one by itself would be asked for a billion times."""
    survey = [["type", "name", "calculation", "relevant"], ["integer", "c0", None, None]]
    survey += [["calculate", name, expression, None] for name, expression in LADDER.items()]
    survey += [["text", "near", None, "${c39} > 100"], ["text", "far", None, "${c59} > 100"]]
    form = workbook({"survey": survey, "choices": [["list_name", "name", "label"]]})
    book = workbook({"main": [["c0", "near", "far", "_id"], ["1", None, None, "7"]]})
    declared = source({"kind": "kobo_xlsx"}, table("main", ["_id", "asked(near)", "asked(far)"], key=["_id"]))
    opened = open_delivery([MemoryFile("x.xlsx", book), MemoryFile("form.xlsx", form)], declared)
    assert [(row["asked(near)"], row["asked(far)"]) for row in rows(opened)] == [("yes", None)]
    unread = opened.facts["relevance_not_read"]
    assert isinstance(unread, dict)
    assert unread["far"].endswith("too many others, one below the other")
