"""Not asked is not missing: the form's conditions over the answers, as a column that a source may declare."""

import json
from collections.abc import Callable

import pyarrow as pa
import pytest
from small_forms import export, workbook
from small_sources import rows, source, table

from connectors import Opened, open_delivery
from connectors.kobo.relevant import Kinds, Unevaluable, parse
from sources.batches import PlainFile

Deliver = Callable[[str, bytes], PlainFile]
ANSWERS = {
    "work": pa.array(["paid", "paid idle", None, "paidleave"]),
    "age": pa.array(["5", "18", None, "18.0"]),
    "why": pa.array(["", None, "rent", "18"]),
    "day": pa.array(["2001-02-01", "2001-02-28", "2001-02-03", None]),
    "born": pa.array(["1990-05-01", "2001-02-03T10:00:00+03:00", None, "soon"]),
}


@pytest.mark.parametrize(
    ("expression", "holds"),
    [
        ("${work} = 'paid'", "1000"),
        ("${work}!='paid'", "0111"),  # a blank answer is '' and differs
        ("selected(${work}, 'paid')", "1100"),  # a whole word, not the beginning of one
        ("not(selected(${work}, 'paid'))", "0011"),
        ("${age} >= 18", "0101"),
        ("${age} < 18", "1000"),  # a blank is no number: neither below nor above
        ("${age} = 18", "0101"),
        ("${age} = '18'", "0100"),  # two texts are compared as texts
        ("${age} != 18", "1010"),
        ("${age} + 1 > 18", "0101"),
        ("${work} = 'paid' or ${age} = 18 and ${why} = '18'", "1001"),  # `and` binds first
        ("(${work} = 'paid' or ${age} = 18) and ${why} = '18'", "0001"),
        ("${why}", "0011"),
        ("${why} = ''", "1100"),
        ("count-selected(${work}) > 1", "0100"),
        ("string-length(${why}) > 0", "0011"),
        ("selected(${work},'paid')\nor  ${age}<=5", "1100"),
        ("true()", "1111"),
        ("${age} mod 2 = 0", "0101"),
        ("${age} * 2 - 1 = 9", "1000"),
        ("${age} div 0 > 1", "1101"),  # infinity is a number, a blank is none
        ("if(${work} = 'paid', ${age}, 20) = 20", "0111"),
        ("if(selected(${work}, 'paid'), 'a', 'b') = 'a'", "1100"),
        ("if(${work} = 'paid', 1, 'x') = 1", "1000"),
        ("if(${work} = 'paid', 1, 'x') = 'x'", "0111"),
        ("coalesce(${why}, ${work}) = 'paid'", "1000"),
        ("selected-at(${work}, 1) = 'idle'", "0100"),
        ("regex(${why}, '[a-z]+')", "0010"),  # the whole answer
        ("contains(${work}, 'leave')", "0001"),
        ("concat(${work}, '-') = 'paid-'", "1000"),
        ("int(${age} div 4) = 4", "0101"),
        ("round(${age} div 4) = 5", "0101"),
        ("round(4.25, 1) = 4.3", "1111"),
        ("selected(${work}, 'paid') and number(${age}) < 6", "1000"),
        ("selected(${work}, if(${age} = 5, 'paid', 'idle'))", "1100"),  # a code of each row's own
        ("ends-with(${work}, 'leave')", "0001"),
        ("substr(${work}, 0, 4) = 'paid'", "1101"),
        ("substr(${work}, 5) = 'idle'", "0100"),
        ("substring-before(${work}, ' ') = 'paid'", "0100"),
        ("substring-after(${work}, 'paid') = ''", "1010"),  # nothing behind it, and no such word
        ("normalize-space(concat(' ', ${work}, '  ')) = 'paid'", "1000"),
        ("string(${age}) = '5'", "1000"),
        ("abs(${age} - 10) = 5", "1000"),
        ("pow(${age}, 2) = 25", "1000"),
        ("date(${born}) < date('2001-01-01')", "1000"),
        ("${born} <= date('2001-02-03') + 1", "1100"),  # an answer beside a date counts its days
        ("format-date(${born}, '%Y-%n') = '2001-2'", "0100"),
        ("date('2001-02-30') = date('2001-02-30')", "0000"),  # no such day
        ("min(3, ${age}, 7) = 3", "1111"),  # a blank is left out, as KoboCollect does
        ("max(${age}, 7) = 7", "1010"),
        ("-${age} = 0 - 5", "1000"),
        ("${age} -1 = 4", "1000"),
        ("translate(${work}, 'pa', 'P') = 'Pid'", "1000"),
        ("${day} > date('2001-02-01')", "0110"),
        ("${day} - date('2001-02-01') = 2", "0010"),
        ("${day} > ${day} - 1", "1110"),
        ("decimal-date-time('2001-02-03T12:00:00') - ${day} = 0.5", "0010"),
        ("format-date(${day} + 1, '%Y-%m-%d') = '2001-03-01'", "0100"),
    ],
)
def test_a_condition_holds_as_on_the_device(expression: str, holds: str) -> None:
    found = parse(expression, Kinds(frozenset({"age"}), frozenset({"day"}))).holds(ANSWERS, 4)
    assert "".join("01"[int(truth)] for truth in found) == holds


@pytest.mark.parametrize(
    "expression",
    [
        "now() mod 7 > 1",  # may hold between two moments at which it does not
        "abs(now() - ${day}) < 1",
        "substr(${work}, ${age}) = 'x'",
        "pulldata('places', 'name', 'code', ${work}) = 'x'",
        "random() > 0.5",
        "${born} > '2020-01-01'",
        "once(${age}) = 1",
        "position(../..) = 1",
        "if(${work} = 'paid', 1, 'x')",  # the truth of a number is another than that of a text
        "format-date(${born}, '%b') = 'May'",
        "/form/work = 'paid'",
        ". > 3",
        "regex(${why}, '(?=a)b')",
        "${work} = ",
        "${work} = 'paid' ${age}",
        "(" * 60 + "true()" + ")" * 60,
        "${last-saved#work} = 'paid'",
        "",
        "${work} = 'paid' or " * 300 + "true()",
    ],
)
def test_a_condition_that_is_not_understood_is_said_to_be(expression: str) -> None:
    with pytest.raises(Unevaluable):
        parse(expression, Kinds(frozenset({"age"})))


def delivered(deliver: Deliver, survey: list[dict[str, str]], values: str, *answers: list[str]) -> Opened:
    """An export of consent, hours and hired in two groups, with its form."""
    choices = [
        {"list_name": "yn", "name": "yes", "label": "Yes"},
        {"list_name": "yn", "name": "no", "label": "No"},
        {"list_name": "yn", "name": "not_said", "label": "No"},
    ]
    form = json.dumps({"content": {"survey": survey, "choices": choices}}).encode()
    files = [deliver("x.csv", export(["consent", "hours", "hired", "_id"], *answers)), deliver("f.json", form)]
    columns = ["consent", "hours", "hired", "_id", "asked(hours)", "asked(hired)"]
    return open_delivery(files, source({"kind": "kobo_csv", "values": values}, table("main", columns, key=["_id"])))


SURVEY = [
    {"type": "select_one yn", "name": "consent"},
    {"type": "begin_group", "name": "work", "relevant": "${consent} = 'yes'"},
    {"type": "integer", "name": "hours"},
    {"type": "select_one yn", "name": "hired", "relevant": "${hours} > 40"},
    {"type": "end_group"},
]


def test_a_question_is_asked_where_its_own_condition_and_its_groups_hold(deliver: Deliver) -> None:
    opened = delivered(deliver, SURVEY, "xml", ["yes", "50", "no", "1"], ["yes", "8", "", "2"], ["no", "", "", "3"])
    found = [(row["asked(hours)"], row["asked(hired)"]) for row in rows(opened)]
    assert found == [("yes", "yes"), ("yes", "no"), ("no", "no")]
    assert "relevance_not_read" not in opened.facts


def test_whether_it_was_asked_is_open_where_the_answer_before_is(deliver: Deliver) -> None:
    """`No` is the label of two codes: what was not answered cannot decide what was asked."""
    opened = delivered(deliver, SURVEY, "labels", ["Yes", "50", "", "1"], ["No", "50", "", "2"], ["No", "8", "", "3"])
    assert [(row["asked(hours)"], row["asked(hired)"]) for row in rows(opened)] == [
        ("yes", "yes"),
        (None, None),
        (None, "no"),
    ]


def test_one_condition_that_cannot_be_read_leaves_open_what_the_others_do_not_rule_out(deliver: Deliver) -> None:
    survey = [*SURVEY[:3], {**SURVEY[3], "relevant": "random() > 5"}, SURVEY[4]]
    opened = delivered(deliver, survey, "xml", ["yes", "50", "", "1"], ["no", "", "", "2"])
    assert [row["asked(hired)"] for row in rows(opened)] == [None, "no"]
    assert opened.facts["relevance_not_read"] == {"hired": "random()"}


def test_a_question_for_the_first_of_a_repeat_is_asked_of_the_first(deliver: Deliver) -> None:
    survey = [
        ["type", "name", "relevant"],
        ["begin_repeat", "members", None],
        ["text", "name", None],
        ["text", "why", "position(..) = 1"],
        ["end_repeat", None, None],
    ]
    behind = ["_index", "_parent_table_name", "_parent_index", "_submission__id"]
    members = [["name", "why", *behind], ["A", "x", "1", "main", "1", "7"], ["B", None, "2", "main", "1", "7"]]
    book = workbook({"main": [["_id", "_index"], ["7", "1"]], "members": members})
    form = workbook({"survey": survey, "choices": [["list_name", "name", "label"]]})
    keys = ["_submission__id", "_position"]
    declared = source(
        {"kind": "kobo_xlsx"},
        table("main", ["_id"], key=["_id"]),
        table("members", [*keys, "name", "asked(why)"], key=keys, parent={"table": "main", "key": keys[:1]}),
    )
    opened = open_delivery([deliver("x.xlsx", book), deliver("form.xlsx", form)], declared)
    assert [row["asked(why)"] for row in rows(opened, "members")] == ["yes", "no"]
