"""Numbers that a spreadsheet shows as days and times, in both of its epochs, and what an .ods writes instead."""

import io
import struct
from collections.abc import Callable
from typing import Any

import pytest
import xlsxwriter
from small_workbooks import binary_workbook, legacy, open_document

from connectors.workbooks.workbook import Workbook
from sources.batches import PlainFile

Deliver = Callable[[str, bytes], PlainFile]
SERIALS = (-1, -0.5, 0.25, 1, 59, 60, 60.5, 61, 2_958_465)


def shown_as(pattern: str, since_1904: bool = False) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"date_1904": since_1904}) as book:
        form = book.add_format({"num_format": pattern})
        sheet = book.add_worksheet("people")
        for row, number in enumerate(SERIALS):
            sheet.write_number(row, 1, number, form)
    return out.getvalue()


def legacy_shown_as(pattern: str) -> bytes:
    import xlwt

    style = xlwt.easyxf(num_format_str=pattern)

    def write(sheet: Any) -> None:
        for row, number in enumerate(SERIALS):
            sheet.write(row, 1, number, style)

    return legacy(write)


def binary_shown_as(number_format: int) -> bytes:
    """Numbers as .xlsb has them: long ones, and whole ones in 30 bits."""
    long = [b"\x05" + struct.pack("<d", number) for number in SERIALS]
    short = [b"\x02" + struct.pack("<i", int(number) << 2 | 2) for number in SERIALS]
    return binary_workbook([list(cells) for cells in zip(short, long, strict=True)], number_format)


OF_1900 = ["-1", "-0.5", "06:00:00", "1900-01-01", "1900-02-28", "1900-02-29", "1900-02-29T12:00:00", "1900-03-01"]
OF_1904 = ["-1", "-0.5", "06:00:00", "1904-01-02", "1904-02-29", "1904-03-01", "1904-03-01T12:00:00", "1904-03-02"]


@pytest.mark.parametrize(
    ("name", "content", "texts"),
    [
        ("a.xlsx", shown_as("dd/mm/yyyy"), [*OF_1900, "9999-12-31"]),
        ("a.xlsx", shown_as("hh:mm"), [*OF_1900, "9999-12-31"]),
        ("a.xlsx", shown_as("dd/mm/yyyy", since_1904=True), [*OF_1904, "2958465"]),
        ("a.xls", legacy_shown_as("DD/MM/YYYY"), [*OF_1900, "9999-12-31"]),
        ("a.xlsb", binary_shown_as(14), [*OF_1900, "9999-12-31"]),
    ],
)
def test_numbers_that_are_no_day_are_told_as_they_are(
    deliver: Deliver, name: str, content: bytes, texts: list[str]
) -> None:
    assert [row[1] for row in Workbook(deliver(name, content)).rows("people")] == texts


CELL = '<table:table-cell office:value-type="{}" {}><text:p>{}</text:p></table:table-cell>'


def test_cells_of_an_ods_are_what_they_hold_and_not_what_they_show(deliver: Deliver) -> None:
    cells = [
        CELL.format("date", 'office:date-value="1850-03-05"', "05/03/50"),
        CELL.format("date", 'office:date-value="2021-03-05T14:30:00"', "x"),
        CELL.format("boolean", 'office:boolean-value="true"', "WAHR"),
        CELL.format("percentage", 'office:value="0.125"', "12,5 %"),
        CELL.format("currency", 'office:value="1500.5" office:currency="EUR"', "1.500,50 €"),
        CELL.format("time", 'office:time-value="PT14H30M00S"', "14:30"),
        CELL.format("time", 'office:time-value="PT26H00M05S"', "26:00"),
        CELL.format("float", 'office:value="0.000076"', "0,00"),
        CELL.format("string", "", "00123"),
        CELL.format("string", 'table:number-columns-repeated="2"', "yes"),
        '<table:table-cell table:number-columns-repeated="16000"/>',
    ]
    rows = (
        f'<table:table-row table:number-rows-repeated="2">{"".join(cells)}</table:table-row>'
        '<table:table-row table:number-rows-repeated="1048000"><table:table-cell/></table:table-row>'
    )
    told = ["1850-03-05", "2021-03-05T14:30:00", "TRUE", "0.125", "1500.5", "14:30:00", "26:00:05", "0.000076", "00123"]
    assert list(Workbook(deliver("a.ods", open_document(rows))).rows("people")) == [[*told, "yes", "yes"]] * 2


def test_numbers_in_few_bits_are_as_long_ones(deliver: Deliver) -> None:
    """[MS-XLSB] 2.5.123: 30 bits of a whole number or of a broken one, maybe of hundredths."""
    packed = [-1 << 2 | 2, -150 << 2 | 3, *struct.unpack("<I", struct.pack("<d", -0.5)[4:])]
    cells = [[b"\x02" + (number & 0xFFFFFFFF).to_bytes(4, "little")] for number in packed]
    book = Workbook(deliver("a.xlsb", binary_workbook(cells, 14)))
    assert [row[0] for row in book.rows("people")] == ["-1", "-1.5", "-0.5"]


def test_a_duration_keeps_its_parts_of_a_second(deliver: Deliver) -> None:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        form, sheet = book.add_format({"num_format": "[h]:mm:ss.000"}), book.add_worksheet("people")
        for row, seconds in enumerate((90_000, 90_000.25, 0.001, 59.9999)):
            sheet.write_number(row, 0, seconds / 86_400, form)
    told = ["25:00:00", "25:00:00.250", "00:00:00.001", "00:01:00"]
    assert [row[0] for row in Workbook(deliver("a.xlsx", out.getvalue())).rows("people")] == told
    cells = "".join(CELL.format("time", f'office:time-value="PT{time}S"', "x") for time in ("25H30M00.5", "25H30M00"))
    opened = Workbook(deliver("a.ods", open_document(f"<table:table-row>{cells}</table:table-row>")))
    assert list(opened.rows("people")) == [["25:30:00.500", "25:30:00"]]
