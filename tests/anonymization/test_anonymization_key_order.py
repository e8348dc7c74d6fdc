"""The order in which indexes are asked for and written: that of the vault's index, field by field and byte by byte."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from anonymization.vault.enrolment import _by_key

BYTES = st.sampled_from([0, 1, 127, 128, 255])
KEYS = st.lists(
    st.tuples(st.integers(1, 3), st.lists(BYTES, min_size=2, max_size=2), st.lists(BYTES, min_size=2, max_size=2)),
    unique_by=str,
    max_size=12,
)


@given(stated=KEYS)
def test_keys_are_in_the_order_of_the_index(stated: list[tuple[int, list[int], list[int]]]) -> None:
    """Keys that are alike in their first half, too."""
    fields = np.array([field for field, *_ in stated], dtype=np.int16)
    keys = [bytes([*first, *bytes(6), *second, *bytes(6)]) for _, first, second in stated]
    matrix = np.frombuffer(b"".join(keys), dtype=np.uint8).reshape(-1, 16)
    found = _by_key(fields, matrix).tolist()
    assert found == sorted(range(len(keys)), key=lambda at: (fields[at], keys[at]))
