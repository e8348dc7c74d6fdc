"""Rows are taken out of delivered files where they stand: the others keep their numbers and every byte."""

from __future__ import annotations

import gzip
from typing import Any

import pytest
from small_sources import MemoryFile, rows, source, table

from connectors import open_delivery, same_but_for, without_rows
from sources.models import Source

CSV = source({"kind": "csv", "encoding": "utf-8", "delimiter": ";"}, table("main", ["ID", "NAME"], key=["ID"]))


def cut(content: bytes, declared: Source, *gone: int) -> MemoryFile | None:
    old = MemoryFile("a", content)
    made = without_rows([old], declared, {"main": set(gone)})
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
    assert cut(gzip.compress(b"ID;NAME\n1;A\n2;B\n"), CSV, 2) is None
    utf_16 = source({"kind": "csv", "encoding": "utf-16", "delimiter": ";"}, table("main", ["ID", "NAME"], key=["ID"]))
    assert cut("ID;NAME\n1;A\n".encode("utf-16"), utf_16, 2) is None
