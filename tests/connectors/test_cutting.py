"""Rows are taken out of delivered files where they stand: the others keep their numbers and every byte."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import openpyxl
import pytest
from openpyxl.comments import Comment
from openpyxl.worksheet.datavalidation import DataValidation
from small_sources import MemoryFile, rows, source, table
from small_workbooks import legacy

from connectors import open_delivery, same_but_for, without_rows
from sources.models import Source

CSV = source({"kind": "csv", "encoding": "utf-8", "delimiter": ";"}, table("main", ["ID", "NAME"], key=["ID"]))


def cut(content: bytes, declared: Source, *gone: int, **more: set[int]) -> MemoryFile | None:
    old = MemoryFile("a", content)
    made = without_rows([old], declared, {"main": set(gone), **more})
    return None if made is None else MemoryFile("a", b"".join(made[0]))


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_a_record_is_overwritten_and_the_others_keep_their_numbers(end: bytes) -> None:
    content = end.join([b"ID;NAME", b"1;Ana", b'2;"Rosa;\nde ""L"" Paz"', b"3;Jo\xc3\xa9", b""])
    left = cut(content, CSV, 3)
    assert left is not None
    assert left.content == end.join([b"ID;NAME", b"1;Ana", b"###;###", b"3;Jo\xc3\xa9", b""])
    found = [(row["row"], row["ID"]) for row in rows(open_delivery([left], CSV))]
    assert found == [(2, "1"), (3, None), (4, "3")]
    assert same_but_for([MemoryFile("a", content)], [left], CSV, {"main": {3}})
    assert not same_but_for([MemoryFile("a", content)], [left], CSV, {"main": {2}})


def test_the_last_record_needs_no_line_end_and_several_go_at_once() -> None:
    left = cut(b"ID;NAME\n1;A\n2;B\n3;C", CSV, 2, 4)
    assert left is not None
    assert left.content == b"ID;NAME\n###;###\n2;B\n###;###"


@pytest.mark.parametrize("gone", [(2,), (40_000,), (2, 3, 60_001, 120_001)])
def test_a_record_far_down_a_large_file_is_found(gone: tuple[int, ...]) -> None:
    lines = [f'{n};"Ana ""{n}"" of\nthe {"long " * 5}name"'.encode() for n in range(120_000)]
    content = b"\n".join([b"ID;NAME", *lines]) + b"\n"
    left = cut(content, CSV, *gone)
    assert left is not None
    for row in gone:
        lines[row - 2] = b"###;###"
    assert left.content == b"\n".join([b"ID;NAME", *lines]) + b"\n"


def test_a_line_of_fixed_width_loses_its_key() -> None:
    columns: list[dict[str, Any]] = [
        {"name": "ID", "start": 1, "length": 3},
        {"name": "NAME", "start": 4, "length": 3},
    ]
    declared = source(
        {"kind": "fixed_width", "columns": columns, "encoding": "cp1252"}, table("main", ["ID", "NAME"], key=["ID"])
    )
    left = cut(b"001Ana\r\n002Jo\xe9\r\n003Eva\r\n", declared, 2)
    assert left is not None
    assert left.content == b"001Ana\r\n######\r\n003Eva\r\n"
    assert [row["ID"] for row in rows(open_delivery([left], declared))] == ["001", None, "003"]


def test_a_row_whose_key_would_stay_readable_is_not_taken_for_gone() -> None:
    columns: list[dict[str, Any]] = [
        {"name": "ID", "start": 1, "length": 2},
        {"name": "NAME", "start": 3, "length": 3},
    ]
    declared = source(
        {"kind": "fixed_width", "columns": columns, "encoding": "cp1252"}, table("main", ["ID", "NAME"], key=["ID"])
    )
    content = b"01Ana\n02Eva\n"
    left = cut(content, declared, 2)
    assert left is not None
    assert not same_but_for([MemoryFile("a", content)], [left], declared, {"main": {2}})


def test_what_cannot_be_cut_by_row_is_told_so() -> None:
    utf_16 = source({"kind": "csv", "encoding": "utf-16", "delimiter": ";"}, table("main", ["ID", "NAME"], key=["ID"]))
    assert cut("ID;NAME\n1;A\n".encode("utf-16"), utf_16, 2) is None


def zipped(content: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.comment = b"Jose"
        for name, inside in content.items():
            archive.writestr(name, inside)
    return packed.getvalue()


def test_a_file_in_an_archive_is_cut_and_packed_anew() -> None:
    plain = b"ID;NAME\n" + b"".join(b"%d;Jose %d\n" % (n, n) for n in range(1, 90_000))
    less = plain.replace(b"\n2;Jose 2\n", b"\n###;###\n").replace(b"\n70000;Jose 70000\n", b"\n###;###\n")
    for old in (gzip.compress(plain), zipped({"a/t.csv": plain, "__MACOSX/._t.csv": b"Jose"})):
        left = cut(old, CSV, 3, 70_001)
        assert left is not None
        assert same_but_for([MemoryFile("a", old)], [left], CSV, {"main": {3, 70_001}})
        if old.startswith(b"PK"):
            with zipfile.ZipFile(io.BytesIO(left.content)) as archive:
                assert ({n: archive.read(n) for n in archive.namelist()}, archive.comment) == (
                    {"file 1.csv": less},
                    b"",
                )
        else:
            assert gzip.decompress(left.content) == less


def json_source(*tables: dict[str, Any], **more: Any) -> Source:
    return source({"kind": "json", **more}, *tables)


PEOPLE = json_source(table("main", ["ID", "NAME", {"name": "at/town", "optional": True}], key=["ID"]))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize(
    ("text", "gone", "left"),
    [
        (
            '[ {"ID": 1, "NAME": "Ana \\u00e9\\n"},\n %s , {"ID": 3.50, "NAME": "ü"}]\n',
            '{"NAME": "José 😀", "x": {"Ana Paz": 1}, "ID": 2, "at": {"town": "y"}}',
            '{"NAME":"###","x":{},"ID":"###","at":{"town":"###"}}',
        ),
        (
            '{"ID": "1", "NAME": "😀"}\n\n%s\r\n{"ID": "3", "NAME": "c"}',
            '{"ID": "2", "NAME": "José"}',
            '{"ID":"###","NAME":"###"}',
        ),
    ],
    ids=["a list", "lines"],
)
def test_a_record_of_json_is_emptied_and_the_others_keep_every_letter(
    text: str, gone: str, left: str, encoding: str
) -> None:
    old = (text % gone).encode(encoding)
    made = cut(old, PEOPLE, 2)
    assert made is not None
    assert made.content == (text % left).encode(encoding)
    assert [row["ID"] for row in rows(open_delivery([made], PEOPLE))][1] is None
    assert same_but_for([MemoryFile("a", old)], [made], PEOPLE, {"main": {2}})


def test_records_inside_a_record_go_alone_or_with_it_and_are_still_counted() -> None:
    children = table("kin", ["NO", "WHO", "../ID"], key=["NO"])
    declared = json_source(table("main", ["ID", "NAME"], key=["ID"]), children)
    first = '{"ID": 1, "NAME": "a", "kin": [{"NO": 1, "WHO": "b"}, {"NO": 2, "WHO": "c"}]}'
    text = (
        f'{{"round": 7, "rows": [{first}, {{"ID": 2, "NAME": "d", "kin": [{{"NO": 3, "WHO": "e"}}]}},'
        ' {"ID": 3, "NAME": "f"}]}'
    ).encode()
    whole = cut(text, declared, 1, kin={1, 2})
    assert whole is not None
    assert same_but_for([MemoryFile("a", text)], [whole], declared, {"main": {1}, "kin": {1, 2}})
    assert not any(f'"{gone}"'.encode() in whole.content for gone in "abc")
    assert [row["NO"] for row in rows(open_delivery([whole], declared), "kin")] == [None, None, "3"]
    one = cut(text, declared, kin={2})
    assert one is not None
    left = '{"ID":1,"NAME":"a","kin":[{"NO":1,"WHO":"b"},{"NO":"###","WHO":"###"}]}'
    assert one.content == text.replace(first.encode(), left.encode())


def test_a_feature_loses_its_place_and_its_properties() -> None:
    declared = json_source(table("main", ["ID", {"name": "_lat", "optional": True}], key=["ID"]))
    feature = '{"type": "Feature", "id": "x%s", "geometry": {"type": "Point", "coordinates": [0.5, %s]}, "properties": '
    one, two = (feature % (n, n) + f'{{"ID": {n}}}}}' for n in (1, 2))
    text = f'{{"type": "FeatureCollection", "features": [{one}, {two}]}}'
    left = cut(text.encode(), declared, 2)
    assert left is not None
    assert left.content.decode() == text.replace(two, '{"type":"Feature","geometry":null,"properties":{"ID":"###"}}')
    assert same_but_for([MemoryFile("a", text.encode())], [left], declared, {"main": {2}})


@pytest.mark.parametrize("gone", [(1,), (70_000,), (2, 3, 40_001, 90_000)])
def test_records_far_down_a_large_document_are_found(gone: tuple[int, ...]) -> None:
    lines = [json.dumps({"ID": n, "NAME": f"José {n} " * 5}, ensure_ascii=n % 2 == 0) for n in range(1, 90_001)]
    left = cut("\n".join(lines).encode(), PEOPLE, *gone)
    assert left is not None
    for row in gone:
        lines[row - 1] = '{"ID":"###","NAME":"###"}'
    assert left.content == "\n".join(lines).encode()


BOOK = source({"kind": "xlsx"}, table("people", ["ID", "NAME", "NOTE"], key=["ID"]))
PEOPLE_ROWS = [
    ["ID", "NAME", "NOTE"],
    ["R-07", "Ana", "yes"],
    ["R-08", "José", "yes"],
    ["R-09", "Eva", "José"],
    ["1", 5],
]


def workbook(change: Callable[[Any], None] = lambda book: None, sheet_rows: Sequence[Any] = PEOPLE_ROWS) -> bytes:
    book, out = openpyxl.Workbook(), io.BytesIO()
    sheet = book.active
    sheet.title = "people"
    for row in sheet_rows:
        sheet.append(row)
    change(book)
    book.save(out)
    return out.getvalue()


def texts(content: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        return "\n".join(book.read(name).decode() for name in book.namelist())


def without(content: bytes, *gone: int) -> MemoryFile | None:
    old = MemoryFile("a.xlsx", content)
    made = without_rows([old], BOOK, {"people": set(gone)})
    return None if made is None else MemoryFile("a.xlsx", b"".join(made[0]))


def test_a_row_of_a_plain_workbook_is_emptied_with_the_texts_that_only_it_has() -> None:
    old = workbook()
    left = without(old, 2)
    assert left is not None
    assert "Ana" not in texts(left.content)
    assert "R-07" not in texts(left.content)
    assert "yes" in texts(left.content)
    assert "José" in texts(left.content), "another row says it"
    found = [(row["row"], row["ID"], row["NAME"]) for row in rows(open_delivery([left], BOOK), "people")]
    assert found == [(2, None, None), (3, "R-08", "José"), (4, "R-09", "Eva"), (5, "1", "5")]
    assert same_but_for([MemoryFile("a", old)], [left], BOOK, {"people": {2}})
    again = without(left.content, 3, 4)
    assert again is not None
    assert not any(name in texts(again.content) for name in ("Ana", "José", "Eva", "R-08", "R-09"))


@pytest.mark.parametrize(
    "change",
    [
        lambda book: book.active.__setitem__("E2", "=B2"),
        lambda book: setattr(book.active["B2"], "comment", Comment("Ana", "x")),
        lambda book: setattr(book.active["B2"], "hyperlink", "mailto:ana@example.org"),
        lambda book: book.create_sheet("notes").append(["Ana"]),
        lambda book: book.active.add_data_validation(DataValidation(type="list", formula1='"Ana,Eva"')),
        lambda book: setattr(book.active.oddHeader.center, "text", "Ana"),
    ],
    ids=["a formula", "a comment", "a link", "another sheet", "a list of answers", "a page header"],
)
def test_a_workbook_that_may_repeat_a_row_elsewhere_is_not_cut(change: Callable[[Any], None]) -> None:
    assert without(workbook(change), 2) is None


def test_a_workbook_in_an_archive_is_cut_and_one_of_the_old_kind_is_not() -> None:
    left = without(zipped({"a.xlsx": workbook()}), 2)
    assert left is not None
    with zipfile.ZipFile(io.BytesIO(left.content)) as archive:
        assert archive.namelist() == ["file 1.xlsx"]
        assert "R-08" in texts(archive.read("file 1.xlsx"))
        assert "Ana" not in texts(archive.read("file 1.xlsx"))
    old = legacy(lambda sheet: [sheet.write(r, c, v) for r, row in enumerate(PEOPLE_ROWS) for c, v in enumerate(row)])
    assert without(old, 2) is None


KIN = ["m_name", "_index", "_parent_table_name", "_parent_index", "_submission__id"]
KOBO_KEY = ["_submission__id", "_position"]
KOBO = source(
    {"kind": "kobo_xlsx"},
    table("main", ["who", "_id"], key=["_id"]),
    table("kin", ["m_name", *KOBO_KEY], key=KOBO_KEY, parent={"table": "main", "key": ["_submission__id"]}),
)


def kobo(**more: list[Any]) -> bytes:
    kin = [KIN, ["Abel", 1, "Survey", 1, 101], ["Zoe", 2, "Survey", 1, 101], ["Eva", 3, "Survey", 2, 102]]
    sheets = {"Survey": [["who", "_id", "_index"], ["Ana", 101, 1], ["José", 102, 2]], "kin": kin, **more}

    def fill(book: Any) -> None:
        book.remove(book.active)
        for name, lines in sheets.items():
            sheet = book.create_sheet(name)
            for line in lines:
                sheet.append(line)

    return workbook(fill, ())


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("gone", "kin"), [({"main": {2}, "kin": {2, 3}}, [None, None, "Eva"]), ({"kin": {3}}, ["Abel", None, "Eva"])]
)
def test_a_workbook_of_a_form_loses_a_submission_with_what_it_repeats(
    packed: bool, gone: dict[str, set[int]], kin: list[str | None]
) -> None:
    name, old = ("a.zip", zipped({"a.xlsx": kobo()})) if packed else ("a.xlsx", kobo())
    made = without_rows([MemoryFile(name, old)], KOBO, gone)
    assert made is not None
    left = MemoryFile(name, b"".join(made[0]))
    assert same_but_for([MemoryFile(name, old)], [left], KOBO, gone)
    with zipfile.ZipFile(io.BytesIO(left.content)) as archive:
        told = texts(archive.read("file 1.xlsx") if packed else left.content)
    assert not any(name in told for name in ("Zoe", *(("Ana", "Abel", "101") if "main" in gone else ())))
    found = rows(open_delivery([left], KOBO), "kin")
    assert [row["m_name"] if row["_position"] else None for row in found] == kin


def test_what_nobody_read_beside_a_form_keeps_it_from_being_cut() -> None:
    gone = {"main": {2}, "kin": {2, 3}}
    assert without_rows([MemoryFile("a.xlsx", kobo(pets=[["name", "_index"], ["Ana's", 1]]))], KOBO, gone) is None
    packed = zipped({"a.xlsx": kobo(), "a/photo.jpg": b"Ana"})
    assert without_rows([MemoryFile("a.zip", packed)], KOBO, gone) is None
