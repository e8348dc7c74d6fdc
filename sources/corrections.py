"""Known errors of a supplier's form, declared with reason and date, each with a guard that fails once it is mended.

Applying a correction while labels are decoded, and checking its guard against the delivered form, is the connectors'
business; this module only reads corrections.csv.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from codebook.errors import BadDefinition
from sources.reading import Line, nearest, read_rows

HEADER = (
    "kind", "table", "column", "list", "language", "label", "form_code",
    "corrected_code", "reason", "reported", "status", "expect",
)  # fmt: skip
KINDS = ("choice_label",)


@dataclass(frozen=True, slots=True)
class Correction:
    """One row of corrections.csv. `choice_label`: `label` of `list_name` in `language` means `corrected_code`.

    An empty `corrected_code` says that the label is ambiguous: rows that hold it are rejected. `form_code` is what
    the form says today; if it says something else, the supplier has mended it and the correction must go.
    """

    line: int
    kind: str
    table: str
    column: str
    list_name: str
    language: str
    label: str
    form_code: str
    corrected_code: str
    reason: str
    reported: str
    status: str
    expect: str


def read_corrections(path: Path) -> tuple[Correction, ...]:
    """Read corrections.csv, if the source has one. BadDefinition with file and line."""
    if not path.exists():
        return ()
    return tuple(_correction(line) for line in read_rows(path, HEADER))


def _correction(line: Line) -> Correction:
    cells = dict(line.cells)
    if cells["kind"] not in KINDS:
        raise BadDefinition(f"unknown kind {cells['kind']!r}", line.where, nearest(cells["kind"], KINDS))
    for name in ("list", "language", "label", "form_code", "reason"):
        if not cells[name]:
            raise BadDefinition(f"a correction without {name}", line.where, f"fill the column {name}")
    return Correction(line=line.number, list_name=cells.pop("list"), **cells)
