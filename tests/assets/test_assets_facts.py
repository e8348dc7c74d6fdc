"""Facts of how a delivery was read are shown to everybody who sees the UI: names in them may be somebody's."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from anonymization.leaks.canaries import SCRIPTS, Canaries
from assets.facts import HIDDEN, tellable
from assets.intake import NumberedFile
from assets.shape import Shape
from connectors.delivery import Opened
from connectors.shapes import TableShape
from sources.loader import load_source

SOURCE = load_source("slv/dgme_returns")


def test_a_list_or_member_of_json_that_is_called_after_somebody_is_not_named() -> None:
    for script in SCRIPTS:
        name = Canaries(3).name(script)
        facts = {"lists_in_records": {f"members/{name}": 7, "members": 9}, "beside_records": [name], "records_at": name}
        told = tellable(facts, SOURCE)
        assert not any(word in str(told) for word in name.split())
        assert "7" in str(told), "counts stay"


def test_what_stands_in_the_column_of_the_version_is_told_only_if_it_looks_like_one() -> None:
    versions = ["vZh5rqTMPVpxNwPrgRwyTa", "2024051701", "3.1", "Xochitl Quetzal", "+50371234567", "04567890-3"]
    told = tellable({"form_versions": versions, "form_version": "v12, Quetzal"}, SOURCE)
    assert told["form_versions"] == [*versions[:3], HIDDEN, HIDDEN, HIDDEN]
    assert told["form_version"] == f"v12, {HIDDEN}"


def test_a_question_of_another_type_is_named_with_its_types_unless_it_is_called_after_somebody() -> None:
    changes = ["who/sex: select_one -> select_multiple", "phone: new -> text", "Xochitl Quetzal: text -> gone"]
    told = tellable({"type_changes": [*changes, "sex: Quetzal -> text"]}, SOURCE)
    assert told["type_changes"] == [*changes[:2], f"{HIDDEN}: text -> gone", HIDDEN]


def test_the_readers_own_words_stay_as_they_are() -> None:
    facts = {
        "format": "json_lines",
        "encoding": "cp1252",
        "language": "Español (es)",
        "records": 17,
        "header_score": 0.5,
    }
    assert tellable(facts, SOURCE) == facts


@pytest.mark.parametrize(("sheet", "told"), [("Rss_2026", "Rss_2026"), ("Xochitl Quetzal", None), (None, None)])
def test_a_sheet_that_is_called_after_somebody_is_not_named(sheet: str | None, told: str | None) -> None:
    opened = Opened({"main": TableShape("main", (), sheet)}, {}, {}, {})
    assert Shape.of(opened, SOURCE, {"main": 7}, {}).tables["main"].sheet == told


@dataclass(frozen=True)
class Sealed:
    name: str


@pytest.mark.parametrize(
    ("name", "told"),
    [("Quetzal.csv", "file 2.csv"), ("a.GEOJSON", "file 2.geojson"), ("register.pedro", "file 2"), ("b", "file 2")],
)
def test_of_a_file_name_only_an_ending_that_readers_know_is_told(name: str, told: str) -> None:
    sealed: Any = Sealed(name)
    assert NumberedFile(sealed, 2).name == told
    assert Path(told).suffix in ("", ".csv", ".geojson")
