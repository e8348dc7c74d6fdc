"""Files that a test delivers."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sources.batches import PlainFile


@pytest.fixture
def deliver(tmp_path: Path) -> Callable[[str, bytes], PlainFile]:
    """Write a file as a supplier would put it."""

    def write(name: str, content: bytes) -> PlainFile:
        path = tmp_path / name
        path.write_bytes(content)
        return PlainFile(path)

    return write
