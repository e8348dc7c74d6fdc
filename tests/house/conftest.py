"""The whole house, once: `homeward demo` in a home of its own, and the doors through which the tests look at it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from homes import House

from warehouse.embedded import EmbeddedServer


@pytest.fixture(scope="session")
def demo(server_folder: Path) -> Iterator[House]:
    """The home after `homeward demo`; the server is held up, so that each command does not start its own."""
    house = House(server_folder / "demo" / "var", server_folder / "demo" / "samples")
    server = EmbeddedServer(house.home / "postgres").start()
    try:
        house.homeward("demo")
        yield house
    finally:
        server.stop()


@pytest.fixture
def house(server_folder: Path) -> Iterator[House]:
    """An empty home."""
    folder = Path(tempfile.mkdtemp(dir=server_folder))
    folder.chmod(0o755)
    made = House(folder / "var", folder / "samples")
    server = EmbeddedServer(made.home / "postgres").start()
    try:
        yield made
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
