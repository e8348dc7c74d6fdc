"""Statistical files as a test looks at them."""

from typing import Any

from connectors.statistical.reader import look
from sources.batches import DeliveredFile


def cells(file: DeliveredFile, size: int = 50_000, form: DeliveredFile | None = None) -> dict[str, list[str | None]]:
    """Every column of a file as it was found, by its name."""
    (grid,) = look(file, form)[0].values()
    found: dict[str, list[str | None]] = {heading.header: [] for heading in grid.headings}
    for piece in grid.pieces(range(len(grid.headings)), size):
        assert len(piece.rows) <= size
        for heading, column in zip(grid.headings, piece.cells, strict=True):
            found[heading.header] += column.to_pylist()
    return found


def headings(file: DeliveredFile, form: DeliveredFile | None = None) -> dict[str, Any]:
    (grid,) = look(file, form)[0].values()
    return {heading.header: heading for heading in grid.headings}
