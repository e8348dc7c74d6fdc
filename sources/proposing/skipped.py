"""Blank cells that were never asked for: by the form's own condition, or seen in the rows.

A question that is blank in every row in which an answer before it says so, and filled in nearly all the others, was
skipped by that answer. Nobody said it, so the reviewer is asked; what the form says is believed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sources.proposing.described import Described, Match, Skipped

_ENOUGH_ROWS = 10
_OPEN, _EXPLAINED, _TOUCHED = 0.9, 0.9, 0.3
"""How much is filled where the question was asked; how many blanks beside an answer are explained; of all blanks."""
_SEEN, _SAID = 0.85, 1.0


@dataclass(frozen=True)
class Filled:
    """Rows of a table, by column how many are filled, by two columns in how many both are; `where`: by column and code
    the rows that hold it, and how many of these are filled by column."""

    rows: int = 0
    of: Mapping[str, int] = field(default_factory=dict)
    both: Mapping[tuple[str, str], int] = field(default_factory=dict)
    where: Mapping[tuple[str, str], tuple[int, Mapping[str, int]]] = field(default_factory=dict)

    def exclusive(self, one: str, other: str) -> bool:
        """Whether two columns that both have answers never have them in the same row."""
        fewest = min(self.of.get(one, 0), self.of.get(other, 0))
        return fewest >= _ENOUGH_ROWS and self.both.get((one, other), fewest) == 0


@dataclass(frozen=True)
class Seen:
    """What a table's rows and its form can be asked: counts of columns, and by column the question that its form asks
    under a condition."""

    count: Callable[[Sequence[Described]], Filled]
    conditions: Mapping[str, str]


def asked_column(question: str) -> str:
    """The column that the reader of an export works out from its form."""
    return f"asked({question})"


def skipped(
    columns: Sequence[Described], matches: Iterable[Match], filled: Filled, conditions: Mapping[str, str]
) -> dict[str, tuple[Skipped, ...]]:
    """By column, when its blank cells were not asked for. `conditions`: columns whose question has one in the form."""
    mapped = {match.column.name for match in matches}
    found: dict[str, tuple[Skipped, ...]] = {}
    before: list[Described] = []
    for column in (one for one in columns if one.name in mapped):
        if column.name in conditions:
            asked = f"{asked_column(conditions[column.name])}=no"
            found[column.name] = (Skipped(asked, _SAID, "the condition that the form has for this question"),)
        elif not conditions and filled.rows - filled.of.get(column.name, filled.rows) >= _ENOUGH_ROWS:
            seen = _by_an_answer(column.name, reversed(before), filled, found)
            if seen:
                found[column.name] = seen
        if column.codes and "select_multiple" not in column.kinds:
            before.append(column)
    return found


def _by_an_answer(
    name: str, before: Iterable[Described], filled: Filled, found: Mapping[str, tuple[Skipped, ...]]
) -> tuple[Skipped, ...]:
    """The nearest question before this one whose answers decide whether it is blank; where that one was skipped
    itself, this one was too."""
    for gate in before:
        closed = _closes(name, gate, filled)
        if closed:
            told = tuple(
                Skipped(f"{gate.name}={code}", _SEEN, f"blank in all {rows} rows in which «{gate.name}» is {code}")
                for code, rows in closed.items()
            )
            return (*told, *(one for one in found.get(gate.name, ()) if one.score == _SEEN))
    return ()


def _closes(name: str, gate: Described, filled: Filled) -> dict[str, int]:
    """The answers of a question under which another is always blank, by how many rows they have; none where the
    others do not open it."""
    if any(sign in f"{gate.name}{''.join(gate.codes)}" for sign in "&="):
        return {}  # a condition could not be written
    held = {code: filled.where.get((gate.name, code), (0, {})) for code in gate.codes}
    told = {code: (rows, among.get(name, 0)) for code, (rows, among) in held.items() if rows}
    closed = {code: rows for code, (rows, answered) in told.items() if not answered}
    opened = [answered / rows for code, (rows, answered) in told.items() if code not in closed]
    blanks = filled.rows - filled.of[name]
    beside = filled.of.get(gate.name, 0) - filled.both.get((gate.name, name), 0)
    enough = sum(closed.values()) >= max(_ENOUGH_ROWS, _EXPLAINED * beside, _TOUCHED * blanks)
    return closed if enough and opened and min(opened) >= _OPEN else {}


def of_all(matches: Sequence[Match], by_column: Mapping[str, tuple[Skipped, ...]]) -> list[tuple[Skipped, ...]]:
    """For each match, when its variable was not asked for: of the first filled of several columns, where none was."""
    of: dict[tuple[str, str], list[Match]] = {}
    for match in matches:
        of.setdefault(match.target.key, []).append(match)
    return [_of_one(match, of[match.target.key], by_column) for match in matches]


def _of_one(match: Match, beside: Sequence[Match], by_column: Mapping[str, tuple[Skipped, ...]]) -> tuple[Skipped, ...]:
    own = by_column.get(match.column.name, ())
    if len(beside) == 1 or match.rule == "select_multiple":
        return own
    if match is not beside[0]:
        return ()
    told = [by_column.get(one.column.name, ()) for one in beside]
    if all(len(skips) == 1 and skips[0].score == _SAID for skips in told):
        return (replace(own[0], when=" & ".join(skips[0].when for skips in told)),)
    return tuple(one for one in own if all(one.when in {skip.when for skip in skips} for skips in told))
