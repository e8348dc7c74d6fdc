"""A SafeBatch is all that leaves the vault's side: nobody else handles text of a delivery, and nothing else passes."""

import ast
import dataclasses
import re
import types
import typing
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from kept_rows import read_back

from anonymization.erased_rows import ErasedRows
from anonymization.gate import Gate
from codebook.loader import load_codebook
from harmonization.harmonizer import Harmonizer
from sources.batches import ROW, ROW_KEY, SafeBatch, Seal, UnsafeColumn
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


def misuses(code: str) -> list[str]:
    """Where code does more with SafeBatch than naming it as a type, asking for it, or reading it back; or takes SEAL.

    That is: calling it, inheriting from it, giving it another name, handing it to something that could make one.
    """
    tree = ast.parse(code)
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    annotations = [getattr(node, where, None) for node in ast.walk(tree) for where in ("annotation", "returns")]
    as_types = {node for annotation in annotations if annotation is not None for node in ast.walk(annotation)}
    found = []
    for node in ast.walk(tree):
        name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
        above = parents.get(node)
        if isinstance(node, ast.alias) and (node.name, node.asname) != (node.name, None):
            name = "SEAL" if node.name in ("SEAL", "SafeBatch") else name
        elif isinstance(node, ast.alias):
            name = "SEAL" if node.name == "SEAL" else name
        asked = isinstance(above, ast.Compare) or (isinstance(above, ast.Attribute) and above.attr == "read")
        if name == "SEAL" or (name == "SafeBatch" and not asked and node not in as_types):
            found.append(ast.unparse(above if above is not None else node))
    return found


@pytest.mark.parametrize(
    "forged",
    [
        "SafeBatch(source=s, table='main', data=raw, seal=x)",
        "batches.SafeBatch(source=s)",
        "class Mine(SafeBatch): ...",
        "Other = SafeBatch",
        "made = object.__new__(SafeBatch)",
        "cast(SafeBatch, raw)",
        "from sources.batches import SafeBatch as Other",
        "from sources.batches import SEAL",
        "batches.SEAL",
    ],
)
def test_the_search_finds_every_way_of_making_a_safe_batch(forged: str) -> None:
    assert misuses(forged)
    assert not misuses("def f(batch: SafeBatch) -> list[SafeBatch]:\n    return SafeBatch.read(path, source)")


def test_only_the_gate_makes_a_safe_batch_and_only_one_stage_reads_it_back() -> None:
    code = {
        path.relative_to(PROJECT).as_posix(): path.read_text(encoding="utf-8")
        for room in (*ROOMS, "anonymization", "connectors", "examples", "benchmarks")
        for path in (PROJECT / room).rglob("*.py")
    }
    assert {path for path, text in code.items() if misuses(text)} == {"sources/batches.py", "anonymization/gate.py"}
    calls = {path for path, text in code.items() if "SafeBatch.read(" in text}
    assert calls == {"assets/stages/harmonize.py"}


TABLES = re.compile(
    r"\b(pa\.(Table|RecordBatch\w*)|pa\.dataset|pd\.\w+|DataFrame|TextBatch|DeliveredFile|BinaryIO)\b|^Any$"
)
NO_DELIVERYS = {
    ("expectations/validate.py", "run", "issues"): "the rooms' findings: places and rules, no value",
    ("warehouse/copying.py", "encode", "batch"): "columns that `staging` has chosen by name from the codebook's",
    ("warehouse/copying.py", "copy_in", "batches"): "the same",
    ("expectations/conditions.py", "counted", "kwargs"): "options of a decorator of Great Expectations",
    ("warehouse/extracts.py", "rekeyed", "answer"): "an answer of the warehouse",
}
"""Parameters that take a table, but no supplier's."""


def test_no_room_behind_the_gate_has_a_door_for_a_suppliers_table() -> None:
    doors = set()
    for room in ("harmonization", "expectations", "warehouse"):
        for path in (PROJECT / room).rglob("*.py"):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            for node in ast.walk(tree):
                if not isinstance(node, ast.FunctionDef) or re.match("_(?!_)", node.name):
                    continue
                more = [one for one in (node.args.vararg, node.args.kwarg) if one is not None]
                given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, *more]
                doors |= {
                    (path.relative_to(PROJECT).as_posix(), node.name, one.arg)
                    for one in given
                    if one.annotation is not None and TABLES.search(ast.unparse(one.annotation))
                }
    assert doors == set(NO_DELIVERYS)
    assert typing.get_type_hints(Harmonizer.apply)["batch"] is SafeBatch


def system(**more: pa.Array) -> pa.Table:
    return pa.table({ROW: pa.array([2]), ROW_KEY: pa.array([b"k" * 16], pa.binary(16)), **more})


def kept(data: pa.Table) -> SafeBatch:
    return read_back(data, SLV)


def test_nobody_without_the_seal_makes_a_safe_batch_not_even_out_of_another() -> None:
    with pytest.raises(UnsafeColumn):
        SafeBatch(source=SLV, table="main", data=system(), seal=Seal())
    with pytest.raises(TypeError):
        SafeBatch(source=SLV, table="main", data=system())  # type: ignore[call-arg]
    with pytest.raises((TypeError, ValueError)):
        dataclasses.replace(kept(system()), data=system(DUI=["04567890-3"]))


@pytest.mark.parametrize(
    "name", ["NOMBRES", "DUI", "OBSERVACIONES", "undeclared", "_key_Xochitl Quetzal", "_key_person"]
)
def test_a_safe_batch_refuses_a_column_that_is_not_declared_to_pass_and_does_not_name_it(name: str) -> None:
    """A system column holds keys: text is none, whatever it is called."""
    with pytest.raises(UnsafeColumn) as raised:
        kept(system(**{name: ["x"]}))
    assert name not in str(raised.value)


@pytest.mark.parametrize("cell", [{"name": "Xochitl"}, ["Xochitl"], b"Xochitl"])
def test_a_column_that_passes_holds_text_and_nothing_within_it(cell: object) -> None:
    first = next(iter(SLV.passing("main")))
    with pytest.raises(UnsafeColumn):
        kept(system(**{first: pa.array([cell])}))


def test_rows_are_read_back_as_the_gate_has_passed_them(tmp_path: Path) -> None:
    first = next(iter(SLV.passing("main")))
    batch = kept(system(**{first: pa.array(["1"]).dictionary_encode()}))
    pq.write_table(batch.to_keep(), tmp_path / "data.parquet")
    again = SafeBatch.read(tmp_path / "data.parquet", SLV)
    assert again.table == "main"
    assert again.data.equals(batch.data)
    pq.write_table(batch.data.replace_schema_metadata(None), tmp_path / "data.parquet")
    with pytest.raises(UnsafeColumn):
        SafeBatch.read(tmp_path / "data.parquet", SLV)


def test_the_harmonizer_refuses_what_is_not_safe_and_what_is_another_sources() -> None:
    harmonizer = Harmonizer(SLV, load_codebook())
    keys = {f"_key_{entity}": pa.array([b"k" * 16], pa.binary(16)) for entity in SLV.table("main").entities}
    assert harmonizer.apply(kept(system(**keys))).entities["person"].num_rows == 1
    other = read_back(system(), load_source("hnd/inm_cases"), "cases")
    for batch in (system(), other, types.SimpleNamespace(source=SLV, table="main", data=system(**keys))):
        with pytest.raises(UnsafeColumn):
            harmonizer.apply(batch)  # type: ignore[arg-type]
