"""An XForm reads as the XLSForm that it was made from; XML that could do harm is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from small_forms import export
from small_sources import rows, source, table

from codebook.errors import Refused
from connectors import open_delivery
from connectors.kobo.form import Form, in_language
from connectors.kobo.form_files import read_form
from connectors.kobo.xforms import read_xform
from sources.batches import PlainFile

Deliver = Callable[[str, bytes], PlainFile]
SURVEY = """
| survey |
| | type                  | name    | label::English | label::French | relevant                    | calculation |
| | start                 | start   |                |               |                             |             |
| | select_one yn         | consent | Agree?         | D'accord ?    |                             |             |
| | begin_group           | work    | Work           | Travail       | ${consent} = 'yes'          |             |
| | integer               | hours   | Hours          | Heures        |                             |             |
| | select_multiple needs | needs   | Needs          | Besoins       | ${hours} > 3 and ${consent} |             |
| | end_group             |         |                |               |                             |             |
| | begin_repeat          | member  | Member         | Membre        |                             |             |
| | text                  | called  | Name           | Nom           |                             |             |
| | end_repeat            |         |                |               |                             |             |
| | calculate             | total   |                |               |                             | 1 + 1       |
| choices |
|         | list_name | name | label::English | label::French |
|         | yn        | yes  | Yes            | Oui           |
|         | yn        | no   | No             | Non           |
|         | needs     | a    | Food           | Vivres        |
|         | needs     | b    | Cash           | Argent        |
"""


def xform(markdown: str) -> bytes:
    from pyxform.xls2xform import convert

    return str(convert(markdown, validate=False, file_type=".md").xform).encode()


def told(form: Form) -> list[tuple[object, ...]]:
    return [(q.name, q.type, q.label, q.repeat, [name for name, _ in q.groups]) for q in form.questions]


def test_questions_choices_and_conditions_are_those_of_the_sheets(deliver: Deliver) -> None:
    form = in_language(read_xform(deliver("form.xml", xform(SURVEY))), "French")
    assert told(form) == [
        ("start", "start", "", None, []),
        ("consent", "select_one", "D'accord ?", None, []),
        ("hours", "integer", "Heures", None, ["work"]),
        ("needs", "select_multiple", "Besoins", None, ["work"]),
        ("called", "text", "Nom", "member", ["member"]),
        ("total", "calculate", "", None, []),
    ]
    needs = next(q for q in form.questions if q.name == "needs")
    assert needs.relevant == ("${consent} = 'yes'", "${hours} > 3 and ${consent}")
    assert [(c.name, c.label) for c in form.choices[needs.list or ""]] == [("a", "Vivres"), ("b", "Argent")]


def test_labels_are_decoded_through_an_xform(deliver: Deliver) -> None:
    files = [
        deliver("x.csv", export(["Agree?", "Hours", "_id"], ["No", "8", "1"])),
        deliver("form.xml", xform(SURVEY)),
    ]
    format = {"kind": "kobo_csv", "values": "labels", "language": "English"}
    opened = open_delivery(files, source(format, table("main", ["consent", "hours", "_id"], key=["_id"])))
    assert [(row["consent"], row["hours"]) for row in rows(opened)] == [("no", "8")]


@pytest.mark.parametrize(
    "content",
    [
        b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>",
        b"<?xml version='1.0'?><!DOCTYPE x SYSTEM 'file:///etc/passwd'><x/>",
        b"<x>",
        b"<data id='f'><q>7</q></data>",
        b"<h><model><instance/></model><body/></h>",
        b"<a>" * 5000 + b"</a>" * 5000,
        b"\xff\xfe<",
    ],
)
def test_what_is_no_xform_is_refused_in_one_line(deliver: Deliver, content: bytes) -> None:
    with pytest.raises(Refused) as refusal:
        read_form(deliver("form.xml", content))
    assert "\n" not in str(refusal.value)
    assert refusal.value.__cause__ is None


@pytest.mark.corpus
@pytest.mark.parametrize(
    "name",
    [
        "reach_iraq_returnees/xlsform.xlsx",
        "kobocruncher/sample_xlsform.xlsx",
        "kobocruncher/form_likert.xlsx",
        "kpi_legacy_kobocat/tutorial_arabic_labels.xls",
    ],
)
def test_a_real_form_reads_the_same_from_both(corpus: Path, deliver: Deliver, name: str) -> None:
    from pyxform.xls2xform import convert

    path = corpus / "kobo" / name
    sheets = in_language(read_form(PlainFile(path)), None)
    read = in_language(read_xform(deliver("form.xml", str(convert(path, validate=False).xform).encode())), None)

    def selects(form: Form) -> dict[str, list[str]]:
        return {q.name: [c.name for c in form.choices[q.list]] for q in form.questions if q.list in form.choices}

    asked = {q.name: q.repeat for q in sheets.questions if q.type not in ("note", "calculate", "audit")}
    found = {q.name: q.repeat for q in read.questions}
    assert {name: found.get(name, "absent") for name in asked} == asked
    assert json.dumps({k: v for k, v in selects(read).items() if k in asked}) == json.dumps(
        {k: v for k, v in selects(sheets).items() if k in {*selects(read)} & set(asked)}
    )
    assert set(selects(sheets)) <= set(selects(read))
