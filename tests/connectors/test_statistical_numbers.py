"""Numbers that are taken out of a statistical file by their place are the numbers that the parser reads there."""

import importlib
import io
import math
import struct
import sys
import threading
from collections.abc import Iterator
from multiprocessing import Pipe
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyreadstat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyreadstat._readstat_parser import parser_entry_point
from small_statistical import cells

from connectors.statistical import readstat_process
from sources.batches import PlainFile


def of_the_child(*names: str) -> list[Any]:
    """Modules of the child process, which find each other by their bare names."""
    folder = str(Path(readstat_process.__file__).parent)
    sys.path.append(folder)
    try:
        return [importlib.import_module(name) for name in names]
    finally:
        sys.path.remove(folder)


dta_numbers, packed_rows, sav_layout, sav_numbers, _ = of_the_child(
    "dta_numbers", "packed_rows", "sav_layout", "sav_numbers", "served_file"
)

PACKINGS: dict[str, dict[str, bool]] = {"plain": {}, "packed": {"row_compress": True}, "deflated": {"compress": True}}
STATA = (8, 10, 12, 13, 14, 15)
BITS = st.one_of(
    st.floats(allow_nan=True).map(lambda number: struct.pack("<d", number)),
    st.integers(-120, 300).map(lambda number: struct.pack("<d", number)),
    st.binary(min_size=8, max_size=8),
    st.sampled_from([0xFFEFFFFFFFFFFFFF, 0x7FEFFFFFFFFFFFFF, 0xFFEFFFFFFFFFFFFE, 0x7FE0 << 48, 0x7FE001 << 40]).map(
        lambda bits: struct.pack("<Q", bits)
    ),
)
OFTEN = settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


def parsed(path: Path, kind: str) -> dict[str, list[Any]]:
    """Every column that is no text, as pyreadstat has it: None or NaN is missing, and a letter is a tagged missing."""
    data, meta = parser_entry_point(
        str(path),
        parser_format=kind,
        encoding="ISO-8859-1",
        user_missing=True,
        disable_datetime_conversion=True,
        output_format="dict",
    )
    return {name: data[name] for name in data if meta.readstat_variable_types[name] != "string"}


def taken(path: Path, steps: list[tuple[int, int]]) -> list[list[Any]]:
    """The same columns by their places, read in steps."""
    with path.open("rb") as handle:
        if path.suffix == ".dta":
            numbers: Any = dta_numbers.StataNumbers(handle)
        else:
            found = sav_layout.layout(handle)
            packed = packed_rows.PackedRows(handle, found) if found.packing else None
            numbers = sav_numbers.SavNumbers(handle, found, packed)
        columns: list[list[Any]] = [[] for _ in range(numbers.count)]
        for offset, limit in steps:
            for into, (values, letters) in zip(
                columns, numbers.columns(range(numbers.count), offset, limit), strict=True
            ):
                told = [None] * limit if letters is None else letters.to_pylist()
                into += [letter or value for letter, value in zip(told, values.tolist(), strict=True)]
    return columns


def same(one: Any, other: Any) -> bool:
    missing = [value is None or (isinstance(value, float) and math.isnan(value)) for value in (one, other)]
    return all(missing) or (not any(missing) and one == other)


def assert_taken_as_parsed(path: Path, size: int) -> None:
    expected = parsed(path, "dta" if path.suffix == ".dta" else "sav/zsav")
    rows = len(next(iter(expected.values())))
    steps = [(start, min(size, rows - start)) for start in range(0, rows, size)]
    for by_place, (name, column) in zip(taken(path, steps), expected.items(), strict=True):
        assert all(map(same, by_place, column)), name


@pytest.mark.parametrize("packing", PACKINGS)
@given(cells=st.lists(BITS, min_size=1, max_size=40), width=st.integers(1, 20), size=st.integers(1, 30))
@OFTEN
def test_numbers_of_a_system_file_are_those_that_are_parsed(
    tmp_path: Path, packing: str, cells: list[bytes], width: int, size: int
) -> None:
    """Codes, values, blanks and whatever eight bytes may be, between texts of several lengths."""
    numbers = np.frombuffer(b"".join(cells), "<f8")
    numbers = np.where(np.abs(numbers) < 1e300, numbers, np.nan) if packing != "plain" else numbers
    frame = pd.DataFrame(
        {"n": numbers, "s": ["a" * width] * len(cells), "m": 7.0, "t": "", "l": ["é" * 300] * len(cells)}
    )
    path = tmp_path / "numbers.sav"
    pyreadstat.write_sav(frame, path, **PACKINGS[packing])
    if packing == "plain":  # bytes as they are: the writer makes missing ones its own
        content = path.read_bytes()
        with path.open("rb") as handle:
            found = sav_layout.layout(handle)
        rows = np.frombuffer(content[found.begins :], "<u8").reshape(-1, found.cells).copy()
        rows[:, found.numbers[0]] = np.frombuffer(b"".join(cells), "<u8")
        path.write_bytes(content[: found.begins] + rows.tobytes())
    assert_taken_as_parsed(path, size)


@pytest.mark.parametrize("release", STATA)
@given(cells=st.lists(BITS, min_size=1, max_size=40), size=st.integers(1, 45))
@OFTEN
def test_numbers_of_a_stata_file_are_those_that_are_parsed(
    tmp_path: Path, release: int, cells: list[bytes], size: int
) -> None:
    """Every type of number with whatever bytes may be in it."""
    kinds = ("int8", "int16", "int32", "float32", "float64")
    frame = pd.DataFrame({"s": ["text"] * len(cells), **{kind: np.zeros(len(cells), kind) for kind in kinds}})
    path = tmp_path / "numbers.dta"
    pyreadstat.write_dta(frame, path, version=release)
    with path.open("rb") as handle:
        numbers = dta_numbers.StataNumbers(handle)
    content = bytearray(path.read_bytes())
    for row, cell in enumerate(cells):
        for kind, at in numbers._numbers:
            start = numbers._begins + row * numbers._length + at
            width = int(dta_numbers._KINDS[kind][-1])
            content[start : start + width] = cell[-width:]
    path.write_bytes(content)
    assert_taken_as_parsed(path, size)


@pytest.mark.parametrize("packing", PACKINGS)
def test_rows_that_are_not_there_are_not_made_up(tmp_path: Path, packing: str) -> None:
    path = tmp_path / "short.sav"
    pyreadstat.write_sav(pd.DataFrame({"n": np.arange(500) / 7, "m": 1.0}), path, **PACKINGS[packing])
    assert len(taken(path, [(0, 500)])[0]) == 500
    with pytest.raises(sav_layout.Broken):
        taken(path, [(0, 501)])


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[readstat_process._Reader]:
    """The reader of the child process, in this one, with the other side of its pipes in a thread."""
    path = tmp_path / "few.sav"
    pyreadstat.write_sav(pd.DataFrame({"a": [1.0, 2.0, 9.5], "b": [4.0, np.nan, 6.0]}), path)
    content = path.read_bytes()
    (its_receive, my_send), (my_receive, its_send) = Pipe(duplex=False), Pipe(duplex=False)

    def serve() -> None:
        while (message := my_receive.recv_bytes()) != b"end":
            if message[:1] == b"R":
                my_send.send_bytes(content)

    served = threading.Thread(target=serve)
    served.start()
    found = readstat_process._Reader(its_receive, its_send, {"data": len(content)})
    found.look("sav/zsav")
    yield found
    its_send.send_bytes(b"end")
    served.join()


def test_numbers_are_taken_where_the_first_rows_are_as_parsed(reader: readstat_process._Reader) -> None:
    taken = reader._taken("sav/zsav", ["b", "a"], 1, 2)
    assert {name: column.to_pylist() for name, column in taken.items()} == {"b": [None, 6.0], "a": [2.0, 9.5]}


def test_the_parser_reads_where_the_first_rows_are_not_as_parsed(reader: readstat_process._Reader) -> None:
    layout = sav_layout.layout(io.BytesIO(bytes(reader._files["data"].block(0))))
    swapped = sav_layout.Layout(**{**vars(layout), "numbers": layout.numbers[::-1]})
    reader._numbers = sav_numbers.SavNumbers(io.BytesIO(bytes(reader._files["data"].block(0))), swapped, None)
    assert reader._taken("sav/zsav", ["a", "b"], 0, 3) == {}


@pytest.mark.parametrize("name", ["a.sav", "b.sav", "c.zsav", "d.dta"])
def test_batches_are_the_same_rows_whatever_their_size(tmp_path: Path, name: str) -> None:
    """And the rows that the parser reads."""
    chance = np.random.default_rng(3)
    frame = pd.DataFrame(
        {f"v{n}": np.where(chance.random(3000) < 0.1, np.nan, chance.normal(0, 9, 3000)) for n in range(9)}
    )
    path = tmp_path / name
    write = pyreadstat.write_dta if name[0] == "d" else pyreadstat.write_sav
    write(frame, path, **{"b": PACKINGS["packed"], "c": PACKINGS["deflated"]}.get(name[0], {}))
    read = cells(PlainFile(path), 700)
    assert read == cells(PlainFile(path))
    for column, values in parsed(path, "dta" if name[0] == "d" else "sav/zsav").items():
        told = [None if text is None else float(text) for text in read[column]]
        assert all(map(same, told, values))
