"""A delivered text file without some of its rows: each is overwritten where it stands, so that the others keep their
numbers and it is still counted. `###`, which Excel shows for what it cannot show, is read as damage: no key, no person.

Files whose records can be told apart byte by byte can be cut (CSV, fixed width, snapshots of databases), JSON letter by
letter (`json_cutting`), plain workbooks (`row_cutting`), a sweep over a form's server, and archives of such files; a
file of a statistics package cannot. Which rows go, and where the new bytes lie, is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from itertools import pairwise
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from connectors.archives import Member, members, repacked
from connectors.delivery import Opened, open_delivery, with_tables
from connectors.kobo.submission_rows import attached_only_to, rows_left_out
from connectors.shapes import Grid
from connectors.text.delimited import DelimitedGrid
from connectors.text.encodings import is_single_byte
from connectors.text.fixed_width import FixedWidthGrid
from connectors.text.json_cutting import NOTHING, Cut, without_records
from connectors.text.json_files import JsonGrid
from connectors.text.records import record_ends
from connectors.workbooks.row_cutting import SheetCut, without_sheet_rows
from connectors.workbooks.workbook import SheetGrid
from sources.batches import DeliveredFile, TextBatch
from sources.models import Source

Rows = Mapping[str, Collection[int]]
"""By table: the supplier's row numbers."""
NOT_BY_ROW = frozenset({"spss", "stata", "sas"})
"""Kinds of files of which no row can be overwritten, whatever is in them; of others some."""
_Made = list[tuple[DeliveredFile, Iterator[bytes]]]
"""New bytes of files, or of members of archives."""
_BLOCK = 4 << 20


@dataclass(frozen=True)
class _Span:
    """Bytes of a file, and what is written in their place."""

    start: int
    stop: int
    over: bytes


def without_rows(files: Sequence[DeliveredFile], source: Source, rows: Rows) -> dict[int, Iterator[bytes]] | None:
    """New bytes of the files in which the rows stand, by the file's place in `files`; None if one cannot be cut."""
    if source.format.kind == "kobo_server":
        return {0: rows_left_out(files[0], rows)}
    opened = open_delivery(files, source)
    grids = {table: grid for table in opened.tables if (grid := _innermost(opened, table)) is not None}
    if not rows.keys() <= grids.keys():
        return None
    sheets = {table: grid for table, grid in grids.items() if isinstance(grid, SheetGrid)}
    if sheets:
        made = _workbook(sheets, rows) if len(sheets) == len(opened.tables) else None
    else:
        made = _texts(grids, source, rows)
    return None if made is None else _in_their_files(files, made, grids.values())


def _texts(grids: Mapping[str, Grid], source: Source, rows: Rows) -> _Made | None:
    spans: dict[int, list[_Span]] = {}
    documents: dict[int, list[Cut]] = {}
    read: dict[int, DeliveredFile] = {}
    for table, numbers in rows.items():
        grid = grids[table]
        if not isinstance(grid, DelimitedGrid | FixedWidthGrid | JsonGrid):
            return None
        place = id(grid.file)
        read[place] = grid.file
        if isinstance(grid, JsonGrid):
            columns = {column.name for column in source.table(table).columns}
            documents.setdefault(place, []).append(Cut(grid, set(numbers), columns))
            continue
        if not _by_bytes(grid):
            return None
        wanted = sorted(set(numbers))
        found = _lines(grid, wanted) if isinstance(grid, FixedWidthGrid) else _records(grid, wanted)
        spans.setdefault(place, []).extend(found)
    made = [(read[at], _rewritten(read[at], sorted(found, key=lambda s: s.start))) for at, found in spans.items()]
    for at, cuts in documents.items():
        if (written := without_records(cuts)) is None:
            return None
        made.append((read[at], written))
    return made


def _workbook(sheets: Mapping[str, SheetGrid], rows: Rows) -> _Made | None:
    book, *others = {id(grid.workbook.file): grid.workbook.file for grid in sheets.values()}.values()
    if others:
        return None
    cuts = {grid.sheet: SheetCut(rows.get(table, ()), len(grid.headings)) for table, grid in sheets.items()}
    made = without_sheet_rows(book, cuts)
    return None if made is None else [(book, made)]


def _in_their_files(
    files: Sequence[DeliveredFile], made: _Made, grids: Collection[Grid]
) -> dict[int, Iterator[bytes]] | None:
    """By place in `files`: archives packed anew; None if there is more in one than these grids read."""
    placed: dict[int, Iterator[bytes]] = {}
    packed: dict[int, dict[str | None, Iterator[bytes]]] = {}
    for file, blocks in made:
        archive = file.archive if isinstance(file, Member) else file
        place = next((at for at, one in enumerate(files) if one is archive), None)
        if place is None:
            return None
        if isinstance(file, Member):
            packed.setdefault(place, {})[file.path] = blocks
        else:
            placed[place] = blocks
    for place, changed in packed.items():
        read = {file.path for file in map(_file_of, grids) if isinstance(file, Member) and file.archive is files[place]}
        if read != {member.path for member in members(files[place])}:
            return None
        placed[place] = repacked(files[place], changed)
    return placed


def _file_of(grid: Grid) -> object:
    return grid.workbook.file if isinstance(grid, SheetGrid) else getattr(grid, "file", None)


def same_but_for(old: Sequence[DeliveredFile], new: Sequence[DeliveredFile], source: Source, rows: Rows) -> bool:
    """Whether the new files read as the old ones do, but for these rows, which have no key any more."""
    before, after = open_delivery(old, source), open_delivery(new, source)
    if before.tables.keys() != after.tables.keys():
        return False
    return all(
        _equal(_without(before.batches(table), gone), _without(after.batches(table), gone, source.table(table).key))
        for table in before.tables
        for gone in [rows.get(table, ())]
    )


def files_of(files: Sequence[DeliveredFile], source: Source, tables: Collection[str]) -> set[int]:
    """Places in `files` of those in which these tables lie; a form beside an export is none of them."""
    if source.format.kind == "kobo_server":
        return {0, *range(len(with_tables(files, source)), len(files))}
    opened = open_delivery(files, source)
    return {place for table in tables for place in _read_by(opened._parts[table].grid, files)}


def attached_to(files: Sequence[DeliveredFile], source: Source, rows: Rows) -> set[str]:
    """The sha256 of the attachments that belong to these rows and to no others."""
    return set(attached_only_to(files[0], rows)) if source.format.kind == "kobo_server" else set()


def _read_by(grid: object, files: Sequence[DeliveredFile]) -> set[int]:
    """The files that a grid, or what it is made of, reads."""
    for place, file in enumerate(files):
        if grid is file:
            return {place}
    if not is_dataclass(grid):
        return set()
    return {place for field in fields(grid) for place in _read_by(getattr(grid, field.name), files)}


def _innermost(opened: Opened, table: str) -> Grid | None:
    """The grid of the file itself, under those that give its columns another meaning; None if several files make it."""
    part = opened._parts.get(table)
    grid = part.grid if part else None
    while (inner := getattr(grid, "inner", None)) is not None:
        if hasattr(grid, "others"):
            return None
        grid = inner
    return grid


def _by_bytes(grid: DelimitedGrid | FixedWidthGrid) -> bool:
    encoding = grid.encoding if isinstance(grid, FixedWidthGrid) else grid.dialect.encoding
    return encoding == "utf-8" or is_single_byte(encoding)


def _records(grid: DelimitedGrid, wanted: Sequence[int]) -> Iterator[_Span]:
    """A record becomes one whose cells are all damaged."""
    bounds = [(grid.start, grid.first_row), *grid.cuts, (grid.stop, np.iinfo(np.int64).max)]
    over = grid.dialect.delimiter.join([NOTHING] * len(grid.headings)).encode()
    with grid.file.open() as handle:
        for (start, first), (stop, beyond) in pairwise(bounds):
            numbers = [row for row in wanted if first <= row < beyond]
            if not numbers:
                continue
            handle.seek(start)
            block = handle.read(stop - start)
            ends = record_ends(block, grid.dialect.delimiter)
            for row in numbers:
                place = row - first
                begin = int(ends[place - 1]) if place else 0
                record = block[begin : int(ends[place])]
                yield _Span(start + begin, start + begin + len(record.rstrip(b"\r\n")), over)


def _lines(grid: FixedWidthGrid, wanted: Sequence[int]) -> Iterator[_Span]:
    """A line becomes one of nothing but such signs, as wide as before."""
    numbers, start = set(wanted), grid.mark
    with grid.file.open() as handle:
        handle.seek(start)
        for number, line in enumerate(handle, start=1):
            if number in numbers:
                text = line.rstrip(b"\r\n")
                over = NOTHING[:1] * len(text.decode(grid.encoding))
                yield _Span(start, start + len(text), over.encode())
            start += len(line)


def _rewritten(file: DeliveredFile, spans: Sequence[_Span]) -> Iterator[bytes]:
    with file.open() as handle:
        position = 0
        for span in spans:
            yield from _copied(handle, span.start - position)
            yield span.over
            handle.seek(span.stop)
            position = span.stop
        yield from _copied(handle, file.size - position)


def _copied(handle: BinaryIO, length: int) -> Iterator[bytes]:
    while length > 0 and (block := handle.read(min(length, _BLOCK))):
        length -= len(block)
        yield block


def _without(batches: Iterator[TextBatch], gone: Collection[int], keyless: Sequence[str] = ()) -> Iterator[pa.Table]:
    """Row numbers and cells, of some rows the numbers only; those that still have a key (`keyless`) stay as read."""
    numbers = pa.array(sorted(gone), pa.int64())
    for batch in batches:
        blank = pc.is_in(batch.rows, numbers)
        for name in keyless[:1]:
            blank = pc.and_(blank, batch.cells[name].is_null())
        cells = [pc.if_else(blank, None, column.cast(pa.string())) for column in batch.cells.columns]
        yield pa.table([batch.rows, *cells], names=["", *batch.cells.column_names])


def _equal(one: Iterator[pa.Table], other: Iterator[pa.Table]) -> bool:
    """Whether two streams of tables are the same rows, wherever they are cut into batches."""
    mine = theirs = None
    while True:
        mine = mine if mine is not None and mine.num_rows else next((t for t in one if t.num_rows), None)
        theirs = theirs if theirs is not None and theirs.num_rows else next((t for t in other if t.num_rows), None)
        if mine is None or theirs is None:
            return mine is theirs
        length = min(mine.num_rows, theirs.num_rows)
        if not mine.slice(0, length).equals(theirs.slice(0, length)):
            return False
        mine, theirs = mine.slice(length), theirs.slice(length)
