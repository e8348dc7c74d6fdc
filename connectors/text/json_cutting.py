"""A JSON document without what some of its records say: each becomes one of `###` in the declared members, the others
stay as they were written, letter by letter.

Which records go, and whether the document reads as before but for them, is the business of `connectors.cutting`.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

from connectors.text import json_cells
from connectors.text.json_cells import as_it_is, is_feature
from connectors.text.json_files import JsonGrid
from connectors.text.json_stream import EMPTY, Beside, JsonText, Members, records

NOTHING = "###"
_BLOCK = 1 << 20
_FEATURE = ("type", "geometry", "properties")


@dataclass(frozen=True)
class Cut:
    """Of one list of records: its grid, the numbers of those that go, and the columns that stay, emptied."""

    grid: JsonGrid
    rows: Collection[int]
    columns: Collection[str]


def without_records(cuts: Collection[Cut]) -> Iterator[bytes] | None:
    """New bytes of the document in which the lists lie; None if its records are not taken as they are written."""
    document = next(iter(cuts)).grid.document
    paths = {cut.grid.place[0] for cut in cuts}
    if document.wording is not as_it_is or len(paths) != 1:
        return None
    by_inner = {cut.grid.place[1]: cut for cut in cuts}
    return _written(next(iter(cuts)).grid, _spans(next(iter(cuts)).grid, by_inner))


def _spans(grid: JsonGrid, cuts: Mapping[tuple[str, ...], Cut]) -> Iterator[tuple[int, int, str]]:
    """From where to where the letters of a record stand in which something goes, and what stands there then."""
    document, (path, _) = grid.document, grid.place
    numbers = {inner: count(1) for inner in cuts}

    def goes(inner: tuple[str, ...]) -> bool:
        return inner in cuts and next(numbers[inner]) in cuts[inner].rows

    def kept(inner: tuple[str, ...]) -> Collection[str]:
        return cuts[inner].columns if inner in cuts else ()

    with document.file.open() as handle:
        handle.seek(document.mark)
        text = JsonText(handle, document.encoding, document.file.name)
        for at, record in records(text, document.lines):
            if at == path and record is not EMPTY and not isinstance(record, Beside):
                start, end = text.span
                new = _record(record, (), goes, kept)
                if new is not record:
                    yield start, end, json_cells.as_json(new)


def _record(
    record: Any,
    inner: tuple[str, ...],
    goes: Callable[[tuple[str, ...]], bool],
    kept: Callable[[tuple[str, ...]], Collection[str]],
) -> Any:
    """The record itself if nothing in it goes."""
    gone = goes(inner)
    lists = {}
    for name, listed in json_cells.lists_inside(as_it_is(record)):
        new = [_record(one, (*inner, name), goes, kept) for one in listed]
        if gone or any(one is not other for one, other in zip(listed, new, strict=True)):
            lists[name] = new
    if not gone and not lists:
        return record
    if is_feature(record):
        parts = dict(record)
        own = _members(parts["properties"], "", lists, kept(inner) if gone else None)
        parts |= {"properties": own} | ({"geometry": None} if gone else {})
        return Members([(name, parts[name]) for name in _FEATURE])
    return _members(record, "", lists, kept(inner) if gone else None)


def _members(
    members: Any, prefix: str, lists: Mapping[str, list[Any]], declared: Collection[str] | None
) -> Members | str:
    """The members with these lists in the place of theirs; `declared`: the only other ones that stay, emptied."""
    if not isinstance(members, Members):
        return NOTHING  # a plain value is a record of one column
    changed = Members()
    for name, value in members:
        if prefix + name in lists:
            changed.append((name, lists[prefix + name]))
        elif isinstance(value, Members) and value:
            changed.append((name, _members(value, f"{prefix}{name}/", lists, declared)))
        elif declared is None:
            changed.append((name, value))
        elif prefix + name in declared:
            changed.append((name, NOTHING))
    return changed


def _written(grid: JsonGrid, spans: Iterator[tuple[int, int, str]]) -> Iterator[bytes]:
    """The file's bytes with other letters in the places of `spans`, which come in order."""
    document = grid.document
    encode = codecs.getincrementalencoder(document.encoding)().encode
    with document.file.open() as handle:
        yield handle.read(document.mark)
        letters = _Letters(iter(lambda: handle.read(_BLOCK), b""), document.encoding)
        for start, end, new in spans:
            yield from map(encode, letters.up_to(start))
            for _ in letters.up_to(end):
                pass
            yield encode(new)
        yield from map(encode, letters.up_to(None))


class _Letters:
    """The letters of a file in order, block by block."""

    def __init__(self, blocks: Iterator[bytes], encoding: str) -> None:
        self._blocks = codecs.iterdecode(blocks, encoding)
        self._waiting, self._position = "", 0

    def up_to(self, end: int | None) -> Iterator[str]:
        """Those from where it stands to `end`; None: all."""
        while end is None or self._position < end:
            if not self._waiting and not (waiting := next(self._blocks, "")):
                return
            elif not self._waiting:
                self._waiting = waiting
            most = len(self._waiting) if end is None else end - self._position
            block, self._waiting = self._waiting[:most], self._waiting[most:]
            self._position += len(block)
            yield block
