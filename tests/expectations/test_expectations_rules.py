"""Which row breaks which rule: one good row, changed in one place at a time."""

import datetime as dt
from collections.abc import Callable

import pytest

Only = Callable[..., set[str]]


def test_a_good_row_breaks_nothing(only: Only) -> None:
    assert only() == set()


@pytest.mark.parametrize(
    ("changes", "rules"),
    [
        ({"status": 9}, {"rule.case.status.code"}),
        ({"flags": [1, 9]}, {"rule.case.flags.code"}),
        ({"status": -5}, {"rule.case.status.required"}),
        ({"flags": [-5]}, {"rule.case.flags.required"}),
        ({"open_date": -5}, {"rule.case.open_date.required"}),
        ({"members": 31}, {"rule.case.members.range"}),
        ({"income": -9}, {"rule.case.income.range"}),
        ({"open_date": dt.date(1899, 12, 31)}, {"rule.case.open_date.date"}),
        ({"close_date": dt.date(2026, 11, 23)}, {"rule.case.close_date.date"}),
        ({"close_date": dt.date(2024, 12, 31)}, {"rule.case.closed_after_open"}),
        ({"children": 5}, {"rule.case.children_among_members"}),
        ({"status": 2, "reason": -5}, {"rule.case.reason_when_closed"}),
        ({"reason": 2}, {"rule.case.status_is_reason"}),
    ],
)
def test_a_bad_row_breaks_its_rule(only: Only, changes: dict[str, object], rules: set[str]) -> None:
    assert only(**changes) == rules


@pytest.mark.parametrize("state", [-1, -2, -3, -4])
def test_dont_know_refused_and_not_applicable_are_answers(only: Only, state: int) -> None:
    """Design law 6: required means not missing; a range or a date says nothing about a state."""
    assert only(status=state, flags=[state], members=state, open_date=state, reason=state) == set()


def test_a_day_the_delivery_was_received_is_not_in_the_future(only: Only) -> None:
    assert only(close_date=dt.date(2026, 11, 22)) == set()


def test_required_in_its_universe_only(only: Only) -> None:
    assert only(children=-5) == {"rule.case.children.required"}
    assert only(children=-5, status=2, reason=1) == {"rule.case.status_is_reason"}


def test_a_column_that_the_source_does_not_collect_breaks_nothing(only: Only) -> None:
    """Null without a state is not one of the five answer states (contracts 2)."""
    nothing = dict.fromkeys(("status", "reason", "flags", "members", "children", "income", "open_date", "close_date"))
    assert only(**nothing) == set()
