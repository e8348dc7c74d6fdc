"""Sheets too large to be held are cut between rows; rows keep their numbers; a binary workbook is read."""

import io
import struct
import sys
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
import python_calamine
import xlsxwriter
from small_forms import workbook
from small_sources import issues, rows, source, table
from small_workbooks import binary_workbook, legacy, replaced, wide

from connectors import open_delivery
from connectors.workbooks.workbook import look
from sources.batches import PlainFile

Deliver = Callable[[str, bytes], PlainFile]
XLSX: dict[str, Any] = {"kind": "xlsx"}


def texts_of(file: PlainFile, positions: list[int], size: int = 50) -> list[tuple[int, *tuple[str | None, ...]]]:
    """Row numbers and texts of the one sheet."""
    (grid,) = look(file)[0].values()
    return [
        (row, *texts)
        for piece in grid.pieces(positions, size)
        for row, *texts in zip(piece.rows.tolist(), *(column.to_pylist() for column in piece.cells), strict=True)
    ]


PEOPLE = [("name", "age"), *((f"n{row}", str(row)) for row in range(300))]


def test_rows_keep_their_numbers_where_a_sheet_begins_with_blank_ones(deliver: Deliver) -> None:
    """The parser gives the blank rows before the first value, but not the blank columns."""

    def write(sheet: Any) -> None:
        for row, texts in enumerate(PEOPLE, start=4):
            for column, text in enumerate(texts, start=2):
                sheet.write(row, column, text)

    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        write(book.add_worksheet("people"))
    for name, content in (("a.xlsx", out.getvalue()), ("a.xls", legacy(write))):
        found = texts_of(deliver(name, content), [2, 3])
        assert found == [(row + 6, f"n{row}", str(row)) for row in range(300)]


@pytest.fixture
def slices(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The child's module that cuts sheets, which finds its neighbour by its bare name."""
    from connectors.workbooks import sheet_damage

    monkeypatch.setitem(sys.modules, "sheet_damage", sheet_damage)
    from connectors.workbooks import sheet_slices

    monkeypatch.setattr(sheet_slices, "_SLICE", 3000)
    monkeypatch.setattr(sheet_slices, "_BLOCK", 700)
    monkeypatch.setattr(sheet_slices, "_TIMES_SHARED", 0)
    monkeypatch.setattr(sheet_slices, "WHOLE", 0)
    return sheet_slices


@pytest.mark.parametrize("kept", [0, 1 << 20])
def test_a_sheet_cut_into_slices_is_the_sheet(slices: Any, monkeypatch: pytest.MonkeyPatch, kept: int) -> None:
    """Blank rows, blank columns, styled blanks, shared strings and merged cells lie where they lay."""
    monkeypatch.setattr(slices, "WHOLE", kept)
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        sheet, bold = book.add_worksheet("people"), book.add_format({"bold": True})
        sheet.merge_range(2, 1, 2, 3, "Returns")
        for row in [*range(3, 90), *range(200, 260)]:
            sheet.write_row(row, row % 3, [f"n{row % 7}", row, row / 7])
            sheet.write_blank(row, 9, None, bold)
        sheet.write_blank(300, 0, None, bold)
    content = out.getvalue()
    cut = slices.SlicedSheet(content, "xl/worksheets/sheet1.xml", "people")
    whole = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_name("people")
    assert list(cut.iter_rows()) == whole.to_python(skip_empty_area=False)[: cut.height]
    assert (cut.height, cut.width, cut.merged_cell_ranges) == (260, 5, whole.merged_cell_ranges)
    assert list(cut.iter_rows()) == list(cut.iter_rows())
    assert len(list(cut._slices())) > 5


@pytest.mark.parametrize(
    "row",
    [
        pytest.param("<row><c><v>1</v></c></row>", id="no places"),
        pytest.param('<row r="2"><c r="A2"><v>1</v></c></row>', id="not in order"),
        pytest.param('<x:row r="9"><x:c r="A9"><x:v>1</x:v></x:c></x:row>', id="prefix"),
    ],
)
def test_a_sheet_whose_rows_do_not_say_where_they_lie_is_not_cut(slices: Any, row: str) -> None:
    book = replaced(
        workbook({"people": [["ID"], ["x"]]}),
        "xl/worksheets/sheet1.xml",
        lambda xml: (
            xml.replace("<sheetData>", "<x:sheetData>") if "x:" in row else xml.replace("</row>", "</row>" + row)
        ),
    )
    with pytest.raises(slices.Uncut):
        slices.SlicedSheet(book, "xl/worksheets/sheet1.xml", "people")


@pytest.mark.parametrize(
    "more",
    [
        pytest.param("<row><c><v>1</v></c></row>" * 200, id="no places"),
        pytest.param('<row r="2"><c r="A2"><v>1</v></c></row>', id="not in order"),
        pytest.param(
            f'<row r="400"><c r="A400" t="inlineStr"><is><t><![CDATA[{"</row>" * 600}]]></t></is></c></row>',
            id="what looks like an end",
        ),
    ],
)
def test_a_sheet_that_is_kept_is_not_cut_where_its_rows_would_be_others(
    slices: Any, monkeypatch: pytest.MonkeyPatch, more: str
) -> None:
    monkeypatch.setattr(slices, "WHOLE", 1 << 20)
    monkeypatch.setattr(slices, "_SMALL", 0)
    book = replaced(
        workbook({"people": [["ID", "NAME"], *([f"{row}", f"name {row}"] for row in range(300))]}),
        "xl/worksheets/sheet1.xml",
        lambda xml: xml.replace("</sheetData>", more + "</sheetData>"),
    )
    assert slices.sliced(book, "people") is None
    plain = workbook({"people": [["ID", "NAME"], *([f"{row}", f"name {row}"] for row in range(300))]})
    assert slices.sliced(plain, "people").height == 301


def test_damaged_cells_of_a_sheet_that_is_kept_are_found_in_its_slices(
    slices: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slices, "WHOLE", 1 << 20)
    more = '<row r="400"><c r="B400" t="e"><v>#N/A</v></c></row><row r="500"><c r="A500"><f>A1+1</f></c></row>'
    book = replaced(
        workbook({"people": [["ID", "NAME"], *([f"{row}", f"name {row}"] for row in range(300))]}),
        "xl/worksheets/sheet1.xml",
        lambda xml: xml.replace("</sheetData>", more + "</sheetData>"),
    )
    assert slices.SlicedSheet(book, "xl/worksheets/sheet1.xml", "people").damaged == [(399, 1), (499, 0)]


@pytest.mark.parametrize(
    "cells",
    [
        pytest.param(
            f'<row r="3"><c r="A3" t="inlineStr"><is><t>{"a" * 9000}</t></is></c></row>', id="a cell without end"
        ),
        pytest.param('<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>', id="the far corner"),
    ],
)
def test_a_large_sheet_that_nobody_can_have_filled_is_refused_before_it_is_read(slices: Any, cells: str) -> None:
    book = replaced(
        workbook({"people": [["ID"], ["x"]]}),
        "xl/worksheets/sheet1.xml",
        lambda xml: xml.replace("</sheetData>", cells + "</sheetData>"),
    )
    with pytest.raises(slices.Unbounded):
        slices.SlicedSheet(book, "xl/worksheets/sheet1.xml", "people")


def test_shared_strings_without_an_end_are_refused_before_they_are_held(
    slices: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slices, "_MANY_STRINGS", 4000)
    monkeypatch.setattr(slices, "_LONGEST", 2000)
    for text, unbounded in (("a" * 9000, True), ("a</t></si><si><t>" * 900, False)):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as book:
            book.writestr("xl/sharedStrings.xml", f"<sst><si><t>{text}</t></si></sst>")
        if unbounded:
            with pytest.raises(slices.Unbounded):
                slices.check_strings(out.getvalue())
        else:
            slices.check_strings(out.getvalue())


@pytest.mark.slow
def test_a_sheet_too_large_to_be_held_is_read_row_by_row(deliver: Deliver) -> None:
    filler = "x" * 180
    cells = "".join(
        f'<row r="{row}"><c r="A{row}"><v>{row}</v></c><c r="C{row}" t="inlineStr"><is><t>{filler}</t></is></c></row>'
        for row in range(3, 260_000)
    )
    error = '<row r="270000"><c r="A270000" t="e"><v>#N/A</v></c><c r="C270000"><v>1</v></c></row>'
    book = replaced(
        workbook({"people": [["ID", None, "TEXT"], ["1", None, "a"]]}),
        "xl/worksheets/sheet1.xml",
        lambda xml: xml.replace("</sheetData>", cells + error + "</sheetData>"),
    )
    (grid,) = look(deliver("a.xlsx", book))[0].values()
    numbers, ids, damaged = [], [], []
    for piece in grid.pieces([0, 2], 50_000):
        numbers += piece.rows.tolist()
        ids += piece.cells[0].to_pylist()
        damaged += [row for finding in piece.findings if finding.rule == "read.damaged_value" for row in finding.rows]
    assert numbers == [*range(2, 260_000), 270_000]
    assert ids == ["1", *map(str, range(3, 260_000)), None]
    assert damaged == [270_000]


def test_a_binary_workbook_is_read_with_its_errors(deliver: Deliver) -> None:
    """Texts (record 6), numbers (5), truth (4), an error (3) and a blank (1), laid out as Microsoft publishes it."""
    text, number = (lambda told: b"\x06" + wide(told)), (lambda told: b"\x05" + struct.pack("<d", told))
    header = [text(name) for name in ("ID", "AGE", "WED", "CODE")]
    book = binary_workbook(
        [
            header,
            [text("0012"), number(34), b"\x04\x01", number(0.5)],
            [text("Ñandú"), b"\x03\x2a", b"\x01", number(7)],
        ]
    )
    main = table("people", ["ID", "AGE", "WED", "CODE"], ["ID"])
    opened = open_delivery([deliver("a.xlsb", book)], source(XLSX, main))
    assert rows(opened, "people") == [
        {"row": 2, "ID": "0012", "AGE": "34", "WED": "TRUE", "CODE": "0.5"},
        {"row": 3, "ID": "Ñandú", "AGE": None, "WED": None, "CODE": "7"},
    ]
    assert issues(opened) == [(3, "AGE", "read.damaged_value", "error")]


def test_rows_asked_for_ahead_are_no_other_readers_rows(deliver: Deliver, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who leaves a sheet halfway has asked for its next rows already; the next reader gets those it asks for."""
    monkeypatch.setattr("connectors.workbooks.workbook._CELLS_AT_A_TIME", 400)
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        for name in ("a", "b"):
            sheet = book.add_worksheet(name)
            for row, number in enumerate(["number", *range(900)]):
                sheet.write_row(row, 0, [number if row else "number", f"{name}{number}"])
    grids = look(deliver("two.xlsx", out.getvalue()))[0]
    halfway = grids["a"].pieces([1], 100)
    assert [len(next(halfway).rows) for _ in range(3)] == [100, 100, 100]
    for name in ("b", "a", "a"):
        pieces = list(grids[name].pieces([1, 0], 64))
        texts = [text for piece in pieces for text in piece.cells[0].to_pylist()]
        assert texts == [f"{name}{number}" for number in range(900)]
        assert [row for piece in pieces for row in piece.rows.tolist()] == list(range(2, 902))
    assert [text for piece in halfway for text in piece.cells[0].to_pylist()] == [f"a{n}" for n in range(300, 900)]
