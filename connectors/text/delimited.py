"""Delimited text (CSV): streamed by pyarrow in bounded memory, ragged rows kept and reported, cut at record ends.

Everything is text and blank is null, quoted or not. Nothing is guessed in silence: an encoding or a delimiter that is
not declared is detected and recorded in the facts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import BinaryIO, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
from numpy.typing import NDArray

from codebook.errors import Refused
from connectors.shapes import Grid, Heading, Piece, blank_rows, numbered, the_only
from connectors.text.breaking_off import TAIL, Ending, refuse_if_broken_off
from connectors.text.dialects import MAX_RECORD, Dialect, Layout, few_values, likely_delimiter, read_header
from connectors.text.encodings import Proof, candidates, decoder, detect, is_guess, is_single_byte
from connectors.text.footers import Tail, find_footer
from connectors.text.pacing import Paced
from connectors.text.ragged_rows import RaggedRows
from connectors.text.recoded import Utf8Range
from connectors.text.records import RecordCount
from sources.batches import DeliveredFile
from sources.models import Source

BLOCK = 16 << 20
"""About so many bytes of rows are given at once."""
_PARSED = (2 << 20, 4 << 20)
"""So many are parsed at once where every record is shorter: what a processor's cache holds is turned into columns three
times faster than a whole block."""
_RECODED = 3
"""A letter of one byte has at most so many in UTF-8."""
_PART = 32 << 20
"""A range is read in parts of about so many bytes. pyarrow hands out no batch where every row is ragged: these are kept
until a part ends."""
_SCAN = 1 << 20
_SAMPLE = 1 << 20
_BLANK = [" " * n for n in range(65)] + ["\xa0"]
"""Cells that hold nothing; exports of fixed-width registries pad with spaces."""
_WIDE = 1_000
"""Columns from which on a table is wide: pyarrow (26) keeps 33 KB for each column if it is told all these nulls."""
_BINARY = (b"PK\x03\x04", b"$FL2", b"$FL3", b"\xd0\xcf\x11\xe0")
"""How workbooks and SPSS files begin."""


Block: TypeAlias = tuple[NDArray[np.int64], Sequence[pa.Array]]
"""Rows by their number, and their cells column by column."""
Flags: TypeAlias = NDArray[np.uint8]
"""A bit for each row of a part."""


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
    parsed: int
    """Bytes that are parsed at once; no record is longer."""
    sheet: str | None = None

    def pieces(self, positions: Sequence[int], size: int) -> Iterator[Piece]:
        """Rows in file order; ragged rows, and rows blank in these columns alone, follow in pieces of their own."""
        unread = [heading.position for heading in self.headings if heading.position not in positions]
        blank: list[Flags] = []
        for part, ragged, blocks in self._parts(positions):
            voids: list[NDArray[np.int64]] = []
            for every_row, every_cell in blocks:
                rows, cells = every_row, every_cell
                void = blank_rows(len(rows), cells)
                if void.any():
                    voids += [every_row[void]] if unread else []
                    rows, cells = rows[~void], [column.filter(pa.array(~void)) for column in cells]
                for begin in range(0, len(rows), size):
                    yield Piece(rows[begin : begin + size], [column.slice(begin, size) for column in cells])
                yield from ragged.pieces(positions, size)
            yield from ragged.pieces(positions, size)
            blank.append(_flagged(voids, part.first_row))
        if any(map(len, blank)):
            yield from self._filled_elsewhere(blank, unread, len(positions), size)

    def _filled_elsewhere(self, suspects: list[Flags], unread: Sequence[int], width: int, size: int) -> Iterator[Piece]:
        """Rows that looked blank but hold a value in a column that is not read: records all the same."""
        for flags, (part, ragged, blocks) in zip(suspects, self._parts(unread), strict=True):
            suspected = np.unpackbits(flags).astype(bool)
            for rows, cells in blocks if len(flags) else ():
                places = np.minimum(rows - part.first_row, len(suspected) - 1)
                filled = rows[~blank_rows(len(rows), cells) & suspected[places]]
                for begin in range(0, len(filled), size):
                    chunk = filled[begin : begin + size]
                    yield Piece(chunk, [pa.nulls(len(chunk), pa.string())] * width)
                ragged.forget()

    def _parts(self, positions: Sequence[int]) -> Iterator[tuple[DelimitedGrid, RaggedRows, Iterator[Block]]]:
        """Part after part, its well-formed rows and where its ragged ones are kept. One handle for all of them: a file
        in an archive is unpacked from its beginning by whoever opens it."""
        short = 0
        with self.file.open() as handle:
            for part in self._cut(1 + (self.stop - self.start) // _PART):
                ragged = RaggedRows(len(part.headings), part.dialect, part.first_row, short)
                yield part, ragged, part._blocks(handle, positions, ragged)
                short = ragged.short

    def _blocks(self, handle: BinaryIO, positions: Sequence[int], ragged: RaggedRows) -> Iterator[Block]:
        """Row numbers and cells of the well-formed rows, block by block; the others go to `ragged`."""
        good = 0
        # A part that is little more than a block is given at once: each batch costs something, however small it is.
        blocks = max(1, round((self.stop - self.start) / BLOCK))
        together = 1 + (self.stop - self.start) // (self.parsed * blocks)
        with Paced(self._text(handle), BLOCK // self.parsed) as text:
            reader = self._reader(text, positions, ragged)
            batches = iter(lambda: self._next(reader, text, ragged) if reader is not None else None, None)
            while some := list(islice(batches, together)):
                cells = _joined(some)
                cells = _with_nulls(cells) if len(positions) > _WIDE else cells
                rows = sum(batch.num_rows for batch in some)
                yield ragged.rows_of_good(good, rows), cells
                good += rows

    def _text(self, handle: BinaryIO) -> Utf8Range:
        handle.seek(self.start)
        return Utf8Range(handle, self.stop - self.start, self.dialect.encoding)

    def _next(self, batches: pacsv.CSVStreamingReader, text: Paced, ragged: RaggedRows) -> pa.RecordBatch | None:
        text.asked()
        try:
            batch = batches.read_next_batch()
            text.given()
            return batch
        except StopIteration:
            return None
        except pa.ArrowInvalid:
            raise ragged.refusal(self.file.name) from None

    def split(self, n: int) -> list[Grid]:
        return list(self._cut(n))

    def _cut(self, n: int) -> list[DelimitedGrid]:
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

    def _reader(self, text: Paced, positions: Sequence[int], ragged: RaggedRows) -> pacsv.CSVStreamingReader | None:
        if self.start >= self.stop:
            return None
        names = [str(position) for position in range(len(self.headings))]
        wanted = [names[position] for position in positions]
        wide = len(positions) > _WIDE
        few = pa.dictionary(pa.int32(), pa.string())
        try:
            return pacsv.open_csv(
                pa.PythonFile(text, mode="r"),
                # One thread: only then a ragged row knows its number. Speed comes from parts in processes.
                read_options=pacsv.ReadOptions(use_threads=False, block_size=self.parsed, column_names=names),
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
                        name: few if position in self.few_values and not wide else pa.string()
                        for name, position in zip(wanted, positions, strict=True)
                    },
                    null_values=[""] if wide else _BLANK,
                    strings_can_be_null=True,
                    quoted_strings_can_be_null=True,
                ),
            )
        except pa.ArrowInvalid:
            # pyarrow cannot open a range in which every row is ragged; they have all been kept.
            if ragged.waiting and not ragged.refused:
                return None
            raise ragged.refusal(self.file.name) from None


def _flagged(numbers: Sequence[NDArray[np.int64]], first: int) -> Flags:
    """A bit for each row of a part from `first` on, the last of them 0: gigabytes of blank lines are as many rows."""
    if not numbers:
        return np.empty(0, np.uint8)
    places = np.concatenate(numbers) - first
    flags = np.zeros((int(places[-1]) // 8 + 2) * 8, dtype=bool)
    flags[places] = True
    return np.packbits(flags)


def _joined(batches: Sequence[pa.RecordBatch]) -> Sequence[pa.Array]:
    """The columns of all batches, one below the other."""
    if len(batches) == 1:
        return list(batches[0].columns)
    return [pa.concat_arrays(columns) for columns in zip(*(batch.columns for batch in batches), strict=True)]


def _with_nulls(columns: Sequence[pa.Array]) -> Sequence[pa.Array]:
    """Strings, those that hold nothing as null."""
    blanks = pa.array(_BLANK)  # not at import: it brings pandas with it
    if not pc.any(pc.is_in(pa.chunked_array(columns), blanks)).as_py():
        return columns
    return [pc.if_else(pc.is_in(column, blanks), None, column) for column in columns]


def open_grids(files: Sequence[DeliveredFile], source: Source) -> tuple[dict[str, Grid], dict[str, object]]:
    """The one table of a `csv` source."""
    declared = source.format
    if declared.kind != "csv":
        raise TypeError(declared.kind)
    file = the_only(files, source.source)
    layout = Layout(
        encoding=declared.encoding,
        delimiter=declared.delimiter,
        language=source.supplier.language,
        country=source.country,
        header_row=declared.header_row,
        header_rows=declared.header_rows,
        footer=declared.footer,
    )
    grid, facts = open_grid(file, layout)
    if facts.get("escaped_quotes"):
        what = "a quotation mark within a cell has a backslash before it, which would stay in the value"
        raise Refused("delivery.unreadable", what, file.name, "double the quotation marks inside quoted cells")
    return {source.tables[0].name: grid}, facts


def look(file: DeliveredFile, form: DeliveredFile | None = None) -> tuple[dict[str, Grid], dict[str, object]]:
    """The file as one table, its encoding, delimiter and header found; all of them stand in the facts."""
    layout = Layout(header_row=None, needs_rows=False)
    try:
        grid, facts = open_grid(file, layout)
    except Refused as refused:
        if refused.rule != "delivery.wrong_encoding":
            raise
        with file.open() as handle:
            likely = candidates(handle.read(_SAMPLE))
        if not likely:
            raise
        # A look shows the table; which of the code pages it is must be declared before it is delivered.
        try:
            grid, facts = open_grid(file, replace(layout, encoding=likely[0]))
        except Refused:
            raise refused from None
        facts["encoding_candidates"] = likely
    return {"main": grid}, facts


def open_grid(file: DeliveredFile, layout: Layout) -> tuple[DelimitedGrid, dict[str, object]]:
    """One delimited file as a grid, after a pass over all its bytes that proves its encoding and counts its records."""
    with file.open() as handle:
        sample = handle.read(_SAMPLE)
        if sample.startswith(_BINARY):
            raise Refused("delivery.unreadable", "it is not a text file", file.name, "deliver it as CSV")
        encoding, mark = detect(sample, layout.encoding, layout.language, file.name, layout.country)
        # Letters that cannot be read are refused by the survey, for the whole file.
        text = decoder(encoding, "replace").decode(sample[mark:])
        delimiter = layout.delimiter or likely_delimiter(text)
        handle.seek(mark)
        count, end, ending = survey(handle, encoding, delimiter, file.name, mark)
        header = read_header(text, delimiter, layout, file.name)
        start = mark + len(text[: header.length].encode(encoding))
        notes = find_footer(
            handle,
            Tail(encoding, delimiter, start, end, tuple(count.cuts)),
            layout.footer,
            len(header.names),
            file.name,
        )
    stop = notes.start if layout.footer is not None else end
    if stop == end:
        refuse_if_broken_off(ending, delimiter, len(header.names), (file.name, count.records))
    if layout.needs_rows and stop - start < _SAMPLE and not text[header.length :].strip('\r\n\t "\0' + delimiter):
        raise Refused("delivery.empty", "there is no row below the header", file.name, "deliver the file again")
    grid = DelimitedGrid(
        file=file,
        dialect=Dialect(encoding, delimiter, count.breaks_in_cells, layout.longer),
        headings=_labelled(numbered(header.names, file.name), header.labels),
        start=start,
        stop=stop,
        first_row=layout.first_row + header.records - 1,
        cuts=tuple((cut, ended + layout.first_row - 1) for cut, ended in count.cuts if cut > start),
        few_values=few_values(text[header.length :], delimiter, len(header.names)),
        parsed=_parsed(count.longest, encoding, len(header.names)),
    )
    below = count.records - header.records
    facts: dict[str, object] = {
        "encoding": encoding,
        "delimiter": delimiter,
        "header_row": header.first,
        "header_rows": header.rows,
        "records": below - notes.records if layout.footer is not None else below,
    }
    if is_guess(encoding, layout.encoding):
        facts["encoding_detected"] = True
    if header.guess is not None:
        facts["header_score"], facts["header_reasons"] = header.guess.score, list(header.guess.reasons)
    if header.hashtags:
        facts["hxl"] = list(header.hashtags)
    if count.escaped:
        facts["escaped_quotes"] = True
    if notes.records:
        facts["footer_records"] = notes.records
    return grid, facts


def _parsed(longest: int, encoding: str, width: int) -> int:
    """How many bytes are parsed at once: a record that does not fit is none for pyarrow. Each block costs something for
    every column, so a wide table has few of them; so has a file that is not cut, of which they are waited for."""
    if width > _WIDE or not (encoding == "utf-8" or is_single_byte(encoding)):
        return BLOCK
    needed = longest if encoding == "utf-8" else longest * _RECODED
    return min(BLOCK, next((size for size in _PARSED if needed <= size), BLOCK))


def _labelled(headings: tuple[Heading, ...], labels: Sequence[str]) -> tuple[Heading, ...]:
    told = [*labels, *[""] * len(headings)]
    return tuple(replace(heading, label=told[heading.position]) for heading in headings) if labels else headings


def survey(handle: BinaryIO, encoding: str, delimiter: str, name: str, offset: int) -> tuple[RecordCount, int, Ending]:
    """Prove the encoding and count the records from here to the end; where that is, and what stands there.

    Where bytes are not letters (UTF-16), records are counted in the decoded text and the file is not cut.
    """
    proof, count = Proof(encoding, name), RecordCount(delimiter, offset=offset)
    bytewise = encoding == "utf-8" or is_single_byte(encoding)
    letters = None if bytewise else decoder(encoding)
    stop, tail = offset, b""
    while block := handle.read(_SCAN):
        stop += len(block)
        proof.feed(block)
        counted = block if letters is None else letters.decode(block).encode("utf-8")
        count.feed(counted)
        tail = (tail + counted[-TAIL:])[-TAIL:]
        if count.unended > MAX_RECORD:
            what = f"record {count.ended + 1} is longer than {MAX_RECORD >> 20} MiB"
            mend = "close its quotation mark" if count.unclosed else "check that it is a table"
            raise Refused("delivery.unreadable", what, name, mend)
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
    return count, stop, Ending.of(tail, count.unended, encoding if bytewise else "utf-8")
