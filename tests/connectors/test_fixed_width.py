"""Fixed-width text: places are counted in characters, short and long lines are reported, nothing is shifted."""

from collections.abc import Callable

import pytest
from small_sources import issues, rows, source, table

from codebook.errors import Refused
from connectors import open_delivery
from sources.batches import PlainFile
from sources.models import Source

Deliver = Callable[[str, bytes], PlainFile]
COLUMNS = [
    {"name": "ID", "start": 1, "length": 4},
    {"name": "NAME", "start": 5, "length": 6},
    {"name": "AGE", "start": 13, "length": 2},
]


def fixed_source(**more: object) -> Source:
    return source(
        {"kind": "fixed_width", "columns": COLUMNS, "encoding": "utf-8", **more},
        table("main", ["ID", "NAME", "AGE"], key=["ID"]),
    )


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_places_are_counted_in_characters_after_decoding(deliver: Deliver, encoding: str, end: str) -> None:
    text = end.join(["0007Mu\u00f1oz   31", "", "0008Ib\u00e1\u00f1ez  04", "0009        "])
    opened = open_delivery([deliver("a.txt", text.encode(encoding))], fixed_source(encoding=encoding))
    assert rows(opened) == [
        {"row": 1, "ID": "0007", "NAME": "Mu\u00f1oz", "AGE": "31"},
        {"row": 3, "ID": "0008", "NAME": "Ib\u00e1\u00f1ez", "AGE": "04"},
        {"row": 4, "ID": "0009", "NAME": None, "AGE": None},
    ]


def test_in_a_padded_file_a_cut_line_is_an_error_and_so_is_one_that_goes_on(deliver: Deliver) -> None:
    lines = [f"{n:04}name    30" for n in range(20)]
    lines[3] = lines[3][:9]
    lines[5] += " more"
    opened = open_delivery([deliver("a.txt", "\n".join(lines).encode())], fixed_source())
    assert [row["row"] for row in rows(opened)] == list(range(1, 21))
    assert sorted(issues(opened)) == [(row, None, "read.ragged_row", "error") for row in (4, 6)]


def test_lines_that_were_trimmed_are_no_error(deliver: Deliver) -> None:
    content = b"0001a\n0002b       30\n0003c\n"
    opened = open_delivery([deliver("a.txt", content)], fixed_source())
    assert [row["NAME"] for row in rows(opened)] == ["a", "b", "c"]
    assert issues(opened) == []


def test_lines_above_and_notes_below_are_no_records(deliver: Deliver) -> None:
    content = b"REGISTER 2026\n0001a       30\n0002b       31\nTOTAL 2\n"
    opened = open_delivery([deliver("a.txt", content)], fixed_source(skip_lines=1, footer="^TOTAL"))
    assert [(row["row"], row["ID"]) for row in rows(opened)] == [(2, "0001"), (3, "0002")]
    assert (opened.facts["records"], opened.facts["footer_records"]) == (2, 1)


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"\n\n", "delivery.empty"),
        (b"0001a\0\n", "delivery.unreadable"),
        (b"0001\xf1\n", "delivery.wrong_encoding"),
        (b"0" * (9 << 20), "delivery.unreadable"),
    ],
)
def test_what_is_no_such_file_is_refused(deliver: Deliver, content: bytes, rule: str) -> None:
    with pytest.raises(Refused) as caught:
        open_delivery([deliver("a.txt", content)], fixed_source())
    assert caught.value.rule == rule
