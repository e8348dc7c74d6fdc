"""Where every variable comes from, read off the crosswalk: tables, columns, rule, status. Plain data, before any run.

For the column lineage and descriptions of the Dagster UI, comparability, and `homeward explain`. How they are shown is
not its business.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sources.crosswalk import MapRow
from sources.models import Source

NOT_COLLECTED = "not collected"
FROM_BEST_TO_WORST = ("exact", "broader", "narrower", "partial", "undetermined", "impossible")


@dataclass(frozen=True)
class Lineage:
    """How a source makes one variable, or (without entity and variable) a column that the codebook has no place for.

    `status` is the weakest of its rows: a variable of which one code is broader is broader. `lines` are the first and
    last line in crosswalk.csv.
    """

    entity: str
    variable: str
    tables: tuple[str, ...]
    columns: tuple[str, ...]
    rule: str
    status: str
    note: str
    lines: tuple[int, int]

    def __str__(self) -> str:
        """`from Rs_pss_30, recode, exact`."""
        if self.rule == NOT_COLLECTED:
            return ": ".join(filter(None, (NOT_COLLECTED, self.note)))
        return ", ".join(filter(None, ("from " * bool(self.columns) + ", ".join(self.columns), self.rule, self.status)))


def lineage(source: Source) -> list[Lineage]:
    """One entry per variable that the crosswalk speaks of and per column without a place, in file order."""
    groups: dict[tuple[str, ...], list[MapRow]] = {}
    for row in source.crosswalk:
        group = (row.entity, row.variable) if row.variable else ("", "", row.table, row.column)
        groups.setdefault(group, []).append(row)
    return [_entry(rows) for rows in groups.values()]


def _entry(rows: list[MapRow]) -> Lineage:
    first = rows[0]
    made = [row for row in rows if row.rule is not None] or rows
    return Lineage(
        entity=first.entity,
        variable=first.variable,
        tables=_once(row.table for row in made if row.table),
        columns=_once(column for row in made for column in row.columns),
        rule="/".join(_once(row.rule or NOT_COLLECTED for row in made)),
        status=max((_status(row) for row in made), key=FROM_BEST_TO_WORST.index),
        note="; ".join(_once(row.note for row in made if row.note)),
        lines=(first.line, rows[-1].line),
    )


def _status(row: MapRow) -> str:
    """A code without a place makes its variable partial, not impossible."""
    return "partial" if row.rule is not None and row.status == "impossible" else row.status


def _once(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
