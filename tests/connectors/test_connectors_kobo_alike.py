"""Labels, codes and headers that are alike: read as what they are, or told to be ambiguous, and never guessed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from small_exports import BOTH, CHOICES, ENGLISH, FRENCH, FRUIT, LABELS, Case, asset, holds, xlsform
from small_forms import workbook
from small_sources import MemoryFile, rows, source, table

from connectors import open_delivery

YN = """
list_name | name | label
yn        | y    | Yes
yn        | n    | No
"""
NESTED_LABELS = """
list_name | name | label
l         | a    | A
l         | b    | B
l         | ab   | A B
l         | c    | C
"""
WORK = """
list_name | name | label
l         | 1    | No
l         | 2    | No work
l         | 3    | No work permit
"""
ONE = """
type         | name | label
select_one l | q    | Q
"""
SEVERAL = ONE.replace("select_one", "select_multiple")
RANK = ONE.replace("select_one", "rank")
OR_OTHER = {"type": "select_one", "select_from_list_name": "l", "_or_other": True, "name": "q", "label": ["Q"]}
LIST_A = [{"list_name": "l", "name": "a", "label": ["A"]}]
OF_WINDOWS = {
    "survey": [["type", "name", "label"], ["select_one l", "q", "Do you_x000D_\r\nwork?"]],
    "choices": [
        ["list_name", "name", "label"],
        ["l", "1", "Yes,\u00a0in_x000D_\nfull"],
        ["l", "2", "\u200bNo\u200e"],
    ],
}


def choices(*listed: str) -> str:
    """Choices of list `l`, each a code and its label."""
    return "\n".join(["list_name | name | label", *(f"l | {one}" for one in listed)])


def question(kind: str, version: str, *labels: tuple[str, str]) -> MemoryFile:
    """A version of a form with one question `q`."""
    asked = {"type": kind, "name": "q", "label": ["Q"], **({"select_from_list_name": "l"} if labels else {})}
    return asset(version, [asked], [{"list_name": "l", "name": name, "label": [label]} for name, label in labels])


CASES = {
    "a text of its own beside a list with its own Other": Case(
        "type | name | label\nselect_one l | q | Which?\ntext | q_other | Specify",
        "Which? | Specify | _id\nOther | tea | 7",
        "_id q q_other",
        "96 tea 7",
        kobo=LABELS,
        choices=choices("1 | Coffee", "96 | Other"),
    ),
    "or_other as the server's asset has it": Case(
        (asset("1", [OR_OTHER], LIST_A),),
        "Q | q_other | _id\nOther | tea | 7\nA | . | 8",
        "_id q q_other",
        "other tea 7 / a . 8",
        kobo=ENGLISH,
    ),
    "a label that is another choice's name": Case(
        ONE, "Q | _id\n2 | 7\n1 | 8", "_id q", "1 7 / 2 8", kobo=LABELS, choices=choices("1 | 2", "2 | 1")
    ),
    "a choice without a label, whose name is another's label": Case(
        ONE,
        "Q | _id\n2 | 7",
        "_id q",
        ". 7",
        ["2 q read.ambiguous_label error"],
        kobo=LABELS,
        choices=choices("1 | 2", "2 |"),
    ),
    "labels that differ in case, or by a full stop": Case(
        SEVERAL,
        "Q | _id\nOther Other. | 7\nOther. | 8\nother | 9\nOTHER | 10",
        "_id q",
        "'1 2' 7 / 2 8 / 3 9 / . 10",
        ["5 q read.unknown_label error"],
        kobo=LABELS,
        choices=choices("1 | Other", "2 | Other.", "3 | other"),
    ),
    "one letter written in two ways": Case(
        ONE,
        "Q | _id\n\u00c9cole | 7\nE\u0301cole | 8",
        "_id q",
        ". 7 / . 8",
        ["2 q read.ambiguous_label error", "3 q read.ambiguous_label error"],
        kobo=LABELS,
        choices=choices("1 | \u00c9cole", "2 | E\u0301cole"),
    ),
    "returns, spaces that do not break, and marks without width": Case(
        (MemoryFile("form.xlsx", workbook(OF_WINDOWS)),),
        "Do you work? | _id\nYes, in full | 7\nYes, in_x000D_ full | 8\nNo | 9",
        "_id q",
        "1 7 / 1 8 / 2 9",
        kobo=LABELS,
    ),
    "details of labels that hold each other": Case(
        SEVERAL,
        "Q/No | Q/No work | Q/No work permit | _id\n1 | 1 | 0 | 7\n0 | 0 | 1 | 8",
        "_id q",
        "7 '1 2' / 8 3",
        kobo=LABELS | {"multiple_select": "details"},
        choices=WORK,
    ),
    "two choices of one label, told apart by their details": Case(
        SEVERAL,
        "Q | Q/Other | Q/Other | Q/Yes | _id\nOther | 0 | 1 | 0 | 7\nOther Yes | 1 | 0 | 1 | 8",
        "_id q",
        "2 7 / '1 3' 8",
        kobo=LABELS | BOTH,
        choices=choices("1 | Other", "2 | Other", "3 | Yes"),
    ),
    "a rank whose order can be read in two ways": Case(
        RANK, "Q | _id\nA B A B | 7", "_id q", ". 7", ["2 q read.ambiguous_label error"], LABELS, NESTED_LABELS
    ),
    "the same labels where the order is no answer": Case(
        SEVERAL, "Q | _id\nA B A B | 7", "_id q", "'ab a b' 7", kobo=LABELS, choices=NESTED_LABELS
    ),
    "a rank that can be read in one way": Case(
        RANK, "Q | _id\nB C A | 7", "_id q", "'b c a' 7", kobo=LABELS, choices=NESTED_LABELS
    ),
    "codes that hold the separator": Case(
        SEVERAL,
        "q--1 | q-2-3 | _id\n1 | 0 | 7\n1 | 1 | 8",
        "_id q",
        "7 -1 / 8 '-1 2-3'",
        kobo={"separator": "-", "multiple_select": "details"},
        choices=choices("-1 | Do not know", "2-3 | Two"),
    ),
    "names of questions that hold the separator": Case(
        "type | name | label\nbegin_group | g | G\ntext | q.1 | One\ntext | r.1 | Two\nend_group\ntext | g.q | Three",
        "g.q.1 | g.r.1 | g.q | _id\na | b | c | 7",
        "_id q.1 r.1 g.q",
        "a b c 7",
        kobo={"separator": "."},
    ),
    "a number of a former version that is a label of today": Case(
        (question("integer", "1"), question("select_one", "2", ("c0", "1"), ("c1", "More"))),
        "Q | _id\n1 | 7\nMore | 8",
        "_id q",
        ". 7 / c1 8",
        ["2 q read.ambiguous_label error"],
        ENGLISH,
    ),
    "a text of a former version that is no label": Case(
        (question("text", "1"), question("select_one", "2", ("y", "Yes"))),
        "Q | _id\nmaybe | 7\nYes | 8",
        "_id q",
        ". 7 / y 8",
        ["2 q read.unknown_label error"],
        ENGLISH,
    ),
    "a label whose code changed": Case(
        (question("select_one", "1", ("yes", "Yes")), question("select_one", "2", ("1", "Yes"))),
        "Q | _id\nYes | 7",
        "_id q",
        ". 7",
        ["2 q read.ambiguous_label error"],
        ENGLISH,
    ),
    "several answers, then one": Case(
        (question("select_multiple", "1", ("a", "A"), ("b", "B")), question("select_one", "2", ("a", "A"), ("b", "B"))),
        "Q | Q/A | Q/B | _id\nA B | 1 | 1 | 7\nB | . | . | 8",
        "_id q",
        "'a b' 7 / b 8",
        kobo=ENGLISH,
    ),
    "files of choices beside the form": Case(
        (
            xlsform("type | name | label\nselect_one_from_file towns.csv | t | Town", YN),
            MemoryFile("towns.csv", b"name,label\r\n01,North\r\n"),
        ),
        "Town | _id\n01 | 7",
        "_id t",
        "01 7",
        kobo=LABELS,
    ),
    "a language that the form calls by its own name": Case(
        FRUIT.replace("French (fr)", "Fran\u00e7ais (fr)"),
        "Aimez-vous ? | _id\nOui | 7",
        "_id q",
        "y 7",
        kobo=FRENCH,
        choices=CHOICES.replace("French (fr)", "Fran\u00e7ais (fr)"),
    ),
    "an answer that no version of the form lists": Case(
        ONE.replace("select_one l ", "select_one yn "),
        "Q | _id\nzzz | 7\ny | 8",
        "_id q",
        ". 7 / . 8",
        ["2 q read.unknown_label error", "3 q read.unknown_label error"],
        LABELS,
        YN,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_alike_is_told_apart_or_told(name: str) -> None:
    holds(CASES[name])


POINT = {"type": "Point", "coordinates": [1, 2.50]}
AREA = [[0, 0], [0, 1], [1, 1], [0, 0]]
GEOMETRIES = [
    (POINT, "2.5 1"),
    ({"type": "LineString", "coordinates": [[1, 2], [3, 4, 5]]}, "2 1;4 3 5"),
    ({"type": "Polygon", "coordinates": [AREA]}, "0 0;1 0;1 1;0 0"),
    ({"type": "Polygon", "coordinates": [AREA, AREA]}, None),
    ({"type": "MultiPolygon", "coordinates": [[AREA], [AREA]]}, None),
    ({"type": "GeometryCollection", "geometries": [POINT, POINT]}, None),
    ({"type": "Point", "coordinates": ["x", "y"]}, None),
]


@pytest.mark.parametrize(("geometry", "told"), GEOMETRIES)
def test_no_place_of_a_geometry_is_lost(geometry: dict[str, Any], told: str | None) -> None:
    """What has no way to be written as in other exports is kept as it came."""
    features = [{"type": "Feature", "geometry": geometry, "properties": {"_id": 7}}]
    content = json.dumps({"type": "FeatureCollection", "features": features}).encode()
    declared = source({"kind": "kobo_csv"}, table("main", ["_id", "geometry"], key=["_id"]))
    cell = rows(open_delivery([MemoryFile("x.geojson", content)], declared))[0]["geometry"]
    assert cell == told if told is not None else json.loads(cell) == geometry


def test_an_asset_says_or_other_as_a_word_too() -> None:
    content = {"survey": [{**OR_OTHER, "_or_other": "true"}], "choices": LIST_A, "translations": ["English (en)"]}
    form = MemoryFile("a.json", json.dumps({"content": content}).encode())
    holds(Case((form,), "Q | _id\nOther | 7", "_id q", "other 7", kobo=ENGLISH))
