"""Which languages may be redacted: those with a measured figure that is good enough. Every other is withheld.

The figures are data, `measured.csv`, made by `benchmarks/redaction.py`; docs/free-text.md says what they rest on.
"""

from __future__ import annotations

import csv
from functools import lru_cache
from pathlib import Path

_FIGURES = Path(__file__).with_name("measured.csv")

ENOUGH = 0.95
"""Recall of names below which redaction protects nobody."""


def may_redact(language: str) -> bool:
    """Whether recall of names was measured in this language (ISO 639-1), and is enough."""
    recall = name_recall().get(language)
    return recall is not None and recall >= ENOUGH


@lru_cache(maxsize=1)
def name_recall() -> dict[str, float]:
    """Measured recall of names by language; of several data sets the worst."""
    recall: dict[str, float] = {}
    with _FIGURES.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            recall[row["language"]] = min(float(row["name_recall"]), recall.get(row["language"], 1.0))
    return recall
