"""Counts of what is filled together, over the pieces of a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.profiling import filled_together as module
from connectors.profiling.filled_together import filled_together
from connectors.unknown import open_unknown
from sources.batches import PlainFile


@pytest.mark.parametrize("piece", [2, 20_000])
def test_rows_are_counted_by_what_another_column_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, piece: int
) -> None:
    monkeypatch.setattr(module, "_PIECE", piece)
    file = tmp_path / "survey.csv"
    rows = ["1;no;;a", "2;yes;5;", "3; yes ;6;b", "4;;7;", "5;no;;", "6;unsure;8;c"]
    file.write_text("\n".join(["id;debt;size;note", *rows]), encoding="utf-8")
    (grid,) = open_unknown(PlainFile(file)).grids.values()
    found = filled_together(grid, [1, 2, 3], {1: ["yes", "no"]})
    assert found.rows == 6
    assert found.both.tolist() == [[5, 3, 3], [3, 4, 2], [3, 2, 3]]
    told = {code: (rows, filled.tolist()) for code, (rows, filled) in found.where.items()}
    assert told == {(1, "yes"): (2, [2, 2, 1]), (1, "no"): (2, [2, 0, 1])}
