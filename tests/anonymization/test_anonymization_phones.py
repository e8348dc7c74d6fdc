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
    """As the library reads it, two zeros as a plus where that makes a valid number."""
    for written in ([f"+{value[2:]}"] if value.startswith("00") else []) + [value]:
        try:
            number = phonenumbers.parse(written, REGIONS[country])
        except phonenumbers.NumberParseException:
            continue
        form = phonenumbers.PhoneNumberFormat.E164
        fits = phonenumbers.is_possible_number(number) if written == value else phonenumbers.is_valid_number(number)
        if fits:
            return phonenumbers.format_number(number, form)
    return None


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


@pytest.mark.parametrize(("country", "mobile"), [("NGA", "8021234567"), ("DOM", "8092345678"), ("SLV", "71234567")])
def test_a_country_s_code_behind_two_zeros_is_read_where_nobody_dials_them(country: str, mobile: str) -> None:
    code = {"NGA": "234", "DOM": "1", "SLV": "503"}[country]
    written = [f"00{code}{mobile}", f"00 {code} {mobile}", f"+{code}{mobile}", mobile]
    assert set(e164(pa.array(written), country).to_pylist()) == {f"+{code}{mobile}"}


def test_blank_stays_blank_and_a_word_is_no_number() -> None:
    assert e164(pa.array([None, "none", "7123 4567", "+503 7123-4567"]), "SLV").to_pylist() == [
        None,
        None,
        "+50371234567",
        "+50371234567",
    ]
    assert e164(pa.array([None], pa.string()), "SLV").to_pylist() == [None]
