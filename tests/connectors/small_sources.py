"""Sources of a few columns, declared in a line; files that lie in memory; reading what they open."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO

from connectors import Opened
from sources.corrections import Correction
from sources.models import Declaration, Source

Columns = Sequence[str | dict[str, Any]]


@dataclass(frozen=True)
class MemoryFile:
    """A delivered file of these bytes."""

    name: str
    content: bytes

    @property
    def size(self) -> int:
        return len(self.content)

    def open(self) -> BinaryIO:
        return io.BytesIO(self.content)


@dataclass(frozen=True)
class HugeFile:
    """A delivered gigabyte of some bytes at first and then others for ever, and how much of it was read."""

    name: str
    beginning: bytes
    rest: bytes
    read: list[int] = field(default_factory=list)
    size: int = 1 << 30

    def open(self) -> BinaryIO:
        return _HugeStream(self)  # type: ignore[return-value]


class _HugeStream(io.RawIOBase):
    def __init__(self, file: HugeFile) -> None:
        self._file, self._at = file, 0

    def read(self, size: int = -1) -> bytes:
        begun = self._file.beginning[self._at : self._at + size]
        wanted = min(size, self._file.size - self._at) - len(begun)
        taken = begun + (self._file.rest * (wanted // len(self._file.rest) + 1))[:wanted]
        self._at += len(taken)
        self._file.read.append(len(taken))
        return taken

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset
        return offset


def table(name: str, columns: Columns, key: Sequence[str], **more: Any) -> dict[str, Any]:
    """A declared table; a bare column name is a plain column."""
    declared = [{"name": c, "class": "plain"} if isinstance(c, str) else {"class": "plain", **c} for c in columns]
    return {"name": name, "key": list(key), "columns": declared, **more}


def source(format: dict[str, Any], *tables: dict[str, Any], corrections: tuple[Correction, ...] = ()) -> Source:
    """A source with only what a connector looks at filled in: it has no crosswalk."""
    declared = Declaration.model_validate(
        {
            "source": "slv/test",
            "title": {"en": "Test"},
            "country": "SLV",
            "supplier": {"name": "Test", "language": "es"},
            "owner": "test@example.org",
            "purpose": "reintegration_statistics",
            "legal_basis": "test",
            "agreement": "T-1",
            "expires": date(2030, 1, 1),
            "retention_months": 1,
            "delivery": {"mode": "increment"},
            "format": format,
            "tables": list(tables),
        }
    )
    fields = {name: getattr(declared, name) for name in Declaration.model_fields}
    return Source.model_construct(**fields, folder=Path("."), version="0" * 12, corrections=corrections)


def rows(opened: Opened, name: str = "main", size: int = 50_000) -> list[dict[str, Any]]:
    """Every row of a table in order of its number, the number under `row`."""
    found = [
        {"row": number, **cells}
        for batch in opened.batches(name, size)
        for number, cells in zip(batch.rows.to_pylist(), batch.cells.to_pylist(), strict=True)
    ]
    return sorted(found, key=lambda row: row["row"])


def issues(opened: Opened) -> list[tuple[Any, ...]]:
    """What reading found: (row, column, rule, severity)."""
    return [(i["row"], i["column"], i["rule"], i["severity"]) for i in opened.issues().to_pylist()]
