"""A small form on a KoboToolbox server, the source that declares it, and what a test does with a sweep over it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from kobo_api_double import ASSET, TOKEN, KoboServer
from small_sources import source, table

from connectors import open_delivery, sweep
from connectors.kobo.api import Patience
from sources.batches import PlainFile
from sources.models import Source

HASTY = Patience(attempts=3, first_pause=0.01, longest_pause=2.0, answer=60.0)
"""Of pauses only: an answer of the double comes at once, on a machine that stands still for seconds a little later."""
AT_ONCE = replace(HASTY, answer=2.0)
"""For answers that never come, or a letter at a time."""
SURVEY = [
    {"type": "start", "name": "start", "$xpath": "start"},
    {"type": "begin_group", "name": "who", "$xpath": "who"},
    {"type": "text", "name": "name", "$xpath": "who/name"},
    {"type": "select_multiple", "name": "needs", "$xpath": "who/needs"},
    {"type": "end_group"},
    {"type": "geopoint", "$autoname": "gps"},
    {"type": "note", "name": "thanks"},
    {"type": "begin_repeat", "name": "members", "$xpath": "members"},
    {"type": "text", "name": "name", "$xpath": "members/name"},
    {"type": "begin_repeat", "name": "papers", "$xpath": "members/papers"},
    {"type": "text", "name": "kind", "$xpath": "members/papers/kind"},
    {"type": "end_repeat"},
    {"type": "end_repeat"},
]
MAIN = table("main", ["_stable_id", "who/name", "needs", "gps", "_validation_status"], key=["_stable_id"])
MEMBERS = table(
    "members",
    ["_submission__stable_id", "_position", "name"],
    key=["_submission__stable_id", "_position"],
    parent={"table": "main", "key": ["_submission__stable_id"]},
)
PAPERS = table("papers", ["_submission__id", "_parent_position", "_position", "kind"], key=["_submission__id"])


class Lying:
    """Attachments that a test looks into, by uid."""

    def __init__(self) -> None:
        self.bytes: dict[str, bytes] = {}

    def known(self, uid: str) -> str | None:
        return hashlib.sha256(self.bytes[uid]).hexdigest() if uid in self.bytes else None

    def add(self, uid: str, blocks: Iterator[bytes]) -> str:
        content = b"".join(blocks)  # all or nothing
        self.bytes[uid] = content
        return hashlib.sha256(content).hexdigest()


class InMemory:
    """Pages of a sweep that a test looks into."""

    def __init__(self) -> None:
        self.pages: list[bytes] = []
        self.attachments = Lying()

    def __len__(self) -> int:
        return len(self.pages)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.pages)

    def add(self, page: bytes) -> None:
        self.pages.append(page)

    def clear(self) -> None:
        self.pages = []


def declared(url: str, *tables: dict[str, Any], **more: Any) -> Source:
    format = {"kind": "kobo_server", "url": url, "asset": ASSET, "token_env": "KOBO_TOKEN", "page_size": 100, **more}
    return source(format, *(tables or (MAIN, MEMBERS, PAPERS)))


def swept(
    url: str, *tables: dict[str, Any], kept: InMemory | None = None, token: str = TOKEN, patience: Patience = HASTY
) -> dict[str, bytes]:
    pages = InMemory() if kept is None else kept
    return {name: b"".join(blocks) for name, blocks in sweep(declared(url, *tables), token, pages, patience)}


def read(content: dict[str, bytes], url: str, folder: Path, *tables: dict[str, Any]) -> Any:
    files = []
    for name, body in content.items():
        (folder / name).write_bytes(body)
        files.append(PlainFile(folder / name))
    return open_delivery(files, declared(url, *tables))


def data_requests(kobo: KoboServer) -> list[dict[str, str]]:
    """The queries for pages, without the one for the newest `_id`."""
    return [query for path, query in kobo.asked if path.endswith("/data/") and "fields" not in query]


def names(content: dict[str, bytes]) -> int:
    return content["submissions.jsonl"].count(b'"who/name"')
