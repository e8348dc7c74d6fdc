"""SAS data sets: wherever on their pages a step of reading begins, with the letters of their special missings."""

from itertools import product
from pathlib import Path

import pytest
from small_sas import Cell, Table, write_sas
from small_statistical import cells

from connectors.statistical import steps
from connectors.statistical.readstat import Readstat
from sources.batches import PlainFile

ROWS: list[list[Cell]] = [
    [float(n), f"é{n % 7}", (".A", ".Z", "._", ".", n / 4)[n % 5], -200000.0 if n % 2 else 22000.0] for n in range(603)
]
COLUMNS = {"id": "", "word": "", "score": "", "day": "DATE"}


@pytest.mark.parametrize(("mixed", "packed", "amended"), [*product((0, 5), (False, True), (False, True))])
def test_pages_of_every_kind_are_read_in_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mixed: int, packed: bool, amended: bool
) -> None:
    path = write_sas(tmp_path / "a.sas7bdat", Table(COLUMNS, ROWS, mixed, packed, amended))
    monkeypatch.setattr(steps, "_QUICK", 1)
    with Readstat(PlainFile(path)) as readstat:
        assert readstat.finds_rows
    found = cells(PlainFile(path))
    assert found["id"] == [str(n) for n in range(603)]
    assert found["word"] == [f"é{n % 7}" for n in range(603)]
    assert found["score"][:10] == [".A", ".Z", "._", None, "1", ".A", ".Z", "._", None, "2.25"]
    assert found["day"][:2] == ["2020-03-26", None]


def test_pages_that_hold_other_rows_than_are_stated_are_read_from_the_first(tmp_path: Path) -> None:
    """Where the pages do not add up, they are not believed: the parser passes over all rows by itself, and refuses."""
    path = write_sas(tmp_path / "a.sas7bdat", Table(COLUMNS, ROWS, mixed=5))
    content = bytearray(path.read_bytes())
    content[4096 * 3 + 18] -= 1
    path.write_bytes(bytes(content))
    with Readstat(PlainFile(path)) as readstat:
        assert not readstat.finds_rows
