"""What an indicator is, in words and in references: enough to know what a published number means.

How it is computed is the warehouse's business; a definition here names everything that the number depends on.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from codebook.errors import BadDefinition
from codebook.instruments import Instrument
from codebook.models import NAME, Closed, CodeList, Entity, Label
from codebook.reading import Lines, nearest, read_model

Score = Literal["economic", "social", "psychosocial", "composite"]


class Window(Closed):
    """Which date puts a record into a period (`entity.variable`), and what else limits it in time."""

    clock: str
    description: str = Field(min_length=1)


class Parameter(Closed):
    """What a user must say before there is a number; it is published with the number."""

    name: str = Field(pattern=NAME)
    type: Literal["decimal", "integer", "text"]
    description: str = Field(min_length=1)


class Indicator(Closed):
    """One indicator's full definition. `variables` are all those the number depends on, as `entity.variable`."""

    indicator: str = Field(pattern=NAME)
    version: str = Field(pattern=r"^\d+\.\d+\.\d+$")
    label: Label
    description: str = Field(min_length=1)
    level: Literal["individual", "community", "structural"]
    dimension: Literal["economic", "social", "psychosocial", "cross_cutting"]
    unit_of_analysis: Literal["person", "return event", "case", "service", "interview", "household"]
    aggregation: Literal["count", "mean", "median", "share", "mean_difference"]
    unit: str = Field(min_length=1)
    numerator: str = Field(min_length=1)
    denominator: str | None
    exclusions: tuple[str, ...]
    window: Window
    variables: tuple[str, ...] = Field(min_length=1)
    instrument: str | None = None
    scores: tuple[Score, ...] = ()
    codelist: str | None = None
    parameters: tuple[Parameter, ...] = ()
    disaggregation: tuple[str, ...]
    minimum_cell: int = Field(ge=2)
    owner: str = Field(pattern=r"^[^@\s]+@[^@\s]+$")
    comparable_with: tuple[str, ...]
    source: str = Field(min_length=1)

    @property
    def name(self) -> str:
        return self.indicator

    @model_validator(mode="after")
    def _parts_fit(self) -> Indicator:
        if (self.aggregation == "count") != (self.denominator is None):
            raise ValueError("a count has no denominator, everything else has one")
        if bool(self.scores) != (self.instrument is not None):
            raise ValueError("scores and instrument go together")
        return self


def load_indicators(
    folder: Path, entities: dict[str, Entity], codelists: dict[str, CodeList], instruments: dict[str, Instrument]
) -> dict[str, Indicator]:
    """Every indicator of the folder, its references checked. Raises BadDefinition."""
    indicators = {}
    for path in sorted(folder.glob("*.yaml")):
        indicator, lines = read_model(path, Indicator)
        if indicator.name != path.stem:
            mend = f"the file's name says `{path.stem}`"
            raise BadDefinition(f"indicator `{indicator.name}`", lines.where("indicator"), mend)
        _check(indicator, lines, entities, codelists, instruments)
        indicators[indicator.name] = indicator
    return indicators


def _check(
    indicator: Indicator,
    lines: Lines,
    entities: dict[str, Entity],
    codelists: dict[str, CodeList],
    instruments: dict[str, Instrument],
) -> None:
    _check_variable(indicator.window.clock, lines.where("window", "clock"), entities)
    for key, names in (("variables", indicator.variables), ("disaggregation", indicator.disaggregation)):
        for index, name in enumerate(names):
            _check_variable(name, lines.where(key, index), entities)
    for key, wanted, known in (
        ("codelist", indicator.codelist, list(codelists)),
        ("instrument", indicator.instrument, list(instruments)),
    ):
        if wanted is not None and wanted not in known:
            raise BadDefinition(f"unknown {key} `{wanted}`", lines.where(key), nearest(wanted, known))


def _check_variable(name: str, where: str, entities: dict[str, Entity]) -> None:
    entity, _, variable = name.partition(".")
    if entity not in entities:
        raise BadDefinition(f"unknown entity in `{name}`", where, nearest(entity, entities))
    if variable not in entities[entity].names:
        raise BadDefinition(f"unknown variable in `{name}`", where, nearest(variable, entities[entity].names))
