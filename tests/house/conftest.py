"""The whole house, once: `homeward demo` in a home of its own, and the doors through which the tests look at it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from disks import unflushed
from homes import House, empty_home, registered_home

from warehouse.embedded import EmbeddedServer


@pytest.fixture(scope="session")
def demo(server_folder: Path) -> Iterator[House]:
    """The home after `homeward demo`; the server is held up, so that each command does not start its own."""
    house = House(server_folder / "demo" / "var", server_folder / "demo" / "samples")
    server = EmbeddedServer(house.home / "postgres").start()
    try:
        unflushed(house.home / "postgres")
        house.process("demo")
        yield house
    finally:
        server.stop()


@pytest.fixture
def house(server_folder: Path) -> Iterator[House]:
    """An empty home."""
    with empty_home(server_folder) as made:
        yield made


@pytest.fixture
def registered(server_folder: Path) -> Iterator[House]:
    """A home in which the Salvadoran sample is published."""
    with registered_home(server_folder) as made:
        yield made
