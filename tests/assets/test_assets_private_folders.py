"""Whoever has a login on the machine reads neither what lies in the inbox nor the store's rows, whatever the umask."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from assets.intake import deliver
from assets.parquet import whole_folder
from assets.refused_uploads import REFUSED, set_aside
from assets.workplace import Workplace
from codebook.errors import HomewardError
from sources.loader import load_source

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no modes of files")

OTHERS = 0o007


@pytest.fixture(autouse=True)
def careless() -> Iterator[None]:
    """A umask that takes nothing away."""
    before = os.umask(0)
    yield
    os.umask(before)


def open_to_others(folder: Path) -> bool:
    return bool(folder.stat().st_mode & OTHERS)


def test_an_upload(tmp_path: Path) -> None:
    file = tmp_path / "returns.csv"
    file.write_text("EXPEDIENTE\n1\n", encoding="utf-8")
    upload = deliver(Workplace(tmp_path / "var"), load_source("slv/dgme_returns"), [file])
    assert not open_to_others(upload)


def test_what_was_refused(tmp_path: Path) -> None:
    file = tmp_path / "returns.csv"
    file.write_text("EXPEDIENTE\n1\n", encoding="utf-8")
    set_aside(file, "slv/dgme_returns", HomewardError("no"))
    assert not open_to_others(tmp_path / REFUSED)


def test_rows_of_the_store(tmp_path: Path) -> None:
    final = tmp_path / "store" / "slv" / "2026-11-22-1a2b3c4d" / "pseudonymized"
    with whole_folder(final) as draft:
        assert not open_to_others(draft)
    assert not open_to_others(final)
