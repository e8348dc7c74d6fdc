"""Workbooks: every cell as stored, headers over several rows, what is damaged said, and traps refused in one line."""

import io
import zipfile
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter
import xlwt
from small_forms import workbook
from small_sources import issues, rows, source, table
from small_workbooks import legacy, open_document, replaced

from codebook.errors import Refused
from connectors import open_delivery
from connectors.shapes import Grid
from connectors.workbooks.workbook import Workbook, look
from sources.batches import PlainFile

Deliver = Callable[[str, bytes], PlainFile]
XLSX: dict[str, Any] = {"kind": "xlsx"}


@pytest.fixture
def one_row(deliver: Deliver) -> Callable[..., list[str | None]]:
    """The texts of a first row that `write` puts into the first sheet of a workbook."""

    def read(write: Callable[[xlsxwriter.Workbook, Any], None], **options: Any) -> list[str | None]:
        out = io.BytesIO()
        with xlsxwriter.Workbook(out, options) as book:
            write(book, book.add_worksheet("people"))
        return next(Workbook(deliver("a.xlsx", out.getvalue())).rows("people"))

    return read


@pytest.mark.parametrize(("since_1904", "day"), [(False, "1900-03-01"), (True, "1904-03-02")])
def test_dates_are_iso_text_in_both_epochs(one_row: Callable[..., Any], since_1904: bool, day: str) -> None:
    def write(book: xlsxwriter.Workbook, sheet: Any) -> None:
        for column, (cell, shown) in enumerate(
            [(datetime(2024, 2, 29), "dd/mm/yyyy"), (datetime(2024, 2, 29, 13, 5, 6), "dd/mm/yyyy hh:mm")]
        ):
            sheet.write_datetime(0, column, cell, book.add_format({"num_format": shown}))
        for column, (number, shown) in enumerate([(61, "d/m/yy"), (0.5, "hh:mm"), (1.75, "[h]:mm"), (0.25, "0%")], 2):
            sheet.write_number(0, column, number, book.add_format({"num_format": shown}))

    texts = one_row(write, date_1904=since_1904)
    assert texts == ["2024-02-29", "2024-02-29T13:05:06", day, "12:00:00", "42:00:00", "0.25"]


def test_cells_are_text_as_they_are_stored(one_row: Callable[..., Any]) -> None:
    def write(book: xlsxwriter.Workbook, sheet: Any) -> None:
        bold = book.add_format({"bold": True})
        sheet.write_string(0, 0, "0012")
        sheet.write_string(0, 1, "12345678901234567890")
        sheet.write_number(0, 2, 12, book.add_format({"num_format": "00000"}))
        sheet.write_number(0, 3, 999999999999999)
        sheet.write_number(0, 4, 0.1)
        sheet.write_boolean(0, 5, False)
        sheet.write_rich_string(0, 6, "Mu", bold, "ñ", "oz")
        sheet.write_formula(0, 7, '=CONCATENATE("A","B")', None, "AB")
        sheet.write_formula(0, 8, '=""', None, "")
        sheet.write_string(0, 9, "  ")
        sheet.write_string(0, 10, " =1+1 ")
        sheet.write_number(0, 11, -7)

    texts = one_row(write)
    whole = ["0012", "12345678901234567890", "12", "999999999999999", "0.1", "FALSE", "Muñoz", "AB", None, None]
    assert texts == [*whole, " =1+1 ", "-7"]


def test_inline_and_phonetic_text_is_read_once(deliver: Deliver) -> None:
    book = workbook({"people": [["ID"], ["x"]]})
    inline = (
        '<row r="2"><c r="A2" t="inlineStr"><is><r><t>東</t></r><r><t>京</t></r>'
        '<rPh sb="0" eb="2"><t>kyo</t></rPh></is></c></row>'
    )
    changed = replaced(
        book,
        "xl/worksheets/sheet1.xml",
        lambda xml: xml[: xml.index('<row r="2"')] + inline + xml[xml.index("</sheetData>") :],
    )
    assert list(Workbook(deliver("a.xlsx", changed)).rows("people")) == [["ID"], ["東京"]]


def test_a_number_that_lost_digits_is_damaged_where_it_matters(deliver: Deliver) -> None:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        sheet = book.add_worksheet("people")
        sheet.write_row(0, 0, ["ID", "AMOUNT"])
        sheet.write_row(1, 0, [1234567890123456, 1])
        sheet.write_row(2, 0, [123456789012345, 1e17])
    opened = open_delivery([deliver("a.xlsx", out.getvalue())], source(XLSX, table("people", ["ID", "AMOUNT"], ["ID"])))
    assert rows(opened, "people") == [
        {"row": 2, "ID": None, "AMOUNT": "1"},
        {"row": 3, "ID": "123456789012345", "AMOUNT": "1e+17"},
    ]
    assert issues(opened) == [(2, "ID", "read.damaged_value", "error")]


def test_errors_and_formulas_never_calculated_are_damaged_and_no_blanks(deliver: Deliver) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "people"
    sheet.append(["ID", "N", "M"])
    sheet.append(["1", "=1+1", None])
    sheet.append(["2", "#N/A", "####"])
    sheet.append(["3", "fine", "# no damage"])
    sheet.append([None, "=A1", None])
    sheet["B3"].data_type = "e"
    out = io.BytesIO()
    book.save(out)
    opened = open_delivery([deliver("a.xlsx", out.getvalue())], source(XLSX, table("people", ["ID", "N", "M"], ["ID"])))
    assert rows(opened, "people") == [
        {"row": 2, "ID": "1", "N": None, "M": None},
        {"row": 3, "ID": "2", "N": None, "M": None},
        {"row": 4, "ID": "3", "N": "fine", "M": "# no damage"},
        {"row": 5, "ID": None, "N": None, "M": None},
    ]
    found = [(2, "N"), (3, "M"), (3, "N"), (5, "N")]
    assert sorted(issues(opened)) == [(row, column, "read.damaged_value", "error") for row, column in found]


def test_errors_of_an_old_workbook_are_damaged_too(deliver: Deliver) -> None:
    def write(sheet: Any) -> None:
        for column, cell in enumerate(["ID", "N", "D"]):
            sheet.write(0, column, cell)
        sheet.write(1, 0, "007")
        sheet.row(1).set_cell_error(1, "#DIV/0!")
        sheet.write(1, 2, date(2024, 2, 29), xlwt.easyxf(num_format_str="DD/MM/YYYY"))

    opened = open_delivery([deliver("a.xls", legacy(write))], source(XLSX, table("people", ["ID", "N", "D"], ["ID"])))
    assert rows(opened, "people") == [{"row": 2, "ID": "007", "N": None, "D": "2024-02-29"}]
    assert issues(opened) == [(2, "N", "read.damaged_value", "error")]


HEADED = {"kind": "xlsx", "header_row": 2, "header_rows": 2}


@pytest.fixture
def headed() -> bytes:
    """A title, a header of two rows with merged cells, records, a subtotal, and notes below the table."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        sheet = book.add_worksheet("people")
        sheet.merge_range(0, 0, 0, 4, "Returns 2024")
        sheet.merge_range(1, 0, 2, 0, "District")
        sheet.merge_range(1, 1, 1, 2, "Women")
        sheet.merge_range(1, 3, 1, 4, "Men")
        sheet.write_row(2, 1, ["adults", "elderly", "adults", "elderly"])
        for row, cells in enumerate(
            [["A", 1, 2, 3, 4], ["Sub-total", 1, 2, 3, 4], [], ["B", 5, 6, 7, 8], ["Source: register"], ["C"]], 3
        ):
            sheet.write_row(row, 0, cells)
        book.add_worksheet("codes").hide()
    return out.getvalue()


def test_a_header_over_several_rows_carries_the_merged_text(deliver: Deliver, headed: bytes) -> None:
    names = ["District", "Women / adults", "Women / elderly", "Men / adults", "Men / elderly"]
    declared = source(HEADED | {"totals": "(?i)total", "footer": "^Source:"}, table("people", names, ["District"]))
    opened = open_delivery([deliver("a.xlsx", headed)], declared)
    assert [(row["row"], row["District"], row["Men / elderly"]) for row in rows(opened, "people", size=1)] == [
        (4, "A", "4"),
        (7, "B", "8"),
    ]
    assert sorted(issues(opened)) == [(row, None, "read.skipped_row", "note") for row in (5, 8, 9)]
    assert opened.facts["hidden_sheets"] == 1


def test_totals_are_known_by_columns_that_are_not_read(deliver: Deliver, headed: bytes) -> None:
    declared = source(
        HEADED | {"totals": "total", "footer": "^Source"}, table("people", ["Men / elderly"], ["Men / elderly"])
    )
    assert len(rows(open_delivery([deliver("a.xlsx", headed)], declared), "people")) == 2


def test_a_record_below_a_footer_is_no_note(deliver: Deliver) -> None:
    sheet = [["ID", "N"], ["1", "a"], ["Source: x"], ["see below"], ["2", "b"], ["Source: y"]]
    declared = source(XLSX | {"footer": "^Source"}, table("people", ["ID", "N"], ["ID"]))
    opened = open_delivery([deliver("a.xlsx", workbook({"people": sheet}))], declared)
    assert [row["row"] for row in rows(opened, "people")] == [2, 5]
    assert [row for row, *_ in issues(opened)] == [3, 4, 6]


def test_a_totals_rule_that_is_no_regular_expression_is_a_typo() -> None:
    with pytest.raises(ValueError, match="is no regular expression"):
        source(XLSX | {"totals": "("}, table("people", ["A"], ["A"]))


def test_cells_merged_over_records_are_told(deliver: Deliver) -> None:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        sheet = book.add_worksheet("people")
        sheet.write_row(0, 0, ["province", "district", "n"])
        for first in (1, 4, 7):
            sheet.merge_range(first, 0, first + 2, 0, f"province {first}")
        for row in range(1, 10):
            sheet.write_row(row, 1, [f"district {row}", row])
    sheets: Any = look(deliver("a.xlsx", out.getvalue()))[1]["sheets"]
    assert sheets["people"]["merged_below"] == 3


def test_an_unknown_workbook_is_looked_at_sheet_by_sheet(deliver: Deliver, headed: bytes) -> None:
    grids, facts = look(deliver("a.xlsx", headed))
    sheets: Any = facts["sheets"]
    assert sheets["people"].pop("header_score") > sheets["codes"].pop("header_score")
    assert sheets == {
        "people": {"rows": 9, "columns": 5, "hidden": False, "header_row": 2, "header_rows": 2, "merged_below": 0},
        "codes": {"rows": 0, "columns": 0, "hidden": True, "header_row": 1, "header_rows": 0, "merged_below": 0},
    }
    assert [heading.header for heading in grids["people"].headings][1] == "Women / adults"
    assert grids["codes"].headings == ()
    assert counted(grids["codes"]) == 0


def read_through(file: PlainFile) -> int:
    return sum(counted(grid) for grid in look(file)[0].values())


def counted(grid: Grid) -> int:
    return sum(len(piece.rows) for piece in grid.pieces(range(len(grid.headings)), 1000))


def stated(corpus: Path) -> Iterator[tuple[str, str]]:
    """Workbooks of INDEX.md with the sheets it states: `name: rows x columns`, header included."""
    for line in (corpus / "INDEX.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) == 5 and cells[1].endswith((".xls", ".xlsx")):
            yield cells[1], cells[3]


@pytest.mark.corpus
@pytest.mark.slow
def test_every_real_workbook_has_the_rows_and_columns_that_are_stated(corpus: Path) -> None:
    files = list(stated(corpus))
    assert len(files) > 20
    for path, shapes in files:
        grids, facts = look(PlainFile(corpus / path))
        sheets: Any = facts["sheets"]
        found = [f"{n}: {s['rows']}x{s['columns']}" for n, s in sheets.items()]
        # The index cuts the names of sheets at 31 characters, as Excel does.
        assert "; ".join(found) == shapes, path
        for name, grid in grids.items():
            assert len(grid.headings) == sheets[name]["columns"]
            below = sheets[name]["rows"] - sheets[name]["header_row"] - sheets[name]["header_rows"] + 1
            assert counted(grid) <= max(below, 0)


@pytest.mark.corpus
@pytest.mark.slow
def test_real_workbooks_read_as_openpyxl_reads_them(corpus: Path) -> None:
    for path in sorted(corpus.rglob("*.xlsx")):
        book = openpyxl.load_workbook(path, data_only=True)
        ours = Workbook(PlainFile(path))
        for name in ours.sheets:
            theirs = [[cell.value for cell in row] for row in book[name].iter_rows(min_row=1, min_col=1)]
            for row, cells in zip(theirs, ours.rows(name), strict=False):
                for theirs_cell, cell in zip(row, cells, strict=False):
                    if isinstance(theirs_cell, str) and theirs_cell.strip():
                        assert cell == theirs_cell or (cell is None and theirs_cell.startswith("#")), path
                    elif isinstance(theirs_cell, int | float) and not isinstance(theirs_cell, bool):
                        assert float(cell or "nan") == pytest.approx(theirs_cell), path


LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE s [<!ENTITY a "lol">'
    + "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefghi", "bcdefghij", strict=True))
    + "]>"
)
OUTSIDE = '<?xml version="1.0"?><!DOCTYPE s [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
PLAIN = workbook({"people": [["ID"], ["x"]]})
SHEET, STRINGS = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"


def with_prolog(prolog: str, member: str) -> bytes:
    return replaced(PLAIN, member, lambda xml: prolog + xml[xml.index("?>") + 2 :].replace(">x<", ">&a;<"))


def with_member(name: str, content: str = "x") -> bytes:
    out = io.BytesIO(PLAIN)
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr(name, content)
    return out.getvalue()


def with_far_cell() -> bytes:
    """A cell in the far corner, in a sheet that says it is small."""
    sheet = '<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>stray</t></is></c></row></sheetData>'
    return replaced(PLAIN, SHEET, lambda xml: xml.replace("</sheetData>", sheet))


def repeated_ods() -> bytes:
    """A million rows of 16,384 filled cells, in a few bytes."""
    cell = (
        '<table:table-cell table:number-columns-repeated="16384" office:value-type="string">'
        "<text:p>x</text:p></table:table-cell>"
    )
    return open_document(f'<table:table-row table:number-rows-repeated="1048576">{cell}</table:table-row>')


def long_ods() -> bytes:
    text = "x" * (9 << 20)
    cell = f'<table:table-cell office:value-type="string"><text:p>{text}</text:p></table:table-cell>'
    return open_document(f"<table:table-row>{cell}</table:table-row>" * 2)


def encrypted_ods() -> bytes:
    """A workbook whose sheets are noise to who has no password, as its manifest says behind them."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", bytes(range(128, 256)) * 20)
        archive.writestr("META-INF/manifest.xml", "<manifest:manifest><manifest:encryption-data/></manifest:manifest>")
    return out.getvalue()


def encrypted_legacy() -> bytes:
    """A workbook whose first record after the beginning says that the rest is encrypted (FILEPASS)."""
    book = legacy(lambda sheet: sheet.write(0, 0, "ID"))
    begin = book.index(b"\x09\x08\x10\x00\x00\x06\x05\x00") + 20
    return book[:begin] + b"\x2f\x00" + book[begin + 2 :]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param(with_prolog(LAUGHS, STRINGS), "entities", id="billion laughs"),
        pytest.param(with_prolog(LAUGHS, SHEET), "entities", id="laughs in a sheet"),
        pytest.param(with_prolog(OUTSIDE, STRINGS), "entities", id="external entity"),
        pytest.param(with_prolog("<!--" + "x" * 70_000 + "-->" + LAUGHS, "xl/workbook.xml"), "entities", id="hidden"),
        pytest.param(with_member("../../evil.xml"), "outside the workbook", id="path"),
        pytest.param(with_member("C:\\..\\evil"), "outside the workbook", id="windows path"),
        pytest.param(with_member("xl/strings.dat", LAUGHS + "<s>&j;</s>"), "entities", id="laughs by another name"),
        pytest.param(replaced(PLAIN, STRINGS, lambda xml: xml.replace(">x<", ">a_x0000_b<")), "NUL", id="nul"),
        pytest.param(long_ods(), "longer than 8 MiB", id="long cell"),
        pytest.param(with_far_cell(), "far corner", id="far cell"),
        pytest.param(repeated_ods(), "Excel workbook|far corner", id="repeated cells"),
        pytest.param(encrypted_legacy(), "password", id="xls password"),
        pytest.param(encrypted_ods(), "password", id="ods password"),
        pytest.param(
            b"\xd0\xcf\x11\xe0" + bytes(600) + "EncryptedPackage".encode("utf-16-le"), "password", id="password"
        ),
        pytest.param(b"<html><table><tr><td>ID</td></tr></table></html>", "no whole Excel workbook", id="html"),
        pytest.param(PLAIN[:3000], "no whole Excel workbook", id="torn xlsx"),
        pytest.param(legacy(lambda sheet: sheet.write(0, 0, "ID"))[:2000], "Excel workbook|far corner", id="torn xls"),
    ],
)
def test_a_trap_or_a_wreck_is_refused_in_one_line(deliver: Deliver, content: bytes, says: str) -> None:
    with pytest.raises(Refused, match=says) as caught:
        read_through(deliver("a.xlsx", content))
    assert caught.value.rule == "delivery.unreadable"
    assert "\n" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None or caught.value.__suppress_context__


def test_a_picture_may_say_what_type_it_is_of(deliver: Deliver) -> None:
    book = with_member("xl/media/image1.svg", '<!DOCTYPE svg PUBLIC "x" "y"><svg/>')
    assert list(Workbook(deliver("a.xlsx", book)).rows("people")) == [["ID"], ["x"]]


def test_a_million_styled_rows_without_a_cell_are_no_rows(deliver: Deliver) -> None:
    empty = "".join(f'<row r="{row}" s="1" customFormat="1"><c r="A{row}" s="1"/></row>' for row in range(3, 200_000))
    book = replaced(PLAIN, SHEET, lambda xml: xml.replace("</sheetData>", empty + "</sheetData>"))
    assert list(Workbook(deliver("a.xlsx", book)).rows("people")) == [["ID"], ["x"]]


@pytest.mark.slow
def test_as_many_columns_as_a_sheet_can_have_are_read(deliver: Deliver) -> None:
    names = [f"c{n}" for n in range(16_384)]
    grids, _ = look(deliver("a.xlsx", workbook({"people": [names, ["1"]]})))
    assert len(grids["people"].headings) == 16_384
    assert counted(grids["people"]) == 1


def test_cells_merged_beyond_all_that_is_filled_are_a_header_all_the_same(deliver: Deliver) -> None:
    """Whole rows and columns get merged, to the last cell that a sheet has; a million times over, it is said once."""
    book = workbook({"a": [["id", "q"], [None, "r"], ["1", "2"]]})
    end = "</sheetData><mergeCells>" + '<mergeCell ref="B1:XFD1"/>' * 20_000 + '<mergeCell ref="D1:XFD2"/></mergeCells>'
    merged = replaced(book, SHEET, lambda part: part.replace("</sheetData>", end))
    main = table("a", ["q"], ["q"])
    opened = open_delivery([deliver("a.xlsx", merged)], source({"kind": "xlsx"}, main))
    assert [row["q"] for row in rows(opened, "a")] == ["r", "2"]
