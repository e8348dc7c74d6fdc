"""Exports with repeats, zips of sections and features, each with its form."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest
from small_exports import CHOICES, ENGLISH, FRUIT, sheet, told, xlsform
from small_forms import export, workbook
from small_sources import MemoryFile, issues, rows, source, table

from connectors import open_delivery

HOUSEHOLDS = """
type                  | name  | label  | repeat_count
integer               | n     | How many?
begin_repeat          | kids  | Kids   | ${n}
begin_group           | inner | Inner
text                  | nm    | Name
select_multiple fruit | likes | Likes?
begin_repeat          | toys  | Toys
text                  | toy   | Toy
end_repeat
end_group
end_repeat
"""
HEADS = "n | kids_count | _id | _index\n2 | 2 | 7 | 1\n0 | 0 | 8 | 2\n1 | 1 | 9 | 3"
TIED = ["_submission__id", "_position"]
BOOKS: dict[str, tuple[dict[str, str], dict[str, Any]]] = {
    "repeats by their names, one within a group within the other; a submission has none": (
        {
            "A survey": HEADS,
            "kids": """
                kids/inner/nm | kids/inner/likes | _index | _parent_table_name | _parent_index | _submission__id
                A             | a b              | 1      | A survey           | 1             | 7
                B             | .                | 2      | A survey           | 1             | 7
                C             | c                | 3      | A survey           | 3             | 9
                """,
            "toys": """
                kids/inner/toys/toy | _index | _parent_table_name | _parent_index | _submission__id
                ball                | 1      | kids               | 2             | 7
                car                 | 2      | kids               | 2             | 7
                cup                 | 3      | kids               | 3             | 9
                """,
        },
        {},
    ),
    "repeats by their labels, below a title in each sheet": (
        {
            "A survey": "All answers\n\n" + HEADS.replace("n |", "How many? |", 1),
            "kids": """
                All children
                Kids/Inner/Name | Kids/Inner/Likes? | _index | _parent_table_name | _parent_index | _submission__id
                A               | Apple Big apple   | 1      | A survey           | 1             | 7
                B               | .                 | 2      | A survey           | 1             | 7
                C               | Cherry / plum     | 3      | A survey           | 3             | 9
                """,
            "toys": """
                Kids/Inner/Toys/Toy | _index | _parent_table_name | _parent_index | _submission__id
                ball                | 1      | kids               | 2             | 7
                car                 | 2      | kids               | 2             | 7
                cup                 | 3      | kids               | 3             | 9
                """,
        },
        {"values": "labels"},
    ),
}


@pytest.mark.parametrize("name", BOOKS)
def test_a_workbook_with_repeats_that_nobody_here_has_seen(name: str) -> None:
    sheets, kobo = BOOKS[name]
    labelled = CHOICES.replace("label::English (en)", "label")
    book = {
        name: [[None if c in (".", None) else c for c in row] for row in sheet(text)] for name, text in sheets.items()
    }
    tables = [
        table("main", ["_id", "n", "kids_count"], key=["_id"]),
        table("kids", ["nm", "likes", *TIED], key=TIED, parent={"table": "main", "key": TIED[:1]}),
        table("toys", ["toy", *TIED, "_parent_position"], key=TIED, parent={"table": "main", "key": TIED[:1]}),
    ]
    declared = source({"kind": "kobo_xlsx", **kobo}, *tables)
    read = open_delivery([MemoryFile("x.xlsx", workbook(book)), xlsform(HOUSEHOLDS, labelled)], declared)
    found = {where: [told(row) for row in rows(read, where)] for where in ("main", "kids", "toys")}
    assert found == {
        "main": ["2 2 7", "0 0 8", "1 1 9"],
        "kids": ["A 'a b' 7 1", "B . 7 2", "C c 9 1"],
        "toys": ["ball 7 2.1 2", "car 7 2.2 2", "cup 9 1.1 1"],
    }
    assert issues(read) == []


def test_a_zip_of_sections_with_a_title_in_one() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("Form.csv", export(["Survey"], ["q", "_id", "_index", "_uuid"], ["1", "7", "1", "u"]))
        header = ["nm", "_index", "_parent_table_name", "_parent_index", "_submission__id"]
        archive.writestr("kids.csv", export(header, ["A", "1", "Form", "1", "7"]))
    tables = [table("main", ["_id", "q"], key=["_id"]), table("kids", ["nm", *TIED], key=TIED)]
    declared = source({"kind": "kobo_csv", "main": "Form"}, *tables)
    read = open_delivery([MemoryFile("x.zip", packed.getvalue())], declared)
    assert [told(row) for where in ("main", "kids") for row in rows(read, where)] == ["1 7", "A 7 1"]


def test_features_with_labels_are_decoded() -> None:
    line = {"type": "LineString", "coordinates": [[38.7, 9.0], [38.8, 9.1]]}
    features = [
        {
            "type": "Feature",
            "geometry": line,
            "properties": {"Do you like it?": "No", "Which: fruit?": "Big apple Apple"},
        },
        {"type": "Feature", "geometry": None, "properties": {"Which: fruit?": "Quince"}},
    ]
    file = MemoryFile("x.geojson", json.dumps({"type": "FeatureCollection", "features": features}).encode())
    declared = source({"kind": "kobo_csv", **ENGLISH}, table("main", ["q", "m", "geometry"], key=["geometry"]))
    read = open_delivery([file, xlsform(FRUIT)], declared)
    assert [told(row) for row in rows(read)] == ["n 'b a' '9.0 38.7;9.1 38.8'", ". . ."]
    assert [issue[1:3] for issue in issues(read)] == [("m", "read.unknown_label")]
