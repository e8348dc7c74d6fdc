"""Whatever is torn or overwritten in a delivered file, the answer is a refusal or its rows, never another error."""

import random
import warnings
from pathlib import Path
from typing import Any

import pandas as pd
import pyreadstat
import pytest
from small_forms import export, form, workbook
from small_sources import MemoryFile, source, table

from codebook.errors import Refused
from connectors import open_delivery
from sources.models import Source

COLUMNS = ["id", "q"]
RULES = {f"delivery.{rule}" for rule in ("empty", "unreadable", "wrong_source", "missing_column", "wrong_encoding")}
ROWS = [["id", "q"], *([str(n), "A"] for n in range(200))]
FORM = form([["select_one yn", "q", "Q", "Q"]], [["yn", "a", "A", "A"]])
LABELS = {"values": "labels", "language": "French (fr)"}


def system_file(folder: Path) -> bytes:
    path = folder / "a.sav"
    pyreadstat.write_sav(pd.DataFrame({"id": [row[0] for row in ROWS[1:]], "q": 1.5}), path)
    return path.read_bytes()


@pytest.mark.parametrize("kind", ["csv", "xlsx", "spss", "kobo_csv", "kobo_xlsx", "form", "database"])
@pytest.mark.parametrize("seed", range(25))
def test_a_torn_file_is_refused_in_one_line(tmp_path: Path, kind: str, seed: int) -> None:
    whole, formats, beside = {
        "csv": (export(*ROWS), {"kind": "csv", "encoding": "cp1252"}, []),
        "xlsx": (workbook({"main": ROWS}), {"kind": "xlsx"}, []),
        "spss": (system_file(tmp_path) if kind == "spss" else b"", {"kind": "spss"}, []),
        "kobo_csv": (export(*ROWS), {"kind": "kobo_csv", **LABELS}, [MemoryFile("form.xlsx", FORM)]),
        "kobo_xlsx": (workbook({"main": ROWS}), {"kind": "kobo_xlsx", **LABELS}, [MemoryFile("form.xlsx", FORM)]),
        "form": (FORM, {"kind": "kobo_csv", **LABELS}, [MemoryFile("export.csv", export(*ROWS))]),
        "database": (export(*ROWS).replace(b";", b","), {"kind": "database", "url_env": "X"}, []),
    }[kind]
    name = {"csv": "a.csv", "kobo_csv": "a.csv", "spss": "a.sav", "database": "main.csv"}.get(kind, "a.xlsx")
    torn = MemoryFile(name, damaged(whole, random.Random(seed)))
    declared = source(dict[str, Any](formats), table("main", COLUMNS, key=["id"]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        refusal, read = attempt([torn, *beside], declared)
    assert read <= len(ROWS)
    assert refusal is None or (refusal.rule in RULES and "\n" not in str(refusal))


def attempt(files: list[MemoryFile], declared: Source) -> tuple[Refused | None, int]:
    """The refusal, or the rows that were read."""
    try:
        opened = open_delivery(files, declared)
        return None, sum(len(batch) for batch in opened.batches("main"))
    except Refused as refusal:
        return refusal, 0


def damaged(content: bytes, chance: random.Random) -> bytes:
    if chance.random() < 0.5:
        return content[: chance.randrange(len(content))]
    changed = bytearray(content)
    for _ in range(chance.randrange(1, 20)):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)
