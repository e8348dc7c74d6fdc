"""What the command line shows is what suppliers wrote, brackets included."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines import console, profiling


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
