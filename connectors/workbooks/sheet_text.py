"""Cells of a worksheet as the text that their supplier would copy: one text for a value, whatever stands beside it.

Runs inside the child process of `sheet_process` and imports nothing of Homeward.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

EXACT = 10**15
"""A spreadsheet keeps 15 digits of a number; from here on the last ones are made up."""
_PLAIN, _SMALL = 10**9, 2e-6
"""Between these Arrow writes a broken number without a power of ten."""
_FEW = 40
"""So few cells are read one by one: Arrow takes longer to begin."""
_DURATION = re.compile(r"^PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?$")


def text_of(value: object) -> str | None:
    """A cell as its supplier would copy it: 98 and not 98.0, ISO dates, hours beyond a day; blank as None."""
    match value:
        case str():
            return value if value.strip() else None
        case None:
            return None
        case bool():
            return "TRUE" if value else "FALSE"
        case float() | int():
            # A number that was cut to 15 digits is written as the spreadsheet shows it: 1.23456789012346e+17.
            return str(int(value)) if float(value).is_integer() and abs(value) < EXACT else _digits(float(value))
        case datetime():
            return value.date().isoformat() if value.time() == time() else value.isoformat()
        case date() | time():
            return value.isoformat()
        case timedelta():
            return _hours(value)
        case _:
            return str(value)


def _digits(value: float) -> str:
    """The shortest digits of a number: small ones as 0.000076, since a power of ten is no number to a reader; from
    10^15 on always as a power of ten, the mark of damage to a key."""
    if abs(value) < EXACT:
        return f"{Decimal(repr(value)):f}" if abs(value) * EXACT > 1 else repr(value)
    mantissa, _, exponent = f"{value:.16e}".partition("e")
    shortest = repr(value).partition("e")[0].replace(".", "").rstrip("0").lstrip("-") or mantissa
    digits = shortest[0] + ("." + shortest[1:] if len(shortest) > 1 else "")
    return f"{'-' if value < 0 else ''}{digits}e+{int(exponent)}"


def long_duration(text: str) -> str:
    """A duration of a day and more, which the parser leaves as .ods writes it: PT26H00M00S is 26:00:00."""
    found = _DURATION.match(text)
    if found is None:
        return text
    hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return _hours(timedelta(hours=hours, minutes=minutes, seconds=seconds))


def _hours(value: timedelta) -> str:
    # A spreadsheet counts no finer than milliseconds: what is beyond comes from its fractions of a day.
    seconds, thousandths = divmod(round(abs(value) / timedelta(milliseconds=1)), 1000)
    sign, rest = "-" if value < timedelta() else "", f".{thousandths:03}" if thousandths else ""
    return f"{sign}{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{rest}"


def text_column(values: Sequence[object], met: set[type] | None = None) -> Any:
    """A column of cells as an Arrow column of text; whole columns of one kind without a step per cell.

    `met` is given the kinds of the cells, but for columns of nothing but text and whole numbers.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if len(values) < _FEW and all(map(_is_plain, values)):
        return pa.array(list(map(text_of, values)), pa.string())
    kinds = set(map(type, values))
    if met is not None:
        met |= kinds
    if kinds <= {str}:
        column = pa.array(values, pa.string())
        blank = pc.or_(pc.equal(column, ""), pc.utf8_is_space(column))
        return pc.if_else(blank, pa.scalar(None, pa.string()), column) if pc.any(blank).as_py() else column
    kind, *other = kinds - {str}
    if not other and kind in (float, date):
        only = values if len(kinds) == 1 else [v if v.__class__ is kind else None for v in values]
        shown = _numbers_as_text(pa.array(only, pa.float64())) if kind is float else _days_as_text(only)
        if shown is not None and len(kinds) == 1:
            return shown
        if shown is not None:
            return pc.coalesce(shown, text_column([v if v.__class__ is str else "" for v in values]))
    known: dict[tuple[type, object], str | None] = {}
    return pa.array(
        [known[k] if (k := (v.__class__, v)) in known else known.setdefault(k, text_of(v)) for v in values],
        pa.string(),
    )


def _is_plain(value: object) -> bool:
    """Whether a cell is text or a whole number, which all ways of reading write alike."""
    return value.__class__ is str or (isinstance(value, float) and value.is_integer() and abs(value) < EXACT)


def _numbers_as_text(numbers: Any) -> Any:
    """As `text_of` has them; None where Arrow would write one of them otherwise."""
    import pyarrow as pa
    import pyarrow.compute as pc

    sizes = pc.abs(numbers)
    largest = pc.max(sizes).as_py()
    if pc.all(pc.equal(pc.floor(numbers), numbers)).as_py():
        return numbers.cast(pa.int64()).cast(pa.string()) if largest < EXACT else None
    if not largest < _PLAIN or pc.any(pc.and_(pc.less(sizes, _SMALL), pc.greater(sizes, 0))).as_py():
        return None
    return pc.add(numbers, 0.0).cast(pa.string())  # of -0.0 it makes 0.0


def _days_as_text(days: Sequence[object]) -> Any:
    import pyarrow as pa

    return pa.array(days, pa.date32()).cast(pa.string())
