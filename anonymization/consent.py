"""Whose rows may be used at all: the consent that a row records, and a guardian's for somebody under age.

Only a declared yes is a yes: blank, withdrawn, unknown, or a column that is not there is none. What happens to a row
without it is the gate's business.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from anonymization.keys.pseudonyms import coded
from sources.models import Consent, Guardian, Source, Table
from values.dates import date_form, read_dates
from values.numbers import read_numbers

Mask = npt.NDArray[np.bool_]

_OLDEST = 120
"""Years; a number beyond is a code, or a slip."""


def given(declared: Consent | Guardian, cells: pa.Table) -> Mask:
    """Rows whose consent column holds one of the accepted answers."""
    if declared.column not in cells.column_names:
        return np.zeros(len(cells), dtype=bool)
    encoded = coded(cells[declared.column])
    accepted = pc.is_in(encoded.dictionary.cast(pa.string()), pa.array(declared.accept))
    return _mask(accepted.take(encoded.indices))


def without_guardian(declared: Guardian, table: Table, cells: pa.Table, source: Source) -> Mask:
    """Rows about somebody under age that record no guardian's consent.

    An age or a birth date that is there and tells none speaks for a child, unless the other says that it is none: what
    cannot be read, a code for an answer that is no age, nobody's age, a birth date without the day to count to.
    """
    under, of_age, unread = (np.zeros(len(cells), dtype=bool) for _ in range(3))
    for years, tells_none in _ages(declared, table, cells, source):
        none = tells_none | _mask(pc.greater(years, _OLDEST))
        under |= _mask(pc.less(years, declared.under)) & ~none
        of_age |= _mask(pc.greater_equal(years, declared.under)) & ~none
        unread |= none
    return (under | (unread & ~of_age)) & ~given(declared, cells)


def _ages(declared: Guardian, table: Table, cells: pa.Table, source: Source) -> Iterator[tuple[pa.Array, Mask]]:
    """Completed years of each row by each way to tell them, and where something is said that tells none."""
    if declared.age in cells.column_names:
        years, bad = read_numbers(cells[declared.age], source.format.decimal)
        yield years, _mask(bad) | np.isin(_floats(years), _codes(declared.age, table, source))
    if declared.born in cells.column_names:
        (born, bad), (day, _) = (_dates(name, table, cells, source) for name in (declared.born, declared.day))
        years = _completed_years(_latest(born, _form(declared.born, table, source)), day)
        yield years, _mask(bad) | (_mask(born.is_valid()) & ~_mask(day.is_valid()))


def _codes(name: str | None, table: Table, source: Source) -> npt.NDArray[np.float64]:
    """Numbers of a column that the crosswalk knows as codes, such as 98 for somebody who does not know."""
    codes = [row.code for row in source.crosswalk if (row.table, row.column) == (table.name, name) and row.code]
    return _floats(pc.drop_null(read_numbers(pa.array(codes, pa.string()), source.format.decimal)[0]))


def _floats(numbers: pa.Array) -> npt.NDArray[np.float64]:
    """Numbers without a value are nan."""
    found: npt.NDArray[np.float64] = numbers.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return found


def _form(name: str | None, table: Table, source: Source) -> str:
    declared = table.column(str(name))
    return (declared.format if declared else None) or source.format.date_format or "iso"


def _dates(name: str | None, table: Table, cells: pa.Table, source: Source) -> tuple[pa.Array, pa.Array]:
    column = cells[name] if name in cells.column_names else pa.nulls(len(cells), pa.string())
    return read_dates(column, _form(name, table, source))


def _latest(born: pa.Array, form: str) -> pa.Array:
    """The last day on which somebody of whom only the month or the year is told may be born, or the day after."""
    further = {"day": 0, "month": 30, "year": 365}[date_form(form).precision]
    return pc.add(born.cast(pa.int32()), pa.scalar(further, pa.int32())).cast(pa.date32())


def _completed_years(born: pa.Array, day: pa.Array) -> pa.Array:
    """Age on the day; somebody born on 29 February completes the year on 1 March."""
    years = pc.subtract(pc.year(day), pc.year(born))
    month_and_day = [pc.add(pc.multiply(pc.month(date), 100), pc.day(date)) for date in (day, born)]
    return pc.subtract(years, pc.cast(pc.less(*month_and_day), pa.int64()))


def _mask(flags: pa.Array | pa.ChunkedArray) -> Mask:
    whole = flags.combine_chunks() if isinstance(flags, pa.ChunkedArray) else flags
    mask: Mask = pc.fill_null(whole, False).to_numpy(zero_copy_only=False)
    return mask
