"""Redacted notes have one way: from a free-text column to a variable of role free_text, gate and crosswalk included."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

import sources.loader
from anonymization.gate import Gate
from codebook.errors import BadDefinition
from codebook.loader import HOME, Codebook, load_codebook
from harmonization import Harmonizer
from sources.batches import TextBatch
from sources.models import Source

OBS = "{name: OBS, class: free_text, language: es"
REDACTED = f"{OBS}, policy: redact"
MAPPED = "household,notes,copy,main,OBS,,Observaciones,,,,,exact,,me,approved\n"
VARIABLE = """  - name: notes
    type: text
    role: free_text
    restricted: true
    label: {en: Notes, fr: Notes, es: Notas, ar: ملاحظات}
    description: What a caseworker wrote, redacted.

rules:
"""
Load = Callable[..., Source]


@pytest.fixture
def codebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Codebook:
    """The codebook with a variable for notes."""
    folder = tmp_path / "codebook"
    shutil.copytree(HOME, folder)
    household = folder / "entities" / "household.yaml"
    household.write_text(household.read_text("utf-8").replace("rules:\n", VARIABLE, 1), "utf-8")
    codebook = load_codebook(folder)
    monkeypatch.setattr(sources.loader, "load_codebook", lambda: codebook)
    return codebook


def test_redacted_notes_reach_a_variable_of_free_text(
    codebook: Codebook, load: Load, right_yaml: str, right_crosswalk: str
) -> None:
    source = load(right_yaml.replace(OBS, REDACTED), right_crosswalk + MAPPED)
    cells = {"EXP": "E1", "DUI": "04567890-3", "FAM": "F1", "CONS": "yes", "SEXO": "M", "VULN": None, "TAM": "4",
             "FECHA": "01/02/2024", "VERSION": "1", "OBS": "Vive con Xiomara en la casa, tel. 7123-4567."}  # fmt: skip
    batch = TextBatch("main", pa.array([2]), pa.table({name: pa.array([cell]) for name, cell in cells.items()}))
    made = Harmonizer(source, codebook).apply(Gate(source, None).pass_batch(batch))
    assert made.entities["household"]["notes"].to_pylist() == ["Vive con [NAME] en la casa, tel. [PHONE]."]


@pytest.mark.parametrize(
    ("yaml", "mapped", "says"),
    [
        (REDACTED, MAPPED.replace("household,notes,copy", "household,children_under_18,number"), "is free text"),
        (OBS, MAPPED, "add policy: redact"),
        (REDACTED.replace(", language: es", ""), MAPPED, "language of the notes"),
        (REDACTED.replace("free_text", "plain"), MAPPED, "no free text"),
        (REDACTED, MAPPED.replace("main,OBS", "main,VERSION"), "class: free_text"),
        (REDACTED, "", "passes the gate but is not in crosswalk.csv"),
    ],
)
def test_notes_go_nowhere_else(
    codebook: Codebook, load: Load, right_yaml: str, right_crosswalk: str, yaml: str, mapped: str, says: str
) -> None:
    with pytest.raises(BadDefinition, match=says):
        load(right_yaml.replace(OBS, yaml), right_crosswalk + mapped)


def test_a_variable_of_free_text_is_restricted(tmp_path: Path) -> None:
    folder = tmp_path / "codebook"
    shutil.copytree(HOME, folder)
    household = folder / "entities" / "household.yaml"
    open_to_all = VARIABLE.replace("restricted: true", "restricted: false")
    household.write_text(household.read_text("utf-8").replace("rules:\n", open_to_all, 1), "utf-8")
    with pytest.raises(BadDefinition, match="restricted"):
        load_codebook(folder)
