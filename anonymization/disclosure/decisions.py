"""The log of a release's decisions: what was withheld or made coarser, by which rule, and how much of it. No value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

COLUMNS = ("rule", "subject", "affected", "parameters")


@dataclass
class Decisions:
    """Decisions in the order in which they were taken."""

    taken: list[dict[str, Any]] = field(default_factory=list)

    def note(self, rule: str, subject: str, affected: int, **parameters: Any) -> None:
        """`rule`: what was applied; `subject`: variable or cells it was applied to; `affected`: how many cells."""
        self.taken.append({"rule": rule, "subject": subject, "affected": int(affected), "parameters": parameters})

    def table(self) -> pd.DataFrame:
        """One decision a row, columns COLUMNS."""
        return pd.DataFrame(self.taken, columns=list(COLUMNS))
