"""Passes batches through the gate without a vault, and tells its findings as tuples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from anonymization.gate import Gate
from sources.batches import SafeBatch, TextBatch
from sources.models import Source

Rows = Callable[..., TextBatch]
MakeSource = Callable[..., Source]


def dry(source: Source, *batches: TextBatch) -> SafeBatch:
    gate = Gate(source, None)
    return [gate.pass_batch(batch) for batch in batches][-1]


def issues(safe: SafeBatch) -> list[tuple[Any, ...]]:
    return [(i["row"], i["rule"], i["severity"], i["column"]) for i in safe.issues.to_pylist()]
