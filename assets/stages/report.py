"""What a stage says about its work, and the frame in which every stage runs: refusals, faults, states."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class StageReport:
    """One stage of one delivery: where the delivery now stands, and what was counted.

    `counts`: rows by name (`rows_in`, `rejected`, an entity's name ...). `rules`: findings by rule id. `refused`: one
    line, where the delivery cannot be taken.
    """

    stage: str
    state: str
    counts: dict[str, int] = field(default_factory=dict)
    rules: dict[str, int] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    refused: str | None = None
