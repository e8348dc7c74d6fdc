"""Calendar arithmetic on whole columns: year, month and day of five calendars to days since 1970-01-01.

Each function takes three integer arrays and gives days and whether such a day exists. Nothing here reads text.
The tests hold each of them against an independent library, day by day.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from functools import cache

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Days = tuple[Ints, NDArray[np.bool_]]

_EPOCH_JDN = 2_440_588  # Julian day number of 1970-01-01


def gregorian_days(year: Ints, month: Ints, day: Ints) -> Days:
    """The civil calendar, years 1 to 9999."""
    months = (year - 1970) * 12 + np.clip(month, 1, 12) - 1
    first = _first_of_month(months)
    length = _first_of_month(months + 1) - first
    exists = _within(year, 1, 9999) & _within(month, 1, 12) & (day >= 1) & (day <= length)
    return first + day - 1, exists


def _first_of_month(months_since_1970: Ints) -> Ints:
    return months_since_1970.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)


def ethiopian_days(year: Ints, month: Ints, day: Ints) -> Days:
    """Twelve months of 30 days and Pagume of 5, of 6 in the year before a leap year (year mod 4 = 3)."""
    jdn = 1_723_856 + 365 + 365 * (year - 1) + year // 4 + 30 * month + day - 31
    pagume = np.where(year % 4 == 3, 6, 5)
    length = np.where(month == 13, pagume, 30)
    exists = _within(year, 1, 9991) & _within(month, 1, 13) & (day >= 1) & (day <= length)
    return jdn - _EPOCH_JDN, exists


def solar_hijri_days(year: Ints, month: Ints, day: Ints) -> Days:
    """Iran's and Afghanistan's calendar by the 33-year rule, which holds for the years 1178 to 1633."""
    before = np.where(month <= 7, (month - 1) * 31, 186 + (month - 7) * 30)
    leap = _solar_new_year(year + 1) - _solar_new_year(year) == 366
    length = np.where(month <= 6, 31, np.where(month <= 11, 30, np.where(leap, 30, 29)))
    exists = _within(year, 1178, 1633) & _within(month, 1, 12) & (day >= 1) & (day <= length)
    return _solar_new_year(year) + before + day - 1, exists


def _solar_new_year(year: Ints) -> Ints:
    """1 Hamal (Farvardin) of 979 was 1600-03-20; every 33 years have 8 leap years."""
    since = year - 979
    return 365 * since + since // 33 * 8 + (since % 33 + 3) // 4 - 135_061


def umm_al_qura_days(year: Ints, month: Ints, day: Ints) -> Days:
    """The official Islamic calendar of Saudi Arabia, which is tabulated for the years 1343 to 1500 only."""
    starts = _umm_al_qura_months()
    exists = _within(year, _UMM_AL_QURA[0], _UMM_AL_QURA[1]) & _within(month, 1, 12)
    at = np.where(exists, (year - _UMM_AL_QURA[0]) * 12 + month - 1, 0)
    length = starts[at + 1] - starts[at]
    return starts[at] + day - 1, exists & (day >= 1) & (day <= length)


_UMM_AL_QURA = (1343, 1500)


@cache
def _umm_al_qura_months() -> Ints:
    """The first day of every month of the table, and the day after its end."""
    from hijridate import Hijri

    first, last = _UMM_AL_QURA
    starts = [Hijri(year, month, 1).to_gregorian() for year in range(first, last + 1) for month in range(1, 13)]
    days = [start.toordinal() - date(1970, 1, 1).toordinal() for start in starts]
    return np.array([*days, days[-1] + Hijri(last, 12, 1).month_length()], np.int64)


def civil_hijri_days(year: Ints, month: Ints, day: Ints) -> Days:
    """The arithmetic Islamic calendar (30-year cycle). The moon that was sighted may differ by a day or two."""
    jdn = day + (59 * (month - 1) + 1) // 2 + (year - 1) * 354 + (3 + 11 * year) // 30 + 1_948_439
    leap = (11 * year + 14) % 30 < 11
    length = np.where(month % 2 == 1, 30, np.where((month == 12) & leap, 30, 29))
    exists = _within(year, 1, 9665) & _within(month, 1, 12) & (day >= 1) & (day <= length)
    return jdn - _EPOCH_JDN, exists


def _within(numbers: Ints, low: int, high: int) -> NDArray[np.bool_]:
    return (numbers >= low) & (numbers <= high)


CALENDARS: Mapping[str, Callable[[Ints, Ints, Ints], Days]] = {
    "gregorian": gregorian_days,
    "ethiopian": ethiopian_days,
    "jalali": solar_hijri_days,
    "hijri": umm_al_qura_days,
    "hijri_civil": civil_hijri_days,
}
