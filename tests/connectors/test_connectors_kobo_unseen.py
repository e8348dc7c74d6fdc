"""Exports as KoboToolbox writes them, each with its form: what comes out, what is asked about.

What the server writes is known from formpack and kpi (formats.md 1).
"""

from __future__ import annotations

import pytest
from small_exports import BOTH, CHOICES, ENGLISH, FRENCH, FRUIT, LABELS, Case, holds

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
    "what the server heard in a recording": Case(
        """
        type  | name | label
        audio | a    | Say
        """,
        """
        a     | a_URL     | a - transcript (fr) | a - translation (en) | _id
        1.mp3 | https://x | bonjour             | hello                | 7
        """,
        "_id a_URL",
        "https://x 7",
    ),
    "a question that no translation has keeps its name, in a group with one": Case(
        """
        type          | name | label::English (en) | label::French (fr)
        begin_group   | g    | Group               | Groupe
        text          | t    | Town                | .
        select_one yn | q    | Do you?             | Est-ce ?
        end_group
        """.replace(" .", ""),
        """
        Groupe/t | Groupe/Est-ce ? | _id
        Uch      | Non             | 7
        """,
        "_id t q",
        "Uch n 7",
        kobo=FRENCH,
    ),
    "the same labels in two groups": Case(
        """
        type        | name | label
        begin_group | a    | Husband
        integer     | ha   | Age
        text        | hw   | Please specify
        end_group
        begin_group | b    | Wife
        integer     | wa   | Age
        text        | ww   | Please specify
        end_group
        """,
        """
        Husband/Age | Husband/Please specify | Wife/Age | Wife/Please specify | _id
        1           | x                      | 2        | y                   | 7
        """,
        "_id ha hw wa ww",
        "1 x 2 y 7",
        kobo=LABELS,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_an_export_that_nobody_here_has_seen(name: str) -> None:
    holds(CASES[name])
