"""What is known about a sample delivery before anybody reads it: the outcome of every row, and what must never leak.

Written as JSON beside the sample. Tests hold the house to it, row by row and identifier by identifier. It knows no
format and no rule's meaning: each source's module says what it planted.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from examples.people import Person

Outcome = Literal["accepted", "flagged", "rejected"]


@dataclass(frozen=True)
class RowOutcome:
    """One row of one table: `rejected` has at least one error, `flagged` has queries only. Notes change nothing."""

    table: str
    row: int  # the supplier's row number, as docs/contracts.md 4 counts it
    outcome: Outcome
    rules: tuple[str, ...] = ()

    @classmethod
    def of(cls, table: str, row: int, findings: Mapping[str, str] | None = None) -> RowOutcome:
        """The outcome that follows from `findings`: rule id -> severity (error, query, note)."""
        severities = set((findings or {}).values())
        outcome: Outcome = "rejected" if "error" in severities else "flagged" if "query" in severities else "accepted"
        return cls(table, row, outcome, tuple(sorted(findings or {})))


@dataclass(frozen=True)
class Planted:
    """A personal value in the sample as it is written there: it may stand in the vault and nowhere else."""

    kind: str  # name | national_id | phone | email | address | birth_date | case_number | free_text
    value: str


@dataclass(frozen=True)
class Manifest:
    """Everything expected of one sample delivery. `findings` are expected on the delivery or a column, not on a row."""

    source: str
    files: tuple[str, ...]
    rows: tuple[RowOutcome, ...]
    planted: tuple[Planted, ...]
    findings: tuple[str, ...] = field(default=())

    def counts(self) -> dict[str, int]:
        """Rows in, accepted (flagged rows are accepted) and rejected, over all tables."""
        rejected = sum(row.outcome == "rejected" for row in self.rows)
        return {"rows_in": len(self.rows), "accepted": len(self.rows) - rejected, "rejected": rejected}

    def write(self, path: Path) -> Path:
        path.write_text(json.dumps(asdict(self), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        return path

    @classmethod
    def read(cls, path: Path) -> Manifest:
        told = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            source=told["source"],
            files=tuple(told["files"]),
            rows=tuple(RowOutcome(**{**row, "rules": tuple(row["rules"])}) for row in told["rows"]),
            planted=tuple(Planted(**one) for one in told["planted"]),
            findings=tuple(told["findings"]),
        )


def plant(kind: str, values: Iterable[str]) -> list[Planted]:
    """`values` as planted, blank ones left out and each once."""
    return [Planted(kind, value) for value in dict.fromkeys(values) if value]


def plant_people(people: Iterable[Person]) -> list[Planted]:
    """National ids, phones, e-mails, addresses and full names of `people`, as the person carries them.

    Single given names are not planted: a search for "Rosa" would find the word in any text. A source that writes a
    value in another form (digits grouped, zeros lost, DD/MM/YYYY) plants that form itself.
    """
    everyone = list(people)
    return [
        *plant("national_id", (one.national_id for one in everyone)),
        *plant("name", (one.full_name for one in everyone)),
        *plant("phone", (one.phone for one in everyone)),
        *plant("email", (one.email for one in everyone)),
        *plant("address", (one.address for one in everyone)),
    ]
