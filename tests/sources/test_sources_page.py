"""The page that teaches how to add a source is right: its files are taken off the page, and run."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from anonymization.gate import Gate
from codebook.loader import load_codebook
from connectors import open_delivery
from harmonization import Harmonizer
from sources.batches import PlainFile
from sources.loader import load_source

PAGE = Path(__file__).resolve().parents[2] / "docs" / "add-a-source.md"


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    """Every named block of the page."""
    return dict(re.findall(r"^\*\*`([^`]+)`\*\*\n\n```\w+\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.M | re.S))


@pytest.fixture
def written(files: dict[str, str], tmp_path: Path) -> Path:
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def run(folder: Path) -> Iterator[tuple[pa.Table, dict[str, pa.Table]]]:
    """Issues and entities of each batch of the page's sample file."""
    source = load_source("gtm/arrivals", root=folder / "sources")
    opened = open_delivery([PlainFile(folder / "arrivals.csv")], source)
    gate, harmonizer = Gate(source, None), Harmonizer(source, load_codebook())
    for batch in opened.batches("main"):
        safe = gate.pass_batch(batch)
        done = harmonizer.apply(safe)
        yield done.issues, done.entities


def as_shown(name: str, value: Any) -> str:
    """A cell as the page writes it: names for codes, blanks for nothing."""
    codebook = load_codebook()
    if name.endswith("_state"):
        return "" if value is None else next(state.name for state in codebook.states if state.code == value)
    entity = "person" if name in codebook.entities["person"].names else "return_event"
    if name != "source_row" and codebook.entities[entity].variable(name).coded:
        codes = value if isinstance(value, list) else [value]
        return " ".join(codebook.codelist_of(entity, name).name(code) for code in codes)
    return "" if value is None else str(value)


def test_the_rows_come_out_as_the_page_says(written, files):
    expected = rows(files["made.csv"])
    ((issues, entities),) = run(written)
    rejected = set(issues["row"].to_pylist())
    persons, events = (entities[name].to_pylist() for name in ("person", "return_event"))
    made = [person | event for person, event in zip(persons, events, strict=True)]
    shown = [
        {name: as_shown(name, row[name]) for name in expected[0]} for row in made if row["source_row"] not in rejected
    ]
    assert shown == expected


def test_the_issues_are_those_the_page_names(written, files):
    ((issues, _),) = run(written)
    found = [{name: str(issue[name]) for name in ("row", "column", "variable", "rule")} for issue in issues.to_pylist()]
    assert found == rows(files["issues.csv"])


def test_the_error_line_of_the_page_is_the_one_that_is_shown(written):
    crosswalk = written / "sources" / "gtm" / "arrivals" / "crosswalk.csv"
    crosswalk.write_text(crosswalk.read_text(encoding="utf-8").replace(",female,", ",femal,", 1), encoding="utf-8")
    with pytest.raises(Exception, match="femal") as error:
        load_source("gtm/arrivals", root=written / "sources")
    assert str(error.value) in PAGE.read_text(encoding="utf-8")
