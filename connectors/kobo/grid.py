"""A table of an export whose headings answer to question names and whose cells are codes.

A column is read as it is, decoded from labels, put together from detail columns, or worked out from the form's logic
(`asked(<question>)`: yes, no, or blank where it cannot be known). How headings find their questions is the business of
`kobo_headers`; which of these a column is, of `kobo_export`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from connectors.kobo import choices as kobo_choices
from connectors.kobo import labels as kobo_labels
from connectors.kobo.choices import Detail
from connectors.kobo.damage import lost
from connectors.kobo.labels import Decoding
from connectors.kobo.relevant import Kinds, calculated, parse
from connectors.kobo.xpath_values import flags
from connectors.shapes import Finding, Grid, Heading, Piece, Text


@dataclass(frozen=True)
class Answer:
    """A column of answers: at `position` in the file (None: made of `details`), decoded if it has labels."""

    position: int | None
    decoding: Decoding | None
    details: tuple[Detail, ...]


@dataclass(frozen=True)
class Asked:
    """Whether a question was asked: all `conditions` hold, as the form writes them. None is one that cannot be read.

    `places`: the columns of the questions that the conditions name, and of what they see beyond their row; `kinds`:
    what the form's questions ask for.
    """

    conditions: tuple[str | None, ...]
    places: tuple[tuple[str, int], ...]
    kinds: Kinds


@dataclass(frozen=True)
class Calculated:
    """What the device worked out and the export left out, where it was `asked`."""

    expression: str
    asked: Asked


class Beyond(Protocol):
    """A column that is worked out from other rows or other tables."""

    def of(self, rows: NDArray[np.int64]) -> tuple[pa.Array, NDArray[np.bool_]]:
        """Texts by the supplier's row numbers, and which of them are not known."""
        ...


Made: TypeAlias = Answer | Asked | Calculated | Beyond


@dataclass(frozen=True)
class _Read:
    """A column of a piece; `doubtful` cells hold an answer that is not known."""

    column: Text
    findings: tuple[Finding, ...] = ()
    doubtful: NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class KoboGrid:
    """An export's table; `made` says of columns by position how they come about, the others are read as they are.

    `hxl`: the row of HXL tags, which is no record; `at`: the columns of the form's questions; `withheld`: questions
    whose answers are not there because nobody declared them, though their columns are.
    """

    inner: Grid
    headings: tuple[Heading, ...]
    made: Mapping[int, Made]
    hxl: int | None = None
    at: Mapping[str, int] = field(default_factory=dict)
    withheld: frozenset[str] = frozenset()

    @property
    def sheet(self) -> str | None:
        return self.inner.sheet

    def pieces(self, positions: Sequence[int], size: int) -> Iterator[Piece]:
        needed = self._needed(positions)
        for raw in self.inner.pieces(needed, size):
            piece = _without(self.hxl, raw)
            cells = dict(zip(needed, piece.cells, strict=True))
            reading = _Reading(self.made, cells, piece.rows, lost(piece.findings, piece.rows))
            columns = [reading.read(position) for position in positions]
            findings = [finding for column in columns for finding in column.findings]
            yield Piece(piece.rows, [column.column for column in columns], (*piece.findings, *findings))

    def split(self, n: int) -> list[Grid]:
        return [replace(self, inner=grid) for grid in self.inner.split(n)]

    def answers_at(self, question: str) -> int | None:
        """Where the answers to a question stand, if they are there."""
        return None if question in self.withheld else self.at.get(question)

    def _needed(self, positions: Sequence[int]) -> list[int]:
        """The columns of the file that these are made of; each is asked once, however many rest on it."""
        needed: dict[int, None] = {}
        asked: set[int] = set()
        waiting = list(reversed(positions))
        while waiting:
            position = waiting.pop()
            if position in asked:
                continue
            asked.add(position)
            match self.made.get(position):
                case None:
                    needed[position] = None
                case Answer(position=at, details=details):
                    needed |= dict.fromkeys([at] if at is not None else [])
                    needed |= dict.fromkeys(detail.position for detail in details)
                case Asked(places=places) | Calculated(asked=Asked(places=places)):
                    waiting += [at for _, at in places]
                case _:
                    pass  # it reads for itself
        return list(needed)


@dataclass
class _Reading:
    """One piece: its cells by place in the file; `lost`: the answers of a column that were there and are no more."""

    made: Mapping[int, Made]
    cells: Mapping[int, Text]
    rows: NDArray[np.int64]
    lost: Mapping[int, NDArray[np.bool_]]
    _worked_out: dict[int, _Read] = field(default_factory=dict)

    def read(self, position: int) -> _Read:
        match self.made.get(position):
            case None:
                return _Read(self.cells[position], (), self.lost.get(position))
            case Answer() as answer:
                return self._answered(answer, position)
            case Asked() as asked:
                return _Read(pc.if_else(self._asked(asked), pa.scalar("yes"), pa.scalar("no")))
            case Calculated() as made:  # others rest on it, and others on them
                if position not in self._worked_out:
                    self._worked_out[position] = self._calculated(made)
                return self._worked_out[position]
            case beyond:
                column, doubtful = beyond.of(self.rows)
                return _Read(column, (), doubtful)

    def _answered(self, answer: Answer, position: int) -> _Read:
        """A column's answers as codes, and the cells that no code could be found for."""
        ticks = kobo_choices.ticks(answer.details, self.cells, len(self.rows)) if answer.details else None
        if answer.position is None:
            if ticks is None:
                return _Read(pa.nulls(len(self.rows), pa.string()))
            column = pc.if_else(pa.array(ticks.unknown), pa.scalar(None, pa.string()), ticks.joined())
            return _Read(column, (self._found("unknown_label", ticks.unknown, position),), ticks.unknown)
        if answer.decoding is None:
            column, unknown, ambiguous = self.cells[answer.position], None, None
        else:
            decoded = kobo_labels.decode(self.cells[answer.position], answer.decoding)
            column, unknown, ambiguous = decoded.column, decoded.unknown, decoded.ambiguous
        if ticks is not None and ambiguous is not None and ambiguous.any():
            # Joined labels that can be cut in two ways: the detail columns of the same export say which it was.
            from_details = ticks.joined()
            settled = ambiguous & from_details.is_valid().to_numpy(zero_copy_only=False) & ~ticks.unknown
            column = pc.if_else(pa.array(settled), from_details, column)
            ambiguous = ambiguous & ~settled
        doubtful = None if unknown is None or ambiguous is None else unknown | ambiguous
        if answer.position in self.lost:
            doubtful = self.lost[answer.position] | (False if doubtful is None else doubtful)
        findings = []
        if unknown is not None and ambiguous is not None:
            findings.append(self._found("unknown_label", unknown, position))
            findings.append(self._found("ambiguous_label", ambiguous, position))
        if ticks is not None:
            differs = ticks.contradicts(column) & ~ticks.unknown
            differs &= True if doubtful is None else ~doubtful
            findings.append(replace(self._found("contradicting_choices", differs, position), severity="query"))
        return _Read(column, tuple(findings), doubtful)

    def _found(self, rule: str, flags: NDArray[np.bool_], position: int) -> Finding:
        return Finding(f"read.{rule}", "error", self.rows[flags], position)

    def _asked(self, asked: Asked) -> pa.Array:
        """Whether, or null: a condition that could not be read, or that rests on an answer that is not known."""
        n = len(self.rows)
        columns, doubts = self._named(asked)
        result: pa.Array = pa.repeat(pa.scalar(True), n)
        for expression in asked.conditions:
            truth = pa.nulls(n, pa.bool_())
            if expression is not None:
                condition = parse(expression, asked.kinds)
                truth = pa.array(condition.holds(columns, n), pa.bool_(), mask=condition.unknown(columns, n, doubts))
            # With one condition that does not hold, the question was not asked, whatever the others are.
            result = pc.and_kleene(result, truth)
        return result

    def _calculated(self, made: Calculated) -> _Read:
        """What was worked out where it was asked; elsewhere it is blank."""
        n = len(self.rows)
        columns, doubts = self._named(made.asked)
        asked = self._asked(made.asked)
        calculation = calculated(made.expression, made.asked.kinds)
        unknown = pa.array(calculation.unknown(columns, n, doubts))
        doubtful = pc.or_(asked.is_null(), pc.and_(pc.fill_null(asked, False), unknown))
        stored = calculation.stored(columns, n)
        blank = pc.or_(pc.invert(pc.fill_null(asked, False)), pc.equal(stored, ""))
        return _Read(pc.if_else(blank, pa.scalar(None, pa.string()), stored), (), flags(doubtful))

    def _named(self, asked: Asked) -> tuple[dict[str, Text], dict[str, NDArray[np.bool_]]]:
        """The answers that an expression names, and the rows of each in which it is not known."""
        answers = {name: self.read(at) for name, at in asked.places}
        doubts = {name: answer.doubtful for name, answer in answers.items() if answer.doubtful is not None}
        return {name: answer.column for name, answer in answers.items()}, doubts


def hxl_row(grid: Grid) -> int | None:
    """The number of a first row that holds HXL hashtags and nothing else (formats.md 1.1)."""
    first = next(grid.pieces([heading.position for heading in grid.headings], 1), None)
    if first is None or not len(first.rows):
        return None
    values = [value for column in first.cells if (value := column[0].as_py()) is not None]
    return (
        int(first.rows[0]) if values and all(value.startswith("#") and value.strip("#") for value in values) else None
    )


def _without(row: int | None, piece: Piece) -> Piece:
    if row is None or row not in piece.rows:
        return piece
    kept = piece.rows != row
    cells = [column.filter(pa.array(kept)) for column in piece.cells]
    return replace(piece, rows=piece.rows[kept], cells=cells)
