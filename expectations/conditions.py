"""Row conditions that Great Expectations lacks or runs too slowly, as column-map expectations of our own.

Code-list arrays have no expectation upstream. Its value sets are integers, which PostgreSQL compares with a smallint
column one by one: 256 country codes cost four times what they cost as a smallint array. Its pair expectations and
`row_condition` send two or three queries a rule, and 1.24 forgets the row condition in the statement that selects the
failing rows; written as conditions on one column that mention another, all rules are counted in a single query.

Each condition is one function on SQL columns, used twice: Great Expectations counts with it, and `failing` selects
with it. Not here: which rules exist (`suites`), running them (`validate`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from expectations.suites import Rule, resolved

CODES = ARRAY(sa.SmallInteger)
Condition = sa.ColumnElement[bool]


def code_in_list(column: sa.ColumnElement[Any], codes: list[int]) -> Condition:
    """The code is in the list."""
    return column == sa.any_(_codes(codes))


def codes_in_list(column: sa.ColumnElement[Any], codes: list[int]) -> Condition:
    """Every code of the array is in the list."""
    within: Condition = sa.type_coerce(column, CODES).contained_by(_codes(codes))
    return within


def codes_exclude(column: sa.ColumnElement[Any], codes: list[int]) -> Condition:
    """No code of the array is one of these."""
    return sa.not_(_has(column, True, codes))


def agrees_with(column: sa.ColumnElement[Any], other: str, relation: str, coded: bool) -> Condition:
    """not_before, not_after or equal to the other column; nothing is said about a row where either is unanswered."""
    against: sa.ColumnElement[Any] = sa.column(other)
    relations = {"not_before": column >= against, "not_after": column <= against, "equal": column == against}
    unanswered = [against.is_(None)] + ([column < 0, against < 0] if coded else [])
    return sa.or_(*unanswered, relations[relation])


def answered_when(
    column: sa.ColumnElement[Any], missing: int, many: bool, other: str, other_many: bool, equals: list[int]
) -> Condition:
    """The answer in this column is not missing on rows where the other column has one of these codes."""
    against: sa.ColumnElement[Any] = sa.column(other)
    return sa.or_(sa.not_(_has(column, many, [missing])), against.is_(None), sa.not_(_has(against, other_many, equals)))


OWN: dict[str, tuple[str, Callable[..., Condition], tuple[str, ...]]] = {
    "ExpectColumnCodeToBeInList": ("code_in_list", code_in_list, ("codes",)),
    "ExpectColumnCodesToBeInList": ("codes_in_list", codes_in_list, ("codes",)),
    "ExpectColumnCodesToExclude": ("codes_exclude", codes_exclude, ("codes",)),
    "ExpectColumnToAgreeWithOther": ("agrees_with", agrees_with, ("other", "relation", "coded")),
    "ExpectColumnToBeAnsweredWhen": (
        "answered_when",
        answered_when,
        ("missing", "many", "other", "other_many", "equals"),
    ),
}


def failing(rule: Rule, received: dt.date) -> Condition:
    """True on rows that break the rule: what Great Expectations counts, as a condition for a statement of our own."""
    arguments = resolved(rule, received)
    column: sa.ColumnElement[Any] = sa.column(arguments.pop("column"))
    if rule.expectation == "ExpectColumnValuesToNotBeNull":
        return column.is_(None)
    if rule.expectation in OWN:
        holds = OWN[rule.expectation][1](column, **arguments)
    elif rule.expectation == "ExpectColumnValuesToNotBeInSet":
        holds = column.not_in(arguments["value_set"])
    elif rule.expectation == "ExpectColumnValuesToBeBetween":
        low, high = arguments["min_value"], arguments["max_value"]
        above = sa.true() if low is None else column >= low
        below = sa.true() if high is None else column <= high
        holds = sa.and_(above, below)
    else:
        raise NotImplementedError(f"no failing-rows condition for {rule.expectation}")
    return sa.and_(column.is_not(None), sa.not_(holds))


@cache
def expectation_classes() -> dict[str, Any]:
    """The expectations of this module by class name, made on first use since Great Expectations is slow to import."""
    return {name: _expectation_class(name, *parts) for name, parts in OWN.items()}


def _expectation_class(name: str, metric: str, condition: Callable[..., Condition], keys: tuple[str, ...]) -> Any:
    from great_expectations.execution_engine.sqlalchemy_execution_engine import SqlAlchemyExecutionEngine
    from great_expectations.expectations.expectation import ColumnMapExpectation
    from great_expectations.expectations.metrics.map_metric_provider.column_condition_partial import (
        column_condition_partial,
    )
    from great_expectations.expectations.metrics.map_metric_provider.column_map_metric_provider import (
        ColumnMapMetricProvider,
    )

    metric_name = f"homeward.{metric}"

    def counted(cls: type, column: sa.ColumnElement[Any], **kwargs: Any) -> Condition:
        return condition(column, **{key: kwargs[key] for key in keys})

    type(
        f"{name}Metric",
        (ColumnMapMetricProvider,),
        {
            "condition_metric_name": metric_name,
            "condition_value_keys": keys,
            "_sqlalchemy": column_condition_partial(engine=SqlAlchemyExecutionEngine)(counted),
            "__module__": __name__,
        },
    )
    return type(
        name,
        (ColumnMapExpectation,),
        {
            "__annotations__": dict.fromkeys(keys, Any),
            "__module__": __name__,
            "map_metric": metric_name,
            "success_keys": keys,
            "__doc__": condition.__doc__,
        },
    )


def _has(column: sa.ColumnElement[Any], many: bool, codes: list[int]) -> Condition:
    return sa.type_coerce(column, CODES).overlap(_codes(codes)) if many else column.in_(codes)


def _codes(codes: list[int]) -> Any:
    return sa.cast(sa.literal(codes, CODES), CODES)
