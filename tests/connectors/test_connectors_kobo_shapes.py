"""What an export can be made of: zips, GeoJSON, flattened repeats, repeats without ids, forms as JSON, versions."""

import io
import json
import pickle
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from small_forms import export, form, workbook
from small_sources import issues, rows, source, table

from codebook.errors import Refused
from connectors import Opened, open_delivery
from connectors.kobo.export import look, looks_like_kobo
from connectors.shapes import Grid
from sources.batches import PlainFile

Deliver = Callable[[str, bytes], PlainFile]
XML = {"kind": "kobo_csv", "values": "xml"}


def cells(grid: Grid, size: int = 50_000) -> list[dict[str, Any]]:
    """Every row of a looked-at table, columns by their headers."""
    positions = [heading.position for heading in grid.headings]
    headers = [heading.header for heading in grid.headings]
    return [
        dict(zip(headers, values, strict=True))
        for piece in grid.pieces(positions, size)
        for values in zip(*(column.to_pylist() for column in piece.cells), strict=True)
    ]


def zipped(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("_csv", ".csv").replace("_xlsx", ".xlsx"), content)
    return out.getvalue()


def test_a_zipped_export_reads_as_the_export_itself(deliver: Deliver) -> None:
    file = deliver("export.zip", zipped(x_csv=export(["g/age", "_id"], ["30", "7"]), notes=b"left alone"))
    declared = source(XML, table("main", ["age", "_id"], key=["_id"]))
    assert rows(open_delivery([file], declared)) == [{"row": 2, "age": "30", "_id": "7"}]


def test_two_exports_in_one_archive_are_refused(deliver: Deliver) -> None:
    book = workbook({"s": [["_id"], [1]]})
    file = deliver("export.zip", zipped(a_csv=export(["_id"], ["1"]), b_xlsx=book))
    with pytest.raises(Refused, match="2 exports in one archive"):
        look(file)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 torn", zipped(x_csv=b"0" * 30_000_000), zipped(notes=b"x")])
def test_a_torn_swollen_or_empty_archive_is_refused(deliver: Deliver, content: bytes) -> None:
    with pytest.raises(Refused) as caught:
        look(deliver("export.zip", content))
    assert caught.value.rule == "delivery.unreadable"


def test_features_are_rows_and_points_read_as_in_other_exports(deliver: Deliver) -> None:
    features = [
        {"geometry": {"type": "Point", "coordinates": [-76.6, 39.3, 11.0]}, "properties": {"q": "a"}},
        {"geometry": {"type": "LineString", "coordinates": [[1, 2], [3, 4]]}, "properties": {"n": 7}},
        {"geometry": None, "properties": {"q": "b"}},
    ]
    file = deliver("export.geojson", json.dumps({"type": "FeatureCollection", "features": features}).encode())
    tables, _ = look(file)
    assert cells(tables["main"]) == [
        {"q": "a", "geometry": "39.3 -76.6 11.0", "n": None},
        {"q": None, "geometry": "2 1;4 3", "n": "7"},
        {"q": "b", "geometry": None, "n": None},
    ]


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"features": [1]}', b'{"features": []}', b"[" * 100_000])
def test_geojson_that_is_none_is_refused(deliver: Deliver, content: bytes) -> None:
    with pytest.raises(Refused):
        look(deliver("export.geojson", content))


FLATTENED = ["name", "kids[1]/name", "kids[1]/toys[1]/toy", "kids[1]/toys[2]/toy", "kids[2]/name", "_uuid"]


def test_flattened_repeats_become_tables(deliver: Deliver) -> None:
    """The former server writes one column a child and `n/a` where there was none (formats.md 1.4.7)."""
    answers = [["Bo", "Tom", "ball", "n/a", "Ann", "u1"], ["Al", "n/a", "n/a", "n/a", "n/a", "u2"]]
    declared = source(
        XML,
        table("main", ["name", "_uuid"], key=["_uuid"]),
        table("kids", ["name", "_position", "_submission__uuid"], key=["_submission__uuid", "_position"]),
        table("toys", ["toy", "_position", "_parent_position", "_submission__uuid"], key=["_submission__uuid"]),
    )
    opened = open_delivery([deliver("export.csv", export(FLATTENED, *answers))], declared)
    assert rows(opened) == [{"row": 2, "name": "Bo", "_uuid": "u1"}, {"row": 3, "name": "Al", "_uuid": "u2"}]
    assert rows(opened, "kids") == [
        {"row": 2, "name": "Tom", "_position": "1", "_submission__uuid": "u1"},
        {"row": 2, "name": "Ann", "_position": "2", "_submission__uuid": "u1"},
    ]
    assert rows(opened, "toys") == [
        {"row": 2, "toy": "ball", "_position": "1.1", "_parent_position": "1", "_submission__uuid": "u1"}
    ]


def test_n_a_is_an_answer_where_the_export_is_of_today(deliver: Deliver) -> None:
    file = deliver("export.csv", export(["name", "_uuid", "_index"], ["n/a", "u1", "1"]))
    declared = source(XML, table("main", ["name", "_uuid"], key=["_uuid"]))
    assert rows(open_delivery([file], declared))[0]["name"] == "n/a"


NESTED = {
    "main": [["_id", "_uuid", "_index"], [71, "u1", 1], [72, "u2", 2]],
    "kids": [["age", "_index", "_parent_table_name", "_parent_index"], [5, 1, "main", 2], [6, 2, "main", 2]],
    "toys": [["toy", "_parent_table_name", "_parent_index"], ["b", "kids", 2], ["c", "kids", 2], ["d", "kids", 9]],
}


def test_a_repeat_without_ids_is_tied_through_its_parents(deliver: Deliver) -> None:
    """`_parent_index` leads up within one export; the ids that it leads to hold in every export (formats.md 1.1)."""
    ties = ["_submission__id", "_submission__uuid", "_position"]
    declared = source(
        {"kind": "kobo_xlsx"},
        table("main", ["_id"], key=["_id"]),
        table("kids", ["age", *ties], key=["_submission__id", "_position"]),
        table("toys", ["toy", *ties, "_parent_position"], key=["_submission__id", "_position"]),
    )
    opened = open_delivery([deliver("export.xlsx", workbook(NESTED))], declared)
    second = {"_submission__id": "72", "_submission__uuid": "u2"}
    assert rows(opened, "kids") == [
        {"row": 2, "age": "5", **second, "_position": "1"},
        {"row": 3, "age": "6", **second, "_position": "2"},
    ]
    nowhere = dict.fromkeys([*ties, "_parent_position"])
    assert rows(opened, "toys") == [
        {"row": 2, "toy": "b", **second, "_position": "2.1", "_parent_position": "2"},
        {"row": 3, "toy": "c", **second, "_position": "2.2", "_parent_position": "2"},
        {"row": 4, "toy": "d", **nowhere},
    ]
    assert opened.facts["repeats_tied_by_index"] == ["kids", "toys"]


def test_a_position_does_not_depend_on_the_index_of_the_export(deliver: Deliver) -> None:
    """The same submissions after an earlier one was deleted: every `_index` moved, no key did."""
    kids = [["age", "_index", "_parent_index", "_submission__id"], [5, 1, 2, 72], [6, 2, 2, 72]]
    moved = [kids[0], *([row[0], row[1] + 40, row[2] + 9, row[3]] for row in kids[1:])]  # type: ignore[operator]
    declared = source(
        {"kind": "kobo_xlsx"},
        table("main", ["_id"], key=["_id"]),
        table("kids", ["_submission__id", "_position"], key=["_submission__id", "_position"]),
    )
    found = []
    for n, (sheet, index) in enumerate([(kids, 2), (moved, 11)]):
        book = workbook({"main": [["_id", "_index"], [72, index]], "kids": sheet})
        opened = open_delivery([deliver(f"export{n}.xlsx", book)], declared)
        found.append([(row["_submission__id"], row["_position"]) for row in rows(opened, "kids")])
        assert "repeats_tied_by_index" not in opened.facts
    assert found[0] == found[1] == [("72", "1"), ("72", "2")]


def test_zipped_csv_files_are_the_tables_of_one_export(deliver: Deliver) -> None:
    files = zipped(
        form_kids_csv=export(["age", "_index", "_parent_table_name", "_parent_index"], ["5", "1", "form", "1"]),
        form_csv=export(["name", "_id", "_index", "_parent_index"], ["Bo", "71", "1", "-1"]),
    )
    tables, facts = look(deliver("export.zip", files))
    assert {name: cells(grid)[0] for name, grid in tables.items()} == {
        "form_kids": {"age": "5", "_index": "1", "_parent_table_name": "form", "_parent_index": "1"},
        "form": {"name": "Bo", "_id": "71", "_index": "1", "_parent_index": "-1"},
    }
    assert facts["repeats_tied_by_index"] == ["form_kids"]


ASSET = {
    "uid": "aX",
    "content": {
        "translations": [None, "Arabic (ar)"],
        "survey": [
            {"type": "select_one", "select_from_list_name": "yn", "name": "q", "label": ["Debt?", "دين؟"]},
            {"type": "image", "name": "pic", "label": ["Photo", ""]},
        ],
        "choices": [
            {"list_name": "yn", "name": "yes", "label": ["Yes", "نعم"]},
            {"list_name": "yn", "name": "no", "label": ["No", "لا"]},
        ],
        "settings": {"version": "7"},
    },
}


def test_the_servers_own_form_decodes_labels_in_any_language(deliver: Deliver) -> None:
    file = deliver("export.csv", export(["دين؟", "pic", "pic_URL", "_id"], ["لا", "a.jpg", "https://x/a.jpg", "1"]))
    tables, facts = look(file, deliver("asset.json", json.dumps(ASSET).encode()))
    assert (facts["values"], facts["language"]) == ("labels", "Arabic (ar)")
    assert cells(tables["main"])[0]["دين؟"] == "no"
    heading = tables["main"].headings[0]
    assert (heading.names[0], heading.label, heading.value_labels) == ("q", "دين؟", {"yes": "نعم", "no": "لا"})
    assert tables["main"].headings[2].names[0] == "pic_URL"


def test_versions_of_a_form_are_one_form_and_their_changes_of_type_are_said(deliver: Deliver) -> None:
    first = {"content": {"survey": [{"type": "select_one l", "name": "q"}, {"type": "text", "name": "old"}],
                         "choices": [{"list_name": "l", "name": "a", "label": "A"}]}, "version": "v1"}  # fmt: skip
    second = {"content": {"survey": [{"type": "select_multiple l", "name": "q"}, {"type": "integer", "name": "old"}],
                          "choices": [{"list_name": "l", "name": "b", "label": "B"}]}, "version": "v2"}  # fmt: skip
    files = [deliver(f"{n}.json", json.dumps(content).encode()) for n, content in enumerate([first, second])]
    data = deliver("export.csv", export(["q", "old", "_id"], ["A", "x", "1"], ["B A", "5", "2"]))
    kobo = {"kind": "kobo_csv", "values": "labels"}
    opened = open_delivery([data, *files], source(kobo, table("main", ["q", "old", "_id"], key=["_id"])))
    assert [row["q"] for row in rows(opened)] == ["a", "b a"]
    assert opened.facts["type_changes"] == ["q: select_one -> select_multiple", "old: text -> integer"]
    assert opened.facts["form_version"] == "v1, v2"


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ({"version": "9"}, {"version": "10"}),
        ({"version": "2022112801"}, {"version": "2023010100"}),
        ({"version": "v1.9"}, {"version": "v1.10"}),
        ({"version": "vZ", "date_deployed": "2022-11-28T09:05:32Z"}, {"version": "vA", "date_deployed": "2023-01-01"}),
    ],
)
def test_the_newest_form_gives_the_labels_however_they_were_delivered(
    deliver: Deliver, older: dict[str, str], newer: dict[str, str]
) -> None:
    opened = two_forms(deliver, newer | {"label": "new"}, older | {"label": "old"})
    assert opened.facts["form_version"] == f"{older['version']}, {newer['version']}"
    assert opened.issues().num_rows == 0


@pytest.mark.parametrize("versions", [("vRugK", "vQhZq"), ("1", "1"), ("3", "2022112801")])
def test_forms_whose_order_nobody_can_know_are_asked_about(deliver: Deliver, versions: tuple[str, str]) -> None:
    first, second = ({"version": version, "label": label} for version, label in zip(versions, "ab", strict=True))
    opened = two_forms(deliver, first, second)
    assert issues(opened) == [(None, None, "read.form_order_unknown", "query")]


def test_one_form_delivered_twice_is_one_version(deliver: Deliver) -> None:
    assert issues(two_forms(deliver, {"version": "vRugK", "label": "a"}, {"version": "vRugK", "label": "a"})) == []


def two_forms(deliver: Deliver, *forms: dict[str, str]) -> Opened:
    files = []
    for number, one in enumerate(forms):
        about = {name: value for name, value in one.items() if name != "label"}
        content = {"survey": [{"type": "text", "name": "q", "label": [one["label"]]}], "choices": []}
        files.append(deliver(f"{number}.json", json.dumps(about | {"content": content}).encode()))
    data = deliver("export.csv", export(["q", "_id"], ["x", "1"]))
    return open_delivery([data, *files], source({"kind": "kobo_csv"}, table("main", ["q", "_id"], key=["_id"])))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("form.json", b"{"),
        ("form.json", b"[" * 100_000),
        ("form.json", b'{"content": {"survey": 1}}'),
        ("form.xml", b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>'),
        ("form.xml", b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><x>&b;</x>'),
        ("form.xlsx", workbook({"answers": [["_id", "q"], [1, "yes"]]})),
        ("form.xlsx", form([["text", "q", "Q", "Q"]], [["l", "a", "A", "A"]])[:900]),
    ],
)
def test_a_form_that_is_none_is_refused(deliver: Deliver, name: str, content: bytes) -> None:
    with pytest.raises(Refused) as caught:
        look(deliver("export.csv", export(["q", "_id"], ["yes", "1"])), deliver(name, content))
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("summary", "ticks", "contradicts"),
    [
        ("a b", ["1", "1"], False),
        ("a", ["True", "False"], False),
        ("a", ["a", ""], False),
        ("", ["0", "0"], False),
        ("a", ["", ""], False),  # a version without these columns (formats.md 1.4.3)
        ("zzz", ["0", "0"], False),  # a choice of no version (formats.md 1.4.2)
        ("a", ["0", "1"], True),
        ("", ["1", "0"], True),
        ("a b", ["1", "0"], True),
    ],
)
def test_a_summary_is_held_against_its_detail_columns(
    deliver: Deliver, summary: str, ticks: list[str], contradicts: bool
) -> None:
    file = deliver("export.csv", export(["w", "w/a", "w/b", "_id"], [summary, *ticks, "1"]))
    opened = open_delivery([file], source(XML | {"multiple_select": "both"}, table("main", ["w", "_id"], key=["_id"])))
    assert rows(opened)[0]["w"] == (summary or None)
    assert issues(opened) == ([(2, "w", "read.contradicting_choices", "query")] if contradicts else [])


def test_a_detail_cell_that_is_neither_ticked_nor_not_is_an_error(deliver: Deliver) -> None:
    file = deliver("export.csv", export(["w/a", "w/b", "_id"], ["1", "maybe", "1"]))
    declared = source(XML | {"multiple_select": "details"}, table("main", ["w", "_id"], key=["_id"]))
    opened = open_delivery([file], declared)
    assert rows(opened)[0]["w"] is None
    assert issues(opened) == [(2, "w", "read.unknown_label", "error")]


def test_hxl_tags_are_found_whatever_columns_are_read(deliver: Deliver) -> None:
    file = deliver("export.csv", export(["_id", "age"], ["", "#affected+age"], ["1", "30"]))
    assert rows(open_delivery([file], source(XML, table("main", ["_id"], key=["_id"])))) == [{"row": 3, "_id": "1"}]


def test_a_looked_at_table_can_be_read_in_another_process(deliver: Deliver) -> None:
    tables, _ = look(deliver("export.xlsx", workbook(NESTED)))
    again = pickle.loads(pickle.dumps(tables["toys"]))
    assert cells(again) == cells(tables["toys"]) != []


@pytest.mark.parametrize(
    ("headers", "is_one"),
    [
        (["start", "end", "q", "_id", "_uuid", "_submission_time"], True),
        (["X_uuid", "X_submission_time", "q"], True),
        (["age", "_parent_table_name", "_parent_index"], True),
        (["name", "meta/instanceID"], True),
        (["id", "name", "start", "end"], False),
        (["_id", "name"], False),
        ([], False),
    ],
)
def test_an_export_is_known_by_the_columns_that_the_server_adds(headers: list[str], is_one: bool) -> None:
    assert looks_like_kobo(headers) is is_one
