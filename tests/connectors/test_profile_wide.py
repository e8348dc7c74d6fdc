"""A column is judged by what it holds: not by how many others there are, nor by what they hold."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from connectors.profiling.profile import profile
from connectors.profiling.samples import sampled
from connectors.unknown import delivered, open_unknown
from connectors.workbooks.sheet_text import text_column, text_of
from sources.batches import PlainFile

Deliver = Callable[[str, bytes], PlainFile]

ROWS = 24
CONTENTS: dict[str, Sequence[str]] = {
    "codes": ["1", "2", "3"],
    "codes with none": ["1", "2", "3", "NA", "n/a"],
    "ages": [*map(str, range(20, 40)), "999"],
    "decimals": ["1,5", "2,25", "3,1"],
    "groups or fractions": ["1,500", "2,250", "3,100"],
    "mostly numbers": [*map(str, range(23)), "many"],
    "yes or no": ["yes", "no", ""],
    "names": [
        f"{one} {two}" for one in ("Awa", "Issa", "Aya", "Sira") for two in ("Ba", "Sow", "Ly", "Sy", "Ka", "Dia")
    ],
    "phones": [f"+503 7000 12{n}" for n in range(10, 34)],
    "mails": [f"a{n}@example.org" for n in range(24)],
    "days": [f"{n + 1:02}/0{n % 9 + 1}/2021" for n in range(24)],
    "years before months": [f"2021-{n % 12 + 1:02}-{n + 1:02}" for n in range(24)],
    "days of another calendar": ["1401/02/31", "1400/01/15", "۱۴۰۲/۰۱/۳۱"],
    "days with none": ["2021-01-15", "2021-01-16", "9999-99-99"],
    "two forms": ["2021-01-15", "15/01/2021"],
    "countries": ["SLV", "GTM", "HND"],
    "P-codes": ["SV0101", "SV0102", "SV0203"],
    "answers": ["war", "war family", "family", "work war"],
    "labels": ["Food; Work", "Work", "Food", "Food; War", "War"],
    "sentences": [f"We had to leave because of reason {n} and more" for n in range(24)],
    "points": [f"13.7{n} -89.2{n} 0 0" for n in range(10, 34)],
    "padded": ["a ", "a", " b"],
    "other digits": ["۱", "1", "۲"],
    "empty": [""],
}


def cells(content: Sequence[str]) -> list[str]:
    return [content[n % len(content)] for n in range(ROWS)]


def columns_of(deliver: Deliver, contents: Sequence[Sequence[str]]) -> list[dict[str, Any]]:
    """What is told of columns that hold this, behind two that hold nothing to speak of."""
    header = ["n", "m", *(f"q{n}" for n in range(len(contents)))]
    rows = zip(["1"] * ROWS, ["2"] * ROWS, *map(cells, contents), strict=True)
    file = deliver("a.csv", "\n".join("\t".join(row) for row in [header, *rows]).encode())
    (table,) = profile(open_unknown(delivered(file.path)), file.name)["tables"]
    assert table["rows"] == ROWS
    return [{**column, "name": ""} for column in table["columns"][2:]]


def test_a_column_is_judged_alike_alone_and_among_many_others(deliver: Deliver) -> None:
    alone = {name: columns_of(deliver, [content])[0] for name, content in CONTENTS.items()}
    assert len({json.dumps(told, sort_keys=True) for told in alone.values()}) >= len(CONTENTS) - 1
    names = [str(name) for name in np.random.default_rng(5).choice(list(CONTENTS), 1_000)]
    told = columns_of(deliver, [CONTENTS[name] for name in names])
    wrong = {name for name, column in zip(names, told, strict=True) if column != alone[name]}
    assert wrong == set()


@pytest.mark.parametrize("columns", [40, 1_200])
def test_cells_of_spaces_hold_nothing_however_wide_a_table_is(deliver: Deliver, columns: int) -> None:
    rows = [["1", " ", "\xa0", '"  "', " x "], ["2", "", "3", "  y", "   "], [" "] * 5, ["3", " ", "4", "", ""]]
    lines = [[f"q{n}" for n in range(columns)], *(row * (columns // 5) for row in rows)]
    file = deliver("a.csv", "\n".join(",".join(line) for line in lines).encode())
    (table,) = profile(open_unknown(delivered(file.path)), file.name)["tables"]
    assert table["rows"] == 3
    assert [column["filled"] for column in table["columns"]] == [3, 0, 2, 1, 1] * (columns // 5)


def test_few_cells_of_a_sheet_are_the_same_text_as_many() -> None:
    for cells in (["a", " ", "\x85", ""], [1.0, -0.0, 1e14, -7.0], ["x", 3.0, "  "], [1e16, 2.0], [True, 1.0, None]):
        assert text_column(cells).to_pylist() * 20 == text_column(cells * 20).to_pylist()


def test_a_number_is_one_text_whatever_stands_beside_it() -> None:
    numbers = [7.6e-05, 1e-5, 1.5e-6, 1e-7, 5e-16, -0.0, 98.0, 0.30000000000000004, 999999999.5, 1e15, -2.5e-9]
    written = {number: text_of(number) for number in numbers}
    assert list(written.values())[:4] == ["0.000076", "0.00001", "0.0000015", "0.0000001"]
    for beside in ([], [0.5], ["x"], [True], [0.5, "x", None], [1e12]):
        for number, text in written.items():
            assert text_column([number, *beside] * 50).to_pylist()[0] == text


def test_an_easting_has_its_northing_in_a_wide_table_too(deliver: Deliver) -> None:
    metres = [str(200_000 + 37 * n) for n in range(ROWS)]
    header = ["a_east", "a_north", "b_east", *(f"q{n}_north" for n in range(20))]
    lines = [header, *([metre] * len(header) for metre in metres)]
    file = deliver("a.csv", "\n".join(",".join(line) for line in lines).encode())
    (table,) = profile(open_unknown(delivered(file.path)), file.name)["tables"]
    assert {column["name"] for column in table["columns"] if "gps" in column["looks_like"]} == {"a_east", "a_north"}


def test_samples_are_of_each_column_alone_whether_they_share_a_vocabulary_or_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept = [[pa.array(["b", "a "]), pa.array(["a", "c"])], [], [pa.array(["c", " b"])], [pa.array([], pa.string())]]
    wanted = [["b", "a", "c"], [], ["c", "b"], []]
    assert [sample.texts for sample in sampled(kept)] == wanted
    monkeypatch.setattr("connectors.profiling.samples._TOGETHER", 1)
    assert [sample.texts for sample in sampled(kept)] == wanted
    assert list(sampled([])) == []
