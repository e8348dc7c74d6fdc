"""Columns `asked(<question>)`: yes or no by the form's conditions, for every question of a table that has one.

Each name in a condition finds its column: of the same row, or beyond it in another table of the export. A condition
that cannot be read, or sees what the delivery does not hold, is said by its question; the column is then blank where
it would decide. A calculation that the export left out is done again. How conditions are read is the business of
`relevant`, what they see beyond their row of `beside`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from connectors.kobo.beside import AGGREGATES, Beside, Keyed
from connectors.kobo.form import Form, Question
from connectors.kobo.grid import Asked, Calculated, KoboGrid, Made
from connectors.kobo.relevant import Kinds, Needs, Seen, Unevaluable, calculated, parse
from connectors.kobo.xpath_beyond import NOW, TODAY
from connectors.shapes import Grid, Heading

_NUMBERS = ("integer", "decimal", "range")
_SUBMISSION = (("_id", "_submission__id"), ("_uuid", "_submission__uuid"), ("_stable_id", "_submission__stable_id"))
"""What names a submission in the main table and in a repeat, the surest first."""
_DAYS = {
    TODAY[0]: (("start", "end"), ("today", "end")),
    TODAY[1]: (("end",),),
    Seen("once(today)"): (("today",), ("start",)),
}
"""Types of questions that tell on which day the form was filled: from when to when."""
_DEEPEST = 40
"""Calculations that one calculation may rest on, one below the other."""


class _LeftOut(Unevaluable):
    """A calculation that was left out and cannot be done again; it says which, however many rest on it."""


def with_asked(grids: Mapping[str | None, KoboGrid], form: Form) -> tuple[dict[str | None, Grid], dict[str, str]]:
    """The tables by their repeat (None: the main one) with a column for every question with a condition; and the
    questions of which a condition could not be read, with what stood in the way."""
    tables = _Tables(form)
    for repeat, grid in grids.items():
        tables.of[repeat] = _Table(tables, repeat, grid)
    unread: dict[str, str] = {}
    made: dict[str | None, Grid] = {}
    for repeat, table in tables.of.items():
        for question in form.section(repeat):
            if question.relevant and question.name in table.grid.at:
                table.add(question, unread)
    for repeat, table in tables.of.items():
        made[repeat] = replace(table.grown(), headings=(*table.grid.headings, *table.headings))
    return made, unread


@dataclass(frozen=True)
class _Tables:
    """The tables of a delivery, and how rows of two of them belong together."""

    form: Form
    of: dict[str | None, _Table] = field(default_factory=dict)
    depth: dict[str, int] = field(default_factory=dict)
    """By calculation that is done again: how many rest on one another in it."""

    @cached_property
    def kinds(self) -> Kinds:
        asked = self.form.questions
        return Kinds(
            frozenset(one.name for one in asked if one.type in _NUMBERS),
            frozenset(one.name for one in asked if one.is_date),
        )

    def question(self, name: str) -> Question:
        """The one question of a name; Unevaluable if there is none, or several."""
        found = [question for question in self.form.questions if question.name == name]
        if len(found) != 1:
            raise Unevaluable(f"{'no question' if not found else 'several questions'} of the name {name}")
        return found[0]

    def column(self, question: Question) -> int:
        """Where a question's answers stand in its table; Unevaluable if they were not delivered, and are no
        calculation that can be done again."""
        table = self.of.get(question.repeat)
        at = table.grid.answers_at(question.name) if table is not None else None
        if at is not None:
            return at
        if table is not None and question.calculation:
            return table.calculated(question)
        withheld = table is not None and question.name in table.grid.withheld
        raise Unevaluable(f"a question that was not {'declared' if withheld else 'delivered'}: {question.name}")

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
        if other not in self.of:
            raise Unevaluable(f"a repeat that was not delivered: {other}")
        grids = {table: self.of[table].grown() for table in tables}
        named = [{h.names[0]: h.position for h in grids[table].headings} for table in tables]
        for names in _SUBMISSION:
            wanted = [names[0 if table is None else 1] for table in tables]
            if all(name in of for name, of in zip(wanted, named, strict=True)):
                places = [
                    None if table is None else of.get("_position") for table, of in zip(tables, named, strict=True)
                ]
                if any(place is None for place, table in zip(places, tables, strict=True) if table is not None):
                    continue
                keyed = [
                    Keyed(grids[table], of[name], place)
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
    made: dict[int, Made] = field(default_factory=dict)
    beyond: dict[str, int] = field(default_factory=dict)
    _calculated: dict[str, int | None] = field(default_factory=dict)

    def grown(self) -> KoboGrid:
        """The table with all that was worked out so far."""
        return replace(self.grid, made={**self.grid.made, **self.made})

    def add(self, question: Question, unread: dict[str, str]) -> None:
        """The column of a question; conditions that cannot be read are noted in `unread`."""
        conditions: list[str | None] = []
        named: dict[str, int] = {}
        for expression in question.relevant:
            try:
                named |= self._places(parse(expression, self.tables.kinds))
                conditions.append(expression)
            except Unevaluable as why:
                conditions.append(None)
                unread[question.name] = str(why)
        at = self._free()
        self.headings.append(Heading("", at, (f"asked({question.name})",)))
        self.made[at] = Asked(tuple(conditions), tuple(named.items()), self.tables.kinds)

    def calculated(self, question: Question) -> int:
        """The column of a calculation; Unevaluable if it, or a condition on it, cannot be read."""
        at = self._calculated.get(question.name)
        if at is not None:
            return at
        waiting = sum(place is None for place in self._calculated.values())
        if question.name in self._calculated or waiting >= _DEEPEST:
            raise Unevaluable(f"a calculation that rests on itself, or on too many others: {question.name}")
        self._calculated[question.name] = None
        try:
            named = self._rested_on(question)
        except _LeftOut:
            del self._calculated[question.name]
            raise
        except Unevaluable as why:
            del self._calculated[question.name]
            raise _LeftOut(f"{question.name}, which was left out and is worked out from {why}") from None
        asked = Asked(question.relevant, tuple(named.items()), self.tables.kinds)
        at = self._calculated[question.name] = self._free()
        self.made[at] = Calculated(question.calculation, asked)
        return at

    def _rested_on(self, question: Question) -> dict[str, int]:
        """The columns of everything that a calculation, and the conditions on it, name."""
        kinds = self.tables.kinds
        needs = [calculated(question.calculation, kinds), *(parse(one, kinds) for one in question.relevant)]
        named = {name: at for need in needs for name, at in self._places(need).items()}
        names = {name for need in needs for name in (*need.questions, *(seen.of for seen in need.seen))}
        depth = 1 + max((self.tables.depth.get(name, 0) for name in names), default=0)
        if depth > _DEEPEST:
            raise Unevaluable("too many others, one below the other")
        self.tables.depth[question.name] = depth
        return named

    def _free(self) -> int:
        taken = [heading.position for heading in self.grid.headings]
        return max([*taken, *self.grid.made, *self.made], default=-1) + 1

    def _places(self, expression: Needs) -> dict[str, int]:
        """The columns of everything that an expression names; Unevaluable if one cannot be found."""
        found = {}
        for name in expression.questions:
            found[name] = self._place(name)
        return found | {seen.name: self._seen(seen.name, seen) for seen in expression.seen}

    def _place(self, name: str) -> int:
        """Where the answers to a question stand that a row of this table sees under its name."""
        at = self.grid.answers_at(name)
        if at is not None:
            return at
        if self.tables.question(name).repeat == self.repeat:
            return self.tables.column(self.tables.question(name))
        return self._seen(name, Seen("answer", name))

    def _seen(self, name: str, seen: Seen) -> int:
        if name not in self.beyond:
            made = self._beside(seen)
            self.beyond[name] = self._free()
            self.made[self.beyond[name]] = made
        return self.beyond[name]

    def _beside(self, seen: Seen) -> Beside:
        if seen in _DAYS:
            return self._day(seen)
        if seen in NOW:
            return self._filled(seen, (seen.of,))
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
        ways = _DAYS[seen]
        for types in ways[:-1]:
            try:
                return self._filled(seen, types)
            except Unevaluable:
                continue
        return self._filled(seen, ways[-1])

    def _filled(self, seen: Seen, types: tuple[str, ...]) -> Beside:
        """When the form was filled, by questions of these types."""
        answered = {q.type: q.name for q in reversed(self.tables.form.section(None))}
        main = self.tables.of[None].grid
        columns = tuple(at for one in types if (at := main.answers_at(answered.get(one, ""))) is not None)
        if len(columns) < len(types):
            function = seen.function.removeprefix("once(").removesuffix(")")
            raise Unevaluable(f"{function}() without the times at which the form was opened and closed")
        return Beside(*self.tables.keyed(self.repeat, None), seen, 0, columns)

    def _labels(self, question: Question) -> dict[str, str]:
        """The labels of a question's choices; which of several languages the device showed is not told."""
        if self.tables.form.translated or question.multiple or question.list is None:
            raise Unevaluable("jr:choice-name() in several languages, or of what is no choice of one")
        return {choice.name: choice.label for choice in self.tables.form.choices.get(question.list, ())}


def _shared(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    """How many repeats, from the outermost in, two chains have in common."""
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
