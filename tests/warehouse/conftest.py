"""A migrated warehouse of its own for each test file, on the session's real PostgreSQL."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine
from warehouse_deliveries import Supplier

from codebook.loader import Codebook, load_codebook
from warehouse import engine as engines
from warehouse import schema


@pytest.fixture(scope="session")
def codebook() -> Codebook:
    return load_codebook()


@pytest.fixture(scope="module")
def warehouse_url(postgres_url: str, request: pytest.FixtureRequest) -> Iterator[str]:
    name = "w_" + hashlib.sha256(request.module.__name__.encode()).hexdigest()[:8]
    with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as conn:
        conn.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        conn.execute(f'CREATE DATABASE "{name}"')
        yield postgres_url.replace("/postgres?", f"/{name}?")
        conn.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="module")
def engine(warehouse_url: str, codebook: Codebook) -> Iterator[Engine]:
    made = engines.connect(warehouse_url)
    schema.migrate(made, codebook, ["SLV", "HND"])
    yield made
    made.dispose()


@pytest.fixture
def supplier(engine: Engine, codebook: Codebook, tmp_path: Path, request: pytest.FixtureRequest) -> Supplier:
    """A supplier whom no other test knows."""
    return Supplier(engine, codebook, tmp_path, f"slv/{request.node.name[:40].replace('[', '_').replace(']', '')}")
