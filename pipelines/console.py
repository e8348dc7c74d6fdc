"""What the command line prints: tables for people, JSON for programs, progress on anything that takes a while."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from assets import progress

MANY = 8
"""So many columns are folded before a table is told record by record."""
LONG = 1_000
"""So many rows are drawn as a table; more are written line by line, for which drawing takes a millisecond each."""
WIDE = 160
"""Columns of a table that goes into a file or a pipe."""

out = Console(width=None if sys.stdout.isatty() else WIDE, markup=False)
err = Console(stderr=True, markup=False)
"""Without markup: a header such as `income [usd]` is shown as it stands, and `[/]` in one is no error."""

_CONTROL = dict.fromkeys((*range(9), *range(11, 32), *range(127, 160)))
"""What a header may hold that would move a terminal's cursor or change its colours."""

STATE_COLOURS = {
    "published": "green",
    "refused": "red",
    "failed": "red",
    "already_received": "yellow",
    "held_elsewhere": "yellow",
}


def print_json(value: Any) -> None:
    """JSON on standard output, nothing else beside it."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def warn(what: str) -> None:
    """One line beside what a command says."""
    err.print(f"homeward: warning: {what}", highlight=False, soft_wrap=True)


def moment(at: datetime, to: str = "minutes") -> str:
    """A moment as it is shown: of UTC, wherever the database's server thinks it stands."""
    return at.astimezone(UTC).isoformat(timespec=to)


def print_table(columns: Sequence[str], rows: Sequence[Sequence[Any]], title: str | None = None) -> None:
    """A table; numbers right-aligned with thousands, nulls blank. One that is too wide is told record by record."""
    if sum(_width(index, name, rows) + 3 for index, name in enumerate(columns)) > out.width and len(columns) > MANY:
        for row in rows:
            print_table(("column", "value"), [[name, value] for name, value in zip(columns, row, strict=True)])
        return
    if len(rows) > LONG:
        _print_lines(columns, rows, title)
        return
    table = Table(title=title, title_justify="left", header_style="bold")
    for index, name in enumerate(columns):
        numeric = bool(rows) and all(isinstance(row[index], int | float | None) for row in rows)
        table.add_column(name, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_cell(value) for value in row))
    out.print(table)


def _print_lines(columns: Sequence[str], rows: Sequence[Sequence[Any]], title: str | None) -> None:
    """A long table in columns of one width, nothing cut: a cell that is wider moves what is right of it."""
    lines = [
        list(columns),
        *([_cell(value).plain.replace("\n", " ") for value in row] for row in rows),
    ]
    widths = [min(max(map(cell_len, cells)), 30) for cells in zip(*lines, strict=True)]
    if title:
        out.out(title, highlight=False)
    padded = (
        "  ".join(cell + " " * (width - cell_len(cell)) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
    out.out("\n".join(padded), highlight=False)


def _width(index: int, name: str, rows: Sequence[Sequence[Any]]) -> int:
    return min(max([len(name), *(len(_cell(row[index])) for row in rows)]), 30)


def _cell(value: Any) -> Text:
    if value is None:
        return Text()
    if isinstance(value, int) and not isinstance(value, bool):
        return Text(f"{value:,}")
    return Text(str(value).translate(_CONTROL), style=STATE_COLOURS.get(str(value), ""))


@contextmanager
def watching(title: str) -> Iterator[None]:
    """Show on stderr, while the block runs, which stage is being worked on and how far it is."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[count]}", markup=False),
    )
    with Progress(*columns, TimeElapsedColumn(), console=err, transient=True) as bar:
        task = bar.add_task(title, total=None, count="")

        def sink(stage: str, done: int, total: int | None) -> None:
            count = f"{done:,} of {total:,}" if total else f"{done:,}"
            bar.update(task, description=f"{title}: {stage}", completed=done, total=total, count=count)

        with progress.shown_by(sink):
            yield
