"""A scoring method as whole numbers over one denominator: what scoring and the warehouse's SQL are both written from.

It turns definitions into integers; no answer is read here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

from codebook.errors import HomewardError
from codebook.instruments import Instrument, Line, Method
from codebook.loader import Codebook, load_codebook
from codebook.reading import nearest


@dataclass(frozen=True)
class PlannedLine:
    """One item: points of each answer code (x `Plan.points_scale`), and its integer weights.

    `weight` counts in `dimension`, `composite_weight` in the composite; both hold the item's share in derived lines.
    A code that is not in `points` has none. Where the answer is one of `asks`, the points are those of `follow_up`
    instead. `special` are the codes that count as special answers.
    """

    item: str
    dimension: str
    points: Mapping[int, int]
    weight: int
    composite_weight: int
    special: frozenset[int]
    asks: frozenset[int] = frozenset()
    follow_up: PlannedLine | None = None


@dataclass(frozen=True)
class Plan:
    """A scoring method as integers: score = sum(points x weight) / denominator, exactly.

    `low_below` and `high_above` are numerators. `minimum_age` is a variable and years, `required_answers` the codes
    that open a gate, by variable.
    """

    instrument: str
    instrument_version: str
    method: str
    entity: str
    lines: tuple[PlannedLine, ...]
    points_scale: int
    denominator: int
    low_below: int
    high_above: int
    low_confidence_above: int
    minimum_age: tuple[str, int]
    required_answers: Mapping[str, frozenset[int]]

    @property
    def items(self) -> tuple[str, ...]:
        """Columns that are read, a follow-up after its question."""
        return tuple(
            item for line in self.lines for item in (line.item, *((line.follow_up.item,) if line.follow_up else ()))
        )


def plan(instrument: str | Instrument, method: str = "iom_2018", codebook: Codebook | None = None) -> Plan:
    """The method's plan. HomewardError for an instrument or method that the codebook does not define."""
    book = codebook or load_codebook()
    source = instrument if isinstance(instrument, Instrument) else _known(instrument, book.instruments, "instrument")
    chosen: Method = _known(method, source.methods, "scoring method")
    points_scale, weight_scale = _points_scale(source, method, chosen), _weight_scale(source)
    denominator = points_scale * weight_scale
    bounds = [source.bands.low_below * denominator, source.bands.high_above * denominator]
    stretch = _common_denominator(bounds)
    weight_scale, denominator = weight_scale * stretch, denominator * stretch

    def planned(item: str, scale: str, dimension: str, line: Line | None) -> PlannedLine:
        codes = book.codelist_of(source.entity, item)
        worths: dict[str, Any] = dict(source.points(scale, method)) | {**chosen.states}
        if line and line.when_skipped is not None:
            worths["skipped_by_logic"] = line.when_skipped
        asks = frozenset(codes.code(name) for name, worth in worths.items() if worth == "follow_up")
        return PlannedLine(
            item,
            dimension,
            {codes.code(name): int(worth * points_scale) for name, worth in worths.items() if worth != "follow_up"},
            *_weights(item, source, weight_scale),
            special=frozenset(codes.code(name) for name in chosen.states),
            asks=asks,
        )

    lines = []
    for dimension, line in ((name, line) for name, lines in source.dimensions.items() for line in lines):
        if line.scale is None:
            continue
        first = planned(line.item, line.scale, dimension, line)
        reason = planned(line.follow_up.item, line.follow_up.scale, dimension, None) if line.follow_up else None
        lines.append(replace(first, follow_up=reason))
    return Plan(
        instrument=source.name,
        instrument_version=source.version,
        method=method,
        entity=source.entity,
        lines=tuple(lines),
        points_scale=points_scale,
        denominator=denominator,
        low_below=int(source.bands.low_below * denominator),
        high_above=int(source.bands.high_above * denominator),
        low_confidence_above=source.low_confidence_above,
        minimum_age=(source.gates.minimum_age.variable, source.gates.minimum_age.years),
        required_answers={
            gate.variable: frozenset(book.codelist_of(source.entity, gate.variable).code(name) for name in gate.equals)
            for gate in source.gates.answers
        },
    )


def _points_scale(source: Instrument, method: str, chosen: Method) -> int:
    """What makes every point of the method a whole number."""
    scales = [worth for scale in source.scales for worth in source.points(scale, method).values()]
    skipped = [line.when_skipped for line in source.lines if line.when_skipped is not None]
    return _common_denominator(
        worth for worth in (*scales, *chosen.states.values(), *skipped) if isinstance(worth, Decimal)
    )


def _weight_scale(source: Instrument) -> int:
    """What makes every weight a whole number, also after a derived line's weight is shared out among its items."""
    weights = [weight for line in source.lines for weight in (line.dimension_weight, line.composite_weight)]
    return _common_denominator(weights) * math.lcm(*(len(line.mean_of) or 1 for line in source.lines))


def _weights(item: str, source: Instrument, weight_scale: int) -> tuple[int, int]:
    """The item's own weights and its share of every derived line it belongs to.

    Documentation and water have no weight of their own: leaving zero weights out would lose theirs.
    """
    own = whole = Fraction(0)
    for line in source.lines:
        share = Fraction(1 if line.item == item else line.mean_of.count(item), len(line.mean_of) or 1)
        own += Fraction(line.dimension_weight) * share * weight_scale
        whole += Fraction(line.composite_weight) * share * weight_scale
    return int(own), int(whole)


def _common_denominator(numbers: Iterable[Decimal]) -> int:
    return math.lcm(*(Fraction(number).denominator for number in numbers))


def _known(name: str, valid: Mapping[str, Any], what: str) -> Any:
    if name not in valid:
        raise HomewardError(f"unknown {what} `{name}`", mend=nearest(name, valid))
    return valid[name]
