"""What a codebook is made of: code lists, variables, rules, entities, places. Closed models: a typo is an error.

Instruments and indicators have their own models (`instruments.py`, `indicators.py`). Nothing here reads a file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any, Literal, get_args

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from codebook.reading import nearest

Severity = Literal["error", "query", "note"]
Role = Literal["identifier", "quasi_identifier", "sensitive", "free_text", "geo", "technical", "plain"]
VariableType = Literal["code", "codes", "integer", "decimal", "date", "place", "text"]
RuleKind = Literal["not_before", "not_after", "required_when", "equal"]
Language = Literal["en", "fr", "es", "ar"]
LANGUAGES: tuple[Language, ...] = get_args(Language)

NAME = r"^[a-z][a-z0-9_]*$"


class Closed(BaseModel):
    """A definition that knows all its keys and never changes once read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Label(Closed):
    """What people read, in the four languages of the return."""

    en: str = Field(min_length=1)
    fr: str = Field(min_length=1)
    es: str = Field(min_length=1)
    ar: str = Field(min_length=1)

    def in_language(self, language: str) -> str:
        """The label in `language`, in English where Homeward does not speak it."""
        return str(getattr(self, language if language in LANGUAGES else "en"))


class Code(Closed):
    """One row of a code list."""

    code: int = Field(ge=-32768, le=32767)
    name: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")
    label_en: str = Field(min_length=1)
    label_fr: str = Field(min_length=1)
    label_es: str = Field(min_length=1)
    label_ar: str = Field(min_length=1)
    valid_from: date | None = None
    valid_to: date | None = None
    standard: str = ""

    @model_validator(mode="after")
    def _dates_in_order(self) -> Code:
        if self.valid_from and self.valid_to and self.valid_to < self.valid_from:
            raise ValueError("valid_to lies before valid_from: exchange or mend them")
        return self

    def label(self, language: str) -> str:
        return str(getattr(self, f"label_{language if language in LANGUAGES else 'en'}"))


@dataclass(frozen=True)
class CodeList:
    """Codes, names and labels of one list. The reserved states belong to every list and come after its own codes."""

    id: str
    codes: tuple[Code, ...]
    states: tuple[Code, ...]

    @cached_property
    def _by_name(self) -> Mapping[str, Code]:
        return {code.name: code for code in (*self.codes, *self.states)}

    @cached_property
    def _by_code(self) -> Mapping[int, Code]:
        return {code.code: code for code in (*self.codes, *self.states)}

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the list's own codes, in file order, without the reserved states."""
        return tuple(code.name for code in self.codes)

    @property
    def state_names(self) -> tuple[str, ...]:
        return tuple(state.name for state in self.states)

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def code(self, name: str) -> int:
        """Code of a name or reserved state; KeyError, with the nearest valid name, for any other."""
        if name not in self._by_name:
            raise KeyError(f"`{name}` is not in code list `{self.id}`: {nearest(name, self._by_name)}")
        return self._by_name[name].code

    def name(self, code: int) -> str:
        return self._by_code[code].name

    def label(self, code: int, language: str = "en") -> str:
        return self._by_code[code].label(language)


class Condition(Closed):
    """A variable of the same record whose answer is one of these names."""

    variable: str
    equals: tuple[str, ...] = Field(min_length=1)


class Variable(Closed):
    """One variable of an entity. `range` bounds are part of it; `range_severity` says what a value outside does."""

    name: str = Field(pattern=NAME)
    type: VariableType
    codelist: str | None = None
    unit: str | None = None
    role: Role
    required: bool = False
    universe: Condition | None = None
    range: tuple[Decimal | date | None, Decimal | date | None] | None = None
    range_severity: Severity = "error"
    standard: str | None = None
    restricted: bool = False
    restricted_codes: tuple[str, ...] = ()
    label: Label
    description: str = Field(min_length=1)

    @field_validator("range", mode="before")
    @classmethod
    def _two_bounds(cls, value: Any) -> Any:
        if isinstance(value, list) and len(value) != 2:
            raise ValueError("write two bounds, [lowest, highest]; null leaves a side open")
        return value

    @model_validator(mode="after")
    def _belongs_together(self) -> Variable:
        coded = self.type in ("code", "codes")
        if coded != (self.codelist is not None):
            raise ValueError(f"type {self.type} " + ("needs a codelist" if coded else "has no codelist"))
        if self.role == "free_text" and (self.type != "text" or not self.restricted):
            raise ValueError("free text, redacted or not, is of type text and restricted")
        if self.restricted_codes and not coded:
            raise ValueError(f"type {self.type} has no codes to restrict")
        if self.range is not None:
            if self.type not in ("integer", "decimal", "date"):
                raise ValueError(f"type {self.type} has no range")
            kind = date if self.type == "date" else Decimal
            low, high = self.range
            if any(bound is not None and not isinstance(bound, kind) for bound in self.range):
                raise ValueError(f"the bounds of a {self.type} are {'dates' if kind is date else 'numbers'}")
            if low is not None and high is not None and low > high:  # type: ignore[operator]
                raise ValueError("the range is inverted: write the lowest value first")
        return self

    @property
    def coded(self) -> bool:
        return self.codelist is not None


class Rule(Closed):
    """A rule over several variables of one record; it speaks only where all of them are answered.

    not_before: first >= second. not_after: first <= second. equal: first = second. required_when: the one variable
    must be answered where `when` holds (without `when`: always). A reserved state other than missing_unexpected is
    an answer; a variable that the source does not collect at all is not asked for.
    """

    id: str = Field(pattern=NAME)
    kind: RuleKind
    variables: tuple[str, ...] = Field(min_length=1, max_length=2)
    when: Condition | None = None
    severity: Severity
    label: Label

    @model_validator(mode="after")
    def _as_many_variables_as_the_kind_needs(self) -> Rule:
        needed = 1 if self.kind == "required_when" else 2
        if len(self.variables) != needed:
            raise ValueError(f"kind {self.kind} needs {needed} variable{'s' if needed > 1 else ''}")
        return self


@dataclass(frozen=True)
class Column:
    """A physical column; `variable` is None for system columns."""

    name: str
    arrow_type: pa.DataType
    pg_type: str
    variable: Variable | None = None
    nullable: bool = True


class Children(Closed):
    """What readers without the right do not see of records about children: of `month` variables the day, of `hide`
    variables (places below the first level) anything.

    A child is who is under 18 by the variable `age`; where the entity has none, or a record does not tell it, who may
    have been under 18 on the record's first day, by the year of birth or the age that any record gives for the person.
    """

    age: str | None = None
    month: tuple[str, ...] = ()
    hide: tuple[str, ...] = ()


class Entity(Closed):
    """One thing that the warehouse counts, with its variables and rules."""

    entity: str = Field(pattern=NAME)
    label: Label
    description: str = Field(min_length=1)
    unit: str = Field(min_length=1)
    variables: tuple[Variable, ...] = Field(min_length=1)
    rules: tuple[Rule, ...] = ()
    children: Children | None = None

    @model_validator(mode="after")
    def _no_date_of_a_child_is_forgotten(self) -> Entity:
        if self.children is None:
            return self
        known = [self.children.age] if self.children.age is not None else []
        for name in (*known, *self.children.month, *self.children.hide):
            if name not in self.names:
                raise ValueError(f"children: no variable `{name}`: {nearest(name, self.names)}")
        exact = {variable.name for variable in self.variables if variable.type == "date" and not variable.restricted}
        if exact != set(self.children.month):
            raise ValueError(f"children: list every date under month: {', '.join(sorted(exact))}")
        return self

    @property
    def name(self) -> str:
        return self.entity

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(variable.name for variable in self.variables)

    def variable(self, name: str) -> Variable:
        """The variable of that name; KeyError, with the nearest valid name, for any other."""
        for variable in self.variables:
            if variable.name == name:
                return variable
        raise KeyError(f"`{name}` is not a variable of `{self.entity}`: {nearest(name, self.names)}")


class Place(Closed):
    """One version of an administrative unit. `alternates` are other spellings and codes, joined by `|` in the file."""

    pcode: str = Field(pattern=r"^[A-Z]{2,3}[0-9A-Z_]*$")
    level: int = Field(ge=0, le=4)
    parent: str
    name: str = Field(min_length=1)
    alternates: tuple[str, ...] = ()
    valid_from: date | None = None
    valid_to: date | None = None

    @field_validator("alternates", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return tuple(part.strip() for part in value.split("|") if part.strip()) if isinstance(value, str) else value
