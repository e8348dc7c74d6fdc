"""What stands in place of a number or date that can be read and is no answer: one beyond the same end of the range.

A birth date in the column of returns, somebody's number in the column of ages: the codebook's range rejects the row,
and of the value nothing more is needed than that it lies beyond. So it stays, and the verdict is the same. Ranges that
only ask a question reject nothing: what is accepted must be what was delivered. What a text is, is read by `readers`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from codebook.loader import Codebook
from sources.crosswalk import MapRow
from sources.models import Source
from sources.params import number_form
from sources.readers import TWO_DIGIT_YEAR, Read, reader
from values.digits import with_ascii_digits

Mask = npt.NDArray[np.bool_]
Bound = Decimal | date | None
LOW, HIGH, SHORT = "low", "high", "short"
"""Beyond which end of its range a value lies; or a date whose year has two digits, which has a rule of its own."""
_FACTORS = (1, 10, 100, 1_000, 10_000)
"""A source's unit may be a part of the codebook's: months of years, cents of dollars."""
_YEARS = {LOW: (1000, 1343), HIGH: (9000, 2200, 1500)}
"""Of other calendars: before and after all that is asked for, where the calendar knows such a year."""


@dataclass
class Reading:
    """How one row of a crosswalk reads a column, and what of that can be an answer."""

    read: Read
    low: Bound
    high: Bound
    form: str
    """Of a date; blank for numbers and places."""
    mark: str = ""
    """Before the fraction of a number of which the codebook keeps two digits, in the source's own unit; else blank."""
    _found: dict[str, list[str]] = field(default_factory=dict)

    def judge(self, texts: pa.StringArray) -> tuple[Mask, dict[str, Mask]]:
        """Which texts are answers; and which can be read and are none, by what is wrong with them."""
        values, rejected = self.read(texts)
        short = rejected.get(TWO_DIGIT_YEAR, np.zeros(len(texts), bool))
        wrong = np.logical_or.reduce([*rejected.values(), np.zeros(len(texts), bool)])
        beyond = {LOW: _beyond(values, self.low, pc.less), HIGH: _beyond(values, self.high, pc.greater)}
        beyond = {end: mask & ~wrong for end, mask in beyond.items()}
        return ~(wrong | beyond[LOW] | beyond[HIGH]), beyond | {SHORT: short}

    def rounded(self, texts: pa.StringArray) -> dict[int, str]:
        """By place the texts with more digits than the codebook keeps, as it keeps them: read, they are the same."""
        if not self.mark:
            return {}
        longer = pc.match_substring_regex(with_ascii_digits(texts), re.escape(self.mark) + "[0-9]{3,}$")
        places = np.flatnonzero(pc.fill_null(longer, False).to_numpy(zero_copy_only=False))
        values, _ = self.read(texts.take(pa.array(places)))
        kept = zip(places.tolist(), values.to_pylist(), strict=True)
        return {place: str(value).replace(".", self.mark) for place, value in kept if value is not None}

    def stand_ins(self, wrong: str) -> list[str]:
        """Texts with the same thing wrong as all others of which this is wrong, the nearest first."""
        if wrong not in self._found:
            texts = list(dict.fromkeys(self._candidates(wrong)))
            _, judged = self.judge(pa.array(texts, pa.string()))
            self._found[wrong] = [text for text, fits in zip(texts, judged[wrong], strict=True) if fits]
        return self._found[wrong]

    def _candidates(self, wrong: str) -> Iterator[str]:
        if wrong == SHORT:
            yield date(2001, 1, 1).strftime(self.form.replace("%Y", "%y").rpartition(":")[2])
            return
        bound = self.low if wrong == LOW else self.high
        if isinstance(bound, date):
            pattern = {"iso": "%Y-%m-%d", "year": "%Y"}.get(self.form, re.sub(r"^[a-z_]+:", "", self.form))
            step = timedelta(days=-1 if wrong == LOW else 1)
            for day in (bound + step, *(date(year, 1, 1) for year in _YEARS[wrong])):
                yield day.strftime(pattern)
        elif bound is not None:
            last = math.ceil(bound) - 1 if wrong == LOW else math.floor(bound) + 1
            yield from (str(last * factor) for factor in _FACTORS)


def reading(source: Source, codebook: Codebook, row: MapRow) -> Reading:
    """Of a row of number, age, date or geography."""
    variable = codebook.entities[row.entity].variable(row.variable)
    rejects = variable.range is not None and variable.range_severity == "error"
    low, high = variable.range if variable.range is not None and rejects else (None, None)
    form = (row.param or str(source.format.date_format)) if row.rule == "date" else ""
    return Reading(reader(source, codebook, row), low, high, form, _mark(source, variable.type, row))


def _mark(source: Source, kind: str, row: MapRow) -> str:
    """What is multiplied is rounded after it, and needs its digits."""
    if row.rule != "number" or kind != "decimal":
        return ""
    said = number_form(row.param, source.format.decimal)
    return said.decimal if said.factor == 1 else ""


def _beyond(values: pa.Array, bound: Bound, compare: object) -> Mask:
    if bound is None:
        return np.zeros(len(values), bool)
    if isinstance(bound, date):
        found = compare(values, pa.scalar(bound, pa.date32()))  # type: ignore[operator]
    else:
        found = compare(values.cast(pa.float64()), float(bound))  # type: ignore[operator]
    mask: Mask = pc.fill_null(found, False).to_numpy(zero_copy_only=False)
    return mask


def stand_in(readings: Sequence[Reading], of: Reading, wrong: str, codes: Container[str]) -> str | None:
    """In place of a text in which `of` finds this wrong: one that no reading of the column takes for an answer and
    that is none of its codes. None if there is none."""
    for text in of.stand_ins(wrong):
        cell = pa.array([text], pa.string())
        if text not in codes and not any(read.judge(cell)[0][0] for read in readings):
            return text
    return None
