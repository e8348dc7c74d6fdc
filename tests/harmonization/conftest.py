"""A tiny source written to disk, so that every rule is proven through the files that a statistician edits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa
import pytest
from kept_rows import read_back

from codebook.loader import load_codebook
from harmonization import Harmonized, Harmonizer
from sources.loader import load_source
from sources.models import Source

YAML = """
source: zzz/register
title: {en: A register}
country: SLV
supplier: {name: A ministry, language: es}
owner: data@example.org
purpose: reintegration_statistics
legal_basis: A law
agreement: DSA-1
expires: 2029-12-31
retention_months: 12
delivery: {mode: snapshot}
format: {kind: csv}
tables:
  - name: main
    key: [id]
    person: {link: [id]}
    entities: {person: {}, household: {}, return_event: {}, rss_response: {}}
    columns:
      - {name: id, class: identifier, kind: national_id}
"""
HEADER = "entity,variable,rule,table,column,code,label,when,target,target_label,param,status,note,reviewer,state"

Write = Callable[..., Source]
Harmonize = Callable[..., Harmonized]


def crosswalk(rows: str) -> str:
    """crosswalk.csv from lines of `entity.variable | rule | column | code | when | target | param`; a code without a
    target is impossible."""
    lines = [HEADER]
    for row in filter(None, map(str.strip, rows.strip().splitlines())):
        name, rule, column, code, when, target, param = (cell.strip() for cell in row.split("|"))
        entity, variable = name.split(".")
        cells = [
            entity,
            variable,
            rule,
            "main",
            column,
            code,
            "",
            when,
            target,
            "",
            param,
            "impossible" if code and not target else "exact",
            "",
            "a",
            "approved",
        ]
        lines.append(",".join('"' + cell.replace('"', '""') + '"' for cell in cells))
    return "\n".join(lines) + "\n"


@pytest.fixture
def write_source(tmp_path: Path) -> Write:
    def write(rows: str, columns: Sequence[str], classes: dict[str, str] | None = None) -> Source:
        folder = tmp_path / "zzz" / "register"
        folder.mkdir(parents=True, exist_ok=True)
        kinds = classes or {}
        declared = [f'      - {{name: "{name}", class: {kinds.get(name, "plain")}}}\n' for name in columns]
        (folder / "source.yaml").write_text(YAML.lstrip() + "".join(declared), encoding="utf-8")
        (folder / "crosswalk.csv").write_text(crosswalk(rows), encoding="utf-8")
        return load_source("zzz/register", root=tmp_path)

    return write


def safe(cells: dict[str, Sequence[str | None]], first_row: int = 2) -> pa.Table:
    """Cells as the gate lets them pass: with row numbers and keys in front."""
    count = len(next(iter(cells.values())))
    rows = range(first_row, first_row + count)
    keys = pa.array([row.to_bytes(16, "big") for row in rows], pa.binary(16))
    entities = ("person", "household", "return_event", "rss_response")
    system = {"_row": pa.array(rows, pa.int64()), "_key": keys, "_person": keys}
    system |= {f"_key_{entity}": keys for entity in entities}
    return pa.table(system | {name: pa.array(texts, pa.string()) for name, texts in cells.items()})


@pytest.fixture
def safe_batch() -> Callable[..., pa.Table]:
    return safe


@pytest.fixture
def harmonize(write_source: Write) -> Harmonize:
    """Apply crosswalk rows to cells, all of them in the table `main`."""

    def apply(rows: str, cells: dict[str, Sequence[str | None]], **options: dict[str, str]) -> Harmonized:
        source = write_source(rows, list(cells), **options)
        return Harmonizer(source, load_codebook()).apply(read_back(safe(cells), source))

    return apply
