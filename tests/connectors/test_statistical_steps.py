"""Steps of a statistical file that two processes read in turn are the rows that one process reads."""

import os
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pyreadstat
import pytest
from small_sources import MemoryFile
from small_statistical import cells

from codebook.errors import Refused
from connectors.statistical import steps
from connectors.statistical.readstat import Readstat
from sources.batches import PlainFile


@pytest.mark.parametrize("name", ["a.sav", "packed.sav", "a.zsav", "a.dta", "a.xpt"])
def test_two_processes_read_what_one_reads(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seven steps, so that both are asked several times, with texts that are kept and texts that are not."""
    path = tmp_path / name
    rows = 700
    frame = pd.DataFrame(
        {"n": [float(n) for n in range(rows)], "s": [f"né {n}" for n in range(rows)], "t": ["é"] * rows}
    )
    packing = {"packed.sav": {"row_compress": True}, "a.zsav": {"compress": True}}.get(name, {})
    write = {"a.dta": pyreadstat.write_dta, "a.xpt": pyreadstat.write_xport}.get(name, pyreadstat.write_sav)
    write(frame, path, **packing)
    whole = cells(PlainFile(path))
    assert whole["s"] == frame["s"].tolist()
    begun = []
    monkeypatch.setattr(steps, "_QUICK", 1)
    monkeypatch.setattr(Readstat, "__enter__", lambda self, enter=Readstat.__enter__: begun.append(self) or enter(self))
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    assert cells(PlainFile(path)) == whole
    assert len(set(begun)) == 2
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    begun.clear()
    assert cells(PlainFile(path)) == whole
    assert len(set(begun)) == 1


@pytest.mark.parametrize("change", [(b"", b""), (b"\n", b"\r\n"), (b" +(?=\n)", b"")], ids=["as is", "CRLF", "trimmed"])
@pytest.mark.parametrize("columns", [1, 3, 405])
def test_a_portable_file_goes_on_where_the_step_before_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: tuple[bytes, bytes], columns: int
) -> None:
    """In whatever place of a line that was; texts that end with blanks lose them at the end of a trimmed line."""
    path = tmp_path / "a.por"
    rows = 330
    frame = pd.DataFrame({f"V{n}": [(n + at) ** 2 * 0.5 for at in range(rows)] for n in range(columns)})
    frame["S"] = ["x" * (at % 13) + "  y" for at in range(rows)]
    pyreadstat.write_por(frame, path)
    content = re.sub(*change, path.read_bytes().replace(b"\r\n", b"\n"))
    file = MemoryFile("a.por", content)
    whole = cells(file)
    assert whole["S"] == frame["S"].tolist()
    assert [float(str(text)) for text in whole["V0"]] == frame["V0"].tolist()
    passed = []

    def table(readstat: Readstat, ask: Any = Readstat.table, **told: Any) -> Any:
        passed.append(told["offset"])
        return ask(readstat, **told)

    monkeypatch.setattr(steps, "_QUICK", 1)
    monkeypatch.setattr(Readstat, "table", table)
    assert cells(file) == whole
    assert set(passed) == {0, 100, 200, 300}


@pytest.mark.parametrize(("release", "rows"), [(5, 603), (8, 603), (5, 598), (8, 598), (5, 600), (8, 600)])
def test_blank_rows_of_a_transport_file_are_rows_wherever_a_step_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, release: int, rows: int
) -> None:
    """What blanks fill up after the last row is none. Release 5 does not say how many rows it has: there, blank rows at
    the end are none either."""
    path = tmp_path / "a.xpt"
    texts = ["a" if n % 7 == 0 else "" for n in range(rows)]
    pyreadstat.write_xport(pd.DataFrame({"s": texts}), path, file_format_version=release)
    last = (rows - 1) // 7 * 7 + 1 if release == 5 else rows
    monkeypatch.setattr(steps, "_QUICK", 1)
    assert cells(PlainFile(path))["s"] == [text or None for text in texts[:last]]


def test_a_flipped_bit_of_a_deflated_block_is_noticed_wherever_it_lies(tmp_path: Path) -> None:
    """Whatever numbers it makes of it, the block's checksum does not agree."""
    path = tmp_path / "a.zsav"
    pyreadstat.write_sav(pd.DataFrame({"n": [float(n * n % 97) for n in range(300)]}), path, compress=True)
    content = path.read_bytes()
    trailer = len(content) - 48  # what it says of its one block
    for at in range(trailer - 40, trailer, 3):
        flipped = bytearray(content)
        flipped[at] ^= 4
        with pytest.raises(Refused):
            cells(MemoryFile("a.zsav", bytes(flipped)))
