"""Cells of statistical files as text: 98 and not 98.0, dates as ISO dates, letters of tagged missings as `.a`.

SPSS, Stata and SAS keep a date as a number and say in the variable's format what it counts: seconds since 1582, days
since 1960, months since 1960. What a format does not show is not told: a month has no day. Not its business: what a
code means, and whether it means that an answer is missing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from connectors.shapes import Text

Floats: TypeAlias = NDArray[np.float64]
Moments: TypeAlias = NDArray[np.datetime64]
Writer: TypeAlias = Callable[[Floats], NDArray[np.object_]]
"""Numbers to text; None where the number is beyond what the format can show."""

_GREGORIAN = np.datetime64("1582-10-14", "us").astype(np.int64)
"""SPSS counts seconds from the first day of the Gregorian calendar."""
_NINETEEN_SIXTY = np.datetime64("1960-01-01", "us").astype(np.int64)
"""Stata and SAS count from here."""
_FIRST = np.datetime64("1582-01-01", "us").astype(np.int64)
_END = np.datetime64("10000-01-01", "us").astype(np.int64)
_DAY = 86_400.0


def writer_of(suffix: str, form: str) -> Writer | None:
    """How a variable of this format is written, in a file of this kind; None: as the number it is."""
    if suffix == "dta":
        unit = re.match(r"%-?(t[cCdwmqh]|d)(.*)", form)
        if unit and unit[1] in ("tc", "tC") and unit[2] and not _CLOCK_SIGNS.sub("", unit[2]):
            return _STATA_CLOCK
        return _STATA[unit[1]] if unit else None
    name = re.sub(r"(?<=[A-Z])\d*(?:\.\d*)?$", "", form.upper())
    if name in ("N", "Z") and (name == "N") == (suffix in ("sav", "por")):
        return partial(_padded, width=int(re.sub(r"\D.*", "", form[1:]) or 1))
    return (_SPSS if suffix in ("sav", "por") else _SAS).get(name)


def is_date(suffix: str, form: str) -> bool:
    """Whether such a column holds dates or moments, and not durations or plain numbers."""
    writer = writer_of(suffix, form)
    return writer in _STATA.values() or getattr(writer, "func", None) is _shown


def text_of(
    values: pa.ChunkedArray, letters: pa.ChunkedArray | None, writer: Writer | None, single: bool
) -> tuple[Text, NDArray[np.bool_] | None]:
    """A column as text, and where a cell is beyond its format (those are null)."""
    if pa.types.is_string(values.type):
        blank = pc.equal(pc.utf8_trim_whitespace(values), "")
        return pc.if_else(blank, pa.scalar(None, pa.string()), values), None
    coded = values.combine_chunks()
    if not pa.types.is_dictionary(coded.type):
        coded = coded.dictionary_encode()
    numbers = coded.dictionary.to_numpy(zero_copy_only=False)
    written = digits(numbers, single) if writer is None else pa.array(writer(numbers), pa.string())
    if letters is None and not written.null_count:
        return pa.DictionaryArray.from_arrays(coded.indices.cast(pa.int32()), written), None
    text = written.take(coded.indices)
    bad: NDArray[np.bool_] | None = None
    if written.null_count:
        bad = pc.and_(text.is_null(), coded.is_valid()).to_numpy(zero_copy_only=False)
    return _with_letters(text, letters), bad


def digits(numbers: Floats, single: bool = False) -> pa.Array:
    """Integers without a decimal point, others in their shortest form (`single`: they are stored in four bytes)."""
    integral = (numbers == np.floor(numbers)) & (np.abs(numbers) < 2**53)
    integers = pa.array(np.where(integral, numbers, 0).astype(np.int64)).cast(pa.string())
    if integral.all():
        return integers
    shortest = pa.array(numbers.astype(np.float32) if single else numbers).cast(pa.string())
    return pc.if_else(pa.array(integral), integers, shortest)


def _with_letters(text: Text, letters: pa.ChunkedArray | None) -> Text:
    """Tagged missings as Stata and SAS show them: `.a`, `.A`, `._`."""
    return text if letters is None else pc.coalesce(text, pc.binary_join_element_wise("", ".", letters, ""))


def _shown(
    numbers: Floats, microseconds: float, epoch: np.int64, show: Callable[[Moments], object]
) -> NDArray[np.object_]:
    found = np.full(len(numbers), None, dtype=object)
    with np.errstate(over="ignore", invalid="ignore"):
        moments = np.round(numbers * microseconds) + float(epoch)
        known = (moments >= _FIRST) & (moments < _END)
    # Floats count microseconds exactly to the year 2255 only; from there on to the second, as the files themselves do.
    exact = np.round(numbers[known] * microseconds).astype(np.int64) + epoch
    found[known] = show(exact.astype("datetime64[us]"))
    return found


def _day(moments: Moments) -> object:
    return np.datetime_as_string(moments.astype("datetime64[D]")).astype(object)


def _month(moments: Moments) -> object:
    return np.datetime_as_string(moments.astype("datetime64[M]")).astype(object)


def _year(moments: Moments) -> object:
    return np.datetime_as_string(moments.astype("datetime64[Y]")).astype(object)


def _quarter(moments: Moments) -> object:
    months = moments.astype("datetime64[M]").astype(np.int64)
    return [f"{1970 + month // 12}-Q{month % 12 // 3 + 1}" for month in months.tolist()]


def _week(moments: Moments) -> object:
    """Weeks of SPSS begin with 1 January, on whatever day it falls: they are no ISO weeks."""
    days = moments.astype("datetime64[D]") - moments.astype("datetime64[Y]").astype("datetime64[D]")
    years = moments.astype("datetime64[Y]").astype(np.int64) + 1970
    return [f"{year}-W{day // 7 + 1:02d}" for year, day in zip(years.tolist(), days.astype(int).tolist(), strict=True)]


def _moment(moments: Moments) -> object:
    """To the second, and further where a moment has more."""
    seconds = np.datetime_as_string(moments.astype("datetime64[s]")).astype(object)
    finer = moments != moments.astype("datetime64[s]")
    seconds[finer] = [text.rstrip("0") for text in np.datetime_as_string(moments[finer]).tolist()]
    return seconds


def _clock(numbers: Floats, per_second: float = 1.0) -> NDArray[np.object_]:
    """Hours beyond 24 are counted on: a duration of two days is 48:00:00."""

    def clock(number: float) -> str | None:
        if not abs(number) < 1e15:
            return None
        whole, micro = divmod(round(abs(number) / per_second * 1e6), 1_000_000)
        text = f"{'-' if number < 0 else ''}{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"
        return f"{text}.{micro:06d}".rstrip("0") if micro else text

    return np.array([clock(number) for number in numbers.tolist()] + [None], dtype=object)[:-1]


def _part(numbers: Floats, most: int, of: Callable[[Moments], NDArray[np.int64]]) -> NDArray[np.object_]:
    """MONTH and WKDAY: the number itself, or that of the date whose seconds are kept (both are found)."""
    found = _shown(np.where(numbers >= _DAY, numbers, np.nan), 1e6, _GREGORIAN, lambda m: of(m).astype(str))
    small = (numbers >= 1) & (numbers <= most) & (numbers == np.floor(numbers))
    found[small] = numbers[small].astype(int).astype(str)
    return found


def _months_of(moments: Moments) -> NDArray[np.int64]:
    return moments.astype("datetime64[M]").astype(np.int64) % 12 + 1


def _weekdays_of(moments: Moments) -> NDArray[np.int64]:
    """Sunday is 1; 1 January 1970 was a Thursday."""
    return (moments.astype("datetime64[D]").astype(np.int64) + 4) % 7 + 1


def _counted(numbers: Floats, per_year: int, form: str) -> NDArray[np.object_]:
    """Stata counts weeks (52 a year), months, quarters and halves since 1960."""

    def told(number: float) -> str | None:
        year, rest = divmod(number, per_year) if np.isfinite(number) else (np.inf, 0)
        fits = number == np.floor(number) and 1000 <= 1960 + year < 10_000
        return form.format(int(1960 + year), int(rest) + 1) if fits else None

    return np.array([told(number) for number in numbers.tolist()] + [None], dtype=object)[:-1]


def _padded(numbers: Floats, width: int) -> NDArray[np.object_]:
    """Numbers that are shown with their leading zeros: N of SPSS and Z of SAS."""
    told = digits(numbers).to_pylist()
    return np.array([*(text.zfill(width) for text in told), None], dtype=object)[:-1]


_LEAP_SECONDS = (
    *("1972-07", "1973-01", "1974-01", "1975-01", "1976-01", "1977-01", "1978-01", "1979-01", "1980-01", "1981-07"),
    *("1982-07", "1983-07", "1985-07", "1988-01", "1990-01", "1991-01", "1992-07", "1993-07", "1994-07", "1996-01"),
    *("1997-07", "1999-01", "2006-01", "2009-01", "2012-07", "2015-07", "2017-01"),
)
"""The months before whose first day a second was put in (IERS, Bulletin C)."""


def _counting_leap_seconds(numbers: Floats) -> NDArray[np.object_]:
    """Moments of Stata's %tC, whose milliseconds count leap seconds; one of these is shown as the second before it."""
    months = np.array(_LEAP_SECONDS, "datetime64[ms]").astype(np.int64) - _NINETEEN_SIXTY // 1000
    begins = months + 1000 * np.arange(len(months))
    known = np.where(np.isnan(numbers), 0, numbers)
    return _shown(numbers - 1000 * np.searchsorted(begins, known, "right"), 1e3, _NINETEEN_SIXTY, _moment)


def _since_1582(show: Callable[[Moments], object]) -> Writer:
    return partial(_shown, microseconds=1e6, epoch=_GREGORIAN, show=show)


def _since_1960(seconds: float, show: Callable[[Moments], object]) -> Writer:
    return partial(_shown, microseconds=seconds * 1e6, epoch=_NINETEEN_SIXTY, show=show)


_MONTH_NUMBER: Writer = partial(_part, most=12, of=_months_of)
_WEEKDAY_NUMBER: Writer = partial(_part, most=7, of=_weekdays_of)
_SPSS: Mapping[str, Writer] = {
    **dict.fromkeys(("DATE", "ADATE", "EDATE", "SDATE", "JDATE"), _since_1582(_day)),
    "MOYR": _since_1582(_month),
    "QYR": _since_1582(_quarter),
    "WKYR": _since_1582(_week),
    **dict.fromkeys(("DATETIME", "YMDHMS"), _since_1582(_moment)),
    **dict.fromkeys(("TIME", "DTIME", "MTIME"), _clock),
    "MONTH": _MONTH_NUMBER,
    "WKDAY": _WEEKDAY_NUMBER,
}
_STATA: Mapping[str, Writer] = {
    "td": _since_1960(_DAY, _day),
    "d": _since_1960(_DAY, _day),
    "tc": _since_1960(1e-3, _moment),
    "tC": _counting_leap_seconds,
    "tw": partial(_counted, per_year=52, form="{:04d}-W{:02d}"),
    "tm": partial(_counted, per_year=12, form="{:04d}-{:02d}"),
    "tq": partial(_counted, per_year=4, form="{:04d}-Q{}"),
    "th": partial(_counted, per_year=2, form="{:04d}-H{}"),
}
_SAS_DAYS = (
    *("DATE", "WEEKDATE", "WEEKDATX", "WORDDATE", "WORDDATX", "JULIAN", "MINGUO", "NENGO", "EURDFDE"),
    *(f"{order}{sign}" for order in ("DDMMYY", "MMDDYY", "YYMMDD") for sign in ("", "B", "C", "D", "N", "P", "S")),
    *("IS8601DA", "E8601DA", "B8601DA", "ND8601DA"),
)
_SAS_MOMENTS = (
    *("DATETIME", "DATEAMPM", "MDYAMPM", "IS8601DT", "E8601DT", "B8601DT", "E8601DX", "B8601DX", "E8601LX", "NLDATM"),
)
_SAS: Mapping[str, Writer] = {
    **dict.fromkeys(_SAS_DAYS, _since_1960(_DAY, _day)),
    **dict.fromkeys(("DTDATE", "E8601DN", "B8601DN", "IS8601DN"), _since_1960(1.0, _day)),
    **dict.fromkeys(("MONYY", "YYMM", "MMYY", "YYMMC", "YYMMD", "YYMMN", "YYMMP", "YYMMS"), _since_1960(_DAY, _month)),
    "DTMONYY": _since_1960(1.0, _month),
    **dict.fromkeys(("YYQ", "YYQC", "YYQD", "YYQN", "YYQP", "YYQS"), _since_1960(_DAY, _quarter)),
    "YEAR": _since_1960(_DAY, _year),
    "DTYEAR": _since_1960(1.0, _year),
    **dict.fromkeys(_SAS_MOMENTS, _since_1960(1.0, _moment)),
    **dict.fromkeys(("TIME", "HHMM", "TOD", "TIMEAMPM", "IS8601TM", "E8601TM", "B8601TM", "MMSS"), _clock),
}
_STATA_CLOCK: Writer = partial(_clock, per_second=1000.0)
_CLOCK_SIGNS = re.compile(r"HH|Hh|hH|hh|MM|mm|SS|ss|\.s+|[:._ Aa]")
"""What a Stata format of a time of day is made of; M alone is a month."""
