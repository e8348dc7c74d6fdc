"""Source codes to target codes: the rows of a crosswalk that name a code, in file order, first match wins.

Unconditional rows that follow each other become one table of lookups; a row with conditions is tried by itself. What
an unmatched cell means is decided by the rules that match (`coded`, `reading`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np
import numpy.typing as npt

from harmonization.cells import Cells
from sources.crosswalk import ANY, BLANK, Condition

Codes = npt.NDArray[np.int16]
UNMATCHED = np.int16(-32768)
"""No row of the crosswalk speaks of this cell. Never a code, never written."""


@dataclass(frozen=True)
class CodeRow:
    """A crosswalk row whose target is a code of the codebook: `column` holds `code`, under `when`."""

    column: str
    code: str
    when: tuple[Condition, ...]
    target: int

    @property
    def conditions(self) -> tuple[Condition, ...]:
        return (Condition(self.column, self.code), *self.when) if self.column else self.when


@dataclass
class _Lookup:
    """Unconditional rows of one column."""

    column: str
    codes: dict[str, int] = field(default_factory=dict)
    blank: int = int(UNMATCHED)
    any: int = int(UNMATCHED)

    def add(self, row: CodeRow) -> None:
        if row.code == BLANK:
            self.blank = row.target if self.blank == UNMATCHED else self.blank
        elif self.any != UNMATCHED:  # `*` stood before: no filled cell comes this far
            return
        elif row.code == ANY:
            self.any = row.target
        else:
            self.codes.setdefault(row.code, row.target)

    def match(self, cells: Cells) -> Codes:
        column = cells[self.column]
        targets = np.array([self.codes.get(word, self.any) for word in column.words], np.int16)
        return np.asarray(column.spread(targets, self.blank), np.int16)


class Matching:
    """Compiled code rows of one variable (or of one of its columns)."""

    def __init__(self, rows: Iterable[CodeRow]) -> None:
        self._steps: list[_Lookup | CodeRow] = []
        for (column, conditional), run in groupby(rows, key=lambda row: (row.column, bool(row.when) or not row.column)):
            if conditional:
                self._steps.extend(run)
            else:
                lookup = _Lookup(column)
                for row in run:
                    lookup.add(row)
                self._steps.append(lookup)

    def __bool__(self) -> bool:
        return bool(self._steps)

    def match(self, cells: Cells) -> Codes:
        """Target codes of all rows; UNMATCHED where no row of the crosswalk holds."""
        found: Codes | None = None
        for step in self._steps:
            hits = step.match(cells) if isinstance(step, _Lookup) else _conditional(step, cells)
            found = hits if found is None else np.where(found == UNMATCHED, hits, found)
        return np.full(cells.rows, UNMATCHED, np.int16) if found is None else found


def _conditional(row: CodeRow, cells: Cells) -> Codes:
    return np.where(cells.hold(row.conditions), np.int16(row.target), UNMATCHED)


def by_column(rows: Sequence[CodeRow]) -> dict[str, list[CodeRow]]:
    """Rows of each column, columns in the order in which the crosswalk first names them."""
    found: dict[str, list[CodeRow]] = {}
    for row in rows:
        found.setdefault(row.column, []).append(row)
    return found
