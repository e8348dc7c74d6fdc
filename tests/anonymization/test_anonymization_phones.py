"""Telephone numbers put together for whole columns are those that the library reads one by one."""

from __future__ import annotations

import random

import phonenumbers
import pyarrow as pa
import pytest

from anonymization.linkage.phones import e164

REGIONS = {
    "SLV": "SV", "GTM": "GT", "HND": "HN", "MEX": "MX", "IRQ": "IQ", "AFG": "AF", "ETH": "ET", "CIV": "CI",
    "UKR": "UA", "BGD": "BD", "MDA": "MD", "ITA": "IT", "KAZ": "KZ", "DOM": "DO",
}  # fmt: skip


def one(value: str, country: str) -> str | None:
    try:
        number = phonenumbers.parse(value, REGIONS[country])
    except phonenumbers.NumberParseException:
        return None
    form = phonenumbers.PhoneNumberFormat.E164
    return phonenumbers.format_number(number, form) if phonenumbers.is_possible_number(number) else None


@pytest.mark.parametrize("country", REGIONS)
def test_a_column_is_read_as_the_library_reads_each_number(country: str) -> None:
    made = random.Random(country)
    code = {"SLV": "503", "ITA": "39", "KAZ": "7", "DOM": "1"}.get(country, "964")
    values = []
    for _ in range(600):
        digits = "".join(made.choices("0123456789", k=made.randint(3, 13)))
        digits = made.choice(["", "", "", "0", "00", "1", "8", "00" + code]) + digits
        digits = made.choice(["", "", "+" + code, code, "+"]) + digits
        at = made.randrange(1, len(digits))
        values.append(digits[:at] + made.choice(["", "", " ", "-", " - ", "x", "/"]) + digits[at:])
    assert e164(pa.array(values), country).to_pylist() == [one(value, country) for value in values]


def test_blank_stays_blank_and_a_word_is_no_number() -> None:
    assert e164(pa.array([None, "none", "7123 4567", "+503 7123-4567"]), "SLV").to_pylist() == [
        None,
        None,
        "+50371234567",
        "+50371234567",
    ]
    assert e164(pa.array([None], pa.string()), "SLV").to_pylist() == [None]
