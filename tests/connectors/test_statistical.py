"""Files of SPSS, Stata and SAS: codes keep why an answer is missing, dates are what is shown, nothing is guessed."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyreadstat
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from small_sources import issues, rows, source, table
from small_statistical import cells, headings

from codebook.errors import Refused
from connectors import open_delivery
from connectors.statistical.reader import look
from connectors.statistical.text import text_of, writer_of
from sources.batches import PlainFile

BRIEFLY = settings(  # each example starts a process; shrinking would start thousands
    max_examples=12,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


STATA_MISSING = [1, "a", None, 2, None, "z", None, 3, None]


@pytest.fixture
def stata(tmp_path: Path) -> PlainFile:
    """Integers and floats with `.a`, `.z` and plain `.` in between, and labels on both."""
    path = tmp_path / "survey.dta"
    pyreadstat.write_dta(
        pd.DataFrame({name: pd.Series(STATA_MISSING, dtype=object) for name in ("i", "j")}),
        path,
        missing_user_values={"i": ["a", "z"], "j": ["a", "z"]},
        variable_value_labels={"i": {1: "Yes", "a": "Refused"}},
        column_labels=["Has work", None],
    )
    return PlainFile(path)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 100])
def test_plain_missing_after_a_tagged_one_stays_missing_in_any_chunk(stata: PlainFile, size: int) -> None:
    expected = ["1", ".a", None, "2", None, ".z", None, "3", None]
    assert cells(stata, size) == {"i": expected, "j": expected}


def test_a_label_of_a_tagged_missing_is_found_under_its_cell(stata: PlainFile) -> None:
    heading = headings(stata)["i"]
    assert (heading.label, heading.value_labels) == ("Has work", {"1": "Yes", ".a": "Refused"})


@given(
    st.lists(st.one_of(st.none(), st.integers(-100, 100), st.sampled_from(["a", "m", "z"])), min_size=2, max_size=40),
    st.integers(1, 45),
)
@BRIEFLY
def test_stata_read_in_chunks_is_stata_read_whole(tmp_path: Path, values: list[Any], size: int) -> None:
    path = tmp_path / "chunks.dta"
    values = [1, "a", *values]
    pyreadstat.write_dta(
        pd.DataFrame({"v": pd.Series(values, dtype=object)}), path, missing_user_values={"v": ["a", "m", "z"]}
    )
    told = [None if v is None else f".{v}" if isinstance(v, str) else str(v) for v in values]
    assert cells(PlainFile(path), size) == {"v": told}


def test_missing_ranges_are_told_and_their_codes_kept(tmp_path: Path) -> None:
    path = tmp_path / "ranges.sav"
    pyreadstat.write_sav(
        pd.DataFrame({"x": [1.0, -5.0, 99.0], "s": ["a", "ZZ", ""]}),
        path,
        missing_ranges={"x": [{"lo": -np.inf, "hi": 0}, 99], "s": ["ZZ"]},
    )
    found = headings(PlainFile(path))
    assert (found["x"].missing, found["s"].missing) == (("-inf..0", "99"), ("ZZ",))
    assert cells(PlainFile(path)) == {"x": ["1", "-5", "99"], "s": ["a", "ZZ", None]}


def test_codes_that_are_only_labelled_as_missing_are_proposed_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "labels.sav"
    labels = {
        "en": {1: "Yes", 8: "Don’t know", 98: "Refused to answer", 9: "Don't know/Refused", 97: "Not applicable"},
        "fr": {1: "Refusé à la frontière", 8: "Ne sait pas", 98: "Refus de répondre", 9: "Sans réponse"},
        "es": {1: "No", 8: "99. No sabe", 98: "No quiere responder", 9: "NS/NR", 97: "No sabe la dirección exacta"},
        "ar": {1: "نعم", 8: "لا أعرف", 98: "رفض الإجابة", 9: "غير معروف", 97: "لا ينطبق"},
    }
    frame = pd.DataFrame({name: [1.0, 8.0, 98.0] for name in labels})
    pyreadstat.write_sav(frame, path, variable_value_labels=labels, missing_ranges={"ar": [9]})
    proposed = look(PlainFile(path))[1]["proposed_missing"]
    assert {(p["column"], p["code"]): p["states"] for p in proposed} == {  # type: ignore[attr-defined]
        ("en", "8"): ["dont_know"],
        ("en", "98"): ["refused"],
        ("en", "9"): ["dont_know", "refused"],
        ("en", "97"): ["not_applicable"],
        ("fr", "8"): ["dont_know"],
        ("fr", "98"): ["refused"],
        ("fr", "9"): ["missing_unexpected"],
        ("es", "8"): ["dont_know"],
        ("es", "98"): ["refused"],
        ("es", "9"): ["dont_know", "missing_unexpected"],
        ("ar", "8"): ["dont_know"],
        ("ar", "98"): ["refused"],
        ("ar", "97"): ["not_applicable"],
    }
    assert cells(PlainFile(path))["en"] == ["1", "8", "98"]


def test_weights_are_found_by_name_and_bodies_are_not_weights(tmp_path: Path) -> None:
    path = tmp_path / "weights.sav"
    names = ["hhwt", "factor_exp", "weight", "WT58", "peso", "width", "q1"]
    told = ["", "", "Sampling weight", "Weight in pounds", "Peso al nacer", "", ""]
    pyreadstat.write_sav(pd.DataFrame({name: [1.5] for name in names}), path, column_labels=told)
    assert look(PlainFile(path))[1]["proposed_weights"] == ["hhwt", "factor_exp", "weight"]


@pytest.mark.parametrize(
    ("suffix", "form", "number", "text"),
    [
        ("sav", "DATE11", 13500864000, "2010-08-11"),
        ("sav", "MOYR8", 13500864000, "2010-08"),
        ("sav", "QYR8", 13500864000, "2010-Q3"),
        ("sav", "WKYR10", 13500864000, "2010-W32"),
        ("sav", "DATETIME23.2", 13500864000.25, "2010-08-11T00:00:00.25"),
        ("sav", "MONTH9", 8, "8"),
        ("sav", "MONTH9", 13500864000, "8"),
        ("sav", "WKDAY9", 13500864000, "4"),
        ("por", "DTIME12", 180_061.5, "50:01:01.5"),
        ("sav", "TIME8", -60, "-00:01:00"),
        ("sav", "N5", 42, "00042"),
        ("dta", "%td", 21310, "2018-05-06"),
        ("dta", "%-tdDD_Mon_CCYY", 21310, "2018-05-06"),
        ("dta", "%tc", 1841220610000, "2018-05-06T10:10:10"),
        ("dta", "%tC", 1841220637000, "2018-05-06T10:10:10"),
        ("dta", "%tC", 394416000000, "1972-06-30T23:59:59"),
        ("dta", "%tC", 394416001000, "1972-07-01T00:00:00"),
        ("dta", "%tCHH:MM:SS", 36610000, "10:10:10"),
        ("dta", "%tbnyse", 21310, "21310"),
        ("dta", "%tg", 7, "7"),
        ("dta", "%tcHH:MM:SS", 36610000, "10:10:10"),
        ("dta", "%tcMonth_dd", 1841220610000, "2018-05-06T10:10:10"),
        ("dta", "%tm", 700, "2018-05"),
        ("dta", "%tq", -1, "1959-Q4"),
        ("dta", "%th", 117, "2018-H2"),
        ("dta", "%tw", 3033, "2018-W18"),
        ("dta", "%ty", 2018, "2018"),
        ("sas7bdat", "YYMMDD10", 21310, "2018-05-06"),
        ("xpt", "E8601DA", 21310, "2018-05-06"),
        ("xpt", "DATETIME20.3", 1841220610, "2018-05-06T10:10:10"),
        ("sas7bdat", "MONYY7", 21310, "2018-05"),
        ("sas7bdat", "DTDATE9", 1841220610, "2018-05-06"),
        ("sas7bdat", "TIME20.3", 36610, "10:10:10"),
        ("sas7bdat", "Z6.", 42, "000042"),
        ("sas7bdat", "BEST12", 42, "42"),
        ("sas7bdat", "$8", 42, "42"),
    ],
)
def test_a_number_is_told_as_its_format_shows_it(suffix: str, form: str, number: float, text: str) -> None:
    import pyarrow as pa

    told, bad = text_of(
        pa.chunked_array([[float(number), None]]).dictionary_encode(), None, writer_of(suffix, form), False
    )
    assert (told.to_pylist(), bad) == ([text, None], None)


def test_a_date_out_of_range_costs_its_cell_and_not_the_file(tmp_path: Path) -> None:
    path = tmp_path / "dates.sav"
    pyreadstat.write_sav(
        pd.DataFrame({"ID": [1.0, 2.0], "d": [13500864000.0, 1e15]}), path, variable_format={"d": "DATE11"}
    )
    opened = open_delivery([PlainFile(path)], source({"kind": "spss"}, table("main", ["ID", "d"], key=["ID"])))
    assert [row["d"] for row in rows(opened)] == ["2010-08-11", None]
    assert issues(opened) == [(2, "d", "read.damaged_value", "error")]


def test_a_file_of_another_house_than_declared_is_refused(stata: PlainFile) -> None:
    with pytest.raises(Refused, match="a file of Stata, spss is declared"):
        open_delivery([stata], source({"kind": "spss"}, table("main", ["i"], key=["i"])))


@pytest.mark.slow
def test_more_columns_than_a_sheet_can_have_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "wide.sav"
    pyreadstat.write_sav(pd.DataFrame(np.zeros((1, 16_385)), columns=[f"v{n}" for n in range(16_385)]), path)
    with pytest.raises(Refused, match="16385 columns"):
        look(PlainFile(path))


KINDS = {
    "sav": pyreadstat.write_sav,
    "por": pyreadstat.write_por,
    "dta": pyreadstat.write_dta,
    "xpt": pyreadstat.write_xport,
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9])
def test_a_torn_file_is_refused_and_a_wrong_magic_too(tmp_path: Path, kind: str, kept: float) -> None:
    path = tmp_path / f"torn.{kind}"
    KINDS[kind](pd.DataFrame({"A": np.arange(1000) / 7, "B": ["text"] * 1000}), path)
    whole = path.read_bytes()
    for content in (whole[: int(len(whole) * kept)], b"X" * 600 + whole[600:]):
        path.write_bytes(content)
        with pytest.raises(Refused) as caught:
            cells(PlainFile(path))
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("release", [5, 8])
@pytest.mark.parametrize(("rows", "records"), [(60, 3), (60, 1)])
def test_a_transport_file_cut_between_two_records_is_refused(
    tmp_path: Path, release: int, rows: int, records: int
) -> None:
    path = tmp_path / "cut.xpt"
    pyreadstat.write_xport(
        pd.DataFrame({"A": np.arange(rows) / 7, "B": ["x"] * rows}), path, file_format_version=release
    )
    whole = path.read_bytes()
    assert len(cells(PlainFile(path))["A"]) == rows
    path.write_bytes(whole[: -80 * records])
    with pytest.raises(Refused, match="no whole SAS file"):
        cells(PlainFile(path))


def test_a_transport_file_of_release_8_cut_between_two_rows_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cut.xpt"
    pyreadstat.write_xport(pd.DataFrame({"A": np.arange(100) / 7}), path, file_format_version=8)
    path.write_bytes(path.read_bytes()[:-80])
    with pytest.raises(Refused, match="no whole SAS file"):
        cells(PlainFile(path))


def test_a_transport_file_of_two_tables_is_refused_and_not_read_as_one(tmp_path: Path) -> None:
    path = tmp_path / "two.xpt"
    pyreadstat.write_xport(pd.DataFrame({"A": np.arange(10) / 7}), path, file_format_version=5)
    whole = path.read_bytes()
    path.write_bytes(whole + whole[whole.index(b"HEADER RECORD*******MEMBER") :])
    with pytest.raises(Refused, match="several tables"):
        cells(PlainFile(path))


def test_days_of_a_business_calendar_are_named_and_stay_numbers(tmp_path: Path) -> None:
    path = tmp_path / "a.dta"
    pyreadstat.write_dta(pd.DataFrame({"day": [21310.0], "n": [1.0]}), path, variable_format={"day": "%tbnyse"})
    assert look(PlainFile(path))[1]["business_calendar_days"] == ["day"]
    assert cells(PlainFile(path))["day"] == ["21310"]


SHAPES = {
    "pyreadstat/missing_char.sav": (2, 1), "pyreadstat/ordered_category.sav": (4, 1), "pyreadstat/sample.por": (5, 7),
    "pyreadstat/sample.sav": (5, 7), "pyreadstat/sample.zsav": (5, 7), "pyreadstat/sample_missing.sav": (7, 7),
    "pyreadstat/simple_alltypes.sav": (6, 12), "savReaderWriter/Employee data.sav": (474, 10),
    "savReaderWriter/german.sav": (1, 6), "savReaderWriter/leading_zero.sav": (2, 1),
    "savReaderWriter/test_dates.sav": (4, 13), "savReaderWriter/zlib_compressed.zsav": (2, 4),
    "r_foreign/electric.por": (240, 13), "r_foreign/electric.sav": (240, 13), "r_foreign/sample100.por": (100, 11),
    "r_foreign/sample100.sav": (100, 11), "haven/iris.sav": (150, 5), "haven/labelled-num-na.sav": (2, 1),
    "kobo_spss/children.sav": (3, 18), "kobo_spss/children_cartoons.sav": (4, 10),
    "kobo_spss/children_cartoons_characters.sav": (2, 10), "kobo_spss/childrens_survey.sav": (2, 18),
    "Alfalfa.xpt": (40, 6), "auto8.dta": (74, 13), "sample.dta": (5, 7), "sample.xpt": (5, 7),
    "test_data_win.sas7bdat": (3, 3), "types.dta": (2, 8),
}  # fmt: skip
"""Rows and columns, as the corpus states them."""


@pytest.mark.corpus
@pytest.mark.parametrize("name", SHAPES)
def test_every_real_file_is_read_whole(corpus: Path, name: str) -> None:
    found = cells(PlainFile(corpus / ("spss" if "/" in name else "stata_sas") / name))
    assert ({len(column) for column in found.values()}, len(found)) == ({SHAPES[name][0]}, SHAPES[name][1])


@pytest.mark.corpus
def test_no_statistical_file_of_the_corpus_is_left_out(corpus: Path) -> None:
    files = [file for folder in ("spss", "stata_sas") for file in (corpus / folder).rglob("*.*")]
    known = {Path(name).name for name in SHAPES} | {"test_formats_win.sas7bcat"}
    assert {file.name for file in files if file.suffix != ".md"} == known


@pytest.mark.corpus
def test_twins_of_one_file_are_equal(corpus: Path) -> None:
    for name in ("r_foreign/electric", "r_foreign/sample100", "pyreadstat/sample"):
        twins = [cells(PlainFile(corpus / "spss" / f"{name}{suffix}")) for suffix in (".sav", ".por")]
        assert list(twins[0].values()) == list(twins[1].values())
    zipped, plain = (PlainFile(corpus / "spss" / "pyreadstat" / f"sample.{suffix}") for suffix in ("zsav", "sav"))
    assert cells(zipped) == cells(plain)


@pytest.mark.corpus
def test_a_catalog_labels_the_codes_beside_it(corpus: Path) -> None:
    data, catalog = (
        PlainFile(corpus / "stata_sas" / f"test_{n}") for n in ("data_win.sas7bdat", "formats_win.sas7bcat")
    )
    assert headings(data, catalog)["SEXA"].value_labels == {"1": "Male", "2": "Female"}
    main = table("main", ["ID", "SEXA", "SEXB"], key=["ID"])
    opened = open_delivery([catalog, data], source({"kind": "sas", "catalog": True}, main))
    assert [row["SEXA"] for row in rows(opened)] == ["1", "2", "1"]
    assert opened.tables["main"].columns[1].value_labels == {"1": "Male", "2": "Female"}
    with pytest.raises(Refused, match="2 files, one is expected"):
        open_delivery([catalog, data], source({"kind": "sas"}, main))
    with pytest.raises(Refused, match="and its catalog"):
        open_delivery([data], source({"kind": "sas", "catalog": True}, main))


@pytest.mark.corpus
def test_multiple_response_sets_are_told_with_their_members(corpus: Path) -> None:
    sets = look(PlainFile(corpus / "spss" / "pyreadstat" / "simple_alltypes.sav"))[1]["multiple_response_sets"]
    assert sets["mymrset"] == {  # type: ignore[index]
        "type": "dichotomies",
        "counted_value": 1,
        "label": "My multiple response set",
        "members": ["bool1", "bool2", "bool3"],
    }


LETTERS = st.text(st.characters(codec="utf-8", exclude_categories=("C",), exclude_characters="\x00"), max_size=30)
VALUES = st.lists(
    st.tuples(
        st.one_of(
            st.none(), st.floats(-1e12, 1e12).filter(lambda x: abs(x) > 1e-70), st.integers(-(2**40), 2**40).map(float)
        ),
        LETTERS.filter(lambda text: len(text.encode()) < 200 and text == text.strip()),
        st.dates(pd.Timestamp("1600-01-01").date(), pd.Timestamp("9999-12-31").date()),
    ),
    min_size=1,
    max_size=20,
)


@pytest.mark.parametrize("kind", ["sav", "dta", "xpt"])
@given(values=VALUES, size=st.integers(1, 25))
@BRIEFLY
def test_what_was_written_reads_back_as_it_was(tmp_path: Path, kind: str, values: list[Any], size: int) -> None:
    path = tmp_path / f"written.{kind}"
    numbers, texts, dates = zip(*values, strict=True)
    frame = pd.DataFrame({"n": pd.Series(numbers, dtype=float), "s": list(texts), "d": list(dates)})
    KINDS[kind](frame, path)
    found = cells(PlainFile(path), size)
    read = [None if cell is None else float(cell) for cell in found["n"]]
    if kind == "xpt":  # IBM floats: 56 bits with a base of 16
        given = [(cell, number) for cell, number in zip(read, numbers, strict=True) if number is not None]
        assert [cell is None for cell in read] == [number is None for number in numbers]
        assert [cell for cell, _ in given] == pytest.approx([number for _, number in given], rel=1e-15)
    else:
        assert read == list(numbers)
    assert [cell or "" for cell in found["s"]] == list(texts)
    assert found["d"] == [day.isoformat() for day in dates]


def test_a_grid_can_be_sent_to_another_process(stata: PlainFile) -> None:
    import pickle

    (grid,) = look(stata)[0].values()
    assert dataclasses.asdict(pickle.loads(pickle.dumps(grid))) == dataclasses.asdict(grid)  # type: ignore[call-overload]


@pytest.mark.parametrize("options", [{"row_compress": True}, {"compress": True}, {}], ids=["packed", "zsav", "plain"])
def test_packed_rows_are_found_wherever_reading_begins(tmp_path: Path, options: dict[str, bool]) -> None:
    """Rows that fill groups of eight codes never, always and with blanks and long values between."""
    rows = 70_000
    frame = pd.DataFrame(
        {
            "n": np.arange(rows, dtype=float),
            "coded": np.where(np.arange(rows) % 7 == 0, np.nan, np.arange(rows) % 5),
            "text": [f"name {n % 300}" if n % 3 else "" for n in range(rows)],
        }
    )
    path = tmp_path / ("a.zsav" if "compress" in options else "a.sav")
    pyreadstat.write_sav(frame, path, **options)
    (grid,) = look(PlainFile(path))[0].values()
    numbers, coded, texts = [], [], []
    for piece in grid.pieces(range(3), 9_999):
        for column, into in zip(piece.cells, (numbers, coded, texts), strict=True):
            into.extend(column.to_pylist())
    assert numbers == [str(n) for n in range(rows)]
    assert coded == [None if n % 7 == 0 else str(n % 5) for n in range(rows)]
    assert texts == [f"name {n % 300}" if n % 3 else None for n in range(rows)]
