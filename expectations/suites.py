"""What must hold for the rows of an entity: the codebook read as rules, and rules read as a Great Expectations suite.

Every rule is made from one line of the codebook: a code list, a required variable, a range, a date, a cross-variable
rule. Not here: running the rules (`validate`), telling a supplier about them (`returns`). Great Expectations is
imported inside functions, since it costs three seconds.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from codebook.models import Condition, Entity, Severity, Variable
from codebook.models import Rule as Definition

if TYPE_CHECKING:
    from great_expectations import ExpectationSuite

    from codebook.loader import Codebook

Family = Literal["codes", "required", "range", "dates", "consistency", "key"]
FAMILIES: tuple[Family, ...] = ("codes", "required", "range", "dates", "consistency", "key")

BETWEEN = "ExpectColumnValuesToBeBetween"
EARLIEST_DATE = dt.date(1900, 1, 1)
RECEIVED = "received"
"""Stands in a rule for the date on which the delivery was received; a date after it cannot be known yet."""

MISSING = "missing_unexpected"
"""The one state that is a gap. Don't know, refused and not applicable are answers (design law 6)."""


@dataclass(frozen=True)
class Rule:
    """One thing that must hold for each row of an entity, said as a Great Expectations expectation.

    `variables[0]` is the variable that a finding points at. `expectation` names a class of Great Expectations or of
    `conditions`; `arguments` are its keyword arguments, all of them definitions and never data.
    """

    id: str
    version: str
    entity: str
    variables: tuple[str, ...]
    severity: Severity
    family: Family
    kind: str
    expectation: str
    arguments: dict[str, Any] = field(hash=False)


def rules_for(entity: str, codebook: Codebook) -> list[Rule]:
    """All rules of `entity`: its record key, each variable in the order of the codebook, then what binds variables."""
    definition = codebook.entities[entity]
    rules = [_record_key(entity, codebook.version)]
    for variable in definition.variables:
        rules += _variable_rules(definition, variable, codebook)
    rules += [_cross_rule(definition, rule, codebook) for rule in definition.rules]
    return rules


def suite(name: str, rules: Sequence[Rule], received: dt.date) -> ExpectationSuite:
    """The rules as one Great Expectations suite, each expectation carrying its rule id, made in one go.

    Adding expectations one by one is quadratic in 1.24: 1,600 of them take 69 seconds.
    """
    import great_expectations as gx
    import great_expectations.expectations as gxe

    from expectations import conditions

    own = conditions.expectation_classes()
    expectations = [
        (own.get(rule.expectation) or getattr(gxe, rule.expectation))(
            **resolved(rule, received), meta={"rule": rule.id, "version": rule.version}
        )
        for rule in rules
    ]
    return gx.ExpectationSuite(name=name, expectations=expectations)


def resolved(rule: Rule, received: dt.date) -> dict[str, Any]:
    """The rule's arguments with the date of receipt filled in."""
    return {name: received if value == RECEIVED else value for name, value in rule.arguments.items()}


def state_column(variable: Variable) -> str:
    """The column that says whether a variable is answered: a coded one itself, else its companion."""
    return variable.name if variable.type in {"code", "codes"} else f"{variable.name}_state"


def _record_key(entity: str, version: str) -> Rule:
    return Rule(
        id=f"rule.{entity}.record_key",
        version=version,
        entity=entity,
        variables=("record_key",),
        severity="error",
        family="key",
        kind="record_key",
        expectation="ExpectColumnValuesToNotBeNull",
        arguments={"column": "record_key"},
    )


def _variable_rules(entity: Entity, variable: Variable, codebook: Codebook) -> list[Rule]:
    name, rules = variable.name, []

    def rule(kind: str, family: Family, expectation: str, arguments: dict[str, Any], severity: Severity) -> None:
        identity = (f"rule.{entity.name}.{name}.{kind}", codebook.version, entity.name, (name,))
        rules.append(Rule(*identity, severity, family, kind, expectation, arguments))

    if variable.coded:
        codelist = codebook.codelist_of(entity.name, name)
        codes = sorted(codelist.code(code) for code in (*codelist.names, *codelist.state_names))
        expectation = "ExpectColumnCodeToBeInList" if variable.type == "code" else "ExpectColumnCodesToBeInList"
        rule("code", "codes", expectation, {"column": name, "codes": codes}, "error")
    if variable.required:
        rule("required", "required", *_answered(entity, variable, variable.universe, codebook), "error")
    if variable.range is not None:
        bounds = dict(zip(("min_value", "max_value"), (_bound(variable, end) for end in variable.range), strict=True))
        rule("range", "range", BETWEEN, {"column": name, **bounds}, variable.range_severity)
    if variable.type == "date":
        rule("date", "dates", BETWEEN, {"column": name, "min_value": EARLIEST_DATE, "max_value": RECEIVED}, "error")
    return rules


def _bound(variable: Variable, bound: Decimal | dt.date | None) -> int | float | dt.date | None:
    if bound is None or isinstance(bound, dt.date):
        return bound
    return int(bound) if variable.type == "integer" else float(bound)


def _answered(
    entity: Entity, variable: Variable, when: Condition | None, codebook: Codebook
) -> tuple[str, dict[str, Any]]:
    """The expectation that a variable is not missing, on all rows or on those where another has certain answers."""
    column, many, missing = state_column(variable), variable.type == "codes", codebook.state(MISSING)
    if when is not None:
        other = entity.variable(when.variable)
        codelist = codebook.codelist_of(entity.name, other.name)
        return "ExpectColumnToBeAnsweredWhen", {
            "column": column,
            "missing": missing,
            "many": many,
            "other": other.name,
            "other_many": other.type == "codes",
            "equals": [codelist.code(name) for name in when.equals],
        }
    if many:
        return "ExpectColumnCodesToExclude", {"column": column, "codes": [missing]}
    return "ExpectColumnValuesToNotBeInSet", {"column": column, "value_set": [missing]}


def _cross_rule(entity: Entity, definition: Definition, codebook: Codebook) -> Rule:
    variables = definition.variables
    if definition.kind == "required_when":
        variable = entity.variable(variables[0])
        expectation, arguments = _answered(entity, variable, definition.when, codebook)
        variables = (*variables, *([definition.when.variable] if definition.when else []))
    else:
        expectation = "ExpectColumnToAgreeWithOther"
        coded = entity.variable(variables[0]).coded
        arguments = {"column": variables[0], "other": variables[1], "relation": definition.kind, "coded": coded}
    return Rule(
        id=f"rule.{entity.name}.{definition.id}",
        version=codebook.version,
        entity=entity.name,
        variables=variables,
        severity=definition.severity,
        family="consistency",
        kind=definition.kind,
        expectation=expectation,
        arguments=arguments,
    )
