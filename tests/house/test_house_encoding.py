"""An encoding that was found and not declared is a question to the supplier, in the supplier's language."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from examples.dgme_slv import FILE, make_slv

if TYPE_CHECKING:
    from homes import House

pytestmark = pytest.mark.slow
SLV, UNSAID = "slv/dgme_returns", "slv/unsaid"
PROJECT = Path(__file__).resolve().parents[2]


def test_a_detected_encoding_is_asked_about_in_the_marked_return(house: House, tmp_path: Path) -> None:
    folder = tmp_path / "sources" / UNSAID
    shutil.copytree(PROJECT / "sources" / SLV, folder)
    declared = (folder / "source.yaml").read_text(encoding="utf-8")
    changed = declared.replace(SLV, UNSAID).replace("encoding: cp1252, ", "")
    assert changed.count("encoding") == declared.count("encoding") - 1
    (folder / "source.yaml").write_text(changed, encoding="utf-8")
    make_slv(tmp_path)
    out = tmp_path / "return"
    more = {"HOMEWARD_SOURCES": str(tmp_path / "sources")}
    house.homeward("check", str(tmp_path / FILE), "--source", UNSAID, "--out", str(out), expect=1, **more)
    told = json.loads((out / "return.json").read_text(encoding="utf-8"))
    asked = next(rule for rule in told["rules"] if rule["rule"] == "read.encoding_detected")
    assert (asked["severity"], asked["message"].split()[:2]) == ("query", ["El", "archivo"])
    assert "letras" in (out / "return.html").read_text(encoding="utf-8")
