"""Pairs that cannot be the same person, told before all of their names are compared.

A pair is dropped once its weight would be too low even if each comparison still to be made ended as well as it can.
What is dropped is what the model would have dropped: conditions and weights are its own (`similarity.json`), the quick
ones first. How a pair is weighed in the end is the business of `similarity`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from math import log2
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from anonymization.linkage.roster import Roster

if TYPE_CHECKING:
    import duckdb

_COLUMN = re.compile(r"\b([a-z][a-z_]*)_[lr]\b")
_CALL = re.compile(r"\w\(")
_ROUNDING = 1e-6
"""Bits are added in another order here than by splink."""


_WORTHWHILE = 20_000
"""So many pairs are weighed by splink while a step is planned."""


_AT_ONCE = 250_000
"""So many pairs are held with the names of their persons."""


class Sieve:
    """Steps that each drop pairs: the quick comparisons of `model` first, then one costly comparison after the other.

    `prior`: bits before anything is compared.
    """

    def __init__(self, model: Mapping[str, Any], prior: float) -> None:
        measured = [_Measured(comparison, model["least_share"]) for comparison in model["comparisons"]]
        costly = [one for one in measured if one.costly]
        bits = [one.limit if one.costly else one.exact for one in measured]
        limits = {one.name: one.limit for one in costly}
        at_least = model["seen_from"] - _ROUNDING
        self._steps = [_Step(" + ".join([str(prior), *bits]), limits, at_least)]
        for one in costly:
            del limits[one.name]
            self._steps.append(_Step(f"bound - {one.name} + {one.exact}", dict.fromkeys(limits, ""), at_least))

    def passed(self, connection: duckdb.DuckDBPyConnection, persons: Roster, pairs: pa.Table) -> pa.Table:
        """Those of `pairs` (one, other: rows of `persons`) that may weigh enough; all, where they are few."""
        for step in self._steps:
            if len(pairs) < _WORTHWHILE:
                break
            slices = [pairs.slice(start, _AT_ONCE) for start in range(0, len(pairs), _AT_ONCE)]
            pairs = pa.concat_tables([step.left(connection, persons, some) for some in slices])
        return pairs.select(["one", "other"])


class _Measured:
    """A comparison as SQL: `exact` the bits of a pair, `limit` the most they can be as far as is quickly told."""

    def __init__(self, comparison: Mapping[str, Any], least: Mapping[str, float]) -> None:
        self._levels, self._least = comparison["levels"], least
        self.costly = bool(comparison.get("costly"))
        self.name = f"most_{comparison['name']}"

    @property
    def exact(self) -> str:
        cases = " ".join(f"WHEN {level['when']} THEN {self._bits(level)}" for level in self._levels[:-1])
        return f"CASE {cases} ELSE {self._bits(self._levels[-1])} END"

    @property
    def limit(self) -> str:
        """The first levels, as far as they need no call, decide; of the others each that may be is taken to be."""
        cases, possible = [], []
        for level in self._levels:
            if "null" in level:
                # One of several reasons for having nothing to compare is enough.
                quick = [part for part in _parts(level["when"], "OR") if not _CALL.search(part)]
                cases += [f"WHEN {part} THEN 0" for part in quick]
                possible += [] if len(quick) == len(_parts(level["when"], "OR")) else ["0"]
            elif not possible and not _CALL.search(level["when"]):
                cases.append(f"WHEN {level['when']} THEN {self._bits(level)}")
            else:
                needed = [part for part in _parts(level["when"], "AND") if not _CALL.search(part) and part != "ELSE"]
                bits = self._bits(level)
                possible.append(f"CASE WHEN {' AND '.join(needed)} THEN {bits} END" if needed else bits)
        return f"CASE {' '.join(cases)} ELSE greatest({', '.join(possible)}) END"

    def _bits(self, level: Mapping[str, Any]) -> str:
        if "null" in level:
            return "0"
        same, stranger, *_ = level["p"]
        column = level.get("frequency")
        if column is None:
            return str(log2(same / stranger))
        # As splink does it: what a level says of a value of middling frequency is scaled by that of equal values.
        equal = f"{column}_l = {column}_r"
        middling = next((each["p"][1] for each in self._levels if each["when"] == equal), stranger)
        least = self._least.get(column, self._least["name"])
        return f"({log2(same / stranger * middling)} - log2(greatest(tf_{column}_l, tf_{column}_r, {least})))"


def _parts(condition: str, word: str) -> list[str]:
    """A condition at each `word` (AND, OR) that stands outside of brackets; one with a CASE in it is left whole."""
    return [condition] if "CASE" in condition else list(_split(condition, f" {word} "))


def _split(condition: str, word: str) -> Iterator[str]:
    depth, start = 0, 0
    for at, sign in enumerate(condition):
        depth += (sign == "(") - (sign == ")")
        if depth == 0 and condition.startswith(word, at):
            yield condition[start:at]
            start = at + len(word)
    yield condition[start:]


class _Step:
    """Drops pairs whose `bound` is not enough; the others keep it and the `limits` of comparisons still to be made."""

    def __init__(self, bound: str, limits: Mapping[str, str], at_least: float) -> None:
        kept = [f"{limit} AS {name}" if limit else name for name, limit in limits.items()]
        for name, limit in limits.items():
            bound = bound.replace(limit, name) if limit else bound
        self._columns = sorted(set(_COLUMN.findall(" ".join([bound, *limits.values()]))))
        # Materialized: DuckDB would work out a bound that is asked for once more for each pair that it leaves.
        self._sql = f"""
            WITH measured AS MATERIALIZED (SELECT one, other, {", ".join([*kept, f"{bound} AS bound"])} FROM both_said)
            SELECT * FROM measured WHERE bound >= {at_least}"""  # noqa: S608  # constants of our own file

    def left(self, connection: duckdb.DuckDBPyConnection, persons: Roster, pairs: pa.Table) -> pa.Table:
        one, other = pairs["one"].to_numpy(), pairs["other"].to_numpy()
        said = persons.columns(self._columns, one, "_l") | persons.columns(self._columns, other, "_r")
        connection.register("both_said", pa.table({name: pairs[name] for name in pairs.column_names} | said))
        left = connection.sql(self._sql).to_arrow_table()
        connection.unregister("both_said")
        return left
