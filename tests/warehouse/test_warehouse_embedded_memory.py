"""The embedded server takes a part of the machine's memory, and never so much that others have none."""

import pytest

from warehouse.embedded import shared_buffers

GIB = 1 << 30


@pytest.mark.parametrize(
    ("memory", "setting"), [(GIB, "192MB"), (2 * GIB, "204MB"), (16 * GIB, "1638MB"), (512 * GIB, "2560MB")]
)
def test_a_tenth_of_the_memory_within_bounds(memory: int, setting: str) -> None:
    assert shared_buffers(memory) == setting
