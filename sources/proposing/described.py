"""A column as the profile describes it, and the proposal that it makes a variable: what this package passes around."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sources.proposing.answers import Answer
from sources.proposing.known import Target

_CALENDARS = ("gregorian", "ethiopian", "jalali", "hijri")


@dataclass(frozen=True)
class Described:
    """A source column as the profile describes it: `kinds` it looks like, `codes` with labels where it has few,
    `decimal` the mark of its numbers."""

    table: str
    name: str
    label: str
    type: str
    kinds: tuple[str, ...] = ()
    codes: Mapping[str, str] = field(default_factory=dict)
    decimal: str = "."


def date_forms(column: Described) -> list[str]:
    """The forms in which the column's dates can be read, as a source declares them; the first is proposed."""
    found = [kind.split(":", 2)[1:] for kind in column.kinds if kind.startswith("date:") and kind.count(":") >= 2]
    readable = [(calendar, form) for calendar, form in found if calendar in _CALENDARS]
    return [form if calendar == "gregorian" else f"{calendar}:{form}" for calendar, form in readable]


@dataclass(frozen=True)
class Match:
    """A proposal: this column makes this variable. `rule`: where it is no other than its type's; `nothing`: codes that
    are known and say nothing; `skipped`: when its blank cells were not asked for."""

    column: Described
    target: Target
    score: float
    evidence: str
    answers: Mapping[str, Answer] = field(default_factory=dict)
    rule: str = ""
    nothing: tuple[str, ...] = ()
    skipped: tuple[Skipped, ...] = ()


@dataclass(frozen=True)
class Skipped:
    """The condition under which a blank cell was not asked for, as a crosswalk writes it, and what speaks for it."""

    when: str
    score: float
    evidence: str
