"""An instrument: its items, the points of its answers, their weights, and the methods that score it.

Checked here: the instrument in itself and against the code lists of its entity. Scoring itself is in `scoring`.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from codebook.errors import BadDefinition
from codebook.models import NAME, Closed, CodeList, Condition, Entity, Label, Variable
from codebook.reading import Lines, nearest, read_model

Points = Decimal | Literal["follow_up"]
Dimension = Literal["economic", "social", "psychosocial"]


class FollowUp(Closed):
    """The question that decides where the first answer says `follow_up`."""

    item: str
    scale: str


class Line(Closed):
    """One weighted line of the score: an item with its scale, or the mean of other lines' points."""

    item: str = Field(pattern=NAME)
    scale: str | None = None
    mean_of: tuple[str, ...] = ()
    when_skipped: Decimal | None = Field(default=None, ge=0, le=1)
    follow_up: FollowUp | None = None
    dimension_weight: Decimal = Field(ge=0, le=1)
    composite_weight: Decimal = Field(ge=0, le=1)

    @model_validator(mode="after")
    def _asked_or_derived(self) -> Line:
        if (self.scale is None) == (not self.mean_of):
            raise ValueError("a line has either a scale or mean_of")
        return self


class MinimumAge(Closed):
    variable: str
    years: int = Field(ge=0)


class Gates(Closed):
    """Who gets a score at all."""

    minimum_age: MinimumAge
    answers: tuple[Condition, ...]


class Bands(Closed):
    """Below `low_below` is low, above `high_above` is high, all else (the bounds too) is middle."""

    low_below: Decimal = Field(ge=0, le=1)
    high_above: Decimal = Field(ge=0, le=1)

    @model_validator(mode="after")
    def _in_order(self) -> Bands:
        if self.low_below > self.high_above:
            raise ValueError("low_below lies above high_above: exchange them")
        return self


class Method(Closed):
    """A named way of giving points: what the reserved states are worth, and where it departs from the scales."""

    label: Label
    description: str = Field(min_length=1)
    states: dict[Literal["dont_know", "refused", "not_applicable"], Decimal]
    debt_rule: str = Field(min_length=1)
    changes: dict[str, dict[str, Decimal]]


class Instrument(Closed):
    """A questionnaire that yields scores."""

    instrument: str = Field(pattern=NAME)
    version: str = Field(pattern=r"^\d+\.\d+\.\d+$")
    entity: str
    label: Label
    description: str = Field(min_length=1)
    source: str = Field(min_length=1)
    gates: Gates
    bands: Bands
    low_confidence_above: int = Field(ge=0)
    scales: dict[str, dict[str, Points]]
    dimensions: dict[Dimension, tuple[Line, ...]]
    methods: dict[str, Method]

    @property
    def name(self) -> str:
        return self.instrument

    @property
    def lines(self) -> tuple[Line, ...]:
        return tuple(line for lines in self.dimensions.values() for line in lines)

    @property
    def items(self) -> tuple[str, ...]:
        """Every column that scoring reads, in the order of the file; a follow-up after its question."""
        return tuple(
            item
            for line in self.lines
            if line.scale is not None
            for item in (line.item, *((line.follow_up.item,) if line.follow_up else ()))
        )

    def points(self, scale: str, method: str) -> dict[str, Points]:
        """Points of the answers of `scale` under `method`, without the reserved states."""
        return {**self.scales[scale], **self.methods[method].changes.get(scale, {})}


def load_instruments(
    folder: Path, entities: dict[str, Entity], codelists: dict[str, CodeList]
) -> dict[str, Instrument]:
    """Every instrument of the folder, checked against the entities and code lists. Raises BadDefinition."""
    instruments = {}
    for path in sorted(folder.glob("*.yaml")):
        instrument, lines = read_model(path, Instrument)
        _check(instrument, lines, entities, codelists)
        if instrument.name != path.stem:
            mend = f"the file's name says `{path.stem}`"
            raise BadDefinition(f"instrument `{instrument.name}`", lines.where("instrument"), mend)
        instruments[instrument.name] = instrument
    return instruments


def _check(instrument: Instrument, lines: Lines, entities: dict[str, Entity], codelists: dict[str, CodeList]) -> None:
    if instrument.entity not in entities:
        mend = nearest(instrument.entity, entities)
        raise BadDefinition(f"unknown entity `{instrument.entity}`", lines.where("entity"), mend)
    entity = entities[instrument.entity]
    _check_gates(instrument.gates, lines, entity, codelists)
    for dimension, rows in instrument.dimensions.items():
        for index, row in enumerate(rows):
            _check_line(row, (dimension, index), instrument, lines, entity, codelists)
        _check_sum([row.dimension_weight for row in rows], f"dimension weights of {dimension}", lines, dimension)
    _check_sum([row.composite_weight for row in instrument.lines], "composite weights", lines)
    for name, method in instrument.methods.items():
        for scale, changed in method.changes.items():
            where = lines.where("methods", name, "changes", scale)
            _among(scale, instrument.scales, "scale", where)
            for answer in changed:
                _among(answer, instrument.scales[scale], f"answer of scale `{scale}`", where)


def _check_gates(gates: Gates, lines: Lines, entity: Entity, codelists: dict[str, CodeList]) -> None:
    _among(gates.minimum_age.variable, entity.names, "variable", lines.where("gates", "minimum_age"))
    for index, gate in enumerate(gates.answers):
        where = lines.where("gates", "answers", index)
        _among(gate.variable, entity.names, "variable", where)
        for answer in gate.equals:
            _among(answer, _codelist(entity.variable(gate.variable), codelists, where).names, "answer", where)


def _check_line(
    row: Line,
    place: tuple[Dimension, int],
    instrument: Instrument,
    lines: Lines,
    entity: Entity,
    codelists: dict[str, CodeList],
) -> None:
    where = lines.where("dimensions", *place)
    if [line.item for line in instrument.lines].count(row.item) > 1:
        raise BadDefinition(f"line `{row.item}` stands twice", where, "keep one of them")
    for item in row.mean_of:
        _among(item, [line.item for line in instrument.dimensions[place[0]] if line.scale], "item", where)
    if row.scale is None:
        return
    follows = _check_scale(row.item, row.scale, where, instrument, entity, codelists)
    if follows != (row.follow_up is not None):
        mend = "a scale with the point `follow_up` goes with a `follow_up`"
        raise BadDefinition(f"line `{row.item}` has half a follow-up", where, mend)
    if row.follow_up and _check_scale(row.follow_up.item, row.follow_up.scale, where, instrument, entity, codelists):
        raise BadDefinition(f"follow-up `{row.follow_up.item}` has a follow-up", where, "give its answers points")


def _check_scale(
    item: str, scale: str, where: str, instrument: Instrument, entity: Entity, codelists: dict[str, CodeList]
) -> bool:
    """Every answer of the item's code list has points between 0 and 1, and nothing else has; does one follow up?"""
    _among(item, entity.names, "variable", where)
    _among(scale, instrument.scales, "scale", where)
    points = instrument.scales[scale]
    answers = _codelist(entity.variable(item), codelists, where).names
    for answer, worth in points.items():
        _among(answer, answers, f"answer of `{item}`", where)
        if isinstance(worth, Decimal) and not 0 <= worth <= 1:
            raise BadDefinition(f"`{answer}` of scale `{scale}` is not between 0 and 1", where, "mend its points")
    for answer in answers:
        if answer not in points:
            raise BadDefinition(f"scale `{scale}` has no points for `{answer}` of `{item}`", where, "add them")
    return "follow_up" in points.values()


def _codelist(variable: Variable, codelists: dict[str, CodeList], where: str) -> CodeList:
    if variable.codelist is None:
        raise BadDefinition(f"`{variable.name}` has no code list", where, "only coded answers have points")
    return codelists[variable.codelist]


def _among(name: str, valid: Iterable[str], what: str, where: str) -> None:
    names = list(valid)
    if name not in names:
        raise BadDefinition(f"unknown {what} `{name}`", where, nearest(name, names))


def _check_sum(weights: list[Decimal], what: str, lines: Lines, *dimension: str) -> None:
    total = sum(weights, Decimal(0))
    if total != 1:
        raise BadDefinition(f"{what} add up to {total}", lines.where("dimensions", *dimension), "they must add up to 1")
