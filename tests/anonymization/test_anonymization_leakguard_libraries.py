"""Real errors of every library in the house, each with a planted value in its text, lose it on the way out."""

from __future__ import annotations

import io
import json
import logging
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path

import great_expectations as gx
import httpx
import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pydantic
import pyreadstat
import pytest
import python_calamine
from pyxform.xls2xform import convert
from sqlalchemy import create_engine, text

from anonymization.leaks.guard import no_values, scrub, silent_warnings, without_values
from codebook.errors import HomewardError

CANARY = "Xochitl Quetzal"
WORDS = ("Xochitl", "Quetzal")


class Form(pydantic.BaseModel):
    age: int


def _expectation() -> None:
    frame = gx.get_context(mode="ephemeral").data_sources.add_pandas("made").add_dataframe_asset(CANARY)
    frame.get_batch_definition(CANARY)


def _form() -> None:
    sheet = {"type": f"select_one {CANARY}", "name": f"{CANARY}!", "label": CANARY}
    convert({"survey": [sheet], "survey_header": [dict.fromkeys(sheet)]})


BREAKS: dict[str, Callable[[Path], object]] = {
    "pandas": lambda _: pd.Series([CANARY]).astype(float),
    "pandas dates": lambda _: pd.to_datetime(pd.Series([CANARY]), format="%Y"),
    "pyarrow": lambda _: pa.array([CANARY]).cast(pa.int64()),
    "pyarrow csv": lambda _: pyarrow.csv.read_csv(io.BytesIO(f"a,b\n1,2\n{CANARY}\n".encode())),
    "numpy": lambda _: np.array([CANARY]).astype(int),
    "pyreadstat": lambda folder: pyreadstat.read_sav(folder / f"{CANARY}.sav"),
    "openpyxl": lambda folder: openpyxl.load_workbook(folder / f"{CANARY}.txt"),
    "openpyxl cell": lambda _: openpyxl.Workbook().create_sheet().append({CANARY: "\x01" + CANARY}),
    "calamine": lambda folder: python_calamine.CalamineWorkbook.from_path(folder / f"{CANARY}.xlsx"),
    "pyxform": lambda _: _form(),
    "pydantic": lambda _: Form.model_validate({"age": CANARY}),
    "json": lambda _: json.loads(f'{{"a": {CANARY}}}'),
    "httpx": lambda _: httpx.get(f"http://127.0.0.1:1/{CANARY}"),
    "httpx address": lambda _: httpx.get(f"{CANARY}://x"),
    "great expectations": lambda _: _expectation(),
    "a key": lambda _: {}[CANARY],
    "decoding": lambda _: CANARY.encode().join([b"\xff"]).decode() or (CANARY + "\xff").encode("latin-1").decode(),
}


def raised_by(breaks: Callable[[Path], object], folder: Path) -> BaseException:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            breaks(folder)
        except Exception as error:
            return error
    raise AssertionError("it did not break")


def everything_shown(error: BaseException) -> str:
    """What printing, logging and pickling the error could bring to light, frames included."""
    told = "".join(traceback.TracebackException.from_exception(error, capture_locals=False).format())
    return f"{told}{error!r}{error.args!r}{getattr(error, '__notes__', '')}{vars(error)!r}{error.__cause__!r}"


def holds(told: str) -> bool:
    return any(word in told for word in WORDS)


@pytest.mark.parametrize("library", BREAKS)
def test_errors_lose_their_values(library: str, tmp_path: Path) -> None:
    with pytest.raises(HomewardError) as raised, no_values("slv/register, harmonized"):
        BREAKS[library](tmp_path)
    assert not holds(everything_shown(raised.value))
    assert "slv/register, harmonized" in str(raised.value)
    assert raised.value.__suppress_context__


def test_an_error_that_chains_groups_and_notes_values_loses_all_of_them() -> None:
    def chained() -> None:
        try:
            int(CANARY)
        except ValueError as cause:
            cause.add_note(f"in the row of {CANARY}")
            raise ExceptionGroup(CANARY, [KeyError(CANARY), ExceptionGroup(CANARY, [cause])]) from cause

    with pytest.raises(HomewardError) as raised, no_values("pseudonymized"):
        chained()
    assert not holds(everything_shown(raised.value))


def test_our_own_error_loses_the_foreign_error_and_the_notes_that_hang_on_it() -> None:
    def ours_from_a_foreign_one() -> None:
        try:
            int(CANARY)
        except ValueError as cause:
            ours = HomewardError("the row has no key")
            ours.add_note(CANARY)
            raise ours from cause

    with pytest.raises(HomewardError, match="the row has no key") as raised, no_values("pseudonymized"):
        ours_from_a_foreign_one()
    assert not holds(everything_shown(raised.value))


def test_warnings_say_nothing_inside_the_guard(recwarn: pytest.WarningsRecorder) -> None:
    with silent_warnings():
        warnings.warn(f"could not read {CANARY}", UserWarning, stacklevel=1)
    assert not holds(str([str(warning.message) for warning in recwarn]))


def test_records_of_foreign_loggers_lose_message_arguments_and_error() -> None:
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.addFilter(without_values)
    foreign, ours = logging.getLogger("pandas.made"), logging.getLogger("homeward.made")
    for logger in (foreign, ours):
        logger.addHandler(handler)
    try:
        foreign.error("cannot read %s", CANARY)
        try:
            int(CANARY)
        except ValueError:
            foreign.exception(CANARY, extra={"row": CANARY}, stack_info=True)
        ours.error("17 rows")
    finally:
        for logger in (foreign, ours):
            logger.removeHandler(handler)
    assert not holds(out.getvalue())
    assert "17 rows" in out.getvalue()
    assert "ValueError at tests/anonymization/" in out.getvalue()


@pytest.mark.parametrize(
    "statement", ["INSERT INTO people VALUES (:name)", "SELECT CAST(:name AS integer)", "SELECT :name FROM"]
)
def test_errors_of_the_database_lose_rows_parameters_and_statement(postgres_url: str, statement: str) -> None:
    with create_engine(postgres_url).connect() as connection:
        connection.execute(text("CREATE TEMP TABLE people (name text CONSTRAINT one_name PRIMARY KEY)"))
        connection.execute(text("INSERT INTO people VALUES (:name)"), {"name": CANARY})
        with pytest.raises(HomewardError) as raised, no_values():
            connection.execute(text(statement), {"name": CANARY})
    assert not holds(everything_shown(raised.value))


def test_every_error_here_would_show_its_value_without_the_guard(tmp_path: Path) -> None:
    quiet = {name for name in BREAKS if not holds(everything_shown(raised_by(BREAKS[name], tmp_path)))}
    assert {"pandas", "pandas dates", "pyarrow", "pyarrow csv", "numpy", "pydantic", "json", "a key"}.isdisjoint(quiet)
    assert len(quiet) <= len(BREAKS) / 2, "these tests must be able to fail"


def test_the_line_about_an_error_holds_no_value(tmp_path: Path) -> None:
    assert not any(holds(scrub(raised_by(breaks, tmp_path))) for breaks in BREAKS.values())
