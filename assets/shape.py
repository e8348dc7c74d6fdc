"""What a delivery looked like when it was read: sheets, the supplier's own headers, rows per table, facts.

Kept beside the safe Parquet, since the marked return speaks in the supplier's names. Names and counts only.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assets.headers import is_header, tellable_questions
from sources.models import Source

if TYPE_CHECKING:
    from connectors.delivery import Opened

FILE = "shape.json"


@dataclass(frozen=True)
class ReadTable:
    """One table as read: `sheet` of the workbook if there is one whose name may be shown (an export's is called as its
    form, and so perhaps after somebody); `headers` by declared name, where they differ and may be shown."""

    sheet: str | None
    headers: dict[str, str]
    rows_in: int


@dataclass(frozen=True)
class Shape:
    """A delivery as read: its tables by name, and facts such as encoding, form version and header fingerprint."""

    tables: dict[str, ReadTable]
    facts: dict[str, Any]

    @classmethod
    def of(cls, opened: Opened, source: Source, rows_in: dict[str, int], facts: dict[str, Any]) -> Shape:
        theirs = {
            name: {column.name: column.header for column in table.columns if column.header != column.name}
            for name, table in opened.tables.items()
        }
        told = tellable_questions((header for own in theirs.values() for header in own.values()), source)
        tables = {
            name: ReadTable(
                sheet=table.sheet if table.sheet and is_header(table.sheet, source) else None,
                headers={column: header for column, header in theirs[name].items() if header in told},
                rows_in=rows_in.get(name, 0),
            )
            for name, table in opened.tables.items()
        }
        return cls(tables, facts)

    def write(self, folder: Path) -> None:
        (folder / FILE).write_text(json.dumps(asdict(self), ensure_ascii=False, indent=1), encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Shape | None:
        """The shape kept in `folder`; None for a delivery that was refused before it was read."""
        path = folder / FILE
        if not path.exists():
            return None
        told = json.loads(path.read_text(encoding="utf-8"))
        return cls({name: ReadTable(**table) for name, table in told["tables"].items()}, told["facts"])
