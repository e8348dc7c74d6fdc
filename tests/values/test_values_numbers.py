"""Numbers are read with the marks that are declared; digits of other scripts are digits."""

from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from values.digits import ascii_digits
from values.numbers import read_numbers


def read(texts: list[str | None], decimal: str = ".", thousands: str = "", **kind: pa.DataType) -> list[object]:
    values, bad = read_numbers(pa.array(texts, pa.string()), decimal, thousands, **kind)
    assert bad.null_count == 0
    return ["bad" if b else v for v, b in zip(values.to_pylist(), bad.to_pylist(), strict=True)]


def test_one_text_two_meanings() -> None:
    assert read(["1.500"]) == [Decimal("1.50")]
    assert read(["1.500"], decimal=",", thousands=".") == [Decimal("1500.00")]
    assert read(["1.500"], decimal=",") == ["bad"]


def test_groups_must_be_whole() -> None:
    assert read(["1.5", "1.234.567,89", "12.34", "1.2345", ".123", "1234,5"], decimal=",", thousands=".") == [
        "bad", Decimal("1234567.89"), "bad", "bad", "bad", Decimal("1234.50")
    ]  # fmt: skip


def test_spaces_as_thousands_mark_are_any_space() -> None:
    assert read(["1 234,5", "1\u202f234", "1\u00a0234"], decimal=",", thousands=" ") == [
        Decimal("1234.50"), Decimal("1234.00"), Decimal("1234.00")
    ]  # fmt: skip


def test_blank_is_not_bad_and_words_are() -> None:
    assert read([None, "", " ", "ten", "1e5", "12 USD", "-3", "\u22123", "+4"]) == [
        None, None, None, "bad", "bad", "bad", Decimal("-3.00"), Decimal("-3.00"), Decimal("4.00")
    ]  # fmt: skip


def test_whole_numbers() -> None:
    assert read(["12", "12.0", "12.5", "2147483647", "2147483648", "-2147483648"], kind=pa.int32()) == [
        12, 12, "bad", 2147483647, "bad", -2147483648
    ]  # fmt: skip


def test_too_large_is_bad_and_halves_round_away_from_zero() -> None:
    assert read(["9" * 16, "9" * 17, "0" * 30 + "1", "0.005", "-0.005", "0.12345678901"]) == [
        Decimal("9" * 16 + ".00"), "bad", Decimal("1.00"), Decimal("0.01"), Decimal("-0.01"), "bad"
    ]  # fmt: skip


def test_rounding_up_past_the_largest_number_is_bad() -> None:
    assert read(["9999999999999999.999"]) == ["bad"]


def test_digits_of_other_scripts() -> None:
    assert read(["١٢٣", "۱۲۳", "१२३", "፻፳፫"]) == [Decimal("123.00")] * 4
    assert read(["١٬٢٣٤٫٥"], decimal="٫", thousands="٬") == [Decimal("1234.50")]


@pytest.mark.parametrize(
    ("ethiopic", "number"),
    [("፩", 1), ("፲", 10), ("፲፩", 11), ("፻", 100), ("፳፻፲፮", 2016), ("፲፱፻፺፱", 1999), ("፼", 10000), ("፪፼፭፻", 20500)],
)
def test_ethiopic_numerals_are_numbers_not_digits(ethiopic: str, number: int) -> None:
    assert ascii_digits(pa.array([ethiopic])).to_pylist() == [str(number)]


@pytest.mark.parametrize("signs", ["፲፱፱", "፱፲", "፻፻", "፩፩", "፳፲"])
def test_ethiopic_signs_that_write_no_number_are_not_added_up(signs: str) -> None:
    assert ascii_digits(pa.array([signs])).to_pylist() == [signs]
    assert read([signs]) == ["bad"]


@given(st.integers(min_value=1, max_value=99_999_999))
def test_every_number_survives_being_written_in_ethiopic(number: int) -> None:
    assert ascii_digits(pa.array([ethiopic(number)])).to_pylist() == [str(number)]


def ethiopic(number: int) -> str:
    """Pairs of digits from the right, marked by a hundred and ten thousand in turn; a one is left out before a hundred,
    and before ten thousand where it would stand first."""
    written, pairs = "", []
    while number:
        number, pair = divmod(number, 100)
        pairs.append(pair)
    for place, pair in reversed(list(enumerate(pairs))):
        digits = ("፲፳፴፵፶፷፸፹፺"[pair // 10 - 1] if pair >= 10 else "") + ("፩፪፫፬፭፮፯፰፱"[pair % 10 - 1] if pair % 10 else "")
        if place % 2:
            written += ("" if pair == 1 else digits) + "፻" if pair else ""
        else:
            written += "" if pair == 1 and place and not written else digits
            written += "፼" if place else ""
    return written


def test_other_text_is_left_alone() -> None:
    texts = ["ጌታቸው ፭", "abc", None, "علي ٣"]
    assert ascii_digits(pa.array(texts)).to_pylist() == ["ጌታቸው 5", "abc", None, "علي 3"]


@pytest.mark.parametrize(("decimal", "thousands"), [(".", "."), ("", ","), (",,", ""), ("x", "")])
def test_marks_that_cannot_be_told_apart_are_refused(decimal: str, thousands: str) -> None:
    with pytest.raises(ValueError, match="mark"):
        read_numbers(pa.array(["1"]), decimal, thousands)


@given(st.decimals(min_value=-(10**15), max_value=10**15, places=2))
def test_every_amount_survives_being_written_and_read(amount: Decimal) -> None:
    assert read([f"{amount:f}"]) == [amount]
    assert read([f"{amount:,f}"], thousands=",") == [amount]
