"""Repeats that older exports flatten into their parent's row (`children[1]/name`), as tables of their own.

Such exports fill what was not in a submission with `n/a` (formats.md 1.4.7); that is blank here. An export of today has
one sheet a repeat and is left as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from connectors.shapes import Grid, Heading, Piece, Text, blank_rows

_NUMBER = re.compile(r"\[(\d+)\]")
_NOT_IN_SUBMISSION = "n/a"
_KEYS = {"_id": "_submission__id", "_uuid": "_submission__uuid"}


@dataclass(frozen=True)
class Slot:
    """One numbered place of a repeat, `(2,)` or `(2, 1)`, and where in the file each of its columns stands."""

    numbers: tuple[int, ...]
    positions: tuple[tuple[int, int], ...]
    """Pairs: position of the repeat's column, position in the file."""


@dataclass(frozen=True)
class FlattenedGrid:
    """The rows of one flattened repeat; each keeps the number of the supplier's row that it lies in."""

    inner: Grid
    headings: tuple[Heading, ...]
    slots: tuple[Slot, ...]
    keys: tuple[tuple[int, int], ...]
    place: int
    above: int | None
    sheet: str | None = None

    def pieces(self, positions: Sequence[int], size: int) -> Iterator[Piece]:
        own = {at for slot in self.slots for _, at in slot.positions}
        needed = sorted(own | {at for _, at in self.keys})
        for raw in self.inner.pieces(needed, size):
            cells = dict(zip(needed, map(_filled, raw.cells), strict=True))
            parts = [part for slot in self.slots if (part := self._slot(slot, positions, cells, raw)) is not None]
            # In the order of the file: all children of one row, then those of the next.
            rows = np.concatenate([raw.rows[:0], *(rows for rows, _ in parts)])
            order = np.argsort(rows, kind="stable")
            columns = [
                pa.concat_arrays([pa.array([], pa.string()), *(columns[n] for _, columns in parts)]).take(order)
                for n in range(len(positions))
            ]
            yield Piece(rows[order], columns, raw.findings)

    def split(self, n: int) -> list[Grid]:
        return [replace(self, inner=grid) for grid in self.inner.split(n)]

    def _slot(
        self, slot: Slot, positions: Sequence[int], cells: dict[int, Text], raw: Piece
    ) -> tuple[np.ndarray, list[pa.Array]] | None:
        own = dict(slot.positions)
        filled = pa.array(~blank_rows(len(raw.rows), [cells[at] for at in own.values()]))
        keys = dict(self.keys)
        columns = []
        for position in positions:
            if position in (self.place, self.above):
                numbers = slot.numbers if position == self.place else slot.numbers[:-1]
                column = pa.repeat(pa.scalar(".".join(map(str, numbers)), pa.string()), len(raw.rows))
            else:
                at = own.get(position, keys.get(position))
                column = pa.nulls(len(raw.rows), pa.string()) if at is None else cells[at]
            columns.append(column.filter(filled))
        rows = raw.rows[filled.to_numpy(zero_copy_only=False)]
        return (rows, columns) if len(rows) else None


@dataclass(frozen=True)
class ParentGrid:
    """A legacy export's own table: without the columns of flattened repeats, `n/a` blank."""

    inner: Grid
    headings: tuple[Heading, ...]

    @property
    def sheet(self) -> str | None:
        return self.inner.sheet

    def pieces(self, positions: Sequence[int], size: int) -> Iterator[Piece]:
        for piece in self.inner.pieces(positions, size):
            yield replace(piece, cells=[_filled(column) for column in piece.cells])

    def split(self, n: int) -> list[Grid]:
        return [replace(self, inner=grid) for grid in self.inner.split(n)]


def _filled(column: Text) -> pa.Array:
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    text = whole.cast(pa.string())
    return pc.if_else(pc.equal(text, _NOT_IN_SUBMISSION), pa.scalar(None, pa.string()), text)


def is_legacy(headers: Sequence[str]) -> bool:
    """Written by the former server: numbered repeats, or the instance's id where today's root uuid would be."""
    numbered = any(_NUMBER.search(header) for header in headers)
    return numbered or ("meta/instanceID" in headers and "meta/rootUuid" not in headers)


def unflattened(grid: Grid) -> tuple[Grid, dict[str, Grid]]:
    """The table itself and its flattened repeats, by the repeat's name (by its path where two have one name)."""
    families: dict[str, list[Heading]] = {}
    for heading in grid.headings:
        *_, last = ["", *_NUMBER.finditer(heading.header)]
        if isinstance(last, re.Match) and heading.header[last.end() :].startswith("/"):
            families.setdefault(_NUMBER.sub("", heading.header[: last.end()]), []).append(heading)
    taken = {heading.position for family in families.values() for heading in family}
    own = tuple(heading for heading in grid.headings if heading.position not in taken)
    names = [path.rpartition("/")[2] for path in families]
    tables: dict[str, Grid] = {}
    for path, family in families.items():
        name = path.rpartition("/")[2]
        tables[name if names.count(name) == 1 else path] = _flattened(grid, family)
    return ParentGrid(grid, own), tables


def _flattened(grid: Grid, family: Sequence[Heading]) -> FlattenedGrid:
    columns: dict[str, Heading] = {}
    slots: dict[tuple[int, ...], list[tuple[int, int]]] = {}
    for heading in family:
        header = _NUMBER.sub("", heading.header)
        column = columns.setdefault(header, Heading(header, heading.position, (header,)))
        numbers = tuple(int(found) for found in _NUMBER.findall(heading.header))
        slots.setdefault(numbers, []).append((column.position, heading.position))
    free = max(heading.position for heading in grid.headings) + 1
    keys = [(heading, _KEYS[heading.header]) for heading in grid.headings if heading.header in _KEYS]
    made = [Heading("", free + n, (name,)) for n, (_, name) in enumerate(keys)]
    place = free + len(made)
    made.append(Heading("", place, ("_position",)))
    nested = any(len(numbers) > 1 for numbers in slots)
    if nested:
        made.append(Heading("", place + 1, ("_parent_position",)))
    return FlattenedGrid(
        inner=grid,
        headings=(*columns.values(), *made),
        slots=tuple(Slot(numbers, tuple(pairs)) for numbers, pairs in sorted(slots.items())),
        keys=tuple((free + n, heading.position) for n, (heading, _) in enumerate(keys)),
        place=place,
        above=place + 1 if nested else None,
    )
