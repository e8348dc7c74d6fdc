"""Submissions of a KoboToolbox form as tables: flattened when they are fetched, read again as a delivery.

A submission is a JSON object whose keys are full paths (`group/question`); unanswered questions are absent, a repeat is
a list of objects with full paths as well, an answer is text (formats.md 1.3). A line of the delivered file is one
submission: rows by table, each with the values that the source declares. How they are fetched is not told here.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa

from codebook.errors import Refused
from connectors.delivery import is_read
from connectors.kobo import sealed
from connectors.kobo.asked import with_asked
from connectors.kobo.attachments import NOT_FETCHED, Attached, is_short
from connectors.kobo.export import as_questions
from connectors.kobo.form import in_language
from connectors.kobo.form_files import asked_in, of_asset
from connectors.kobo.grid import KoboGrid
from connectors.kobo.sealed import FORM, SUBMISSIONS
from connectors.shapes import MAX_COLUMNS, Finding, Grid, Heading, Piece
from sources.batches import DeliveredFile
from sources.models import Source, Table

_SYSTEM = ("_", "meta/", "formhub/")
_OF_A_SUBMISSION = (
    "_id", "_uuid", "_stable_id", "_submission_time", "_validation_status", "_notes", "_status", "_submitted_by",
    "__version__", "_tags", "_geolocation", "_attachments", "_xform_id_string", "formhub/uuid", "meta/instanceID",
    "meta/instanceName", "meta/rootUuid", "meta/deprecatedID",
)  # fmt: skip
_OF_A_REPEAT = ("_submission__id", "_submission__uuid", "_submission__stable_id", "_position", "_parent_position")
_NO_ANSWER = ("note", "")


def canonical(value: object) -> bytes:
    """JSON in the one way that equal values are always written."""
    return _whole(json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)).encode("utf-8")


def stable_id(submission: Mapping[str, Any]) -> str | None:
    """What stays the same over edits (formats.md 1.2): rootUuid, else the server's `_id`, else `_uuid`."""
    root, number, uuid = (submission.get(name) for name in ("meta/rootUuid", "_id", "_uuid"))
    if root:
        return f"root:{str(root).removeprefix('uuid:')}"
    if number is not None:
        return f"id:{number}"
    return f"uuid:{uuid}" if uuid else None


@dataclass(frozen=True)
class _Part:
    """A part of a repeat: its numbers in its submission (`2/1`), and its path without and with them."""

    numbers: str = ""
    path: str = ""
    place: str = ""

    def inner(self, path: str, number: int) -> _Part:
        numbers = f"{self.numbers}/{number}" if self.numbers else str(number)
        return _Part(numbers, path, f"{self.place_of(path)}[{number}]")

    def place_of(self, path: str) -> str:
        """Where an answer with this path stands: `members[2]/photo`."""
        return f"{self.place}{path.removeprefix(self.path)}"


@dataclass
class Flattening:
    """Takes submissions apart into rows of the declared tables; `seen` are the paths of answers by table, `attached`
    the answers of the last submission that name a declared attachment.

    `homes`: by table and name the one question that has the name today. An answer that stands elsewhere was given
    before the question was moved, and is declared with it."""

    source: Source
    homes: Mapping[tuple[str, str], str] = field(default_factory=dict)
    seen: dict[str, list[str]] = field(default_factory=dict)
    attached: list[Attached] = field(default_factory=list)
    _wanted: dict[tuple[str, str], bool] = field(default_factory=dict)

    def tables(self, submission: Mapping[str, Any]) -> dict[str, list[dict[str, str]]]:
        """Rows by table, with declared values only. Parts of a repeat know their submission and their place in it."""
        known = {**submission, "_stable_id": stable_id(submission)}
        of = {f"_submission_{name}": _text(known.get(name)) for name in ("_id", "_uuid", "_stable_id")}
        made: dict[str, list[dict[str, str]]] = {}
        self.attached = []
        try:
            self._row(self.source.tables[0], known, of, _Part(), made)
        except RecursionError:
            what = "a submission holds repeats within repeats without end"
            raise Refused("delivery.unreadable", what, SUBMISSIONS, "mend it on the server") from None
        return made

    def _row(
        self,
        table: Table | None,
        answers: Mapping[str, Any],
        of: Mapping[str, str | None],
        part: _Part,
        made: dict[str, list[dict[str, str]]],
    ) -> None:
        row: dict[str, str] = {}
        if table is not None:
            made.setdefault(table.name, []).append(row)
        for path, value in answers.items():
            if _is_repeat(path, value):
                inner = repeat_table(self.source, path)
                for number, answered in enumerate(value, start=1):
                    within = part.inner(path, number)
                    places = {"_position": within.numbers, "_parent_position": part.numbers}
                    self._row(inner, {**answered, **of, **places}, of, within, made)
            elif table is not None and (text := _text(value)) is not None:
                for most in self._attachments(table, path):
                    self.attached.append(Attached(row, path, part.place_of(path), text, most))
                if self._is_wanted(table, path):
                    row[path] = text

    def _attachments(self, table: Table, path: str) -> Iterator[int]:
        """How many bytes of the file that an answer names are wanted, if the source declares its question."""
        for attachment in table.attachments:
            if attachment.question in self._names(table, path):
                yield attachment.max_mib << 20

    def _is_wanted(self, table: Table, path: str) -> bool:
        """Whether the source reads a path; one that no submission had before is noted."""
        found = self._wanted.get((table.name, path))
        if found is None:
            found = any(is_read(table, name) for name in self._names(table, _whole(path)))
            self._wanted[table.name, path] = found
            if not path.startswith(_SYSTEM):
                self.seen[table.name] = sorted([*self.seen.get(table.name, []), path])
        return found

    def _names(self, table: Table, path: str) -> list[str]:
        """What a source may call the question of an answer."""
        home = self.homes.get((table.name, path.rpartition("/")[2]), path)
        return [*_suffixes(path), *(_suffixes(home) if home != path else ())]


def homes(content: Mapping[str, Any], source: Source) -> dict[tuple[str, str], str]:
    """The path of each question of a form's content by its table and name; without names that two of them have."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for question in questions(content, source):
        found[question.table, question.path.rpartition("/")[2]].append(question.path)
    return {key: paths[0] for key, paths in found.items() if len(paths) == 1}


def repeat_table(source: Source, path: str) -> Table | None:
    """The declared table of a repeat, by its full path or by its own name."""
    names = {table.name: table for table in source.tables[1:]}
    return names.get(path) or names.get(path.rpartition("/")[2])


def _is_repeat(path: str, value: object) -> bool:
    return isinstance(value, list) and not path.startswith("_") and all(isinstance(part, dict) for part in value)


def _suffixes(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[-n:]) for n in range(1, len(parts) + 1)]


def _text(value: object) -> str | None:
    """A value as an export with XML values would show it; objects of the system by their uid."""
    if value in (None, "", [], {}):
        return None
    match value:
        case str():
            return _whole(value)
        case bool():
            return "true" if value else "false"
        case {"uid": str(uid)}:
            return _whole(uid)
        case list() if all(isinstance(one, str) for one in value):
            return _whole(" ".join(value))
        case dict() | list():
            return canonical(value).decode("utf-8")
        case _:
            return str(value)


def _whole(text: str) -> str:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise Refused(
            "delivery.unreadable", "an answer or the form holds half a letter", SUBMISSIONS, "mend it on the server"
        ) from None
    return text


@dataclass(frozen=True)
class Asked:
    """A question of the form: the declared table it belongs to, its full path and its type."""

    table: str
    path: str
    type: str


def types_of(content: Mapping[str, Any]) -> dict[str, str]:
    """The type of every question of a form's content, by its full path."""
    groups: list[str] = []
    found: dict[str, str] = {}
    for row in asked_in(content):
        kind, name, path = _named(row, groups)
        if kind.startswith("begin"):
            groups.append(name)
        elif kind.startswith("end_") or kind.startswith("end "):
            groups = groups[:-1]
        elif name and kind not in _NO_ANSWER:
            found[path] = kind
    return found


def _named(row: Mapping[str, Any], groups: Sequence[str]) -> tuple[str, str, str]:
    """Type, name and full path of a row of a survey."""
    kind = row.get("type") or ""
    kind = next(iter(kind), "") if isinstance(kind, dict) else str(kind)
    name = str(row.get("name") or row.get("$autoname") or "")
    return kind, name, str(row.get("$xpath") or "/".join([*groups, name]))


def questions(content: Mapping[str, Any], source: Source) -> Iterator[Asked]:
    """The questions of a form's content that answers are given to, of the main table and of declared repeats."""
    groups: list[str] = []
    tables: list[str | None] = [source.tables[0].name]
    for row in asked_in(content):
        kind, name, path = _named(row, groups)
        if kind.startswith("begin"):
            groups.append(name)
            inner = repeat_table(source, path)
            tables.append((inner.name if inner else None) if kind.endswith("repeat") else tables[-1])
        elif kind.startswith("end_") or kind.startswith("end "):
            groups, tables = groups[:-1], tables[:-1] or [None]
        elif name and (table := tables[-1]) and kind not in _NO_ANSWER:
            yield Asked(table, path, kind)
            if row.get("_or_other") in (True, "true"):
                yield Asked(table, f"{path}_other", "text")


@dataclass(frozen=True)
class SubmissionsGrid:
    """One table of the delivered submissions; rows are numbered from 1 in the order of `_id`."""

    file: DeliveredFile
    table: str
    headings: tuple[Heading, ...]
    paths: tuple[tuple[str, ...], ...]
    sheet: str | None = None

    def pieces(self, positions: Sequence[int], size: int) -> Iterator[Piece]:
        cells: list[list[str | None]] = [[] for _ in positions]
        held, first, short = 0, 1, list[int]()
        for row in self._rows():
            if is_short(row):
                short.append(first + held)
            for column, position in zip(cells, positions, strict=True):
                # Of the paths that a question had in several versions of the form, a submission has one.
                column.append(next((row[path] for path in self.paths[position] if path in row), None))
            held += 1
            if held == size:
                yield _piece(cells, first, held, short)
                cells, first, held, short = [[] for _ in positions], first + held, 0, []
        if held:
            yield _piece(cells, first, held, short)

    def split(self, n: int) -> list[Grid]:
        return [self]

    def _rows(self) -> Iterator[dict[str, str]]:
        for tables in sealed.submissions(self.file):
            yield from tables.get(self.table, ())


def _piece(cells: Sequence[list[str | None]], first: int, n: int, short: Sequence[int]) -> Piece:
    findings = (Finding(NOT_FETCHED, "query", np.array(short, dtype=np.int64)),) if short else ()
    columns = [pa.array(column, pa.string()) for column in cells]
    return Piece(np.arange(first, first + n, dtype=np.int64), columns, findings)


def tables_of(files: Sequence[DeliveredFile]) -> Sequence[DeliveredFile]:
    """The files of a sweep that tables are read from: they come first, and attachments behind them."""
    return files[:2]


def open_grids(files: Sequence[DeliveredFile], source: Source) -> tuple[dict[str, Grid], dict[str, object]]:
    """The tables of a sweep: the submissions and their declared repeats."""
    by_name = {file.name: file for file in files}
    if set(by_name) != {SUBMISSIONS, FORM}:
        raise Refused(
            "delivery.wrong_source",
            f"a sweep is the files {SUBMISSIONS} and {FORM}",
            source.source,
            "deliver without naming a file: the server is read",
        )
    form = sealed.form(by_name[FORM])
    if not form.columns.keys() >= {table.name for table in source.tables}:
        raise sealed.no_sweep(by_name[FORM])  # of a table that was declared since nothing was kept
    content = form.content.model_dump()
    asked: dict[str, list[Asked]] = defaultdict(list)
    for question in questions(content, source):
        asked[question.table].append(question)
    sheets = in_language(of_asset({"content": content}, FORM), None)
    read: dict[str | None, KoboGrid] = {}
    for table in source.tables:
        is_main = table is source.tables[0]
        grid = _grid(by_name[SUBMISSIONS], table, is_main, asked[table.name], form.columns)
        repeat = None if is_main else table.name.rpartition("/")[2]
        read[repeat] = _kept(as_questions(grid, repeat, sheets), table)
    made, unread = with_asked(read, sheets)
    grids = dict(zip((table.name for table in source.tables), made.values(), strict=True))
    facts: dict[str, object] = {"language": "xml", "form_version": form.deployed_version or ""}
    facts["form_versions"] = [version.uid for version in form.versions]
    told = ("type_changes", "versions_not_read", "versions_not_listed")
    facts |= {name: said for name in told if (said := getattr(form, name))}
    facts |= {"relevance_not_read": unread} if unread else {}
    return grids, facts


def _kept(grid: KoboGrid, table: Table) -> KoboGrid:
    """A table that knows which questions were answered and not kept: a blank there says nothing."""
    paths = {heading.position: heading.header for heading in grid.headings}
    unkept = (
        name for name, at in grid.at.items() if not any(is_read(table, suffix) for suffix in _suffixes(paths[at]))
    )
    return replace(grid, withheld=frozenset(unkept))


def _grid(
    file: DeliveredFile, table: Table, is_main: bool, asked: Sequence[Asked], columns: Mapping[str, Sequence[str]]
) -> SubmissionsGrid:
    declared = {column.name for column in table.columns}
    system = [name for name in (_OF_A_SUBMISSION if is_main else _OF_A_REPEAT) if name in declared]
    found = [*_merged([question.path for question in asked], columns[table.name]).items(), *((n, (n,)) for n in system)]
    if len(found) > MAX_COLUMNS:
        raise Refused(
            "delivery.unreadable",
            f"{len(found)} columns, at most {MAX_COLUMNS} can be read",
            f"table {table.name}",
            "is this the right form?",
        )
    headings = tuple(Heading(path, position, (path,)) for position, (path, _) in enumerate(found))
    return SubmissionsGrid(file, table.name, headings, tuple(paths for _, paths in found))


def _merged(current: Sequence[str], delivered: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Columns by path. A question that stood in another group in a former version of the form is one column with the
    question that has its name now, if one has."""
    homes: dict[str, list[str]] = defaultdict(list)
    for path in dict.fromkeys(current):
        homes[path.rpartition("/")[2]].append(path)
    merged: dict[str, tuple[str, ...]] = {path: (path,) for path in current}
    for path in sorted(set(delivered) - set(current)):
        home = homes[path.rpartition("/")[2]]
        if len(home) == 1:
            merged[home[0]] = (*merged[home[0]], path)
        else:
            merged[path] = (path,)
    return merged
