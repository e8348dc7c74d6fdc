"""Fixed-width text: one record a line, columns at the places that source.yaml declares, counted in characters.

Nothing is guessed from the lines themselves: a layout read off a hundred rows is wrong in the next file (formats.md 3).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from codebook.errors import Refused
from connectors.shapes import Finding, Grid, Heading, Piece, numbered, the_only
from connectors.text.encodings import Proof, decoder, detect, is_guess
from sources.batches import DeliveredFile
from sources.models import FixedColumn, Source

_BLOCK = 4 << 20
_SAMPLE = 1 << 20
_MAX_LINE = 8 << 20
"""A line of more characters than this is no record of a table."""
_PADDED = 0.9
"""A file is padded to full width if so many of its first lines are; then a short line was cut, else only trimmed."""
_FIRST = 1000
"""Lines from which it is seen whether a file is padded."""
_FOOT = 100
"""A footer is looked for in so many last lines."""


@dataclass(frozen=True)
class FixedWidthGrid:
    """The lines `first_row` to `last_row` of a file."""

    file: DeliveredFile
    encoding: str
    mark: int
    layout: tuple[FixedColumn, ...]
    headings: tuple[Heading, ...]
    first_row: int
    last_row: int
    padded: bool
    sheet: str | None = None

    def pieces(self, positions: Sequence[int], size: int) -> Iterator[Piece]:
        """Rows in file order. A line that goes on behind the layout is an error, so is a cut one in a padded file."""
        width = max(column.start + column.length - 1 for column in self.layout)
        number = 1
        with self.file.open() as handle:
            handle.seek(self.mark)
            for lines in blocks_of_lines(handle, self.encoding, self.file.name):
                low, high = max(self.first_row - number, 0), min(self.last_row + 1 - number, len(lines))
                for begin in range(low, high, size):
                    yield from self._piece(lines[begin : min(begin + size, high)], number + begin, positions, width)
                number += len(lines)
                if number > self.last_row:
                    return

    def _piece(self, lines: list[str], number: int, positions: Sequence[int], width: int) -> Iterator[Piece]:
        text = pa.array(lines, pa.string())
        rows = np.arange(number, number + len(lines), dtype=np.int64)
        filled = np.array([bool(line.strip()) for line in lines], dtype=bool)
        if not filled.all():
            text, rows = text.filter(pa.array(filled)), rows[filled]
        if not len(rows):
            return
        lengths = pc.utf8_length(text).to_numpy()
        beyond = pc.utf8_length(pc.utf8_trim_whitespace(pc.utf8_slice_codeunits(text, width))).to_numpy()
        findings = [Finding("read.ragged_row", "error", rows[beyond > 0])]
        if self.padded:
            findings.append(Finding("read.ragged_row", "error", rows[lengths < width]))
        yield Piece(rows, [_cut(text, self.layout[position]) for position in positions], tuple(findings))

    def split(self, n: int) -> list[Grid]:
        """Only itself: row numbers are known by counting lines from the start."""
        return [self]


def _cut(text: pa.Array, column: FixedColumn) -> pa.Array:
    start = column.start - 1
    cells = pc.utf8_trim_whitespace(pc.utf8_slice_codeunits(text, start, start + column.length))
    return pc.if_else(pc.equal(cells, ""), pa.scalar(None, pa.string()), cells)


def open_grids(files: Sequence[DeliveredFile], source: Source) -> tuple[dict[str, Grid], dict[str, object]]:
    """The one table of a `fixed_width` source, after a pass over all its bytes."""
    declared = source.format
    if declared.kind != "fixed_width":
        raise TypeError(declared.kind)
    file = the_only(files, source.source)
    with file.open() as handle:
        sample = handle.read(_SAMPLE)
        encoding, mark = detect(sample, declared.encoding, source.supplier.language, file.name, source.country)
        handle.seek(mark)
        count, padded, foot = _survey(handle, encoding, file.name, declared.skip_lines, _width(declared.columns))
    last = count
    if declared.footer is not None:
        last = _above_footer(foot, count, re.compile(declared.footer))
    if last <= declared.skip_lines or (padded is None and count < _FIRST):
        raise Refused("delivery.empty", "there is no line of data", file.name, "deliver the file again")
    grid = FixedWidthGrid(
        file=file,
        encoding=encoding,
        mark=mark,
        layout=tuple(declared.columns),
        headings=numbered([column.name for column in declared.columns], file.name),
        first_row=declared.skip_lines + 1,
        last_row=last,
        padded=bool(padded),
    )
    facts: dict[str, object] = {"encoding": encoding, "records": last - declared.skip_lines, "padded": bool(padded)}
    if is_guess(encoding, declared.encoding):
        facts["encoding_detected"] = True
    if last < count:
        facts["footer_records"] = count - last
    return {source.tables[0].name: grid}, facts


def _width(columns: Sequence[FixedColumn]) -> int:
    return max(column.start + column.length - 1 for column in columns)


def _survey(handle: BinaryIO, encoding: str, name: str, skip: int, width: int) -> tuple[int, bool | None, list[str]]:
    """Number of lines, whether they are padded to full width (None: the first are blank), and the last lines."""
    count, foot, first = 0, list[str](), list[str]()
    for lines in blocks_of_lines(handle, encoding, name, Proof(encoding, name)):
        if len(first) < _FIRST + skip:
            first += lines[: _FIRST + skip - len(first)]
        foot = [*foot, *lines][-_FOOT:]
        count += len(lines)
    data = [line for line in first[skip:] if line.strip()]
    padded = sum(len(line) >= width for line in data) >= _PADDED * len(data) if data else None
    return count, padded, foot


def _above_footer(foot: Sequence[str], count: int, footer: re.Pattern[str]) -> int:
    """The last line of data: above the first of the last lines that matches."""
    for place, line in enumerate(foot):
        if footer.search(line):
            return count - len(foot) + place
    return count


def blocks_of_lines(handle: BinaryIO, encoding: str, name: str, proof: Proof | None = None) -> Iterator[list[str]]:
    """The lines of a text file, without their ends (LF, CR LF or CR), some megabytes at a time.

    `proof` is fed with every byte: only then it is known that all of them are letters.
    """
    reading, left = decoder(encoding), ""
    while block := handle.read(_BLOCK):
        if proof is not None:
            proof.feed(block)
        try:
            text = left + reading.decode(block)
        except UnicodeDecodeError:
            raise Refused(
                "delivery.wrong_encoding", f"some bytes are no {encoding}", name, "declare its encoding"
            ) from None
        torn = text[-1:] if text.endswith("\r") else ""
        lines = text.removesuffix(torn).replace("\r\n", "\n").replace("\r", "\n").split("\n")
        left = lines.pop() + torn
        if len(left) > _MAX_LINE:
            raise Refused(
                "delivery.unreadable", f"a line is longer than {_MAX_LINE >> 20} Mi characters", name, "is it text?"
            )
        yield lines
    if proof is not None:
        proof.finish()
    if left:
        yield [left.removesuffix("\r")]
