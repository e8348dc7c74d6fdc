"""Conditions that see more than their row: the submission, other parts of a repeat, counts and sums, the day.

What the functions give is what JavaRosa 5.1 (KoboCollect) and Enketo's evaluator both give; where they differ it is
open, and the column blank.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from small_forms import workbook
from small_sources import rows, source, table

from connectors import Opened, open_delivery
from sources.batches import PlainFile

Deliver = Callable[[str, bytes], PlainFile]

OF_HOUSEHOLDS = {
    "count(${members}) = 2": "yes no no",
    "count(${members}) = 0": "no yes no",
    "count(${jobs}) > 1": "yes no no",
    "sum(${age}) = 41": "yes no ?",  # one age of the third household is blank
    "sum(${age}) = 0": "no yes ?",
    "min(${age}) = 11": "yes no ?",
    "max(${age}) >= 30": "yes no ?",
    "count-non-empty(${age}) = 1": "no no yes",
    "min(${born}) < date('2000-01-01')": "yes no ?",
    "indexed-repeat(${age}, ${members}, 2) = 11": "yes no no",
    "indexed-repeat(${age}, ${members}, 2) = ''": "no yes yes",
    "indexed-repeat(${sex}, ${members}, 1) = 'f'": "yes no no",
    "today() = date('2024-03-01')": "yes ? no",  # the second form was opened and closed on different days
    "once(today()) = date('2024-03-01')": "yes yes no",
    "today() - ${visited} > 30": "yes no no",  # on neither of its two days
    "today() - ${visited} > 5": "yes ? no",  # on the second of them
    "today() > ${visited}": "yes yes yes",
    "if(today() > ${visited}, 1, 0) = 1": "yes ? yes",  # what goes up and down is told by one day only
    "today() - ${visited} > date('2024-03-01') - today()": "yes ? yes",
    "now() > date('2024-03-01')": "yes yes yes",  # it was some moment between opening and closing
    "now() > ${start}": "? ? ?",
    "now() - ${visited} > 6": "yes ? no",
    "date(now()) = date('2024-03-01')": "yes ? no",  # the second form was open over midnight
    "format-date(now(), '%Y-%m') = '2024-03'": "yes ? yes",
    "now() > ${start} or ${village} = 'Uch'": "yes ? ?",
    "now() < ${start} and now() > ${end}": "no no no",
    "jr:choice-name(${kind}, '${kind}') = 'Town'": "yes no no",
    "${village} = 'Uch' or count(${members}) = 7": "yes no no",
    "${village} = 'Uch' or today() > date('2024-01-01')": "yes yes yes",
    "${village} = 'Uch' or today() > date('2024-03-01')": "yes ? yes",  # the first side decides
    "${village} = 'Uch' and today() > date('2024-01-01')": "yes no no",
    "not(${village} = 'Uch' or sum(${age}) > 1)": "no yes ?",
}
OF_MEMBERS = {
    "${village} = 'Uch'": "yes yes no no no",  # the household's own answer
    "${village} = 'Uch' and ${age} > 18": "yes no no no no",
    "position(..) = count(${members})": "no yes no no yes",
    "position(${members}) = 2": "no yes no yes no",
    "indexed-repeat(${age}, ${members}, 1) - ${age} > 15": "no yes no no no",
    "indexed-repeat(${age}, ${members}, position(..) - 1) = 30": "? yes ? no no",  # of a part before the first: open
    "count(${jobs}) = 2": "yes no no no no",
    "sum(${hours}) > 30": "yes no no no no",
    "today() > date('2024-02-01')": "yes yes yes yes yes",
}
OF_JOBS = {
    "${village} = 'Uch' and ${age} > 18": "yes yes no",
    "position(../..) = 1": "yes yes no",
    "position(..) = 2": "no yes no",
    "indexed-repeat(${hours}, ${jobs}, position(..) - 1) > 10": "? yes ?",
}


def delivered(deliver: Deliver, conditions: dict[str, dict[str, str]]) -> Opened:
    """Three households with members and their jobs, and a form that asks one question under each condition."""
    survey: list[list[str | None]] = [
        ["type", "name", "relevant"],
        ["start", "start", None],
        ["end", "end", None],
        ["text", "village", None],
        ["select_one kinds", "kind", None],
        ["date", "visited", None],
        *asked("main", conditions),
        ["begin_repeat", "members", None],
        ["select_one sexes", "sex", None],
        ["integer", "age", None],
        ["date", "born", None],
        *asked("members", conditions),
        ["begin_repeat", "jobs", None],
        ["integer", "hours", None],
        *asked("jobs", conditions),
        ["end_repeat", None, None],
        ["end_repeat", None, None],
    ]
    choices = [["list_name", "name", "label"], ["kinds", "t", "Town"], ["kinds", "v", "Village"], ["sexes", "f", "F"]]
    form = workbook({"survey": survey, "choices": [*choices, ["sexes", "m", "M"]]})
    names = {where: [f"{where}{n}" for n in range(len(listed))] for where, listed in conditions.items()}
    main = [
        ["2024-03-01T08:00", "2024-03-01T09:00", "Uch", "t", "2024-01-01", "71", "1"],
        ["2024-03-01T23:00", "2024-03-02T01:00", "Kot", "v", "2024-02-25", "72", "2"],
        ["2024-03-05T08:00", "2024-03-05T09:00", "Kot", None, "2024-03-01", "73", "3"],
    ]
    members = [
        ["f", "30", "1994-01-01", "1", "1", "71"],
        ["m", "11", "2013-01-01", "2", "1", "71"],
        ["m", "4", "2020-01-01", "3", "3", "73"],
        ["f", None, None, "4", "3", "73"],
        ["f", None, "2001-01-01", "5", "3", "73"],
    ]
    jobs = [["20", "1", "1", "71"], ["15", "2", "1", "71"], ["9", "3", "4", "73"]]
    behind = {"members": "main", "jobs": "members"}
    book = {"main": [["start", "end", "village", "kind", "visited", *names["main"], "_id", "_index"]]}
    book["main"] += [[*row[:5], *([None] * len(names["main"])), *row[5:]] for row in main]
    for name, first, listed in (("members", ["sex", "age", "born"], members), ("jobs", ["hours"], jobs)):
        header = [*first, *names[name], "_index", "_parent_table_name", "_parent_index", "_submission__id"]
        n = len(first)
        book[name] = [header]
        book[name] += [[*r[:n], *([None] * len(names[name])), r[n], behind[name], *r[n + 1 :]] for r in listed]
    keys = ["_submission__id", "_position"]
    parent = {"table": "main", "key": keys[:1]}
    declared = source(
        {"kind": "kobo_xlsx"},
        table("main", ["_id", *(f"asked({name})" for name in names["main"])], key=["_id"]),
        table("members", [*keys, *(f"asked({name})" for name in names["members"])], key=keys, parent=parent),
        table("jobs", [*keys, *(f"asked({name})" for name in names["jobs"])], key=keys, parent=parent),
    )
    return open_delivery([deliver("x.xlsx", workbook(book)), deliver("form.xlsx", form)], declared)


def asked(where: str, conditions: dict[str, dict[str, str]]) -> list[list[str | None]]:
    return [["text", f"{where}{n}", condition] for n, condition in enumerate(conditions[where])]


def test_conditions_beyond_the_row_are_answered_where_the_export_tells(deliver: Deliver) -> None:
    conditions = {"main": OF_HOUSEHOLDS, "members": OF_MEMBERS, "jobs": OF_JOBS}
    opened = delivered(deliver, conditions)
    assert "relevance_not_read" not in opened.facts
    for where, listed in conditions.items():
        told = list(rows(opened, where))
        for n, (condition, expected) in enumerate(listed.items()):
            found = " ".join(row[f"asked({where}{n})"] or "?" for row in told)
            assert (where, condition, found) == (where, condition, expected)


UNREAD = {
    "count(${village}) > 1": "count()",
    "sum(${village}) > 1": "sum()",
    "${age} > 3": "repeat",
    "indexed-repeat(${hours}, ${jobs}, 1) > 3": "indexed-repeat()",
    "indexed-repeat(${age}, ${members}, ${n}) = 1": "indexed-repeat()",
    "indexed-repeat(${age}, ${members}, position(..)) = 1": "position()",
    "jr:choice-name(${village}, '${village}') = 'x'": "jr:choice-name()",
    "now() mod 2 > 1": "now()",
    "once(random()) > 1": "random()",
    "${elsewhere} = 1": "elsewhere",
    "pulldata('a', 'b', 'c', ${village}) = 1": "pulldata()",
}


def test_what_cannot_be_told_from_an_export_is_named_and_left_open(deliver: Deliver) -> None:
    opened = delivered(deliver, {"main": UNREAD, "members": {}, "jobs": {}})
    told = opened.facts["relevance_not_read"]
    assert isinstance(told, dict)
    for n, word in enumerate(UNREAD.values()):
        assert word in told[f"main{n}"], told
    assert all(value is None for row in rows(opened) for name, value in row.items() if name.startswith("asked"))


def test_rows_of_one_id_are_not_told_apart(deliver: Deliver) -> None:
    """Excel makes one id of many (formats.md 1.2): whose members these are is then open."""
    survey = [["type", "name", "relevant"], ["text", "village", None], ["begin_repeat", "members", None]]
    survey += [["integer", "age", "${village} = 'Uch'"], ["end_repeat", None, None]]
    form = workbook({"survey": survey, "choices": [["list_name", "name", "label"]]})
    book = workbook({
        "main": [["village", "_id"], ["Uch", "1.67E+08"], ["Kot", "1.67E+08"], ["Uch", "9"]],
        "members": [["age", "_submission__id"], ["3", "1.67E+08"], ["4", "9"], ["5", None]],
    })  # fmt: skip
    keys = ["_submission__id", "_position"]
    declared = source(
        {"kind": "kobo_xlsx"},
        table("main", ["_id"], key=["_id"]),
        table("members", [*keys, "asked(age)"], key=keys, parent={"table": "main", "key": keys[:1]}),
    )
    opened = open_delivery([deliver("x.xlsx", book), deliver("form.xlsx", form)], declared)
    assert [row["asked(age)"] for row in rows(opened, "members")] == [None, "yes", None]


@pytest.mark.parametrize(("translated", "expected"), [(False, "yes"), (True, None)])
def test_a_label_is_told_only_if_it_is_shown_in_one_language(
    deliver: Deliver, translated: bool, expected: str | None
) -> None:
    labels = ["label::English (en)", "label::French (fr)"] if translated else ["label"]
    survey = [["type", "name", "relevant"], ["select_one kinds", "kind", None]]
    survey += [["text", "why", "jr:choice-name(${kind}, '${kind}') = 'Town'"]]
    form = workbook({"survey": survey, "choices": [["list_name", "name", *labels], ["kinds", "t", "Town", "Ville"]]})
    book = workbook({"main": [["kind", "why", "_id"], ["t", None, "1"]]})
    declared = source({"kind": "kobo_xlsx"}, table("main", ["_id", "asked(why)"], key=["_id"]))
    opened = open_delivery([deliver("x.xlsx", book), deliver("form.xlsx", form)], declared)
    assert [row["asked(why)"] for row in rows(opened)] == [expected]
