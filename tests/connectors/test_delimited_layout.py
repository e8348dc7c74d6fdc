"""Where a delimited file's table is: delimiter, header rows, hashtags, footers; and what is no table at all."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from small_sources import HugeFile, issues, rows, source, table

from codebook.errors import Refused
from connectors import open_delivery
from connectors.text import delimited, footers
from sources.batches import PlainFile
from sources.models import Source

Deliver = Callable[[str, bytes], PlainFile]
TITLED = b"Returns 2026;;\n;;\nRegion;Men;Women\nNorth;1;2\nSouth;3;4\n;;\nSource: ministry;;\nNote;;\n"


def csv_source(*columns: str, **declared: object) -> Source:
    return source({"kind": "csv", "encoding": "utf-8", **declared}, table("main", columns, key=columns[:1]))


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_mark_that_cuts_evenly(deliver: Deliver, delimiter: str) -> None:
    """Labels are full of commas."""
    lines = ["A title", delimiter.join(["ID", '"name, first"', "n"])]
    lines += [delimiter.join([str(n), f'"a, {n}, b;c|"', "x"]) for n in range(9)]
    grids, facts = delimited.look(deliver("a.csv", "\n".join(lines).encode()))
    assert facts["delimiter"] == delimiter
    assert [heading.header for heading in grids["main"].headings] == ["ID", "name, first", "n"]


def test_a_declared_header_row_is_where_reading_begins(deliver: Deliver) -> None:
    opened = open_delivery([deliver("a.csv", TITLED)], csv_source("Region", "Men", header_row=3, footer="^Source:"))
    assert rows(opened) == [{"row": 4, "Region": "North", "Men": "1"}, {"row": 5, "Region": "South", "Men": "3"}]
    assert (opened.facts["records"], opened.facts["footer_records"]) == (3, 2)


def test_a_header_over_several_rows_is_joined(deliver: Deliver) -> None:
    content = b"Region;Men;;\n;2024;2025;n\nNorth;1;2;3\n"
    opened = open_delivery([deliver("a.csv", content)], csv_source("Region", "Men / 2025", header_rows=2))
    assert rows(opened) == [{"row": 3, "Region": "North", "Men / 2025": "2"}]


def test_a_header_row_below_the_end_is_refused(deliver: Deliver) -> None:
    with pytest.raises(Refused, match="no header row on record 9"):
        open_delivery([deliver("a.csv", TITLED)], csv_source("Region", header_row=9))


def test_notes_are_rows_until_a_footer_is_declared(deliver: Deliver) -> None:
    file = deliver("a.csv", TITLED)
    assert [row["row"] for row in rows(open_delivery([file], csv_source("Region", header_row=3)))] == [4, 5, 7, 8]
    grids, facts = delimited.look(file)
    assert (facts["header_row"], facts["footer_records"], facts["records"]) == (3, 2, 5)
    assert sum(len(piece.rows) for piece in grids["main"].pieces([0, 1, 2], 10)) == 4


def test_a_footer_above_records_ends_nothing(deliver: Deliver) -> None:
    """A person may be called as the pattern says; a row below with several filled cells is a record."""
    content = b"ID;N;M\nSource;a;b\n2;c;d\nSource: x;;\n"
    opened = open_delivery([deliver("a.csv", content)], csv_source("ID", footer="^Source"))
    assert [row["ID"] for row in rows(opened)] == ["Source", "2"]


def test_a_row_of_hashtags_is_passed_over_and_kept_as_a_fact(deliver: Deliver) -> None:
    opened = open_delivery([deliver("a.csv", b"P;N\n#adm1+code;#affected\nAF01;7\n")], csv_source("P", "N"))
    assert rows(opened) == [{"row": 3, "P": "AF01", "N": "7"}]
    assert opened.facts["hxl"] == ["#adm1+code", "#affected"]


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_line_ends_of_any_kind_number_rows_alike(deliver: Deliver, end: str) -> None:
    content = end.join(["ID;N", '1;"a', 'b"', "", "2;c"]).encode()
    opened = open_delivery([deliver("a.csv", content)], csv_source("ID", "N"))
    assert [(row["row"], row["ID"]) for row in rows(opened)] == [(2, "1"), (4, "2")]


def test_a_long_cell_in_a_row_that_is_too_long_is_kept(deliver: Deliver) -> None:
    opened = open_delivery([deliver("a.csv", b"ID;N\n1;" + b"x" * 200_000 + b";more\n")], csv_source("ID", "N"))
    assert [len(row["N"]) for row in rows(opened)] == [200_000]
    assert issues(opened) == [(2, None, "read.ragged_row", "error")]


def test_a_row_of_more_columns_than_a_sheet_can_have_is_refused(deliver: Deliver) -> None:
    opened = open_delivery([deliver("a.csv", b"ID;N\n1;a\n" + b";" * 20_000 + b"\n")], csv_source("ID", "N"))
    with pytest.raises(Refused, match="row 3 has more than 16384 columns"):
        rows(opened)


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_nul_bytes_anywhere_are_refused(deliver: Deliver, encoding: str) -> None:
    content = b"ID;N\n" + b"1;a\n" * 2_000_000 + b"2;\0\n"
    with pytest.raises(Refused, match=r"NUL bytes: it is no text \(a.csv, line 2000002\): take them out there"):
        open_delivery([deliver("a.csv", content)], csv_source("ID", "N", encoding=encoding))


@pytest.mark.parametrize("rest", [b"x", b'"', b"\r\n", b";", b"a;b\n"])
def test_a_cell_of_a_gigabyte_and_a_quote_that_is_never_closed_are_refused_early(rest: bytes) -> None:
    file = HugeFile("a.csv", b'ID;N\n1;"', rest)
    with pytest.raises(Refused, match="record 2 is longer than 8 MiB"):
        open_delivery([file], csv_source("ID", "N"))
    assert sum(file.read) < 40 << 20


@pytest.mark.corpus
def test_every_real_table_has_the_lines_and_columns_of_the_index(corpus: Path) -> None:
    """Lines of the file = titles above + header + hashtags + records, blank ones among them."""
    index = (corpus / "INDEX.md").read_text(encoding="utf-8")
    named = re.findall(r"\| (\S.*?\.csv) \| \d+ \| (\d+) lines x (\d+), sep '(.)'", index)
    assert len(named) > 30
    for name, lines, width, delimiter in named:
        grids, facts = delimited.look(PlainFile(corpus / name))
        grid = grids["main"]
        blank = int(str(facts["records"])) - sum(
            len(piece.rows) for piece in grid.pieces(range(len(grid.headings)), 50_000)
        )
        above = int(str(facts["header_row"])) - 1 + int(str(facts["header_rows"])) + ("hxl" in facts)
        assert above + int(str(facts["records"])) == int(lines), name
        assert delimiter == "?" or (len(grid.headings), facts["delimiter"]) == (int(width), delimiter), name
        assert blank == {"excel_pasting.csv": 1, "spanish_chars.csv": 1, "weird_head_padding.csv": 6}.get(
            Path(name).name, 0
        ), name


def test_a_footer_is_found_at_the_end_of_a_long_file_in_utf_16(
    deliver: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its bytes cannot be cut, so it is read through; a line's end in a quoted cell ends no record."""
    monkeypatch.setattr(footers, "_MOST", 1_000)
    text = "Region;Men;Women\n" + 'North;1;"a\nb😀"\n' * 200 + "Source: ministry;;\nNote;;\n"
    file = deliver("a.csv", text.encode("utf-16"))
    opened = open_delivery([file], csv_source("Region", "Men", encoding="utf-16", footer="^Source:"))
    assert (len(rows(opened)), opened.facts["footer_records"]) == (200, 2)


LINES = b"id;name;sex;place\n" + b"1;Ana;F;North\n" * 9


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_a_file_that_breaks_off_within_its_last_record_is_refused(deliver: Deliver, encoding: str) -> None:
    """Half of a list is not the list: who is missing from it is not gone."""
    torn = deliver("a.csv", (LINES + b"2;Luz").decode().encode(encoding))
    with pytest.raises(Refused, match=r"breaks off within its last record: row 11 has 2 of 4 cells"):
        open_delivery([torn], csv_source("id", "name", encoding=encoding))


@pytest.mark.parametrize(
    "ending",
    [
        b"2;Luz;F;South",  # only the line end is missing, as many writers leave it out
        b"2;Luz\n",  # one that has its line end is short, and not cut
        b"Source: the ministry; 2026",
        b"Total;10",
        b"See the notes",
    ],
)
def test_a_last_record_that_was_not_cut_is_read(deliver: Deliver, ending: bytes) -> None:
    opened = open_delivery([deliver("a.csv", LINES + ending)], csv_source("id"))
    assert len(rows(opened)) == 10


def test_where_others_leave_out_blank_cells_the_last_may_too(deliver: Deliver) -> None:
    short = deliver("a.csv", b"id;name;sex;place\n" + b"1;Ana;F;North\n2;Luz\n" * 9 + b"3;Eva")
    assert len(rows(open_delivery([short], csv_source("id")))) == 19


@pytest.mark.parametrize("cell", [r'"O\"Neil"', r'"a, \"b"', r'"1""2\"3"'])
def test_marks_that_are_escaped_otherwise_are_no_part_of_a_value(deliver: Deliver, cell: str) -> None:
    """MySQL and PHP write them so: read by the rules of CSV, the backslash would be a letter of the cell."""
    content = f"id,name\n1,{cell}\n2,b\n".encode()
    with pytest.raises(Refused, match="has a backslash before it"):
        open_delivery([deliver("a.csv", content)], csv_source("id", "name"))
    assert delimited.look(deliver("b.csv", content))[1]["escaped_quotes"]


@pytest.mark.parametrize(
    ("cell", "text"),
    [(r'"C:\dir\"', "C:\\dir\\"), (r'"a\""b"', r"a\"b"), (r"a\b", r"a\b"), (r"5\" pipe", r"5\" pipe")],
)
def test_a_backslash_that_escapes_no_mark_is_a_letter(deliver: Deliver, cell: str, text: str) -> None:
    opened = open_delivery([deliver("a.csv", f"id,name\n1,{cell}\n2,b\n".encode())], csv_source("id", "name"))
    assert [row["name"] for row in rows(opened)] == [text, "b"]
