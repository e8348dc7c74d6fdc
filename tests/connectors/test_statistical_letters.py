"""Letters of statistical files: code pages that are declared, unsaid or wrong, and long strings of Stata."""

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyreadstat
import pytest
from small_sources import issues, rows, source, table
from small_statistical import cells

from codebook.errors import Refused
from connectors import open_delivery
from connectors.statistical.reader import look
from sources.batches import PlainFile


def in_code_page(path: Path, encoding: str, text: str) -> PlainFile:
    """A .sav that says it is UTF-8, with its text in another code page of as many bytes."""
    raw = text.encode(encoding)
    stand_in = "x" * len(raw)
    pyreadstat.write_sav(pd.DataFrame({"ID": [1.0], "s": [stand_in]}), path)
    path.write_bytes(path.read_bytes().replace(stand_in.encode(), raw))
    return PlainFile(path)


def stata_13(path: Path, encoding: str, text: str) -> PlainFile:
    """Stata before release 14 wrote no code page."""
    raw = text.encode(encoding)
    stand_in = "x" * len(raw)
    pyreadstat.write_dta(pd.DataFrame({"ID": [1.0], "s": [stand_in]}), path, version=12)
    path.write_bytes(path.read_bytes().replace(stand_in.encode(), raw))
    return PlainFile(path)


ARABIC, RUSSIAN, SPANISH = "عاد إلى مدينته بعد سنوات", "Вернулся домой через Польшу", "Muñoz Peña, José Ibáñez Núñez"


@pytest.mark.parametrize("make", [in_code_page, stata_13])
@pytest.mark.parametrize(("encoding", "text"), [("cp1256", ARABIC), ("cp1251", RUSSIAN), ("cp1252", SPANISH)])
def test_an_unsaid_code_page_is_not_guessed(tmp_path: Path, make: Any, encoding: str, text: str) -> None:
    file = make(tmp_path / ("a.sav" if make is in_code_page else "a.dta"), encoding, text)
    kind = {"kind": "spss" if make is in_code_page else "stata"}
    main = table("main", ["ID", "s"], key=["ID"])
    with pytest.raises(Refused) as caught:
        open_delivery([file], source(kind, main))
    assert caught.value.rule == "delivery.wrong_encoding"
    assert encoding in str(caught.value)
    opened = open_delivery([file], source({**kind, "encoding": encoding}, main))
    assert (opened.facts["encoding"], opened.facts["encoding_basis"]) == (encoding, "declared")
    assert [row["s"] for row in rows(opened)] == [text]
    assert look(file)[1]["encoding_candidates"]


def test_the_name_of_a_code_page_is_not_believed_against_the_letters(tmp_path: Path) -> None:
    """Named windows-1252, and in fact Arabic, or UTF-8."""
    path = tmp_path / "a.sav"
    for text, encoding in ((ARABIC, "cp1256"), (SPANISH, "utf-8")):
        in_code_page(path, encoding, text)
        path.write_bytes(
            path.read_bytes().replace(struct.pack("<i", 65001), struct.pack("<i", 1252)).replace(b"UTF-8", b"8859-")
        )
        candidates = look(PlainFile(path))[1].get("encoding_candidates")
        if encoding == "utf-8":
            assert candidates is None
            assert cells(PlainFile(path))["s"] == [text]
        else:
            assert candidates is not None
            assert encoding in candidates  # type: ignore[operator]


def test_a_letter_that_was_cut_costs_its_cell_and_not_the_file(tmp_path: Path) -> None:
    path = tmp_path / "cut.sav"
    names = [f"José Núñez {n}" for n in range(40)]
    pyreadstat.write_sav(pd.DataFrame({"ID": range(41), "s": ["xxxxxx", *names]}), path, column_labels=["", "Año"])
    path.write_bytes(path.read_bytes().replace(b"xxxxxx", b"xx\xc3\xb1x\xc3"))
    opened = open_delivery([PlainFile(path)], source({"kind": "spss"}, table("main", ["ID", "s"], key=["ID"])))
    assert [row["s"] for row in rows(opened)] == [None, *names]
    assert issues(opened) == [(1, "s", "read.damaged_value", "error")]


def test_a_long_string_is_one_cell(tmp_path: Path) -> None:
    text = "ñandú " * 900
    pyreadstat.write_sav(pd.DataFrame({"s": [text + ".", "b"]}), tmp_path / "long.sav")
    assert cells(PlainFile(tmp_path / "long.sav")) == {"s": [text + ".", "b"]}


SCRIPTS = (
    ARABIC,
    RUSSIAN,
    SPANISH,
    "é",
    "আমি বাড়ি ফিরেছি",
    "ወደ አገሬ ተመለስኩ",
    "म घर फर्किएँ",
    "我回到家乡",
    "plain",
    "",
    "ñandú " * 900 + ".",
)


@pytest.mark.parametrize("version", [117, 118, 119])
@pytest.mark.parametrize("declared", [{}, {"encoding": "utf-8"}])
def test_long_strings_of_stata_are_read_in_every_script(tmp_path: Path, version: Any, declared: dict[str, str]) -> None:
    frame = pd.DataFrame({"ID": np.arange(len(SCRIPTS)), "s": ["x"] * len(SCRIPTS), "t": SCRIPTS})
    if version > 117:
        frame["s"] = [text[:9] for text in SCRIPTS]
    frame.to_stata(tmp_path / "a.dta", version=version, convert_strl=["t"], write_index=False)
    declaration = source({"kind": "stata", **declared}, table("main", ["ID", "s", "t"], key=["ID"]))
    opened = open_delivery([PlainFile(tmp_path / "a.dta")], declaration)
    found = rows(opened)
    assert [row["t"] or "" for row in found] == list(SCRIPTS)
    assert [(row["s"] or "").strip() for row in found] == [text.strip() for text in frame["s"]]
    assert cells(PlainFile(tmp_path / "a.dta"), size=3)["t"][:-2] == [row["t"] for row in found][:-2]
    assert issues(opened) == []


def test_long_strings_do_not_decide_the_code_page_of_the_others(tmp_path: Path) -> None:
    """As pandas writes them for Stata 13: long strings in UTF-8, the others in Latin-1."""
    frame = pd.DataFrame({"ID": [1.0], "s": [SPANISH], "t": [SPANISH]})
    frame.to_stata(tmp_path / "a.dta", version=117, convert_strl=["t"], write_index=False)
    declaration = source({"kind": "stata", "encoding": "cp1252"}, table("main", ["ID", "s", "t"], key=["ID"]))
    (row,) = rows(open_delivery([PlainFile(tmp_path / "a.dta")], declaration))
    assert (row["s"], row["t"]) == (SPANISH, SPANISH)


def test_long_strings_in_a_code_page_are_refused_and_the_way_out_is_told(tmp_path: Path) -> None:
    """As Stata 13 itself writes them: nothing here can read these, whatever is declared."""
    path = tmp_path / "a.dta"
    pd.DataFrame({"ID": [1.0], "t": ["x" * 9]}).to_stata(path, version=117, convert_strl=["t"], write_index=False)
    path.write_bytes(path.read_bytes().replace(b"x" * 9, "Muñoz Peñ".encode("cp1252")))
    for declared in ({}, {"encoding": "cp1252"}):
        with pytest.raises(Refused, match="save it with Stata 14") as caught:
            open_delivery(
                [PlainFile(path)], source({"kind": "stata", **declared}, table("main", ["ID", "t"], key=["ID"]))
            )
        assert caught.value.rule == "delivery.wrong_encoding"


def test_a_letter_that_is_a_blank_in_another_code_page_is_no_blank(tmp_path: Path) -> None:
    """An ellipsis of cp1252 is byte 85, elsewhere the end of a line."""
    file = stata_13(tmp_path / "a.dta", "cp1252", "…")
    main = table("main", ["ID", "s"], key=["ID"])
    assert [row["s"] for row in rows(open_delivery([file], source({"kind": "stata", "encoding": "cp1252"}, main)))] == [
        "…"
    ]
