"""Delimited files: every row is kept, every cell is text, and a wrong code page is never read as letters."""

import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from small_sources import issues, rows, source, table

from codebook.errors import Refused
from connectors import Part, open_delivery
from connectors.text.records import RecordCount
from sources.batches import PlainFile
from sources.models import Source

Deliver = Callable[[str, bytes], PlainFile]


def csv_source(*columns: str, encoding: str | None = "utf-8", delimiter: str | None = ";") -> Source:
    return source(
        {"kind": "csv", "encoding": encoding, "delimiter": delimiter}, table("main", columns, key=columns[:1])
    )


def refused(deliver: Deliver, content: bytes, declared: Source) -> str:
    file = deliver("register.csv", content)
    with pytest.raises(Refused) as caught:
        open_delivery([file], declared)
    assert "\n" not in str(caught.value)
    return caught.value.rule


def test_every_cell_is_text_and_blank_is_null(deliver: Deliver) -> None:
    opened = open_delivery([deliver("a.csv", b'ID;N;D\r\n007;"";12,50\r\n1E5;;"  "\r\n')], csv_source("ID", "N", "D"))
    assert rows(opened) == [
        {"row": 2, "ID": "007", "N": None, "D": "12,50"},
        {"row": 3, "ID": "1E5", "N": None, "D": None},
    ]


def test_rows_are_numbered_as_records_of_the_file(deliver: Deliver) -> None:
    """A line break inside a cell does not count, an empty line does though it is no record."""
    content = b'ID;N\n1;"two\nlines"\n\n2;x\n;\n3;y'
    opened = open_delivery([deliver("a.csv", content)], csv_source("ID", "N"))
    assert [(row["row"], row["ID"]) for row in rows(opened)] == [(2, "1"), (4, "2"), (6, "3")]


def test_a_row_blank_in_every_declared_column_is_a_record_if_it_holds_anything(deliver: Deliver) -> None:
    opened = open_delivery([deliver("a.csv", b"ID;N;X\n1;a;\n;;total\n;;\n2;b;\n")], csv_source("ID", "N"))
    assert [(row["row"], row["ID"]) for row in rows(opened)] == [(2, "1"), (3, None), (5, "2")]


def test_ragged_rows_are_kept_cut_and_reported(deliver: Deliver) -> None:
    content = b'ID;N\n1;a\n2\n3;c;stray\n4;d;;\n5;"e;f"\n6;g;"x\ny"\n'
    opened = open_delivery([deliver("a.csv", content)], csv_source("ID", "N"))
    assert [(row["row"], row["ID"], row["N"]) for row in rows(opened)] == [
        (2, "1", "a"),
        (3, "2", None),
        (4, "3", "c"),
        (5, "4", "d"),
        (6, "5", "e;f"),
        (7, "6", "g"),
    ]
    assert sorted(issues(opened)) == [(row, None, "read.ragged_row", "error") for row in (3, 4, 7)]


def test_a_file_of_ragged_rows_only_is_still_read(deliver: Deliver) -> None:
    opened = open_delivery([deliver("a.csv", b"ID;N\n1;a;x\n2;b;y\n")], csv_source("ID", "N"))
    assert [row["ID"] for row in rows(opened)] == ["1", "2"]


def test_rows_that_are_short_without_end_are_refused(deliver: Deliver, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each costs a call and a text: two gigabytes of them, in an archive of eight megabytes, took 3.5 GB of memory."""
    monkeypatch.setattr("connectors.text.ragged_rows._SHORT", 100)
    whole = b"ID;N\n" + b"1;a\n" * 150
    assert len(rows(open_delivery([deliver("a.csv", whole + b"x\n" * 140)], csv_source("ID", "N")))) == 290
    for content in (whole + b"x\n" * 200, b"ID;N\n" + b"x\n" * 200):
        with pytest.raises(Refused, match=r"most rows down to row .* have not as many cells"):
            rows(open_delivery([deliver("a.csv", content)], csv_source("ID", "N")))


def test_a_long_file_is_read_in_parts_with_the_same_rows(deliver: Deliver, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ragged, blank, quoted and other rows keep their numbers, also where a part has nothing but ragged ones."""
    kinds = [b"%d;a;\n", b'%d;"two\nlines";x\n', b"\n", b";;\n", b"%d;short\n", b"%d;a;b;stray\n", b";;only\n"]
    lines = [kinds[n // 40 % 7].replace(b"%d", b"%d" % n) for n in range(2_000)]
    file = deliver("a.csv", b"ID;N;R\n" + b"".join(lines))
    monkeypatch.setattr("connectors.text.delimited._SCAN", 200)
    whole = open_delivery([file], csv_source("ID", "N"))
    expected = rows(whole), sorted(issues(whole), key=str)
    assert len(expected[0]) > 1_400
    monkeypatch.setattr("connectors.text.delimited._PART", 1_000)
    parts = open_delivery([file], csv_source("ID", "N"))
    assert len(parts.parts("main", 1)[0].grid._cut(30)) > 20  # type: ignore[attr-defined]
    assert (rows(parts), sorted(issues(parts), key=str)) == expected


def test_reading_twice_reports_once(deliver: Deliver) -> None:
    opened = open_delivery([deliver("a.csv", b"ID;N\n1\n")], csv_source("ID", "N"))
    assert rows(opened) == rows(opened)
    assert len(issues(opened)) == 1


def test_a_file_with_more_columns_than_a_sheet_can_have_is_refused(deliver: Deliver) -> None:
    wide = ";".join(f"c{n}" for n in range(16_385)).encode()
    assert refused(deliver, wide + b"\n1\n", csv_source("c0")) == "delivery.unreadable"


def test_undeclared_columns_are_named_and_never_read(deliver: Deliver) -> None:
    opened = open_delivery([deliver("a.csv", b"ID;TEL;N\n1;7777;a\n")], csv_source("ID", "N"))
    assert opened.undeclared == {"main": ["TEL"]}
    assert rows(opened) == [{"row": 2, "ID": "1", "N": "a"}]


def test_an_absent_optional_column_is_blank_and_an_ignored_one_is_not_read(deliver: Deliver) -> None:
    columns = ["ID", {"name": "NEW", "optional": True}, {"name": "GPS", "class": "ignore"}]
    declared = source({"kind": "csv", "encoding": "utf-8", "delimiter": ";"}, table("main", columns, key=["ID"]))
    opened = open_delivery([deliver("a.csv", b"ID;GPS\n1;13.7\n")], declared)
    assert rows(opened) == [{"row": 2, "ID": "1", "NEW": None}]
    assert opened.undeclared == {"main": []}


def test_a_family_covers_every_column_of_its_name(deliver: Deliver) -> None:
    declared = source(
        {"kind": "csv", "encoding": "utf-8", "delimiter": ";"},
        table("main", ["ID", {"name": "notes_*", "class": "free_text"}], key=["ID"]),
    )
    opened = open_delivery([deliver("a.csv", b"ID;notes_1;other;notes_2\n1;a;b;c\n")], declared)
    assert rows(opened) == [{"row": 2, "ID": "1", "notes_1": "a", "notes_2": "c"}]
    assert opened.undeclared == {"main": ["other"]}


def test_the_second_column_of_one_name_has_a_name_of_its_own(deliver: Deliver) -> None:
    opened = open_delivery([deliver("a.csv", b"ID;N;N\n1;a;b\n")], csv_source("ID", "N", "N.1"))
    assert rows(opened) == [{"row": 2, "ID": "1", "N": "a", "N.1": "b"}]


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"", "delivery.empty"),
        (b"ID;N\r\n", "delivery.empty"),
        (b"ID;N\n;\n\n", "delivery.empty"),
        (b"ID\n1\n", "delivery.missing_column"),
        (b"A;B;C\n1;2;3\n", "delivery.wrong_source"),
        (b'ID;N\n1;"never closed\n2;x\n', "delivery.unreadable"),
        (b"PK\x03\x04 a workbook", "delivery.unreadable"),
        (b"ID;N\n1;Mu\xf1oz\n", "delivery.wrong_encoding"),
    ],
)
def test_what_is_no_such_delivery_is_refused(deliver: Deliver, content: bytes, rule: str) -> None:
    assert refused(deliver, content, csv_source("ID", "N")) == rule


def test_missing_columns_are_named(deliver: Deliver) -> None:
    with pytest.raises(Refused, match="missing: EDAD, SEXO"):
        open_delivery([deliver("a.csv", b"ID;N;M\n1;a;b\n")], csv_source("ID", "N", "M", "EDAD", "SEXO"))


@pytest.mark.parametrize(
    "text",
    [
        "ID;N\n1;Mu\u00f1oz\n".encode(),  # UTF-8 where cp1252 is declared
        "ID;N\n1;Mu\u00f1oz Pe\u00f1a\n".encode("cp850"),  # DOS letters
        b"ID;N\n1;Mu\x81oz\n",  # no letter in cp1252
        b"\xef\xbb\xbfID;N\n1;Munoz\n",  # a mark that says UTF-8
        b"ID;N\n1;Mu\xf1oz\n2;" + "Pe\u00f1a".encode() + b"\n",  # a file glued from two
    ],
)
def test_a_declared_code_page_is_disbelieved_where_it_cannot_be_true(deliver: Deliver, text: bytes) -> None:
    assert refused(deliver, text, csv_source("ID", "N", encoding="cp1252")) == "delivery.wrong_encoding"


def test_a_refusal_holds_no_value_from_the_file(deliver: Deliver) -> None:
    with pytest.raises(Refused) as caught:
        open_delivery([deliver("a.csv", b"ID;N\n1;Mu\xf1oz secret\n")], csv_source("ID", "N"))
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252", "utf-16"])
def test_letters_survive_their_code_page(deliver: Deliver, encoding: str) -> None:
    declared = csv_source("ID", "N", encoding=None if encoding.startswith("utf") else encoding)
    opened = open_delivery([deliver("a.csv", "ID;N\n1;Mu\u00f1oz \u20ac\n2;l\u2019Étang\n".encode(encoding))], declared)
    assert [row["N"] for row in rows(opened)] == ["Mu\u00f1oz \u20ac", "l\u2019Étang"]


def test_what_is_not_declared_is_detected_and_recorded(deliver: Deliver) -> None:
    text = "ID,N\n" + "1,Mu\u00f1oz L\u00f3pez de Su\u00e1rez\n2,Jos\u00e9 Pe\u00f1a Ib\u00e1\u00f1ez\n" * 20
    opened = open_delivery(
        [deliver("a.csv", text.encode("cp1252"))], csv_source("ID", "N", encoding=None, delimiter=None)
    )
    assert opened.facts["encoding"] == "cp1252"
    assert opened.facts["delimiter"] == ","
    assert rows(opened)[0]["N"] == "Mu\u00f1oz L\u00f3pez de Su\u00e1rez"


def test_excel_damage_in_a_key_is_an_error_and_no_value(deliver: Deliver) -> None:
    opened = open_delivery([deliver("a.csv", b"ID;N\n1.67E+08;1.67E+08\n########;x\n3;y\n")], csv_source("ID", "N"))
    assert [(row["ID"], row["N"]) for row in rows(opened)] == [(None, "1.67E+08"), (None, "x"), ("3", "y")]
    assert issues(opened) == [(2, "ID", "read.damaged_value", "error"), (3, "ID", "read.damaged_value", "error")]


def test_a_header_over_two_lines_is_one_name(deliver: Deliver) -> None:
    opened = open_delivery([deliver("a.csv", b'ID;"Fecha\nde retorno"\n1;x\n')], csv_source("ID", "Fecha de retorno"))
    assert rows(opened) == [{"row": 2, "ID": "1", "Fecha de retorno": "x"}]


def test_the_header_has_a_fingerprint(deliver: Deliver) -> None:
    one = open_delivery([deliver("a.csv", b"ID;N\n1;a\n")], csv_source("ID", "N")).facts["header_fingerprint"]
    same = open_delivery([deliver("b.csv", b"ID;N\n2;b\n")], csv_source("ID", "N")).facts["header_fingerprint"]
    other = open_delivery([deliver("c.csv", b"N;ID\nb;2\n")], csv_source("ID", "N")).facts["header_fingerprint"]
    assert one == same != other
    assert len(str(one)) == 64


@pytest.mark.parametrize("n", [1, 2, 3, 7])
def test_parts_together_are_the_table(deliver: Deliver, n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut at record ends, with line breaks and doubled quotes in cells, ragged rows and stray inch marks."""
    monkeypatch.setattr("connectors.text.delimited._SCAN", 100)
    kinds = ['{0};"a ""{0}""\r\nb"', "{0};x", "{0}", '{0};5" pipe', '{0};"";stray', '{0};"q"']
    content = "ID;N\r\n" + "\r\n".join(kinds[i % len(kinds)].format(i) for i in range(200))
    opened = open_delivery([deliver("a.csv", content.encode())], csv_source("ID", "N"))
    whole = {row["row"]: row["N"] for row in rows(opened)}
    parts: list[Part] = pickle.loads(pickle.dumps(opened.parts("main", n)))
    assert len(parts) == n
    found: dict[int, str] = {}
    reported = 0
    for part in parts:
        for batch in part.batches(30):
            assert len(batch) <= 30
            found.update(zip(batch.rows.to_pylist(), batch.cells["N"].to_pylist(), strict=True))
        reported += part.issues().num_rows
    assert found == whole
    assert sorted(found) == list(range(2, 202))
    assert reported == opened.issues().num_rows == 66


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    st.lists(st.lists(st.text(alphabet='a"\n\r; ', max_size=5), min_size=2, max_size=2), min_size=1, max_size=8),
    st.integers(1, 9),
)
def test_records_are_counted_as_they_were_written(records: list[list[str]], torn: int) -> None:
    """For every table a CSV writer can write, and wherever the blocks of bytes are torn."""
    import csv
    import io

    out = io.StringIO(newline="")
    csv.writer(out, delimiter=";", lineterminator="\r\n").writerows(records)
    content = out.getvalue().encode()
    count = RecordCount(";")
    for at in range(0, len(content), torn):
        count.feed(content[at : at + torn])
    count.feed(b"", last=True)
    assert not count.unclosed
    assert count.records == len(records)


class MarkByMark(RecordCount):
    """Looks at every mark alone, as the count does where one of them is an ordinary letter."""

    def _count_regular(self, data: NDArray[np.uint8], returns: bool) -> bool:
        return False


@given(st.text(st.sampled_from('a,"\r\n'), max_size=300).map(str.encode), st.integers(1, 130))
def test_marks_counted_64_at_a_time_are_the_same_marks(content: bytes, torn: int) -> None:
    counts = RecordCount(","), MarkByMark(",")
    for count in counts:
        for at in range(0, len(content), torn):
            count.feed(content[at : at + torn])
        count.feed(b"", last=True)
    together, alone = (
        (count.records, count.cuts, count.last_end, count.breaks_in_cells, count.unclosed) for count in counts
    )
    assert together == alone


@pytest.mark.corpus
def test_a_real_spanish_budget_keeps_its_letters(corpus: Path) -> None:
    """charset-normalizer reads this file as cp1250 without an error (formats.md 3)."""
    file = corpus / "registries" / "messytables" / "spanish_chars.csv"
    header = file.read_bytes().split(b"\n")[0].decode("cp1252").strip().split(",")
    first = header[0].strip('" ')
    declared = source({"kind": "csv", "encoding": "cp1252", "delimiter": ","}, table("main", [first], key=[first]))
    assert sum(len(batch) for batch in open_delivery([PlainFile(file)], declared).batches("main")) > 100
    detected = source({"kind": "csv", "encoding": None, "delimiter": ","}, table("main", [first], key=[first]))
    assert open_delivery([PlainFile(file)], detected).facts["encoding"] == "cp1252"
    wrong = source({"kind": "csv", "encoding": "utf-8", "delimiter": ","}, table("main", [first], key=[first]))
    with pytest.raises(Refused, match="no utf-8"):
        open_delivery([PlainFile(file)], wrong)
