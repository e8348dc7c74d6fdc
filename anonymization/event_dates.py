"""Does a passing column of dates hold birth dates, whosever they are, where the crosswalk says that something happened?

No date shows what happened on it. But the codebook says from when on each of its dates can lie (nobody's return is from
before 1980), and a good part of any adults' birth dates lies before. Looked at are rows spread over a batch; different
days count, since one day many times is how a supplier writes that there is none. Birth dates of children, which may lie
wherever events do, it cannot tell; those of the row's own person are the business of `own_values`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from anonymization.keys.pseudonyms import text
from codebook.loader import Codebook
from sources.models import Source
from sources.readers import Read, reader

LEAST = 4
"""Different days that are too early: fewer may be slips."""
SHARE = 0.2
"""Of the different days in a column."""


@dataclass
class _Declared:
    """How a column's dates are read, and the first day that any of the variables made of it can have."""

    reads: list[Read]
    first: date


class EventDates:
    """The passing columns of a source of which only dates of events are made."""

    def __init__(self, source: Source, codebook: Codebook) -> None:
        self._declared: dict[tuple[str, str], _Declared] = {}
        for row in source.crosswalk:
            if row.rule != "date" or row.code or not row.column:
                continue
            allowed = codebook.entities[row.entity].variable(row.variable).range
            first = allowed[0] if allowed and isinstance(allowed[0], date) else date.min
            known = self._declared.setdefault((row.table, row.column), _Declared([], first))
            known.reads.append(reader(source, codebook, row))
            known.first = min(known.first, first)

    def too_early(self, table: str, column: str, cells: pa.Table) -> int:
        """How many different days of a column lie before all that it can be; 0: no more than may by mistake."""
        known = self._declared.get((table, column))
        if known is None:
            return 0
        texts = pc.unique(text(cells[column])).drop_null()
        days = {day for read in known.reads for day in read(texts)[0].drop_null().to_pylist()}
        early = sum(day < known.first for day in days)
        return early if early >= max(LEAST, SHARE * len(days)) else 0
