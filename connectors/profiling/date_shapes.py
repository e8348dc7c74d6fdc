"""Which form and calendar the dates of a column have, from a sample of its different values.

Day and month are told apart over the whole column, by days above twelve; where they cannot be, both forms are told
(domain.md 5.2). A calendar is told by its years: what could be two calendars is told as both.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

import numpy as np

from connectors.profiling.header_words import words
from connectors.profiling.samples import Mask, Sample, Vocabulary
from values.dates import read_dates

_FORMS = ("iso", "%Y/%m/%d", "%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%d.%m.%Y", "%d/%m/%Y %H:%M",
          "%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%m/%d/%Y %H:%M:%S", "%d %B %Y", "%d-%b-%Y", "%B %d, %Y",
          "%Y%m%d", "%Y/%m/%d %H:%M", "%Y/%m/%d %H:%M:%S", "%d-%m-%Y %H:%M", "%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S",
          "%Y-%m", "%Y/%m", "%m/%Y", "%B %Y", "%m/%d/%Y %I:%M %p", "%m/%d/%Y %I:%M:%S %p",
          "%d.%m.%Y.", "%Y.%m.%d", "%Y.%m.%d.")  # fmt: skip
_FITS = 0.95
_PERHAPS = r"[0-9][^0-9].*[0-9]|^[0-9]{8}$|[^0-9]{3}[0-9]{4}$|^[0-9]{4}[^0-9]{3}"
"""What any date looks like: eight digits, two numbers, or a word and a year. Asked first: most columns hold none."""
_SHAPES = {
    "Y": "[0-9]{4}",
    "m": "[0-9]{1,2}",
    "d": "[0-9]{1,2}",
    "b": "[^0-9]{2,30}",
    "B": "[^0-9]{2,30}",
    "p": ".{2,5}",
}
"""What a part of a form looks like; any other is one or two digits. Asked before a form is read, which takes longer."""
PLACEHOLDER = r"^(9[9/.\-]+9|0[0/.\-]+0)([ T][0:]+)?$"
"""What programs write for a date that nobody told: 9999-99-99, 00/00/0000."""
_SHORT_YEAR = r"^[0-9]{1,2}[/.\- ]([0-9]{1,2}|\pL{3,9}\.?)[/.\- ][0-9]{2}([ T][0-9:]+( ?[APap]\.?[Mm]\.?)?)?$"
"""A year of two digits says no century: such dates are told, and cannot be read."""
_SERIAL = "^[2-5][0-9]{4}$"
_SECOND = 0.05
_SAMPLE = 2_000
_ENOUGH = 3
"""One number of eight digits is a day by chance in one case of forty or so."""
_DATE_WORDS = frozenset(
    [
        *(
            "date",
            "fecha",
            "fec",
            "dt",
            "jour",
            "dia",
            "data",
            "datum",
            "tarikh",
            "tarih",
            "tarihi",
            "taariikhda",
            "tanggal",
        ),
        *("tarehe", "sana", "retorno", "return", "تاريخ", "تاریخ", "نېټه", "ቀን", "дата", "তারিখ", "मिति"),
    ]
)
_ETHIOPIAN = re.compile(r"\b(ethiop\w*|eth|ethio|e ?c)\b|[\u1200-\u137f]")
_YEAR = re.compile(r"(?<![0-9])([0-9]{4})(?![0-9])")


def date_kinds(sample: Sample, kind: str, heard: str, declared: bool) -> list[str]:
    """`date:<calendar>:<form>`, several where it cannot be told; none where the values are no dates."""
    if kind in ("empty", "decimal", "boolean") or not len(sample):
        return []
    texts = sample.first(_SAMPLE)
    texts = texts.where(~texts.which(PLACEHOLDER))
    if not len(texts):
        return []
    if kind == "integer":
        return _numbers(texts, heard, declared)
    if texts.share(f"{_PERHAPS}|{_SERIAL}") < _FITS:
        return []
    if texts.share(_SHORT_YEAR) >= _FITS:
        return ["date:two-digit year"]
    read = {form: texts.which(_read_as(form)) for form in _FORMS if texts.share(_shape(form)) >= _SECOND}
    forms = [form for form, days in read.items() if _part(days) >= _FITS]
    if "iso" in forms:
        forms = ["iso"]
    if forms:
        told = [f"date:{calendar}:{form}" for calendar in _calendars(texts, heard) for form in forms]
        # A thirteenth month passes for a day of the month where months are written first.
        first = {form.replace("%m/%d", "%d/%m").replace("%m-%d", "%d-%m") for form in forms} - set(forms)
        return [
            *told,
            *(f"date:ethiopian:{form}" for form in first if texts.share(_read_as(f"ethiopian:{form}")) >= _FITS),
        ]
    return _other_calendars(texts) or _two_forms(read) or _several_forms(texts, read)


@cache
def _read_as(form: str) -> Callable[[Vocabulary], Mask]:
    """Which texts are dates of this form."""
    return lambda vocabulary: np.asarray(read_dates(vocabulary.array, form)[0].is_valid())


@cache
def _shape(form: str) -> str:
    """What a date of this form looks like by its digits and words."""
    if form == "iso":
        return r"^\s*[0-9]{4}-[0-9]{2}-[0-9]{2}"
    return re.sub(
        "%(.)",
        lambda part: _SHAPES.get(part[1], "[0-9]{1,2}"),
        re.sub(r"([./])", r"[\1]", form.rpartition(":")[2] if form[0] != "%" else form),
    )


def _two_forms(read: dict[str, Mask]) -> list[str]:
    """Days with and without a time of day, say, in one column: told as two forms, since a source declares one."""
    met = {form: days for form, days in read.items() if _part(days) >= _SECOND}
    pairs = [(one, two) for one in met for two in met if one < two and _part(met[one] | met[two]) >= _FITS]
    return [f"date:two forms ({one} and {two})" for one, two in pairs]


def _several_forms(texts: Sample, read: dict[str, Mask]) -> list[str]:
    """Days that many hands wrote, each in their own form, years of two digits and serial days of Excel among them."""
    either = np.logical_or.reduce([texts.which(f"{_SHORT_YEAR}|{_SERIAL}"), *read.values()])
    return ["date:several forms"] if len(read) > 1 and _part(either) >= _FITS else []


def _part(mask: Mask) -> float:
    return float(mask.mean())


def _numbers(texts: Sample, heard: str, declared: bool) -> list[str]:
    """Numbers that stand for dates: serial days of Excel under a header that speaks of a date, or YYYYMMDD."""
    spoken = declared or bool(_DATE_WORDS & set(words(heard)))
    enough = spoken or len(texts) >= _ENOUGH
    if enough and texts.which("^(?s:.{8})$").all() and texts.share(_read_as("%Y%m%d")) >= _FITS:
        return ["date:gregorian:%Y%m%d"]
    return ["date:excel serial day"] if spoken and texts.share(_SERIAL) >= _FITS else []


def _years(texts: Sample) -> list[int]:
    found = [_YEAR.search(text) for text in texts.texts]
    return [int(year[1]) for year in found if year]


def _calendars(texts: Sample, heard: str) -> list[str]:
    """Years of the thirteen hundreds are Solar Hijri, of the later fourteen hundreds lunar; between them either.

    Ethiopian years are seven or eight behind and look like any: they may be meant where the header says so, or where
    it is written in Ethiopic letters.
    """
    years = _years(texts)
    if not years or not 1250 <= float(np.median(years)) <= 1500:
        return ["ethiopian", "gregorian"] if _ETHIOPIAN.search(" ".join(words(heard))) else ["gregorian"]
    return _hijri(texts, years)


def _hijri(texts: Sample, years: list[int]) -> list[str]:
    if max(years) < 1410 or _has_day_31(texts):
        return ["jalali"]
    return ["hijri"] if min(years) > 1420 else ["jalali", "hijri"]


def _has_day_31(texts: Sample) -> bool:
    return bool(texts.which(r"(^|[^0-9])31([^0-9]|$)").any())


def _other_calendars(texts: Sample) -> list[str]:
    """Dates that exist in another calendar only: a 13th month is Ethiopian, 31 days of the 2nd month Jalali."""
    found = []
    for calendar in ("jalali", "hijri", "ethiopian"):
        for form in ("%Y/%m/%d", "%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%d %B %Y", "%Y %B %d"):
            if (
                texts.share(_shape(form)) >= _FITS
                and texts.share(_read_as(f"{calendar}:{form}")) >= _FITS
                and _fits_years(calendar, _years(texts))
            ):
                found.append(f"date:{calendar}:{form}")
    return found


def _fits_years(calendar: str, years: list[int]) -> bool:
    middle = float(np.median(years)) if years else 0.0
    low, high = {"jalali": (1250, 1420), "hijri": (1330, 1460), "ethiopian": (1890, 2030)}[calendar]
    return low <= middle <= high


def spans_lives(sample: Sample) -> bool:
    """Whether the years of these dates lie as births do: over more than thirty years, and few of them of late."""
    years = _years(sample.first(_SAMPLE))
    if len(years) < 20:
        return False
    low, middle, high = np.percentile(years, (5, 50, 95))
    return bool(high - low >= 25 and 1930 <= middle <= 2012)
