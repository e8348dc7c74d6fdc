"""Marks within the text of an .ods cell are the characters that they stand for."""

from collections.abc import Callable

import pytest
from small_workbooks import open_document

from codebook.errors import Refused
from connectors.workbooks.workbook import Workbook
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
