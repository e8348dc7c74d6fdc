"""What a spreadsheet destroyed in an export, in any of its columns: `########` where a column was too narrow, `1E+05`
where it wrote a number as a power of ten (formats.md 1.2).

The number is lost when the spreadsheet saves what it shows. Where the form asks for a number, a code or a date neither
is an answer: both become blank and an error. Elsewhere somebody may have written it: the text stays, and is asked
about; in keys and identifiers `delivery` takes it out. What comes from a server was in no spreadsheet.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from connectors.delivery import damaged_cells
from connectors.kobo.headers import Place
from connectors.shapes import Finding, Grid, Heading, Piece, Text

DAMAGED = "read.damaged_value"
_EXACT = frozenset({"integer", "decimal", "range", "barcode", "select_one", "select_multiple", "rank", "geopoint"})


@dataclass(frozen=True)
class UndamagedGrid:
    """A table of an export without what a spreadsheet wrote over; `exact`: the columns of numbers, codes and dates."""

    inner: Grid
    exact: frozenset[int]

    @property
    def headings(self) -> Sequence[Heading]:
        return self.inner.headings

    @property
    def sheet(self) -> str | None:
        return self.inner.sheet

    def pieces(self, positions: Sequence[int], size: int) -> Iterator[Piece]:
        for piece in self.inner.pieces(positions, size):
            cells: list[Text] = []
            findings = list(piece.findings)
            for position, column in zip(positions, piece.cells, strict=True):
                hit = damaged_cells(column)
                is_lost = position in self.exact and bool(hit.any())
                if hit.any():
                    findings.append(Finding(DAMAGED, "error" if is_lost else "query", piece.rows[hit], position))
                cells.append(_without(column, hit) if is_lost else column)
            yield replace(piece, cells=cells, findings=tuple(findings))

    def split(self, n: int) -> list[Grid]:
        return [replace(self, inner=grid) for grid in self.inner.split(n)]


def exact_columns(places: Mapping[int, Place]) -> frozenset[int]:
    """The columns whose question asks for a number, a code or a date."""
    return frozenset(
        position
        for position, place in places.items()
        if place.question.type in _EXACT or (place.question.is_date and place.part is None)
    )


def _without(column: Text, hit: NDArray[np.bool_]) -> Text:
    return pc.if_else(pa.array(hit), pa.scalar(None, pa.string()), column.cast(pa.string()))


def lost(findings: Sequence[Finding], rows: NDArray[np.int64]) -> dict[int, NDArray[np.bool_]]:
    """By column: which of these rows had an answer that is lost."""
    found: dict[int, NDArray[np.bool_]] = {}
    for finding in findings:
        if finding.rule == DAMAGED and finding.severity == "error" and finding.column is not None and len(finding.rows):
            found[finding.column] = found.get(finding.column, False) | np.isin(rows, finding.rows)
    return found
