"""A SafeBatch is all that leaves the vault's side: nobody else handles text of a delivery, and nothing else passes."""

import ast
import typing
from pathlib import Path

import pyarrow as pa
import pytest

from anonymization.erased_rows import ErasedRows
from anonymization.gate import Gate
from codebook.loader import load_codebook
from harmonization.harmonizer import Harmonizer
from sources.batches import ISSUES, ROW, ROW_KEY, SafeBatch, UnsafeColumn
from sources.loader import load_source

PROJECT = Path(__file__).resolve().parents[2]
ROOMS = ("assets", "codebook", "expectations", "harmonization", "pipelines", "sources", "values", "warehouse")
SLV = load_source("slv/dgme_returns")
STAGE = PROJECT / "assets" / "stages" / "pseudonymize.py"


def names(path: Path) -> set[str]:
    """Every name, attribute and imported name of a module."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.alias):
            found.add(node.name.rpartition(".")[2])
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value)
    return found


def test_only_connectors_and_the_vaults_side_know_text_of_a_delivery() -> None:
    allowed = {PROJECT / "sources" / "batches.py"}
    others = [path for room in ROOMS for path in (PROJECT / room).rglob("*.py") if path not in allowed]
    assert len(others) > 100
    assert [str(path) for path in others if "TextBatch" in names(path)] == []
    assert "TextBatch" in names(PROJECT / "anonymization" / "gate.py"), "the search must be able to find"


def test_what_the_gate_gives_is_a_safe_batch() -> None:
    assert typing.get_type_hints(Gate.pass_batch)["return"] is SafeBatch


def given_a_batch(path: Path) -> list[list[str]]:
    """For each loop over batches of text, whom a batch is handed to."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    loops = [node for node in ast.walk(tree) if isinstance(node, ast.For) and "batches" in ast.unparse(node.iter)]
    calls = [[node for node in ast.walk(loop) if isinstance(node, ast.Call)] for loop in loops]
    return [
        [ast.unparse(call) for call in inside if any(isinstance(a, ast.Name) and a.id == "batch" for a in call.args)]
        for inside in calls
    ]


def test_text_is_read_by_the_stage_that_has_a_gate_and_by_erasure_and_by_no_other() -> None:
    readers = [path for room in ("assets", "pipelines") for path in (PROJECT / room).rglob("*.py")]
    reading = {path.name for path in readers if "open_delivery" in names(path)}
    assert reading == {"pseudonymize.py", "raw_erasure.py"}
    assert "pass_batch" in names(STAGE)


def test_the_stage_reads_text_only_into_the_gate() -> None:
    assert given_a_batch(STAGE) == [["gate.pass_batch(batch)"]] * 2


def test_erasure_hands_text_only_to_the_vaults_side_and_gets_row_numbers() -> None:
    assert given_a_batch(PROJECT / "assets" / "raw_erasure.py") == [["erased.in_batch(batch)"]]
    assert typing.get_type_hints(ErasedRows.in_batch)["return"] is pa.Array


def system(**more: list[str]) -> pa.Table:
    return pa.table({ROW: pa.array([2]), ROW_KEY: pa.array([b"k" * 16], pa.binary(16)), **more})


def test_a_safe_batch_refuses_a_column_that_is_not_declared_to_pass_and_does_not_name_it() -> None:
    for name in ("NOMBRES", "DUI", "Xochitl Quetzal"):
        with pytest.raises(UnsafeColumn) as raised:
            SafeBatch(
                "main", system(**{name: ["x"]}), ISSUES.empty_table(), pa.array([], pa.int64()), SLV.passing("main")
            )
        assert name not in str(raised.value)


def test_the_harmonizer_refuses_what_is_not_safe() -> None:
    harmonizer = Harmonizer(SLV, load_codebook())
    for name in ("NOMBRES", "OBSERVACIONES", "undeclared"):
        with pytest.raises(UnsafeColumn):
            harmonizer.apply(system(**{name: ["x"]}), "main")
