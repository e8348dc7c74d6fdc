"""On which row the header of an export stands: the first as the server writes it, or one below a title that somebody
put above the table. It is known by the columns that the server adds, and is no guess."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

from connectors.kobo.options import looks_like_kobo
from connectors.text.delimited import DelimitedGrid
from connectors.text.dialects import records
from connectors.text.encodings import decoder

_LOOKED_AT = 30
_SAMPLE = 1 << 20


def header_row(rows: Iterable[Sequence[str | None]]) -> int:
    """The number of the header, from 1; 1 where no row has the server's columns."""
    for number, row in enumerate(islice(rows, _LOOKED_AT), start=1):
        if looks_like_kobo([cell or "" for cell in row]):
            return number
    return 1


def of_text(grid: DelimitedGrid) -> int:
    """The number of the header in a delimited file that was opened as if it were the first record."""
    with grid.file.open() as handle:
        text = decoder(grid.dialect.encoding, "replace").decode(handle.read(_SAMPLE))
    return header_row(cells for cells, _ in records(text.removeprefix("\ufeff"), grid.dialect.delimiter))
