"""Every statement of docs/analyst.md runs, as the role that it names, on a warehouse with rows in it."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest
from sqlalchemy import Engine
from warehouse_deliveries import Supplier, key

from codebook.loader import Codebook
from warehouse import access, marts

PAGE = Path(__file__).resolve().parents[2] / "docs" / "analyst.md"
STATEMENTS = re.findall(r"```sql\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture(scope="module")
def url(engine: Engine, codebook: Codebook, warehouse_url: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    supplier = Supplier(engine, codebook, tmp_path_factory.mktemp("page"))
    event = {"return_date": dt.date(2025, 1, 1), "voluntariness": 1, "unlawful_flag": [1], "person_token": key("p")}
    supplier.deliver(
        "all",
        {
            "return_event": [{"key": "r", "row": 2, **event}, {"key": "s", "row": 3}],
            "household": [{"key": "h", "row": 2, "income_sources": [1, 2]}],
            "rss_response": [{"key": "i", "row": 2, "wave": 1, "recall": 1}],
        },
        rejected=[3],
    )
    row = {"source_id": supplier.source, "country": "SLV", "entity": "rss_response", "variable": "wave"}
    marts.refresh(engine, codebook, [row | {"status": "exact", "note": ""}])
    return warehouse_url


@pytest.mark.parametrize("statement", STATEMENTS)
def test_statement_of_the_page_runs(url: str, statement: str) -> None:
    named = re.match(r"-- as (\w+)\n", statement)
    answer = access.query(url, statement, named.group(1) if named else "analyst")
    assert answer.column_names


def test_every_table_of_the_page_is_there(url: str, codebook: Codebook) -> None:
    page = PAGE.read_text(encoding="utf-8")
    for name in [*codebook.entities, *codebook.indicators]:
        assert f"`{name}`" in page, f"docs/analyst.md does not speak of {name}"
