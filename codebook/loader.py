"""Loads the codebook: every file of it, checked on its own and against the others.

What a definition looks like is the business of `models`, `instruments` and `indicators`; how a file is read, that of
`reading`. Here files meet: a name that one file uses must be defined in another.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pyarrow as pa
from pydantic import Field

from codebook.errors import BadDefinition
from codebook.indicators import Indicator, load_indicators
from codebook.instruments import Instrument, load_instruments
from codebook.models import Closed, Code, CodeList, Column, Condition, Entity, Label, Place, Variable
from codebook.reading import Lines, nearest, place, read_model, read_rows

HOME = Path(__file__).resolve().parent

KEY_COLUMNS = ("record_key", "person_token", "household_key", "case_key")
SYSTEM_COLUMNS = (
    *(Column(name, pa.binary(16), "uuid", nullable=name != "record_key") for name in KEY_COLUMNS),
    Column("source_table", pa.string(), "text", nullable=False),
    Column("source_row", pa.int64(), "bigint", nullable=False),
)
PHYSICAL = {
    "code": (pa.int16(), "smallint"),
    "codes": (pa.list_(pa.int16()), "smallint[]"),
    "integer": (pa.int32(), "integer"),
    "decimal": (pa.decimal128(18, 2), "numeric(18,2)"),
    "date": (pa.date32(), "date"),
    "place": (pa.string(), "text"),
    "text": (pa.string(), "text"),
}
STATE_SUFFIX = "_state"


class Imprint(Closed):
    """`codebook.yaml`: which version of the codebook this is."""

    version: str = Field(pattern=r"^\d+\.\d+\.\d+$")
    title: Label


@dataclass(frozen=True)
class Codebook:
    """Everything the warehouse means. `places` are read when first asked for; all else when loaded."""

    root: Path
    version: str
    title: Label
    states: tuple[Code, ...]
    codelists: dict[str, CodeList]
    entities: dict[str, Entity]
    instruments: dict[str, Instrument]
    indicators: dict[str, Indicator]
    _places: dict[str, tuple[Place, ...]] = field(default_factory=dict, repr=False)

    def state(self, name: str) -> int:
        """Code of a reserved answer state."""
        for state in self.states:
            if state.name == name:
                return state.code
        raise KeyError(f"`{name}` is no answer state: {nearest(name, (state.name for state in self.states))}")

    def codelist_of(self, entity: str, variable: str) -> CodeList:
        """The code list of a coded variable."""
        return self.codelists[str(self.entities[entity].variable(variable).codelist)]

    def columns(self, entity: str) -> list[Column]:
        """Physical columns of an entity: system columns, then variables, each uncoded one with its state."""
        found = list(SYSTEM_COLUMNS)
        for variable in self.entities[entity].variables:
            arrow_type, pg_type = PHYSICAL[variable.type]
            found.append(Column(variable.name, arrow_type, pg_type, variable))
            if not variable.coded:
                found.append(Column(variable.name + STATE_SUFFIX, pa.int16(), "smallint", variable))
        return found

    def arrow_schema(self, entity: str) -> pa.Schema:
        return pa.schema([pa.field(c.name, c.arrow_type, c.nullable) for c in self.columns(entity)])

    def places(self, iso3: str) -> tuple[Place, ...]:
        """All versions of a country's administrative units; BadDefinition where no file describes the country."""
        if iso3 not in self._places:
            self._places[iso3] = _load_places(self.root / "places" / f"{iso3.lower()}.csv")
        return self._places[iso3]


def load_codebook(root: Path | None = None) -> Codebook:
    """The codebook under `root` (the one that ships with Homeward by default). Raises BadDefinition."""
    return _load((root or HOME).resolve())


@cache
def _load(root: Path) -> Codebook:
    imprint, _ = read_model(root / "codebook.yaml", Imprint)
    codelists, states = _load_codelists(root / "codelists")
    entities = _load_entities(root / "entities", codelists)
    instruments = load_instruments(root / "instruments", entities, codelists)
    indicators = load_indicators(root / "indicators", entities, codelists, instruments)
    return Codebook(root, imprint.version, imprint.title, states, codelists, entities, instruments, indicators)


def _load_codelists(folder: Path) -> tuple[dict[str, CodeList], tuple[Code, ...]]:
    states = _codes(folder / "_states.csv", taken={})
    taken = {str(state.code): "_states.csv" for state in states} | {state.name: "_states.csv" for state in states}
    paths = sorted(path for path in folder.glob("*.csv") if not path.name.startswith("_"))
    return {path.stem: CodeList(path.stem, _codes(path, taken), states) for path in paths}, states


def _codes(path: Path, taken: dict[str, str]) -> tuple[Code, ...]:
    """Codes of one file; a code or a name that stands twice, or that a reserved state has, is an error."""
    seen = dict(taken)
    codes = []
    for line, code in read_rows(path, Code):
        for what in (str(code.code), code.name):
            if what in seen:
                raise BadDefinition(f"`{what}` is taken already ({seen[what]})", place(path, line), "use another")
            seen[what] = f"line {line}"
        if taken and code.code < 1:
            raise BadDefinition(f"code {code.code} is not positive", place(path, line), "below 1 are the answer states")
        codes.append(code)
    return tuple(codes)


def _load_entities(folder: Path, codelists: dict[str, CodeList]) -> dict[str, Entity]:
    entities = {}
    for path in sorted(folder.glob("*.yaml")):
        entity, lines = read_model(path, Entity)
        if entity.name != path.stem:
            raise BadDefinition(f"entity `{entity.name}`", lines.where("entity"), f"the file's name says `{path.stem}`")
        _check_entity(entity, lines, codelists)
        entities[entity.name] = entity
    return entities


def _check_entity(entity: Entity, lines: Lines, codelists: dict[str, CodeList]) -> None:
    seen: set[str] = {column.name for column in SYSTEM_COLUMNS}
    for index, variable in enumerate(entity.variables):
        where = lines.where("variables", index)
        for name in (variable.name, *(() if variable.coded else (variable.name + STATE_SUFFIX,))):
            if name in seen:
                raise BadDefinition(f"column `{name}` is defined twice", where, "use another name")
            seen.add(name)
        if variable.codelist is not None and variable.codelist not in codelists:
            where = lines.where("variables", index, "codelist")
            raise BadDefinition(
                f"unknown code list `{variable.codelist}`", where, nearest(variable.codelist, codelists)
            )
        for name in variable.restricted_codes:
            codes = codelists[str(variable.codelist)]
            if name not in codes.names:
                where = lines.where("variables", index, "restricted_codes")
                raise BadDefinition(f"`{name}` is not in code list `{codes.id}`", where, nearest(name, codes.names))
        if variable.universe is not None:
            _check_condition(variable.universe, entity, codelists, lines.where("variables", index, "universe"))
    ids: set[str] = set()
    for index, rule in enumerate(entity.rules):
        where = lines.where("rules", index)
        if rule.id in ids or rule.id in entity.names:
            raise BadDefinition(f"rule id `{rule.id}` is taken already", where, "use another")
        ids.add(rule.id)
        compared = [_known(name, entity, lines.where("rules", index, "variables")) for name in rule.variables]
        if len({variable.type for variable in compared}) > 1:
            raise BadDefinition(f"rule `{rule.id}` compares different types", where, "compare a date with a date")
        if rule.when is not None:
            _check_condition(rule.when, entity, codelists, lines.where("rules", index, "when"))


def _known(name: str, entity: Entity, where: str) -> Variable:
    if name not in entity.names:
        raise BadDefinition(f"unknown variable `{name}`", where, nearest(name, entity.names))
    return entity.variable(name)


def _check_condition(condition: Condition, entity: Entity, codelists: dict[str, CodeList], where: str) -> None:
    variable = _known(condition.variable, entity, where)
    if variable.codelist is None:
        raise BadDefinition(f"`{variable.name}` has no code list", where, "a condition compares answers by name")
    codes = codelists[variable.codelist]
    for name in condition.equals:
        if name not in codes:
            mend = nearest(name, (*codes.names, *codes.state_names))
            raise BadDefinition(f"`{name}` is not in code list `{variable.codelist}`", where, mend)


def _load_places(path: Path) -> tuple[Place, ...]:
    """Units of one country. Versions of one P-code may follow each other but not overlap; a parent must be there."""
    rows = list(read_rows(path, Place))
    pcodes = {unit.pcode for _, unit in rows} | {path.stem.upper()}
    for number, (line, unit) in enumerate(rows):
        where = place(path, line)
        if unit.parent not in pcodes:
            raise BadDefinition(f"unknown parent `{unit.parent}`", where, nearest(unit.parent, sorted(pcodes)))
        for _, other in rows[:number]:
            if other.pcode == unit.pcode and _overlap(unit, other):
                raise BadDefinition(f"P-code `{unit.pcode}` is valid twice at one time", where, "mend its dates")
    return tuple(unit for _, unit in rows)


def _overlap(one: Place, other: Place) -> bool:
    starts_late = one.valid_from and other.valid_to and one.valid_from > other.valid_to
    ends_early = one.valid_to and other.valid_from and one.valid_to < other.valid_from
    return not (starts_late or ends_early)
