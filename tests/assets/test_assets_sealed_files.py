"""Which sealed files no delivery is made of: an erasure says how many it could not search, retention removes them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from sqlalchemy import event

from assets.raw_erasure import of_no_delivery
from codebook.loader import load_codebook
from warehouse import engine as engines
from warehouse import ledger, schema


@pytest.fixture
def workplace(postgres_url: str, tmp_path: Path) -> Iterator[Any]:
    with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as conn:
        conn.execute("DROP DATABASE IF EXISTS sealed_files WITH (FORCE)")
        conn.execute("CREATE DATABASE sealed_files")
        engine = engines.connect(postgres_url.replace("/postgres?", "/sealed_files?"))
        schema.migrate(engine, load_codebook(), ["SLV"])
        yield SimpleNamespace(warehouse=engine, sealed=tmp_path)
        engine.dispose()
        conn.execute("DROP DATABASE sealed_files WITH (FORCE)")


def test_however_many_there_are_the_ledger_is_asked_once(workplace: Any) -> None:
    """A server's attachments are thousands; each was asked for by itself, for every person of an erasure."""
    names = [f"{number:064x}" for number in range(30)]
    for name in names:
        (workplace.sealed / f"{name}.sealed").touch()
    for first, theirs in (("a", names[:20]), ("b", names[15:27])):
        files = [(name, 1) for name in theirs]
        ledger.register(
            workplace.warehouse, source="slv/one", delivery=f"2026-11-22-{first * 8}", country="SLV",
            sha256=first * 64, files=files,
        )  # fmt: skip
    asked: list[Any] = []
    event.listen(workplace.warehouse, "begin", asked.append)
    assert [path.name for path in of_no_delivery(workplace)] == [f"{name}.sealed" for name in names[27:]]
    assert len(asked) == 1
