"""What a profile says of a file that a test delivers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connectors.profiling.profile import profile
from connectors.unknown import delivered, open_unknown
from sources.batches import PlainFile

Deliver = Callable[[str, bytes], PlainFile]


def profiled(file: PlainFile) -> dict[str, Any]:
    return profile(open_unknown(delivered(file.path)), file.name)


def columns(file: PlainFile) -> dict[str, dict[str, Any]]:
    return {column["name"]: column for column in profiled(file)["tables"][0]["columns"]}


def looks(deliver: Deliver, header: str, *rows: str) -> dict[str, list[str]]:
    found = columns(deliver("a.csv", "\n".join([header, *rows]).encode()))
    return {name: column["looks_like"] for name, column in found.items()}
