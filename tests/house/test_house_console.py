"""What the command line shows is what suppliers wrote, brackets included."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines import profiling


def test_brackets_in_a_header_are_shown_and_no_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "wages [usd].csv"
    file.write_text("id,income [usd],[/],[red]\n1,20,3,4\n2,30,4,5\n", "utf-8")
    profiling.show_profile(file, form=None, json=False)
    said = capsys.readouterr().out
    assert all(name in said for name in ("wages [usd].csv: csv", "income [usd]", "[/]", "[red]"))
