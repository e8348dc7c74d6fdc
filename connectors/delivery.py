"""The door of the room: a delivery is opened, compared with what its source declares, and read as batches of text.

The comparison is the same for every format: declared columns must be there, undeclared ones are named and never read.
How a format is read is the business of its own module; what a column means is nobody's business here.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from codebook.errors import Refused
from connectors.archives import unpacked
from connectors.shapes import ColumnShape, Grid, Heading, TableShape, Text
from connectors.text.other_tables import OtherTables
from sources.batches import ISSUES, DeliveredFile, TextBatch, issues_table
from sources.models import FETCHED, Source, Table
from values.letters import holds

BATCH_ROWS = 1 << 16
_UNPACKS_ITSELF = FETCHED | {"kobo_xlsx", "kobo_csv"}
"""Kinds whose files are never archives, or whose archives are exports in one piece."""
_GUESSES = {"encoding_detected": "read.encoding_detected", "form_order_unknown": "read.form_order_unknown"}
"""Facts that say that something was guessed, and the finding that asks the supplier to confirm it."""
_DAMAGED = "read.damaged_value"
_SCIENTIFIC = re.compile(r"^-?\d(?:[.,]\d+)?[eE]\+\d+$")


@dataclass
class Part:
    """A share of one table that can be read on its own, in another process too."""

    table: str
    grid: Grid
    columns: tuple[tuple[str, int], ...]
    absent: tuple[str, ...] = ()
    guarded: frozenset[str] = frozenset()
    may_hold_others: bool = False
    """Whether people lay out the file by hand, who may write another table below the first."""
    _issues: list[pa.Table] = field(default_factory=list)

    def batches(self, size: int = BATCH_ROWS) -> Iterator[TextBatch]:
        """Batches of at most `size` rows, columns named as in source.yaml; absent optional columns are all null."""
        self._issues = []
        names = [name for name, _ in self.columns]
        named = {position: name for name, position in self.columns}
        headers = {heading.position: heading.header for heading in self.grid.headings}
        others = OtherTables([headers[position] for position in named])
        for piece in self.grid.pieces([position for _, position in self.columns], size):
            for finding in piece.findings:
                # A reader may look at more columns than were asked for; what it finds there concerns the row.
                column = None if finding.column is None else named.get(finding.column)
                if column in self.guarded and (finding.rule, finding.severity) == (_DAMAGED, "query"):
                    continue  # what is only asked about elsewhere is an error in a key
                self._report(finding.rows, finding.rule, finding.severity, column)
            if self.may_hold_others:
                others.look(piece)
                self._refuse(others)
            if not len(piece.rows):
                continue
            cells = [
                self._undamaged(name, column, piece.rows) if name in self.guarded else column
                for name, column in zip(names, piece.cells, strict=True)
            ]
            cells += [pa.nulls(len(piece.rows), pa.string())] * len(self.absent)
            yield TextBatch(self.table, pa.array(piece.rows), pa.table(cells, names=[*names, *self.absent]))
        others.finish()
        self._refuse(others)

    def _refuse(self, others: OtherTables) -> None:
        """A record of another table would be taken for one of this."""
        if others.found:
            what = f"row {others.found[0]} looks like the header of another table"
            where = f"sheet {self.grid.sheet}" if self.grid.sheet == self.table else f"table {self.table}"
            mend = "deliver each table on a sheet or in a file of its own"
            raise Refused("delivery.unreadable", what, where, mend)

    def issues(self) -> pa.Table:
        """What reading found so far (schema ISSUES)."""
        return pa.concat_tables([ISSUES.empty_table(), *self._issues])

    def _report(self, rows: NDArray[np.int64], rule: str, severity: str, column: str | None) -> None:
        if len(rows):
            self._issues.append(issues_table(self.table, pa.array(rows), rule, severity, column))

    def _undamaged(self, name: str, column: Text, rows: NDArray[np.int64]) -> Text:
        """What Excel destroyed is no key, no person and no date: ######## and 1.67E+08 become null and an error."""
        damaged = damaged_cells(column)
        if not damaged.any():
            return column
        self._report(rows[damaged], _DAMAGED, "error", name)
        return pc.if_else(pa.array(damaged), pa.scalar(None, pa.string()), column.cast(pa.string()))


def damaged_cells(column: Text) -> NDArray[np.bool_]:
    """Where a cell shows a column that was too narrow, or a long number that became a power of ten (formats.md 1.2)."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if isinstance(column, pa.DictionaryArray):
        if not len(column.dictionary):
            return np.zeros(len(column), dtype=bool)
        hit: NDArray[np.bool_] = damaged_cells(column.dictionary)[column.indices.fill_null(0).to_numpy()]
        valid: NDArray[np.bool_] = column.is_valid().to_numpy(zero_copy_only=False)
        return hit & valid
    if not holds(column, "#+"):
        return np.zeros(len(column), dtype=bool)
    narrow = pc.starts_with(column, "###")
    power = pc.or_(pc.match_substring(column, "E+"), pc.match_substring(column, "e+"))
    suspect: NDArray[np.bool_] = pc.fill_null(pc.or_(narrow, power), False).to_numpy(zero_copy_only=False).copy()
    for index in np.flatnonzero(suspect):
        text = column[index].as_py().strip()
        suspect[index] = not text.strip("#") or _SCIENTIFIC.match(text) is not None
    return suspect


@dataclass
class Opened:
    """A delivery whose declared columns are all there. `facts` and `undeclared` hold names and counts, no value."""

    tables: dict[str, TableShape]
    facts: dict[str, object]
    undeclared: dict[str, list[str]]
    _parts: dict[str, Part]
    undeclared_at: dict[str, list[int]] = field(default_factory=dict)
    """The places of the undeclared columns, from 1: a header may be nothing to be shown."""
    _issues: dict[str, pa.Table] = field(default_factory=dict)
    _to_confirm: list[pa.Table] = field(default_factory=list)

    def batches(self, table: str, size: int = BATCH_ROWS) -> Iterator[TextBatch]:
        """Every row of a table; a declared table that the delivery does not hold has none."""
        part = self._parts.get(table)
        if part is None:
            return
        try:
            yield from part.batches(size)
        finally:
            self._issues[table] = part.issues()

    def parts(self, table: str, n: int) -> list[Part]:
        """At most `n` parts that together are the table; each keeps its own issues."""
        part = self._parts.get(table)
        if part is None:
            return []
        return [replace(part, grid=grid, _issues=[]) for grid in part.grid.split(max(1, n))]

    def issues(self) -> pa.Table:
        """What reading the tables through `batches` found; read them first. What was guessed of the whole delivery is
        among it, so that the supplier confirms it (law 5)."""
        return pa.concat_tables([ISSUES.empty_table(), *self._to_confirm, *self._issues.values()])


def open_delivery(files: Sequence[DeliveredFile], source: Source) -> Opened:
    """Open the files of one delivery as `source` declares them; Refused if they are not such a delivery."""
    files = with_tables(files, source)
    for file in files:
        if file.size == 0:
            raise Refused("delivery.empty", "the file is empty", file.name, "deliver the file again")
    if source.format.kind not in _UNPACKS_ITSELF:
        files = unpacked(files)
    grids, facts = _grids(files, source)
    facts["header_fingerprint"] = _fingerprint(grids)
    opened = Opened({}, facts, {}, {})
    opened._to_confirm = [
        issues_table(source.tables[0].name, pa.nulls(1, pa.int64()), rule, "query")
        for fact, rule in _GUESSES.items()
        if facts.get(fact)
    ]
    for table in source.tables:
        grid = grids.get(table.name)
        if grid is None:
            continue
        found, absent = _match(table, grid.headings, _where(files, grid, table))
        taken = {heading.position for _, heading in found}
        opened.tables[table.name] = TableShape(
            table.name,
            tuple(ColumnShape(name, h.header, h.position, h.value_labels, h.missing) for name, h in found),
            grid.sheet,
        )
        undeclared = [h for h in grid.headings if h.header and h.position not in taken]
        opened.undeclared[table.name] = [h.header for h in undeclared]
        opened.undeclared_at[table.name] = [h.position + 1 for h in undeclared]
        read = [(name, heading) for name, heading in found if is_read(table, name)]
        opened._parts[table.name] = Part(
            table.name,
            grid,
            tuple((name, h.position) for name, h in read),
            absent,
            _guarded(table, read),
            may_hold_others=source.format.kind in ("csv", "xlsx"),
        )
    return opened


def with_tables(files: Sequence[DeliveredFile], source: Source) -> Sequence[DeliveredFile]:
    """The files of a delivery that tables may be in; what else a server's sweep brought is nobody's to read."""
    if source.format.kind != "kobo_server":
        return files
    from connectors.kobo.submissions import tables_of

    return tables_of(files)


def _grids(files: Sequence[DeliveredFile], source: Source) -> tuple[Mapping[str, Grid], dict[str, object]]:
    match source.format.kind:
        case "csv":
            from connectors.text import delimited

            return delimited.open_grids(files, source)
        case "fixed_width":
            from connectors.text import fixed_width

            return fixed_width.open_grids(files, source)
        case "json":
            from connectors.text import json_files

            return json_files.open_grids(files, source)
        case "xlsx":
            from connectors.workbooks import workbook

            return workbook.open_grids(files, source)
        case "spss" | "stata" | "sas":
            from connectors.statistical import reader as statistical

            return statistical.open_grids(files, source)
        case "kobo_xlsx" | "kobo_csv":
            from connectors.kobo import export as kobo_export

            return kobo_export.open_grids(files, source)
        case "database":
            from connectors import database

            return database.open_grids(files, source)
        case "kobo_server":
            from connectors.kobo import submissions as kobo_submissions

            return kobo_submissions.open_grids(files, source)


def _fingerprint(grids: Mapping[str, Grid]) -> str:
    headers = "\n\n".join("\n".join(h.header for h in grids[name].headings) for name in sorted(grids))
    return hashlib.sha256(headers.encode("utf-8")).hexdigest()


def _where(files: Sequence[DeliveredFile], grid: Grid, table: Table) -> str:
    """The sheet where the source declares its name: that of a form's submissions may be called after somebody."""
    return f"sheet {grid.sheet}" if grid.sheet == table.name else ", ".join(file.name for file in files)


def _match(table: Table, headings: Sequence[Heading], where: str) -> tuple[list[tuple[str, Heading]], tuple[str, ...]]:
    """Declared names with the columns they were found in (file order), and the optional names that are not there."""
    by_header: dict[str, list[Heading]] = {}
    by_name: dict[str, list[Heading]] = {}
    for heading in headings:
        by_header.setdefault(heading.names[0], []).append(heading)
        for name in dict.fromkeys(heading.names):
            by_name.setdefault(name, []).append(heading)
    found: dict[int, str] = {}
    required = sum(not (column.family or column.optional) for column in table.columns)
    missing: list[str] = []
    absent: list[str] = []
    unclear: list[str] = []
    for column in table.columns:
        if column.family:
            continue
        hits = by_header.get(column.name) or by_name.get(column.name, [])
        if len(hits) == 1:
            found[hits[0].position] = column.name
        elif hits:
            unclear.append(column.name)
        else:
            (absent if column.optional else missing).append(column.name)
    _refuse_unless_all(table, required, missing, unclear, where)
    for heading in headings:
        if heading.position not in found:
            member = next((name for name in heading.names if _in_family(table, name)), None)
            if member is not None:
                found[heading.position] = member
    by_position = {heading.position: heading for heading in headings}
    return [(found[position], by_position[position]) for position in sorted(found)], tuple(absent)


def _in_family(table: Table, name: str) -> bool:
    column = table.column(name)
    return column is not None and column.family


def _refuse_unless_all(table: Table, required: int, missing: list[str], unclear: list[str], where: str) -> None:
    if len(missing) > required / 2:
        raise Refused(
            "delivery.wrong_source",
            f"{len(missing)} of the {required} columns of table {table.name} are not in the file",
            where,
            "is this a file of another source?",
        )
    if missing:
        names = ", ".join(missing[:10]) + (f" and {len(missing) - 10} more" if len(missing) > 10 else "")
        mend = "deliver the file with these columns"
        raise Refused("delivery.missing_column", f"missing: {names}", where, mend, missing)
    if unclear:
        raise Refused(
            "delivery.missing_column",
            f"several columns answer to: {', '.join(unclear[:10])}",
            where,
            "declare the full path of the question",
            unclear,
        )


def is_read(table: Table, name: str) -> bool:
    """Whether a column has to be read: ignored columns stay in the file unless they are part of a key or of consent."""
    column = table.column(name)
    return (column is not None and column.class_ != "ignore") or name in _keys(table)


def _keys(table: Table) -> set[str]:
    names = set(table.key)
    if table.parent:
        names.update(table.parent.key)
    if table.person:
        names.update(table.person.link)
    if table.consent:
        names.add(table.consent.column)
    for join in table.joins:
        names.update(join.on)
    for entity in table.entities.values():
        names.update(entity.key)
    return names


def _guarded(table: Table, read: Sequence[tuple[str, Heading]]) -> frozenset[str]:
    """Columns in which Excel's damage is looked for: keys, identifiers and dates."""
    keys = _keys(table)

    def guard(name: str, heading: Heading) -> bool:
        column = table.column(name)
        declared = column is not None and (column.class_ == "identifier" or bool(column.format or column.keep))
        return name in keys or declared or heading.date

    return frozenset(name for name, heading in read if guard(name, heading))
