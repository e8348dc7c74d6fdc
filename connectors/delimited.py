"""Delimited text (CSV): streamed by pyarrow in bounded memory, ragged rows kept and reported, cut at record ends.

Everything is text and blank is null, quoted or not. Nothing is guessed in silence: an encoding or a delimiter that is
not declared is detected and recorded in the facts.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
from numpy.typing import NDArray

from codebook.errors import Refused
from connectors.encodings import Proof, detect, is_single_byte
from connectors.records import RecordCount
from connectors.shapes import Finding, Grid, Heading, Piece, blank_rows, numbered
from sources.batches import DeliveredFile
from sources.models import Source

BLOCK = 16 << 20
_SCAN = 4 << 20
_SAMPLE = 1 << 20
_BLANK = [" " * n for n in range(65)] + ["\xa0"]
"""Cells that hold nothing; exports of fixed-width registries pad with spaces."""
_BINARY = (b"PK\x03\x04", b"$FL2", b"$FL3", b"\xd0\xcf\x11\xe0")
"""How workbooks and SPSS files begin."""
_FEW = 0.2
"""A column whose sample has fewer distinct values than this share of its rows is read as a dictionary."""


@dataclass(frozen=True)
class Dialect:
    """How a file is written; `longer` is the severity of a row with more cells than the header."""

    encoding: str
    delimiter: str
    breaks_in_cells: bool
    longer: str = "error"


@dataclass(frozen=True)
class DelimitedGrid:
    """A byte range of a delimited file that begins and ends with whole records."""

    file: DeliveredFile
    dialect: Dialect
    headings: tuple[Heading, ...]
    start: int
    stop: int
    first_row: int
    cuts: tuple[tuple[int, int], ...]
    few_values: frozenset[int]
    sheet: str | None = None

    def pieces(self, positions: Sequence[int], size: int) -> Iterator[Piece]:
        """Rows in file order; ragged rows, and rows blank in these columns alone, follow in pieces of their own."""
        blank: list[NDArray[np.int64]] = []
        ragged = _Ragged(len(self.headings), self.dialect, self.first_row)
        for every_row, every_cell in self._blocks(positions, ragged):
            rows, cells = every_row, every_cell
            void = blank_rows(len(rows), cells)
            if void.any():
                blank.append(every_row[void])
                rows, cells = rows[~void], [column.filter(pa.array(~void)) for column in cells]
            for begin in range(0, len(rows), size):
                yield Piece(rows[begin : begin + size], [column.slice(begin, size) for column in cells])
            yield from ragged.pieces(positions, size)
        yield from ragged.pieces(positions, size)
        unread = [heading.position for heading in self.headings if heading.position not in positions]
        if blank and unread:
            yield from self._filled_elsewhere(np.concatenate(blank), unread, len(positions), size)

    def _filled_elsewhere(
        self, suspects: NDArray[np.int64], unread: Sequence[int], width: int, size: int
    ) -> Iterator[Piece]:
        """Rows that looked blank but hold a value in a column that is not read: records all the same."""
        for rows, cells in self._blocks(unread, _Ragged(len(self.headings), self.dialect, self.first_row)):
            filled = rows[~blank_rows(len(rows), cells) & np.isin(rows, suspects)]
            for begin in range(0, len(filled), size):
                chunk = filled[begin : begin + size]
                yield Piece(chunk, [pa.nulls(len(chunk), pa.string())] * width)

    def _blocks(
        self, positions: Sequence[int], ragged: _Ragged
    ) -> Iterator[tuple[NDArray[np.int64], Sequence[pa.Array]]]:
        """Row numbers and cells of the well-formed rows, block by block; the others go to `ragged`."""
        good = 0
        with self.file.open() as handle:
            for batch in self._reader(handle, positions, ragged) or ():
                yield ragged.rows_of_good(good, batch.num_rows), batch.columns
                good += batch.num_rows

    def split(self, n: int) -> list[Grid]:
        """Parts of about equal length, cut where the survey of the file found a record's end."""
        bounds = [(self.start, self.first_row)]
        for k in range(1, n):
            wanted = self.start + (self.stop - self.start) * k // n
            cut = min((c for c in self.cuts if c[0] > bounds[-1][0]), key=lambda c: abs(c[0] - wanted), default=None)
            if cut is not None and cut[0] < self.stop:
                bounds.append(cut)
        ends = [start for start, _ in bounds[1:]] + [self.stop]
        return [
            replace(self, start=start, stop=stop, first_row=row)
            for (start, row), stop in zip(bounds, ends, strict=True)
        ]

    def _reader(self, handle: BinaryIO, positions: Sequence[int], ragged: _Ragged) -> pacsv.CSVStreamingReader | None:
        if self.start >= self.stop:
            return None
        handle.seek(self.start)
        names = [str(position) for position in range(len(self.headings))]
        wanted = [names[position] for position in positions]
        few = pa.dictionary(pa.int32(), pa.string())
        try:
            return pacsv.open_csv(
                pa.PythonFile(_Utf8Range(handle, self.stop - self.start, self.dialect.encoding), mode="r"),
                # One thread: only then a ragged row knows its number. Speed comes from parts in processes.
                read_options=pacsv.ReadOptions(use_threads=False, block_size=BLOCK, column_names=names),
                parse_options=pacsv.ParseOptions(
                    delimiter=self.dialect.delimiter,
                    newlines_in_values=self.dialect.breaks_in_cells,
                    ignore_empty_lines=False,
                    invalid_row_handler=ragged.keep,
                ),
                convert_options=pacsv.ConvertOptions(
                    check_utf8=False,
                    include_columns=wanted,
                    column_types={
                        name: few if position in self.few_values else pa.string()
                        for name, position in zip(wanted, positions, strict=True)
                    },
                    null_values=_BLANK,
                    strings_can_be_null=True,
                    quoted_strings_can_be_null=True,
                ),
            )
        except pa.ArrowInvalid:
            # pyarrow cannot open a range in which every row is ragged; they have all been kept.
            if ragged.waiting:
                return None
            raise Refused("delivery.unreadable", "it cannot be read as delimited text", self.file.name) from None


class _Ragged:
    """Rows whose number of cells is not the header's: kept as text, cut to the header, reported."""

    def __init__(self, width: int, dialect: Dialect, first_row: int) -> None:
        self._width, self._dialect, self._first = width, dialect, first_row
        self._numbers: list[int] = []
        self._texts: list[str] = []
        self._done = 0

    @property
    def waiting(self) -> int:
        return len(self._texts)

    def keep(self, row: pacsv.InvalidRow) -> str:
        self._numbers.append(row.number)
        self._texts.append(row.text)
        return "skip"

    def rows_of_good(self, before: int, n: int) -> NDArray[np.int64]:
        """Row numbers of the next `n` well-formed rows after `before` such rows: the ragged ones stand between."""
        good = np.arange(before, before + n, dtype=np.int64)
        if self._numbers:
            places = np.asarray(self._numbers, dtype=np.int64) - 1
            good += np.searchsorted(places - np.arange(len(places)), good, side="right")
        return good + self._first

    def pieces(self, positions: Sequence[int], size: int) -> Iterator[Piece]:
        """The ragged rows kept since the last call."""
        numbers, texts = self._numbers[self._done :], self._texts
        self._done, self._texts = len(self._numbers), []
        for begin in range(0, len(texts), size):
            yield self._piece(positions, numbers[begin : begin + size], texts[begin : begin + size])

    def _piece(self, positions: Sequence[int], numbers: list[int], texts: list[str]) -> Piece:
        rows = np.asarray(numbers, dtype=np.int64) - 1 + self._first
        records = [_cells(text, self._dialect.delimiter) for text in texts]
        cells = [
            pa.array([r[p] if p < len(r) and r[p].strip() else None for r in records], pa.string()) for p in positions
        ]
        longer = np.array([any(cell.strip() for cell in record[self._width :]) for record in records], dtype=bool)
        shorter = np.array([len(record) < self._width for record in records], dtype=bool)
        findings = (
            Finding("read.ragged_row", self._dialect.longer, rows[longer]),
            Finding("read.ragged_row", "error", rows[shorter]),
        )
        return Piece(rows, cells, findings)


class _Utf8Range(io.RawIOBase):
    """The next `length` bytes of a handle as UTF-8, in reads that are never longer than asked for."""

    def __init__(self, handle: BinaryIO, length: int, encoding: str) -> None:
        self._handle, self._left, self._encoding = handle, length, encoding
        self._incremental = None if is_single_byte(encoding) else _decoder(encoding)
        self._pending = memoryview(b"")

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if size is None or size < 0:
            size = 1 << 62
        if self._encoding == "utf-8":
            return self._next(size)
        while not self._pending and self._left:
            self._pending = memoryview(self._recoded(self._next(min(size, BLOCK))))
        taken = bytes(self._pending[:size])
        self._pending = self._pending[size:]
        return taken

    def _next(self, size: int) -> bytes:
        block = self._handle.read(min(size, self._left))
        self._left = self._left - len(block) if block else 0
        return block

    def _recoded(self, block: bytes) -> bytes:
        if self._incremental is not None:
            return self._incremental.decode(block, not self._left).encode("utf-8")
        return block if block.isascii() else block.decode(self._encoding).encode("utf-8")


def _cells(record: str, delimiter: str) -> list[str]:
    return next(csv.reader(io.StringIO(record, newline=""), delimiter=delimiter), [])


def _decoder(encoding: str, errors: str = "strict") -> codecs.IncrementalDecoder:
    return codecs.getincrementaldecoder(encoding)(errors)


@dataclass(frozen=True)
class Layout:
    """How a source says its delimited files are written; None is detected. `longer` as in `Dialect`.

    `language`: the supplier's, it tells code pages of one alphabet apart;
    `first_row`: number of the first record below the header; `needs_rows`: whether a bare header is refused.
    """

    encoding: str | None = None
    delimiter: str | None = None
    longer: str = "error"
    language: str = "en"
    first_row: int = 2
    needs_rows: bool = True


def open_grids(files: Sequence[DeliveredFile], source: Source) -> tuple[dict[str, Grid], dict[str, object]]:
    """The one table of a `csv` source."""
    declared = source.format
    if declared.kind != "csv":
        raise TypeError(declared.kind)
    if len(files) != 1:
        raise Refused(
            "delivery.wrong_source", f"{len(files)} files, one is expected", source.source, "deliver one file at a time"
        )
    grid, facts = open_grid(files[0], Layout(declared.encoding, declared.delimiter, language=source.supplier.language))
    return {source.tables[0].name: grid}, facts


def open_grid(file: DeliveredFile, layout: Layout) -> tuple[DelimitedGrid, dict[str, object]]:
    """One delimited file as a grid, after a pass over all its bytes that proves its encoding and counts its records."""
    with file.open() as handle:
        sample = handle.read(_SAMPLE)
        encoding, mark = detect(sample, layout.encoding, layout.language, file.name)
        if sample.startswith(_BINARY) or (encoding == "utf-8" and b"\0" in sample):
            raise Refused("delivery.unreadable", "it is not a text file", file.name, "deliver it as CSV")
        # Letters that cannot be read are refused by the survey, for the whole file.
        text = _decoder(encoding, "replace").decode(sample[mark:])
        delimiter = layout.delimiter or _likely_delimiter(text)
        handle.seek(mark)
        count, stop = _survey(handle, encoding, delimiter, file.name, mark)
    header, length = _first_record(text, delimiter)
    if not any(header):
        raise Refused("delivery.empty", "there is no header row", file.name, "deliver the file again")
    start = mark + len(text[:length].encode(encoding))
    if layout.needs_rows and stop - start < _SAMPLE and not text[length:].strip('\r\n\t "\0' + delimiter):
        raise Refused("delivery.empty", "there is no row below the header", file.name, "deliver the file again")
    grid = DelimitedGrid(
        file=file,
        dialect=Dialect(encoding, delimiter, count.breaks_in_cells, layout.longer),
        headings=numbered(header, file.name),
        start=start,
        stop=stop,
        first_row=layout.first_row,
        cuts=tuple((cut, ended + layout.first_row - 1) for cut, ended in count.cuts if cut > start),
        few_values=_few_values(text[length:], delimiter, len(header)),
    )
    return grid, {"encoding": encoding, "delimiter": delimiter, "records": count.records - 1}


def _survey(handle: BinaryIO, encoding: str, delimiter: str, name: str, offset: int) -> tuple[RecordCount, int]:
    """Prove the encoding and count the records from here to the end; the end is the second thing returned.

    Where bytes are not letters (UTF-16), records are counted in the decoded text and the file is not cut.
    """
    proof, count = Proof(encoding, name), RecordCount(delimiter, offset=offset)
    bytewise = encoding == "utf-8" or is_single_byte(encoding)
    decoder = None if bytewise else _decoder(encoding)
    stop = offset
    while block := handle.read(_SCAN):
        stop += len(block)
        proof.feed(block)
        count.feed(block if decoder is None else decoder.decode(block).encode("utf-8"))
    proof.finish()
    count.feed(b"", last=True)
    if count.unclosed:
        raise Refused(
            "delivery.unreadable",
            f"a quotation mark is opened after record {count.ended} and never closed",
            name,
            "double the quotation marks inside quoted cells",
        )
    if not bytewise:
        count.cuts.clear()
    return count, stop


def _first_record(text: str, delimiter: str) -> tuple[list[str], int]:
    """The header's cells, trimmed, and its length in characters."""
    lines = io.StringIO(text, newline="")
    reader = csv.reader(_line_by_line(lines), delimiter=delimiter)
    try:
        header = next(reader, [])
    except csv.Error:
        header = []
    return [cell.strip() for cell in header], lines.tell()


def _line_by_line(lines: io.StringIO) -> Iterator[str]:
    while line := lines.readline():
        yield line


def _likely_delimiter(text: str) -> str:
    """The mark that stands most often between the cells of the first record; labels are full of commas."""
    first = re.sub(r'"(?:[^"]|"")*"', "", text[:_SAMPLE]).lstrip("\r\n").splitlines()
    return max(";,\t|", key=first[0].count) if first else ","


def _few_values(text: str, delimiter: str, width: int) -> frozenset[int]:
    """Columns in which values repeat so much that they are cheaper kept once each."""
    whole = text[: text.rfind("\n") + 1] or text
    reader = csv.reader(io.StringIO(whole, newline=""), delimiter=delimiter)
    records = [record for record in reader if len(record) == width]
    if len(records) < 100:
        return frozenset()
    return frozenset(
        position for position, column in enumerate(zip(*records, strict=True)) if len(set(column)) < _FEW * len(records)
    )
