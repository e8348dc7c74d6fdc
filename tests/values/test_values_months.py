"""Months by their names: each calendar in the languages of its countries, one declared calendar a column."""

from __future__ import annotations

from datetime import date, timedelta

import convertdate.coptic
import hijridate
import jdatetime
import pyarrow as pa
import pytest
from babel.dates import get_month_names
from hypothesis import given
from hypothesis import strategies as st

from values import months
from values.dates import read_dates
from values.months import letters_of, month_names

LOCALES = (
    "en",
    "fr",
    "fr_CA",
    "es",
    "es_MX",
    "ar",
    "ar_SY",
    "ar_IQ",
    "ar_LB",
    "ar_EG",
    "ar_SA",
    "ar_DZ",
    "ar_TN",
    "ar_MA",
    "ar_MR",
)
DARI = ["حمل", "ثور", "جوزا", "سرطان", "اسد", "سنبله", "میزان", "عقرب", "قوس", "جدی", "دلو", "حوت"]
PASHTO = ["وری", "غویی", "غبرګولی", "چنګاښ", "زمری", "وږی", "تله", "لړم", "لیندۍ", "مرغومی", "سلواغه", "کب"]
AMHARIC = ["መስከረም", "ጥቅምት", "ኅዳር", "ታኅሣሥ", "ጥር", "የካቲት", "መጋቢት", "ሚያዝያ", "ግንቦት", "ሰኔ", "ሐምሌ", "ነሐሴ", "ጳጉሜን"]
PERSIAN_DIGITS = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")

days_of_a_century = st.dates(date(1925, 1, 1), date(2070, 12, 31))


def read(texts: list[str], form: str) -> list[object]:
    """A date, or "bad"."""
    days, bad = read_dates(pa.array(texts), form)
    return ["bad" if b else day for day, b in zip(days.to_pylist(), bad.to_pylist(), strict=True)]


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("width", ["wide", "abbreviated"])
def test_gregorian_months_are_known_as_the_world_writes_them(locale: str, width: str) -> None:
    """Unicode's common locale data has the names of the Levant, Egypt, Algeria, Tunisia, Morocco and Mauritania."""
    names = get_month_names(width, locale=locale)
    assert read([f"5 {names[n]} 2024" for n in range(1, 13)], "%d %B %Y") == [date(2024, n, 5) for n in range(1, 13)]


@pytest.mark.parametrize("calendar", ["gregorian", "jalali", "hijri", "hijri_civil", "ethiopian"])
def test_no_name_stands_for_two_months(calendar: str) -> None:
    lines = [{letters_of(name) for name in line.split()} for line in months._NAMES[calendar].strip().splitlines()]
    assert len(lines) == (13 if calendar == "ethiopian" else 12)
    assert sum(len(line) for line in lines) == len(month_names(calendar))


def test_a_name_of_another_calendar_is_bad() -> None:
    assert read(["5 حمل 1400", "5 March 1400"], "jalali:%d %B %Y") == [date(2021, 3, 25), "bad"]
    assert read(["5 حمل 2024"], "%d %B %Y") == ["bad"]


def test_spellings_of_keyboards_and_pens_are_one_name() -> None:
    assert read(["1 ليندى 1400", "1 لیندۍ 1400", "1 سنبلة 1400", "1 Sunbula 1400"], "jalali:%d %B %Y") == [
        date(2021, 11, 22), date(2021, 11, 22), date(2021, 8, 23), date(2021, 8, 23)
    ]  # fmt: skip
    assert (
        read(["1 ህዳር 2016", "1 ሕዳር 2016", "1 ኅዳር 2016", "1 Hidar 2016"], "ethiopian:%d %B %Y")
        == [date(2023, 11, 11)] * 4
    )
    assert read(["1 رَمَضان 1446", "1 رمضـان 1446", "1 Ramadhan 1446"], "hijri:%d %B %Y") == [date(2025, 3, 1)] * 3
    assert read(["1 أذار 2024", "1 آذار 2024", "1 Sept. 2024", "1 FÉVRIER 2024", "1 fevrier 2024"], "%d %B %Y") == [
        date(2024, 3, 1), date(2024, 3, 1), date(2024, 9, 1), date(2024, 2, 1), date(2024, 2, 1)
    ]  # fmt: skip


def test_a_name_that_is_nearly_one_is_bad() -> None:
    assert read(["1 Ramad 1446", "1 ربيع 1446", "1 جمادى 1446"], "hijri:%d %B %Y") == ["bad"] * 3
    assert read(["5 de marzo 2024", "5 Marzec 2024"], "%d %B %Y") == ["bad", "bad"]


def test_words_between_are_declared() -> None:
    assert read(["5 de marzo de 2024"], "%d de %B de %Y") == [date(2024, 3, 5)]


@given(days_of_a_century)
def test_every_day_survives_being_written_in_dari_and_pashto(day: date) -> None:
    written = jdatetime.date.fromgregorian(date=day)
    year, number = f"{written.year}", f"{written.day}".translate(PERSIAN_DIGITS)
    for names in (DARI, PASHTO, jdatetime.date.j_months_fa, jdatetime.date.j_months_en):
        assert read([f"{number} {names[written.month - 1]} {year}"], "jalali:%d %B %Y") == [day]


@given(days_of_a_century)
def test_every_day_survives_being_written_in_the_islamic_calendar(day: date) -> None:
    written = hijridate.Gregorian.fromdate(day).to_hijri()
    for language in ("ar", "en"):
        text = f"{written.day} {written.month_name(language)} {written.year}"
        assert read([text], "hijri:%d %B %Y") == [day]


@given(days_of_a_century)
def test_every_day_survives_being_written_in_amharic(day: date) -> None:
    year, month, number = convertdate.coptic.from_gregorian(day.year, day.month, day.day)
    assert read([f"{AMHARIC[month - 1]} {number} {year + 276}"], "ethiopian:%B %d %Y") == [day]


@given(st.dates(date(1890, 1, 1), date(2099, 12, 31)), st.sampled_from(LOCALES))
def test_every_day_survives_being_written_in_four_languages(day: date, locale: str) -> None:
    name = get_month_names("wide", locale=locale)[day.month]
    assert read([f"{day.day} {name} {day.year}"], "%d %B %Y") == [day]


def test_a_million_named_dates_take_well_under_a_second() -> None:
    import time

    few = [f"{1 + n % 28} {DARI[n % 12]} {1350 + n % 60}" for n in range(25_000)]
    column = pa.array(few * 40)
    start = time.process_time()
    days, bad = read_dates(column, "jalali:%d %B %Y")
    assert time.process_time() - start < 1
    assert days.null_count == 0
    assert days[0].as_py() - days[12].as_py() < timedelta(0)
    assert not any(bad.to_pylist()[:100])
