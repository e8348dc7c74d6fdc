"""What a column's texts are made of, seen at once: never missed, whatever part of a column is asked about."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from values.letters import holds, is_ascii

TEXTS = st.lists(st.none() | st.text("ab#+é٣ \n", max_size=4), max_size=12)


@given(
    texts=TEXTS,
    start=st.integers(0, 12),
    length=st.integers(0, 12),
    signs=st.sampled_from(["#", "+", "#+", "\n b", "!#$a"]),
)
def test_a_sign_is_found_wherever_it_stands(texts: list[str | None], start: int, length: int, signs: str) -> None:
    part = pa.array(texts, pa.string()).slice(min(start, len(texts)), length)
    assert holds(part, signs) == any(sign in (text or "") for text in part.to_pylist() for sign in signs)


@pytest.mark.parametrize("signs", ["#", "#+"])
def test_what_stands_in_other_rows_is_not_found(signs: str) -> None:
    column = pa.array(["#", "a", None, "é", "+#"])
    assert holds(column, signs)
    assert not holds(column.slice(1, 3), signs)
    assert not holds(pa.array([], pa.string()), signs)
    assert not holds(pa.nulls(3, pa.string()), signs)


@given(texts=TEXTS)
def test_ascii_is_what_has_no_other_letter(texts: list[str | None]) -> None:
    assert is_ascii(pa.array(texts, pa.string())) == all((text or "").isascii() for text in texts)
