"""Exports as KoboToolbox writes them and people change them, each with its form: what comes out, what is asked about.

A case is written as tables: the form's sheets, the export, and what reading must give. What the server writes is known
from formpack and kpi (formats.md 1).
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import pytest
from small_forms import export, workbook
from small_sources import MemoryFile, issues, rows, source, table

from codebook.errors import Refused
from connectors import Opened, open_delivery

CHOICES = """
list_name | name | label::English (en) | label::French (fr)
yn        | y    | Yes                 | Oui
yn        | n    | No                  | Non
fruit     | a    | Apple               | Pomme
fruit     | b    | Big apple           | Grosse pomme
fruit     | c    | Cherry / plum       |
"""
FRUIT = """
type                  | name | label::English (en) | label::French (fr)
start                 | start
begin_group           | g    | Group: one          | Groupe un
select_one yn         | q    | Do you like it?     | Aimez-vous ?
select_multiple fruit | m    | Which: fruit?       | Quels fruits ?
geopoint              | loc  | Where               | Où
end_group
"""
ENGLISH = {"values": "labels", "language": "English (en)", "multiple_select": "both"}
FRENCH = {"values": "labels", "language": "French (fr)", "multiple_select": "both"}
BOTH = {"multiple_select": "both"}
LABELS = {"values": "labels"}


class Case(NamedTuple):
    """An export, its form (one or several versions), what is read of it (the first column is the key), the rows that
    come out (`.` is blank), and what was found: `row column rule severity`."""

    form: str | tuple[MemoryFile, ...]
    export: str
    read: str
    found: str
    issues: Sequence[str] = ()
    kobo: dict[str, Any] | None = None
    choices: str = CHOICES


def cells(text: str) -> list[list[str]]:
    lines = (line.strip() for line in text.strip().splitlines())
    return [re.split(r"\s+\|(?:\s+|$)", line) if line else [] for line in lines]


def sheet(text: str) -> list[list[str | None]]:
    return [[cell or None for cell in row] for row in cells(text)]


def xlsform(survey: str, choices: str = CHOICES) -> MemoryFile:
    return MemoryFile("form.xlsx", workbook({"survey": sheet(survey), "choices": sheet(choices)}))


def asset(version: str, survey: Sequence[dict[str, Any]], choices: Sequence[dict[str, Any]] = ()) -> MemoryFile:
    """A version of a form as the server's API shows it; versions are deployed in the order of their names."""
    content = {"survey": list(survey), "choices": list(choices), "translations": ["English (en)"]}
    shown = {"content": content, "version_id": f"v{version}", "date_deployed": f"2024-0{version}-01T00:00:00Z"}
    return MemoryFile(f"v{version}.json", json.dumps(shown).encode())


def opened(case: Case) -> Opened:
    written = [["" if cell == "." else cell for cell in row] for row in cells(case.export)]
    forms = (xlsform(case.form, case.choices),) if isinstance(case.form, str) else case.form
    columns = case.read.split()
    declared = source({"kind": "kobo_csv", **(case.kobo or {})}, table("main", columns, key=columns[:1]))
    return open_delivery([MemoryFile("x.csv", export(*written)), *forms], declared)


RENAMED = [{"type": "text", "name": "a", "label": ["A"]}, {"type": "text", "name": "b", "label": ["B"]}]
VERSIONS = tuple(
    asset(version, [RENAMED[0], {"type": "integer", "name": f"age{version}", "label": ["Age?"]}, RENAMED[1]])
    for version in ("1", "2")
)
AGE = {"type": "integer", "name": "age", "label": ["Age?"]}
IN_TWO_GROUPS = tuple(
    asset(
        version,
        [
            {"type": "begin_group", "name": "g1", "label": ["One"]},
            AGE,
            {"type": "end_group"},
            {"type": "begin_group", "name": "g2", "label": ["Two"]},
            AGE,
            {"type": "text", "name": f"of_{version}", "label": [f"Of {version}?"]},
            {"type": "end_group"},
        ],
    )
    for version in ("1", "2")
)
ITEMS = [{"list_name": "items", "name": name, "label": [name.title()]} for name in ("car", "bike")]
BUILDER = asset(
    "1",
    [
        {"type": "begin_kobomatrix", "name": "m1", "label": ["Items"], "kobo--matrix_list": "items"},
        {"type": "select_one", "select_from_list_name": "yn", "$autoname": "own", "label": ["Own?"]},
        {"type": "integer", "name": "nr", "$autoname": "nr", "label": ["How many?"], "relevant": "${own} = 'y'"},
        {"type": "end_kobomatrix"},
        {"type": "begin_score", "name": "sc", "label": ["Score"], "kobo--score-choices": "yn"},
        {"type": "score__row", "name": "s1", "label": ["Safe"]},
        {"type": "end_score"},
        {"type": "begin_rank", "name": "rk", "label": ["Top"], "kobo--rank-items": "items", "relevant": "${s1} = 'y'"},
        {"type": "rank__level", "name": "r1", "label": ["1st"]},
        {"type": "end_rank"},
    ],
    [*ITEMS, *({"list_name": "yn", "name": n[0].lower(), "label": [n]} for n in ("Yes", "No"))],
)
HIDDEN = '<span style="display:none">{}</span>'

CASES = {
    "a colon between groups, and within labels": Case(
        FRUIT,
        """
        start | Group: one:Do you like it? | Group: one:Which: fruit? | Group: one:Which: fruit?:Apple | Where | _id
        2024  | Yes                        | Apple Cherry / plum      | 1                              | 1 2   | 7
        """,
        "_id q m m/a loc",
        "y 'a c' 1 '1 2' 7",
        kobo=ENGLISH | {"separator": ":"},
    ),
    "no groups, and a choice without its translation": Case(
        FRUIT,
        """
        Aimez-vous ? | Quels fruits ? | Quels fruits ?/Pomme | Quels fruits ?/Grosse pomme | Quels fruits ?/c | _id
        Oui          | Grosse pomme c | 0                    | 1                           | 1                | 7
        Non          | .              | 0                    | 0                           | 0                | 8
        .            | .              | .                    | .                           | .                | 9
        """,
        "_id q m m/c",
        "y 'b c' 1 7 / n . 0 8 / . . . 9",
        kobo=FRENCH,
    ),
    "groups by dots, details too": Case(
        FRUIT,
        """
        g.q | g.m | g.m.a | g.m.c | loc   | g._loc_latitude | _id
        y   | a c | 1     | 1     | 1 2 3 | 1               | 7
        """,
        "_id q m m/c _loc_latitude",
        "y 'a c' 1 1 7",
        kobo=BOTH | {"separator": "."},
    ),
    "groups by colons, details by the slash they have without groups": Case(
        FRUIT,
        """
        g:q | g:m | g:m/a | g:m/c | _id
        y   | a c | 1     | 1     | 7
        """,
        "_id q m m/c",
        "y 'a c' 1 7",
        kobo=BOTH | {"separator": ":"},
    ),
    "a choice that was deleted is written as its code among labels, and no version that came has it": Case(
        FRUIT,
        """
        Do you like it? | Which: fruit? | _id
        maybe           | Apple quince  | 7
        Yes             | Apple         | 8
        """,
        "_id q m",
        ". . 7 / y a 8",
        ("2 q read.unknown_label error", "2 m read.unknown_label error"),
        ENGLISH,
    ),
    "a choice that was deleted is a code among codes": Case(
        FRUIT,
        """
        g/q   | g/m      | g/m/a | g/m/b | _id
        maybe | a quince | 1     | 0     | 7
        """,
        "_id q m",
        "maybe 'a quince' 7",
        kobo=BOTH,
    ),
    "or_other has no translation": Case(
        """
        type                           | name | label::English (en) | label::French (fr)
        select_one yn or_other         | q    | Do you?             | Est-ce ?
        select_multiple fruit or_other | m    | Which?              | Lesquels ?
        """,
        """
        Est-ce ? | q_other | Lesquels ?  | m_other | _id
        other    | peut    | Pomme Other | kiwi    | 7
        """,
        "_id q q_other m m_other",
        "other peut 'a other' kiwi 7",
        kobo=FRENCH,
    ),
    "a question that a newer version renamed stands behind all others": Case(
        VERSIONS,
        """
        A | Age? | B | Age? | _id | __version__
        x | .    | y | 30   | 1   | v1
        x | 40   | y | .    | 2   | v2
        """,
        "_id age1 age2",
        ". 30 1 / 40 . 2",
        kobo=LABELS,
    ),
    "one name in two groups of two versions": Case(
        IN_TWO_GROUPS,
        """
        One/Age? | Two/Age? | Two/Of 2? | Two/Of 1? | _id
        1        | 2        | 3         | 4         | 7
        """,
        "_id g1/age g2/age of_1 of_2",
        "1 2 3 4 7",
        kobo=LABELS,
    ),
    "a matrix, a score and a rank by their names": Case(
        (BUILDER,),
        """
        m1_car/m1_car_own | m1_car/m1_car_nr | m1_bike/m1_bike_own | m1_bike/m1_bike_nr | sc/s1 | rk/r1 | _id
        y                 | 2                | n                   | .                  | y     | car   | 7
        """,
        "_id m1_car_nr m1_bike_own s1 r1 asked(m1_car_nr) asked(m1_bike_nr) asked(r1)",
        "2 n y car 7 yes no yes",
    ),
    "a matrix, a score and a rank by their labels": Case(
        (BUILDER,),
        f"""
        {HIDDEN.format("car-Own?")} | {HIDDEN.format("car-How many?")} | {HIDDEN.format("bike-Own?")} | Safe | 1st | _id
        Yes                         | 2                                | No                           | Yes  | Car | 7
        """,
        "_id m1_car_own m1_car_nr m1_bike_own s1 r1",
        "y 2 n y car 7",
        kobo=ENGLISH,
    ),
    "a label that is another question's group and label": Case(
        """
        type          | name | label
        begin_group   | g    | Part A
        select_one yn | q    | Are you
        select_one yn | q2   | Part A/Are you
        end_group
        """,
        """
        Part A/Are you | Part A/Part A/Are you | _id
        Yes            | No                    | 7
        """,
        "_id q q2",
        "y n 7",
        kobo=LABELS,
        choices=CHOICES.replace("label::English (en)", "label"),
    ),
    "headers that pandas numbered": Case(
        """
        type | name | label
        text | a    | Please specify
        text | b    | Please specify
        text | c    | Version 1.1
        """,
        """
        Please specify | Please specify.1 | Version 1.1 | _id
        1              | 2                | 3           | 7
        """,
        "_id a b c",
        "1 2 3 7",
        kobo=LABELS,
    ),
    "headers that R numbered": Case(
        """
        type | name | label
        text | a    | Please specify
        text | b    | Please specify
        """,
        """
        Please specify...1 | Please specify...2 | _id
        1                  | 2                  | 7
        """,
        "_id a b",
        "1 2 7",
        kobo=LABELS,
    ),
    "a title above the header, and rows keep their numbers": Case(
        FRUIT,
        """
        Survey of returnees, all answers

        g/q | g/m | _id | _uuid
        y   | a c | 7   | u-7
        """,
        "_id q m",
        "y 'a c' 7",
    ),
    "numbers and codes that a spreadsheet wrote over": Case(
        """
        type          | name  | label
        integer       | phone | Phone
        text          | note  | Note
        decimal       | share | Share
        select_one yn | q     | Q
        date          | born  | Born
        text          | why   | Why | .
        """,
        """
        phone    | note     | share   | q        | born     | _id
        1E+05    | 1.67E+08 | 1.5E+10 | y        | ######## | 7
        ######## | ######## | 2.5     | ######## | 2001     | 8
        """,
        "_id phone note share q born",
        ". 1.67E+08 . y . 7 / . ######## 2.5 . 2001 8",
        (
            "2 phone read.damaged_value error",
            "3 phone read.damaged_value error",
            "2 note read.damaged_value query",
            "3 note read.damaged_value query",
            "2 share read.damaged_value error",
            "3 q read.damaged_value error",
            "2 born read.damaged_value error",
        ),
    ),
    "an answer that was written over decides no condition": Case(
        """
        type    | name | label | relevant
        integer | age  | Age
        text    | job  | Job   | ${age} > 17
        """,
        """
        age   | job | _id
        1E+05 | .   | 7
        20    | .   | 8
        """,
        "_id asked(job)",
        "7 . / 8 yes",
        ("2 None read.damaged_value error",),
    ),
    "what stands in no form is asked about and stays": Case(
        FRUIT,
        """
        g/q | score | _id
        y   | 1E+05 | 7
        """,
        "_id q score",
        "y 1E+05 7",
        ("2 score read.damaged_value query",),
    ),
    "a key that was written over is one error": Case(
        FRUIT,
        """
        g/q | _id      | _uuid
        y   | 1.67E+08 | u-7
        """,
        "_id _uuid q",
        "y . u-7",
        ("2 _id read.damaged_value error",),
    ),
    "all that the server adds": Case(
        FRUIT,
        """
        g/q | _id | _uuid | _validation_status         | _notes | _submitted_by | __version__ | meta/rootUuid | _index
        y   | 7   | u-7   | validation_status_approved | .      | sara          | vX          | uuid:r-7      | 1
        """,
        "_id _uuid _validation_status __version__ meta/rootUuid",
        "7 u-7 validation_status_approved vX uuid:r-7",
    ),
    "every other type of question": Case(
        """
        type        | name | label
        range       | r    | How far?
        note        | nt   | Read this
        geotrace    | tr   | Path
        geoshape    | sh   | Area
        acknowledge | ok   | Agreed?
        barcode     | bc   | Code
        time        | tm   | Time
        """,
        """
        How far? | Read this | Path            | Area                    | Agreed? | Code  | Time               | _id
        3        | .         | 1 2 0 0;3 4 0 0 | 1 2 0 0;3 4 0 0;1 2 0 0 | OK      | 00123 | 10:20:00.000+03:00 | 7
        """,
        "_id r nt tr sh ok bc tm",
        "3 . '1 2 0 0;3 4 0 0' '1 2 0 0;3 4 0 0;1 2 0 0' OK 00123 10:20:00.000+03:00 7",
        kobo=LABELS,
    ),
    "a row that is longer than the header, and the next that keeps its tick": Case(
        FRUIT,
        """
        Which: fruit? | Which: fruit?/Apple | Which: fruit?/Big apple | _id | _index
        Apple         | 1                   | 0                       | 7   | 1
        old           | 0                   | 0                       | 8   | 2 | 1
        Apple         | 1                   | 0                       | 9   | 3 | 1
        """,
        "_id m",
        "a 7 / . 8 / a 9",
        ("3 None read.ragged_row query", "4 None read.ragged_row query", "3 m read.unknown_label error"),
        ENGLISH,
    ),
    "details alone, by labels and a separator of its own": Case(
        FRUIT,
        """
        Groupe un - Quels fruits ? - Pomme | Groupe un - Quels fruits ? - c | _id
        1                                  | 0                              | 7
        TRUE                               | FALSE                          | 8
        .                                  | .                              | 9
        Pomme                              | .                              | 10
        """,
        "_id m",
        "7 a / 8 a / 9 . / 10 a",
        kobo=FRENCH | {"multiple_select": "details", "separator": " - "},
    ),
    "tags and variables in labels": Case(
        """
        type          | name | label
        text          | nm   | Name of the **head**
        select_one yn | q    | <span style="color:red">Does ${nm}</span><br>live here?
        """,
        """
        Name of the **head** | Does   live here? | _id
        x                    | Yes               | 7
        """,
        "_id nm q",
        "x y 7",
        kobo=LABELS,
        choices=CHOICES.replace("label::English (en)", "label"),
    ),
}


def told(row: dict[str, Any]) -> str:
    """A row as a case writes it."""
    shown = ("." if value is None else f"'{value}'" if " " in str(value) else value for value in list(row.values())[1:])
    return " ".join(shown)


@pytest.mark.parametrize("name", CASES)
def test_an_export_that_nobody_here_has_seen(name: str) -> None:
    case = CASES[name]
    read = opened(case)
    assert [told(row) for row in rows(read)] == case.found.split(" / ")
    assert [" ".join(map(str, issue)) for issue in issues(read)] == list(case.issues)


def test_a_renamed_question_beside_its_former_self_is_not_guessed() -> None:
    """Older exports put a question that was renamed beside its new self; nothing says which of the two is first."""
    case = Case(VERSIONS, "A | Age? | Age? | B | _id\nx | . | 30 | y | 1", "_id age1 age2", "", kobo=LABELS)
    with pytest.raises(Refused):
        opened(case)


def test_of_versions_in_no_known_order_none_is_the_newest() -> None:
    undated = tuple(
        MemoryFile(file.name, file.content.replace(b'"date_deployed"', b'"seen"').replace(b'"v', b'"vRu'))
        for file in VERSIONS
    )
    case = Case(undated, "A | Age? | B | Age? | _id\nx | . | y | 30 | 1", "_id age1 age2", "", kobo=LABELS)
    with pytest.raises(Refused):
        opened(case)
