"""What the command line shows is what suppliers wrote, brackets included."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipelines import console, profiling

if TYPE_CHECKING:
    from homes import House


def test_brackets_in_a_header_are_shown_and_no_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "wages [usd].csv"
    file.write_text("id,income [usd],[/],[red]\n1,20,3,4\n2,30,4,5\n", "utf-8")
    profiling.show_profile(file, form=None, json=False)
    said = capsys.readouterr().out
    assert all(name in said for name in ("wages [usd].csv: csv", "income [usd]", "[/]", "[red]"))


def test_a_table_of_thousands_of_rows_is_written_line_by_line(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [[f"q{n}", 1_000 + n, None if n else "a\nlong label [x] \x1b[31mthat is not cut " * 3] for n in range(2_000)]
    console.print_table(("name", "filled", "label"), rows, title="a: [b]")
    title, head, first, second, *more = capsys.readouterr().out.splitlines()
    assert (title, head.split(), second.split(), len(more)) == (
        "a: [b]",
        ["name", "filled", "label"],
        ["q1", "1,001"],
        1_998,
    )
    assert first.count("a long label [x]") == 3
    assert "\x1b" not in first


def test_columns_of_one_name_are_all_told(house: House) -> None:
    asked = ("query", "SELECT count(*), count(*) + 1 AS count, 3 AS count_2, count(*) + 3 AS count FROM marts.person")
    (row,) = json.loads(house.homeward(*asked, "--format", "json").stdout)
    assert row == {"count": 0, "count_3": 1, "count_2": 3, "count_4": 3}
    head, _, values, _ = house.homeward(*asked).stdout.splitlines()[1:]
    assert (head.split()[1::2], values.split()[1::2]) == (list(row), ["0", "1", "3", "3"])
