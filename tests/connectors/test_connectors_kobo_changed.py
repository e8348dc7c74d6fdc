"""Exports of forms that changed, and exports that people changed: nothing is lost in silence, nothing guessed."""

from __future__ import annotations

import pytest
from small_exports import BOTH, ENGLISH, FRUIT, LABELS, Case, asset, holds, opened
from small_sources import MemoryFile

from codebook.errors import Refused

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
    "answers in two languages, since somebody pasted two exports together": Case(
        FRUIT,
        """
        Do you like it? | _id
        Yes             | 7
        Oui             | 8
        """,
        "_id q",
        "y 7 / . 8",
        ("3 q read.unknown_label error",),
        ENGLISH,
    ),
    "a question that moved to another group has the group of the newest version": Case(
        tuple(
            asset(
                version,
                [
                    {"type": "begin_group", "name": f"g{version}", "label": [""]},
                    AGE,
                    {"type": "text", "name": "job", "relevant": "${age} > 17"},
                    {"type": "end_group"},
                ],
            )
            for version in ("1", "2")
        ),
        """
        g2/age | g2/job | _id | __version__
        20     | .      | 7   | v1
        9      | .      | 8   | v2
        """,
        "_id age asked(job)",
        "20 7 yes / 9 8 no",
    ),
    "the former server's repeats, one in the other": Case(
        """
        type                  | name  | label
        begin_repeat          | kids  | Kids
        text                  | nm    | Name
        end_repeat
        """,
        """
        kids[1]/nm | kids[2]/nm | a   | meta/instanceID | _id
        A          | n/a        | n/a | uuid:7          | 7
        """,
        "_id a",
        ". 7",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_was_changed_is_read_or_said(name: str) -> None:
    holds(CASES[name])


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
