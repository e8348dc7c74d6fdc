"""JSON as tables: numbers stay as written, lists of records are found or declared, and memory does not grow."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from small_sources import HugeFile, rows, source, table

from codebook.errors import Refused
from connectors import open_delivery
from connectors.text import json_files
from sources.batches import PlainFile
from sources.models import Source

Deliver = Callable[[str, bytes], PlainFile]
ENVELOPE = b'{"isSuccess": true, "errorMessages": [], "result": [{"id": 1, "at": {"name": "A"}}, {"id": 2}]}'


def json_source(*columns: str, records: str | None = None) -> Source:
    optional: list[str | dict[str, Any]] = [columns[0], *({"name": name, "optional": True} for name in columns[1:])]
    return source({"kind": "json", "records": records}, table("main", optional, key=columns[:1]))


def seen(file: PlainFile) -> dict[str, list[list[str | None]]]:
    """Every table as rows of text, its header first."""
    grids, _ = json_files.look(file)
    found = {}
    for name, grid in grids.items():
        columns: list[list[str | None]] = [[heading.header] for heading in grid.headings]
        for piece in grid.pieces(range(len(columns)), 2):
            for column, cells in zip(columns, piece.cells, strict=True):
                column.extend(cells.to_pylist())
        found[name] = [list(row) for row in zip(*columns, strict=True)]
    return found


def test_numbers_are_kept_as_they_were_written(deliver: Deliver) -> None:
    """A float would make 12345678901234567890.10 and 1.50 into other identifiers and other amounts."""
    file = deliver("a.json", b'[{"id": 12345678901234567890.10, "n": 1.50, "e": 1e5, "b": true, "x": null, "t": " "}]')
    header, row = seen(file)["main"]
    assert header == ["id", "n", "e", "b", "x", "t"]
    assert row == ["12345678901234567890.10", "1.50", "1e5", "true", None, None]


def test_members_of_members_are_columns_and_lists_stay_one_cell(deliver: Deliver) -> None:
    file = deliver("a.json", b'[{"a": {"b": {"c": "x"}, "d": {}}, "l": [1.0, "y", {"k": 2}], "none": []}]')
    assert seen(file) == {"main": [["a/b/c", "a/d", "l", "none"], ["x", None, '[1.0,"y",{"k":2}]', None]]}


def test_the_list_in_an_envelope_is_found(deliver: Deliver) -> None:
    opened = open_delivery([deliver("a.json", ENVELOPE)], json_source("id", "at/name", records="result"))
    assert rows(opened) == [{"row": 1, "id": "1", "at/name": "A"}, {"row": 2, "id": "2", "at/name": None}]
    assert opened.facts["records"] == 2


def test_the_only_list_of_records_need_not_be_declared(deliver: Deliver) -> None:
    file = deliver("a.json", ENVELOPE.replace(b'"errorMessages": [], ', b""))
    assert len(rows(open_delivery([file], json_source("id")))) == 2


def test_json_lines_are_rows(deliver: Deliver) -> None:
    file = deliver("a.jsonl", b'{"id": "007", "n": "a"}\n\n{"id": 8, "m": "b"}\n')
    assert seen(file) == {"main": [["id", "n", "m"], ["007", "a", None], ["8", None, "b"]]}


def test_an_object_without_a_list_of_objects_is_one_record(deliver: Deliver) -> None:
    assert seen(deliver("a.json", b'{"id": 1, "tags": ["x"]}')) == {"main": [["id", "tags"], ["1", '["x"]']]}


def test_points_become_longitude_and_latitude(deliver: Deliver) -> None:
    file = deliver(
        "a.geojson",
        b'{"type": "FeatureCollection", "features": [{"type": "Feature", "id": 4, "properties": {"q": "a"}, '
        b'"geometry": {"type": "Point", "coordinates": [-89.20, 13.7, 1]}}, '
        b'{"type": "Feature", "id": 5, "properties": {"q": "b"}, "geometry": null}, '
        b'{"type": "Feature", "id": 6, "properties": {"q": "c"}, '
        b'"geometry": {"type": "LineString", "coordinates": [[1.0, 2]]}}]}',
    )
    assert seen(file) == {
        "features": [
            ["_id", "q", "_lon", "_lat", "_altitude", "_geometry_type", "_geometry"],
            ["4", "a", "-89.20", "13.7", "1", "Point", None],
            ["5", "b", None, None, None, None, None],
            ["6", "c", None, None, None, "LineString", '{"type":"LineString","coordinates":[[1.0,2]]}'],
        ]
    }


def test_a_features_id_and_its_property_of_that_name_are_both_kept(deliver: Deliver) -> None:
    feature = b'{"type": "Feature", "id": 4, "properties": {"_id": 9}, "geometry": null}'
    header, row = seen(deliver("a.geojson", b'{"features": [' + feature + b"]}"))["features"]
    assert (header[:2], row[:2]) == (["_feature_id", "_id"], ["4", "9"])


HOUSEHOLDS = b"""{"round": 12, "by": {"site": "Renk"}, "result": [
    {"id": "h1", "members": [{"age": 30, "aid": [{"kind": "cash"}, {"kind": "food"}]}, {"age": 4}]},
    {"id": "h2", "members": []}, {"id": "h3", "members": [{"age": 61}]}], "more": false}"""


def test_records_inside_a_record_are_a_table_that_knows_its_parents_key(deliver: Deliver) -> None:
    declared = source(
        {"kind": "json"},
        table("households", ["id"], key=["id"]),
        table("members", ["../id", "age"], key=["../id"], parent={"table": "households", "key": ["../id"]}),
        table("members/aid", ["../../id", "../age", "kind"], key=["../../id"]),
    )
    opened = open_delivery([deliver("a.json", HOUSEHOLDS)], declared)
    assert [row["id"] for row in rows(opened, "households")] == ["h1", "h2", "h3"]
    assert rows(opened, "members") == [
        {"row": 1, "../id": "h1", "age": "30"},
        {"row": 2, "../id": "h1", "age": "4"},
        {"row": 3, "../id": "h3", "age": "61"},
    ]
    assert rows(opened, "members/aid") == [
        {"row": 1, "../../id": "h1", "../age": "30", "kind": "cash"},
        {"row": 2, "../../id": "h1", "../age": "30", "kind": "food"},
    ]
    assert opened.facts["lists_in_records"] == {"members": 3, "members/aid": 2}


def test_values_beside_the_records_are_named_and_read_only_where_declared(deliver: Deliver) -> None:
    """What stands there may be personal: facts hold its name, a declared column its value."""
    opened = open_delivery([deliver("a.json", HOUSEHOLDS)], json_source("id", "/round", "/by/site"))
    assert opened.facts["beside_records"] == ["/round", "/by/site", "/more"]
    assert rows(opened)[2] == {"row": 3, "id": "h3", "/round": "12", "/by/site": "Renk"}
    assert "Renk" not in str(opened.facts)


def test_lists_of_plain_values_beside_the_records_are_counted(deliver: Deliver) -> None:
    opened = open_delivery([deliver("a.json", b'{"notes": ["a", "b"], "result": [{"id": 1}, 7]}')], json_source("id"))
    assert opened.facts["lists_of_values"] == {"/notes": 2, "/result": 1}


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"[]", "delivery.empty"),
        (b'{"isSuccess": false, "result": []}', "delivery.empty"),
        (b'[{"id": 1}, {"id"', "delivery.unreadable"),
        (b'[{"id": 1}] trailing', "delivery.unreadable"),
        (b'[{"id": 1, "id": 2}]', "delivery.unreadable"),
        (b'[{"a": {"b": 1}, "a/b": 2}]', "delivery.unreadable"),
        (b'[{"id": "\\u0000"}]', "delivery.unreadable"),
        (b'[{"id": "\\ud800"}]', "delivery.unreadable"),
        (b'[{"id": ' + b"[" * 100_000, "delivery.unreadable"),
        (b'{"a": [{"id": 1}], "b": [{"id": 1}]}', "delivery.wrong_source"),
        (b'{"id": "n\xf1o"}', "delivery.wrong_encoding"),
    ],
)
def test_what_is_no_table_is_refused_in_one_line(deliver: Deliver, content: bytes, rule: str) -> None:
    with pytest.raises(Refused) as caught:
        open_delivery([deliver("a.json", content)], json_source("id"))
    assert (caught.value.rule, "\n" in str(caught.value)) == (rule, False)
    assert caught.value.__cause__ is None


def test_a_nul_is_told_with_its_record_and_how_to_mend_it(deliver: Deliver) -> None:
    file = deliver("a.json", b'[{"id": 1}, {"id": 2, "t": "a\\u0000secret"}]')
    with pytest.raises(Refused, match=r"holds a NUL \(a.json, record 2\): take the .u0000 out") as refusal:
        rows(open_delivery([file], json_source("id", "t")))
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize("depth", [700, 900])
def test_what_is_nested_too_deep_to_be_written_is_no_fault_of_ours(deliver: Deliver, depth: int) -> None:
    # What could just be read could not be written: a run failed with an error that asked to be reported.
    file = deliver("a.json", b'[{"id": 1, "t": ' + b"[" * depth + b'"secret"' + b"]" * depth + b"}]")
    with pytest.raises(Refused, match="nested too deep") as refusal:
        rows(open_delivery([file], json_source("id", "t")))
    assert "secret" not in str(refusal.value)


def test_several_lists_are_counted_not_guessed(deliver: Deliver) -> None:
    file = deliver("a.json", b'{"a": [{"id": 1}], "b": {"c": [{"id": 2}]}}')
    with pytest.raises(Refused, match=r"2 lists of records \(a.json\): declare one .*; `homeward profile` names them"):
        open_delivery([file], json_source("id"))
    assert rows(open_delivery([file], json_source("id", records="b/c"))) == [{"row": 1, "id": "2"}]


def test_a_string_of_a_gigabyte_is_refused_before_it_is_read() -> None:
    file = HugeFile("a.json", b'[{"id": "', b"x")
    with pytest.raises(Refused, match="longer than"):
        json_files.look(file)
    assert sum(file.read) < 100 << 20


@pytest.mark.corpus
@pytest.mark.parametrize(
    ("name", "table_name", "n", "width"),
    [
        ("pii/generated_large.json", "main", 2109, 5),
        ("kobo/kpi_legacy_kobocat/phones.json", "main", 417, None),
        ("kobo/kpi_legacy_kobocat/headers.json", "main", 25, 1),
        ("kobo/formpack_generated/geojson_and_selects/labels.geojson", "features", 1, None),
        ("kobo/formpack_generated/nested_grouped_repeatable/v1.json", "submissions", 2, None),
    ],
)
def test_real_files(corpus: Path, name: str, table_name: str, n: int, width: int | None) -> None:
    import json

    content = json.loads((corpus / name).read_text(encoding="utf-8"))
    expected = len(content if table_name == "main" else content[table_name])
    grid = json_files.look(PlainFile(corpus / name))[0][table_name]
    assert sum(len(piece.rows) for piece in grid.pieces(range(len(grid.headings)), 1000)) == n == expected
    assert width in (None, len(grid.headings))
