"""Dates are read in the one form that is declared; what does not fit is bad, never guessed."""

import time
from datetime import date, timedelta

import convertdate.coptic
import convertdate.islamic
import hijridate
import jdatetime
import numpy as np
import pyarrow as pa
import pytest

from values.calendars import civil_hijri_days, ethiopian_days, gregorian_days, solar_hijri_days, umm_al_qura_days
from values.dates import date_form, read_dates, two_digit_years

EPOCH = date(1970, 1, 1)


def read(texts: list[str | None], form: str) -> list[object]:
    """A date, None for a blank cell, "bad" for a bad one."""
    days, bad = read_dates(pa.array(texts, pa.string()), form)
    assert days.type == pa.date32()
    assert bad.null_count == 0
    assert not any(b and d is not None for d, b in zip(days.to_pylist(), bad.to_pylist(), strict=True))
    return ["bad" if b else d for d, b in zip(days.to_pylist(), bad.to_pylist(), strict=True)]


def test_a_day_that_does_not_exist_is_bad() -> None:
    texts = ["31/02/2024", "29/02/2023", "29/02/2024", "31/12/1999", "00/01/2024", "01/13/2024", "1/2/2024"]
    assert read(texts, "%d/%m/%Y") == [
        "bad", "bad", date(2024, 2, 29), date(1999, 12, 31), "bad", "bad", date(2024, 2, 1)
    ]  # fmt: skip


def test_day_and_month_are_never_exchanged() -> None:
    assert read(["03/25/2024"], "%d/%m/%Y") == ["bad"]
    assert read(["03/25/2024"], "%m/%d/%Y") == [date(2024, 3, 25)]


def test_blank_is_not_bad() -> None:
    assert read([None, "", "  ", "\u00a0"], "%d/%m/%Y") == [None, None, None, None]


def test_what_stands_around_a_date_makes_it_bad() -> None:
    assert read(["x05/03/2024", "05/03/2024x", "05/03/2024 00:00:00", "05-03-2024", " 05/03/2024 "], "%d/%m/%Y") == [
        "bad", "bad", "bad", "bad", date(2024, 3, 5)
    ]  # fmt: skip


def test_two_digit_year_is_bad_and_known_as_such() -> None:
    texts = ["05/03/24", "05/03/2024", "?", None]
    assert read(texts, "%d/%m/%Y") == ["bad", date(2024, 3, 5), "bad", None]
    assert two_digit_years(pa.array(texts), "%d/%m/%Y").to_pylist() == [True, False, False, False]
    with pytest.raises(ValueError, match="century"):
        date_form("%d/%m/%y")


def test_iso_takes_moments_with_their_zone_and_keeps_the_day_as_written() -> None:
    texts = [
        "2024-03-05", "2024-03-05T23:30:00.000+03:00", "2024-03-05 01:02:03+02", "2024-03-05T10:00Z",
        "2024-03-05T10:00:00.123456", "2024-3-5", "2024-03-05T25:00", "20240305", "2024-02-30",
    ]  # fmt: skip
    assert read(texts, "iso") == [date(2024, 3, 5)] * 5 + ["bad"] * 4


def test_declared_time_of_day_is_read_and_left_out() -> None:
    assert read(["05/03/2024 17:45", "05/03/2024 25:00", "05/03/2024"], "%d/%m/%Y %H:%M") == [
        date(2024, 3, 5), "bad", "bad"
    ]  # fmt: skip


def test_names_of_months_in_three_languages() -> None:
    assert read(["5 mars 2024", "05 ene 2024", "1 August 2023", "1 Augst 2023"], "%d %B %Y") == [
        date(2024, 3, 5), date(2024, 1, 5), date(2023, 8, 1), "bad"
    ]  # fmt: skip


def test_year_alone_is_its_first_day() -> None:
    assert read(["1987", "87", "1987.0", "0000"], "year") == [date(1987, 1, 1), "bad", "bad", "bad"]


def test_ethiopian_oracles() -> None:
    texts = ["1/1/2000", "1/1/2016", "1/1/2017", "6/13/2015", "23/4/2016", "6/13/2016", "31/1/2016", "1/14/2016"]
    assert read(texts, "ethiopian:%d/%m/%Y") == [
        date(2007, 9, 12), date(2023, 9, 12), date(2024, 9, 11), date(2023, 9, 11), date(2024, 1, 2),
        "bad", "bad", "bad",
    ]  # fmt: skip


def test_solar_hijri_oracles() -> None:
    assert read(["1400/1/1", "1403/01/01", "1399/12/30", "1400/12/30"], "jalali:%Y/%m/%d") == [
        date(2021, 3, 21), date(2024, 3, 20), date(2021, 3, 20), "bad"
    ]  # fmt: skip


def test_lunar_hijri_oracle() -> None:
    assert read(["1446-09-01", "1446-01-30"], "hijri:%Y-%m-%d") == [date(2025, 3, 1), "bad"]


def test_umm_al_qura_and_the_civil_calendar_differ_by_a_day() -> None:
    texts = ["1446-09-01", "1446-01-30", "1446-02-30"]
    assert read(texts, "hijri:%Y-%m-%d") == [date(2025, 3, 1), "bad", date(2024, 9, 3)]
    assert read(texts, "hijri_civil:%Y-%m-%d") == [date(2025, 3, 1), date(2024, 8, 6), "bad"]


def test_outside_its_table_a_hijri_date_is_bad_unless_the_civil_calendar_is_declared() -> None:
    texts = ["1342-12-29", "1343-01-01", "1500-12-30", "1501-01-01"]
    assert read(texts, "hijri:%Y-%m-%d") == ["bad", date(1924, 8, 1), date(2077, 11, 16), "bad"]
    texts.remove("1500-12-30")  # a day that the arithmetic calendar does not have
    known = [date(*convertdate.islamic.to_gregorian(*map(int, text.split("-")))) for text in texts]
    assert read(texts, "hijri_civil:%Y-%m-%d") == known


@pytest.mark.parametrize(
    ("form", "texts", "precision", "days"),
    [
        ("%d.%m.%Y", ["05.03.2024"], "day", [date(2024, 3, 5)]),
        ("%m/%Y", ["03/2024", "05/03/2024", "13/2024"], "month", [date(2024, 3, 1), "bad", "bad"]),
        ("%B %Y", ["marzo 2024"], "month", [date(2024, 3, 1)]),
        ("year", ["2024"], "year", [date(2024, 1, 1)]),
        ("jalali:%Y", ["1400"], "year", [date(2021, 3, 21)]),
        ("ethiopian:%m/%Y", ["4/2016"], "month", [date(2023, 12, 11)]),
        ("iso", ["2024-03-05"], "day", [date(2024, 3, 5)]),
    ],
)
def test_a_form_keeps_its_precision(form: str, texts: list[str | None], precision: str, days: list[object]) -> None:
    assert date_form(form).precision == precision
    assert read(texts, form) == days


def test_marks_of_writing_direction_are_no_part_of_a_date() -> None:
    assert read(["\u200f٥\u200e/\u200f٣/٢٠٢٤", "\u202b05/03/2024\u202c"], "%d/%m/%Y") == [date(2024, 3, 5)] * 2


def test_digits_of_other_scripts() -> None:
    assert read(["٠٥/٠٣/٢٠٢٤"], "%d/%m/%Y") == [date(2024, 3, 5)]
    assert read(["۱۴۰۳/۰۱/۰۱"], "jalali:%Y/%m/%d") == [date(2024, 3, 20)]
    assert read(["፩/፩/፳፻፲፮"], "ethiopian:%d/%m/%Y") == [date(2023, 9, 12)]


@pytest.mark.parametrize(
    "form",
    [
        "%d/%m",
        "julian:%d/%m/%Y",
        "%d/%q/%Y",
        "%d/%d/%m/%Y",
        "",
        "%d/%Y",
        "hijri:%d %B",
        "%m %B %Y",
        "%d %b %B %Y",
    ],
)
def test_a_form_that_cannot_be_read_is_refused(form: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        date_form(form)


def test_dictionary_and_chunked_columns_read_alike() -> None:
    plain = pa.array(["05/03/2024", None, "x", "05/03/2024"])
    for column in (plain.dictionary_encode(), pa.chunked_array([plain]), pa.chunked_array([plain[:2], plain[2:]])):
        days, bad = read_dates(column, "%d/%m/%Y")
        assert days.to_pylist() == [date(2024, 3, 5), None, None, date(2024, 3, 5)]
        assert bad.to_pylist() == [False, False, True, False]
    empty, _ = read_dates(pa.chunked_array([], pa.string()), "iso")
    assert len(empty) == 0


def days_of(calendar: object, years: range, months: int) -> tuple[list[tuple[int, int, int]], np.ndarray, np.ndarray]:
    ymd = [(y, m, d) for y in years for m in range(1, months + 1) for d in range(1, 32)]
    parts = np.array(ymd, np.int64).T
    days, exists = calendar(*parts)  # type: ignore[operator]
    return ymd, days, exists


def test_gregorian_agrees_with_python_day_by_day() -> None:
    ymd, days, exists = days_of(gregorian_days, range(1890, 2105), 12)
    for (y, m, d), day, there in zip(ymd, days, exists, strict=True):
        try:
            known = date(y, m, d)
        except ValueError:
            assert not there
        else:
            assert there
            assert EPOCH + timedelta(int(day)) == known


def test_solar_hijri_agrees_with_jdatetime_day_by_day() -> None:
    ymd, days, exists = days_of(solar_hijri_days, range(1250, 1500), 12)
    for (y, m, d), day, there in zip(ymd, days, exists, strict=True):
        try:
            known = jdatetime.date(y, m, d).togregorian()
        except ValueError:
            assert not there
        else:
            assert there
            assert EPOCH + timedelta(int(day)) == known


def test_ethiopian_agrees_with_coptic_arithmetic_day_by_day() -> None:
    """The Ethiopian calendar is the Coptic one, 276 years ahead."""
    ymd, days, exists = days_of(ethiopian_days, range(1880, 2060), 13)
    for (y, m, d), day, there in zip(ymd, days, exists, strict=True):
        if there:
            assert EPOCH + timedelta(int(day)) == date(*convertdate.coptic.to_gregorian(y - 276, m, d))


def test_umm_al_qura_agrees_with_hijridate_day_by_day() -> None:
    ymd, days, exists = days_of(umm_al_qura_days, range(1343, 1501), 12)
    for (y, m, d), day, there in zip(ymd, days, exists, strict=True):
        try:
            known = hijridate.Hijri(y, m, d).to_gregorian()
        except ValueError:
            assert not there
        else:
            assert there
            assert EPOCH.toordinal() + int(day) == known.toordinal()


def test_civil_hijri_agrees_with_convertdate_day_by_day() -> None:
    ymd, days, exists = days_of(civil_hijri_days, range(1300, 1500), 12)
    for (y, m, d), day, there in zip(ymd, days, exists, strict=True):
        assert there == (d <= convertdate.islamic.month_length(y, m))
        if there:
            assert EPOCH + timedelta(int(day)) == date(*convertdate.islamic.to_gregorian(y, m, d))


def test_a_million_dates_take_well_under_a_second() -> None:
    few = [(date(1950, 1, 1) + timedelta(n)).strftime("%d/%m/%Y") for n in range(25_000)]
    column = pa.array(few * 40)
    start = time.process_time()
    days, bad = read_dates(column, "%d/%m/%Y")
    assert time.process_time() - start < 1
    assert len(days) == 1_000_000
    assert days.null_count == 0
    assert not any(bad.to_pylist()[:100])
