"""Marks within a text of an .ods are the characters that they stand for; errors and texts without a type are told."""

import io
from collections.abc import Callable

import pytest
import xlsxwriter
from small_workbooks import open_document, replaced

from codebook.errors import Refused
from connectors.workbooks.workbook import Workbook, look
from sources.batches import PlainFile

Deliver = Callable[[str, bytes], PlainFile]
MARKED = {
    "13<text:tab/>14": "13\t14",
    '13<text:tab text:tab-ref="2"/>14': "13\t14",
    "13<text:tab></text:tab>14": "13\t14",
    "13<text:span><text:line-break/></text:span>14": "13\n14",
    "13<text:s/>14": "13 14",
    "13</text:p><text:p>14": "13\n14",
    "<![CDATA[a<b & c]]><text:tab/>14": "a<b & c\t14",
    "<![CDATA[<text:tab/>]]>": "<text:tab/>",
    "<text:tabs/>13": "13",
}


def rows(*texts: str) -> str:
    cell = '<table:table-cell office:value-type="string"><text:p>{}</text:p></table:table-cell>'
    return "".join(f"<table:table-row>{cell.format(text)}</table:table-row>" for text in texts)


@pytest.mark.parametrize(("marked", "text"), MARKED.items())
def test_a_mark_is_the_character_that_it_stands_for(deliver: Deliver, marked: str, text: str) -> None:
    book = Workbook(deliver("a.ods", open_document(rows(marked))))
    assert list(book.rows("people")) == [[text]]


def test_marks_are_found_wherever_a_block_of_the_sheet_ends(deliver: Deliver) -> None:
    texts = [f"{'x' * (number % 97)}<text:tab/>{number}" for number in range(30_000)]
    book = Workbook(deliver("a.ods", open_document(rows(*texts))))
    assert list(book.rows("people")) == [[f"{'x' * (number % 97)}\t{number}"] for number in range(30_000)]


def test_a_section_without_an_end_is_refused_soon(deliver: Deliver) -> None:
    with pytest.raises(Refused, match="no whole Excel workbook"):
        list(Workbook(deliver("a.ods", open_document(rows("<![CDATA[" * 800_000)))).rows("people"))


FORMULA = '<table:table-cell table:formula="of:=1/0" office:value-type={}><text:p>{}</text:p></table:table-cell>'
ERRORS = {
    FORMULA.format('"string" office:string-value="" calcext:value-type="error"', "#DIV/0!"): "#DIV/0!",
    FORMULA.format('"float" office:value="0"', "#DIV/0!"): "#DIV/0!",
    FORMULA.format("'float' office:value='0'", "Err:508"): "Err:508",
    FORMULA.format('"float" office:value="0"', "0"): "0",
    FORMULA.format('"string" office:string-value="#1 &lt;a>"', "#1 b"): "#1 <a>",
}


@pytest.mark.parametrize(("cell", "text"), ERRORS.items())
def test_an_error_is_no_number_and_no_blank(deliver: Deliver, cell: str, text: str) -> None:
    """LibreOffice writes an empty text beside what is shown, OpenOffice the number 0."""
    book = open_document(f"<table:table-row>{cell}</table:table-row>")
    assert list(Workbook(deliver("a.ods", book)).rows("people")) == [[text]]


def test_an_error_of_an_ods_is_damage(deliver: Deliver) -> None:
    names = "".join(
        f"<table:table-cell office:value-type='string'><text:p>{name}</text:p></table:table-cell>" for name in "ab"
    )
    rows = "".join(f"<table:table-row>{cell}<table:table-cell/></table:table-row>" for cell in list(ERRORS)[:4])
    grid = look(deliver("a.ods", open_document(f"<table:table-row>{names}</table:table-row>{rows}")))[0]["people"]
    (piece,) = grid.pieces([0], 10)
    assert piece.cells[0].to_pylist() == [None, None, None, "0"]
    assert [finding.rows.tolist() for finding in piece.findings if finding.rule == "read.damaged_value"] == [[2, 3, 4]]


def test_a_text_without_a_type_is_a_text(deliver: Deliver) -> None:
    cells = (
        "<table:table-cell><text:p>007</text:p></table:table-cell><table:table-cell/>"
        '<table:table-cell table:style-name="a"><text:p>b<text:tab/>c</text:p></table:table-cell>'
        '<table:table-cell office:value="5"><text:p>5,00</text:p></table:table-cell>'
    )
    book = Workbook(deliver("a.ods", open_document(f"<table:table-row>{cells}</table:table-row>")))
    assert list(book.rows("people")) == [["007", None, "b\tc", "5"]]


@pytest.mark.parametrize("count", [1, 200_000])
@pytest.mark.parametrize("value", ["13<!-- -->14", "<![CDATA[1314]]>"])
def test_a_value_of_which_a_part_would_be_read_is_refused(deliver: Deliver, value: str, count: int) -> None:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"constant_memory": True}) as book:
        sheet = book.add_worksheet("people")
        for row in range(count):
            sheet.write_number(row, 0, 13141314 if row == count // 2 else 7)
    changed = replaced(out.getvalue(), "xl/worksheets/sheet1.xml", lambda part: part.replace("13141314", value))
    with pytest.raises(Refused, match="a comment or a marked section within it"):
        list(Workbook(deliver("a.xlsx", changed)).rows("people"))
