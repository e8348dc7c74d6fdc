"""Whose rows may be used at all: the consent that a row records, and a guardian's for somebody under age.

Only a declared yes is a yes: blank, withdrawn, unknown, or a column that is not there is none. What happens to a row
without it is the gate's business.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from anonymization.keys.pseudonyms import coded
from sources.models import Consent, Guardian, Source, Table
from values.dates import read_dates
from values.numbers import read_numbers

Mask = npt.NDArray[np.bool_]


def given(declared: Consent | Guardian, cells: pa.Table) -> Mask:
    """Rows whose consent column holds one of the accepted answers."""
    if declared.column not in cells.column_names:
        return np.zeros(len(cells), dtype=bool)
    encoded = coded(cells[declared.column])
    accepted = pc.is_in(encoded.dictionary.cast(pa.string()), pa.array(declared.accept))
    return _mask(accepted.take(encoded.indices))


def without_guardian(declared: Guardian, table: Table, cells: pa.Table, source: Source) -> Mask:
    """Rows about somebody under age that record no guardian's consent.

    An age or a birth date that is there and cannot be read speaks for a child, unless the other says that it is none.
    """
    under, of_age, unread = (np.zeros(len(cells), dtype=bool) for _ in range(3))
    if declared.age in cells.column_names:
        years, bad = read_numbers(cells[declared.age], source.format.decimal)
        under |= _mask(pc.less(years, declared.under))
        of_age |= _mask(pc.greater_equal(years, declared.under))
        unread |= _mask(bad)
    if declared.born in cells.column_names and declared.day in cells.column_names:
        (born, bad), (day, _) = (_dates(name, table, cells, source) for name in (declared.born, declared.day))
        years = _completed_years(born, day)
        under |= _mask(pc.less(years, declared.under))
        of_age |= _mask(pc.greater_equal(years, declared.under))
        unread |= _mask(bad)
    return (under | (unread & ~of_age)) & ~given(declared, cells)


def _dates(name: str | None, table: Table, cells: pa.Table, source: Source) -> tuple[pa.Array, pa.Array]:
    declared = table.column(str(name))
    form = (declared.format if declared else None) or source.format.date_format or "iso"
    return read_dates(cells[name], form)


def _completed_years(born: pa.Array, day: pa.Array) -> pa.Array:
    """Age on the day; somebody born on 29 February completes the year on 1 March."""
    years = pc.subtract(pc.year(day), pc.year(born))
    month_and_day = [pc.add(pc.multiply(pc.month(date), 100), pc.day(date)) for date in (day, born)]
    return pc.subtract(years, pc.cast(pc.less(*month_and_day), pa.int64()))


def _mask(flags: pa.Array | pa.ChunkedArray) -> Mask:
    whole = flags.combine_chunks() if isinstance(flags, pa.ChunkedArray) else flags
    mask: Mask = pc.fill_null(whole, False).to_numpy(zero_copy_only=False)
    return mask
