"""Columns `asked(<question>)`: yes or no by the form's conditions, for every question of a table that has one.

Each name in a condition finds its column: of the same row, or beyond it in another table of the export. A condition
that cannot be read, or sees what the delivery does not hold, is said by its question; the column is then blank where
it would decide. How conditions are read is the business of `relevant`, what they see beyond their row of `beside`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from connectors.kobo.beside import AGGREGATES, Beside, Keyed
from connectors.kobo.form import Form, Question
from connectors.kobo.grid import Answer, Asked, Beyond, KoboGrid
from connectors.kobo.relevant import Condition, Kinds, Seen, Unevaluable, parse
from connectors.shapes import Grid, Heading

_NUMBERS = ("integer", "decimal", "range")
_SUBMISSION = (("_id", "_submission__id"), ("_uuid", "_submission__uuid"), ("_stable_id", "_submission__stable_id"))
"""What names a submission in the main table and in a repeat, the surest first."""
_DAYS = {"today": (("start", "end"), ("today", "end")), "once(today)": (("today",), ("start",))}
"""Types of questions that tell on which day the form was filled: from when to when."""


def with_asked(grids: Mapping[str | None, KoboGrid], form: Form) -> tuple[dict[str | None, Grid], dict[str, str]]:
    """The tables by their repeat (None: the main one) with a column for every question with a condition; and the
    questions of which a condition could not be read, with what stood in the way."""
    tables = _Tables(grids, form)
    unread: dict[str, str] = {}
    made: dict[str | None, Grid] = {}
    for repeat, grid in grids.items():
        table = _Table(tables, repeat, grid)
        for question in form.section(repeat):
            if question.relevant and question.name in grid.at:
                table.add(question, unread)
        made[repeat] = replace(grid, headings=(*grid.headings, *table.headings), made={**grid.made, **table.made})
    return made, unread


@dataclass(frozen=True)
class _Tables:
    """The tables of a delivery, and how rows of two of them belong together."""

    grids: Mapping[str | None, KoboGrid]
    form: Form

    def question(self, name: str) -> Question:
        """The one question of a name; Unevaluable if there is none, or several."""
        found = [question for question in self.form.questions if question.name == name]
        if len(found) != 1:
            raise Unevaluable(f"{'no question' if not found else 'several questions'} of the name {name}")
        return found[0]

    def column(self, question: Question) -> int:
        """Where a question's answers stand in its table; Unevaluable if they were not delivered."""
        grid = self.grids.get(question.repeat)
        if grid is None or question.name not in grid.at:
            raise Unevaluable(f"a question that was not delivered: {question.name}")
        return grid.at[question.name]

    def chain(self, repeat: str | None) -> tuple[str, ...]:
        """The repeats from the outermost to this one."""
        found: list[str] = []
        while repeat is not None and repeat not in found:
            found.insert(0, repeat)
            repeat = self.form.repeats.get(repeat)
        return tuple(found)

    def keyed(self, own: str | None, other: str | None) -> tuple[Keyed, Keyed]:
        """Two tables with the columns that tie them; Unevaluable if they have none in common."""
        tables = (own, other)
        if other not in self.grids:
            raise Unevaluable(f"a repeat that was not delivered: {other}")
        named = [{h.names[0]: h.position for h in self.grids[table].headings} for table in tables]
        for names in _SUBMISSION:
            wanted = [names[0 if table is None else 1] for table in tables]
            if all(name in of for name, of in zip(wanted, named, strict=True)):
                places = [
                    None if table is None else of.get("_position") for table, of in zip(tables, named, strict=True)
                ]
                if any(place is None for place, table in zip(places, tables, strict=True) if table is not None):
                    continue
                keyed = [
                    Keyed(self.grids[table], of[name], place)
                    for table, of, name, place in zip(tables, named, wanted, places, strict=True)
                ]
                return keyed[0], keyed[1]
        raise Unevaluable("rows of a repeat that are not tied to their submission")


@dataclass
class _Table:
    """A table while it gets its columns; `beyond`: where what was seen beyond its rows stands."""

    tables: _Tables
    repeat: str | None
    grid: KoboGrid
    headings: list[Heading] = field(default_factory=list)
    made: dict[int, Answer | Asked | Beyond] = field(default_factory=dict)
    beyond: dict[str, int] = field(default_factory=dict)

    def add(self, question: Question, unread: dict[str, str]) -> None:
        """The column of a question; conditions that cannot be read are noted in `unread`."""
        of = self.tables.form.questions
        kinds = Kinds(
            frozenset(one.name for one in of if one.type in _NUMBERS), frozenset(one.name for one in of if one.is_date)
        )
        conditions: list[str | None] = []
        named: dict[str, int] = {}
        for expression in question.relevant:
            try:
                named |= self._places(parse(expression, kinds))
                conditions.append(expression)
            except Unevaluable as why:
                conditions.append(None)
                unread[question.name] = str(why)
        at = self._free()
        self.headings.append(Heading("", at, (f"asked({question.name})",)))
        self.made[at] = Asked(tuple(conditions), tuple(named.items()), kinds)

    def _free(self) -> int:
        taken = [heading.position for heading in self.grid.headings]
        return max([*taken, *self.made], default=-1) + 1

    def _places(self, condition: Condition) -> dict[str, int]:
        """The columns of everything that a condition names; Unevaluable if one cannot be found."""
        found = {}
        for name in condition.questions:
            found[name] = self.grid.at[name] if name in self.grid.at else self._seen(name, Seen("answer", name))
        return found | {seen.name: self._seen(seen.name, seen) for seen in condition.seen}

    def _seen(self, name: str, seen: Seen) -> int:
        if name not in self.beyond:
            made = self._beside(seen)
            self.beyond[name] = self._free()
            self.made[self.beyond[name]] = made
        return self.beyond[name]

    def _beside(self, seen: Seen) -> Beside:
        if seen.function in _DAYS:
            return self._day(seen)
        own = self.tables.chain(self.repeat)
        if seen.function == "position":
            repeat = seen.of or self.repeat
            if repeat not in own:
                raise Unevaluable("position() of what is no repeat around the question")
            keyed = self.tables.keyed(self.repeat, self.repeat)
            return Beside(*keyed, seen, len(self.tables.chain(repeat)))
        if seen.function == "count":
            return self._counted(seen, own)
        question = self.tables.question(seen.of)
        column = (self.tables.column(question),)
        other = self.tables.chain(question.repeat)
        shared = _shared(own, other)
        keyed = self.tables.keyed(self.repeat, question.repeat)
        if seen.function in AGGREGATES:
            if shared == len(other):
                raise Unevaluable(f"{seen.function}() of a question around it: {seen.of}")
            return Beside(*keyed, seen, shared, column)
        if seen.function == "indexed-repeat":
            if not other or seen.at.partition(" of ")[2] != other[-1] or shared < len(other) - 1:
                raise Unevaluable("indexed-repeat() of another repeat than the question's own")
            if seen.at[0] in "+-" and len(own) < len(other):
                raise Unevaluable("position() outside a repeat")
            return Beside(*keyed, seen, len(other) - 1, column)
        if shared < len(other):
            raise Unevaluable(f"a question of a repeat that the row is not in: {seen.of}")
        return Beside(*keyed, seen, shared, column, self._labels(question) if seen.function != "answer" else {})

    def _counted(self, seen: Seen, own: tuple[str, ...]) -> Beside:
        """Parts of a repeat in the same part of what is around it; from inside it all of them, its own among them."""
        if seen.of not in self.tables.form.repeats:
            raise Unevaluable("count() of what is no repeat")
        other = self.tables.chain(seen.of)[:-1]
        shared = _shared(own, other)
        return Beside(*self.tables.keyed(self.repeat, seen.of), seen, shared)

    def _day(self, seen: Seen) -> Beside:
        """The day on which the form was filled, by the questions that the device answered itself."""
        answered = {q.type: q.name for q in reversed(self.tables.form.section(None))}
        for types in _DAYS[seen.function]:
            main = self.tables.grids[None]
            if all(one in answered and answered[one] in main.at for one in types):
                columns = tuple(main.at[answered[one]] for one in types)
                return Beside(*self.tables.keyed(self.repeat, None), seen, 0, columns)
        raise Unevaluable("today() without the times at which the form was opened and closed")

    def _labels(self, question: Question) -> dict[str, str]:
        """The labels of a question's choices; which of several languages the device showed is not told."""
        if self.tables.form.translated or question.multiple or question.list is None:
            raise Unevaluable("jr:choice-name() in several languages, or of what is no choice of one")
        return {choice.name: choice.label for choice in self.tables.form.choices.get(question.list, ())}


def _shared(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    """How many repeats, from the outermost in, two chains have in common."""
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
