"""Steps of a statistical file that two processes read in turn are the rows that one process reads."""

import os
from pathlib import Path

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
