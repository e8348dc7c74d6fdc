"""A child's day and place are in no view of analysts, whichever record tells the age, and whatever is joined."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import Engine, text
from warehouse_deliveries import Supplier, key

from codebook.loader import Codebook
from warehouse import access, marts

DAY, MONTH = date(2024, 5, 17), date(2024, 5, 1)


@pytest.fixture(scope="module")
def url(engine: Engine, codebook: Codebook, warehouse_url: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Of one child an interview tells the age, of another a register the year of birth; both came with a parent."""
    people = {"interviewed": 15, "registered": None, "parent": 40}
    tokens = {name: key(f"person {name}") for name in (*people, "other token")}
    came = {"return_date": DAY, "return_adm1": "SV06", "return_adm2": "SV0614", "household_key": key("home")}
    lives = {"return_date": DAY, "adm1": "SV06", "adm2": "SV0614"}
    home = [{"key": "home", "row": 1, **lives, "person_token": tokens["parent"]}]
    alone = [{"key": "alone", "row": 2, **lives, "person_token": tokens["registered"]}]
    events = [
        {"key": f"return {name}", "row": row, "person_token": tokens[name], **came} for row, name in enumerate(people)
    ]
    asked = [
        {"key": f"interview {name}", "row": row, "person_token": tokens[name], "age": age, "interview_date": DAY}
        for row, (name, age) in enumerate(people.items())
    ]
    born = [{"key": "registered", "row": 1, "person_token": tokens["other token"], "birth_year": 2010}]
    folder = tmp_path_factory.mktemp("children")
    returns = {"return_event": events, "household": [*home, *alone]}
    Supplier(engine, codebook, folder, "slv/returns", "SLV").deliver("r", returns)
    Supplier(engine, codebook, folder, "slv/asked", "SLV").deliver("a", {"rss_response": asked, "person": born})
    with engine.begin() as connection:
        one = {"token": tokens["other token"].hex(), "current": tokens["registered"].hex()}
        connection.execute(text("INSERT INTO core.current_token VALUES (:token, 'SLV', :current)"), one)
    return warehouse_url


def seen(url: str, role: str, statement: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in access.query(url, statement, role).to_pylist()]


VIEWS = ["marts.return_event", "marts.return_event_as_of(now())", "marts.return_event_ever"]


@pytest.mark.parametrize("view", VIEWS)
def test_a_child_is_known_by_what_any_record_tells_where_the_own_tells_no_age(url: str, view: str) -> None:
    statement = f"SELECT return_date, return_adm2 FROM {view} ORDER BY 1, 2"
    assert seen(url, "analyst", statement) == [(MONTH, None), (MONTH, None), (DAY, "SV0614")]
    assert seen(url, "officer_slv", statement) == [(DAY, "SV0614")] * 3


@pytest.mark.parametrize("by", ["household_key = h.record_key", "person_token = h.person_token"])
def test_no_household_tells_a_childs_day_or_place(url: str, by: str) -> None:
    statement = (
        "SELECT r.return_adm2, h.adm2, h.return_date FROM marts.return_event AS r"
        f" JOIN marts.household AS h ON r.{by} ORDER BY 1, 2, 3"
    )
    of_parent = ("SV0614", "SV0614", DAY)
    assert seen(url, "officer_slv", statement).count(of_parent) == (3 if "household" in by else 2)
    of_children = [row for row in seen(url, "analyst", statement) if row != of_parent]
    assert of_children == ([] if "household" in by else [(None, None, MONTH)])


def test_a_childs_return_names_no_household(url: str) -> None:
    statement = (
        "SELECT age, r.household_key IS NULL AS alone FROM marts.return_event AS r"
        " JOIN marts.rss_response USING (person_token) ORDER BY 1"
    )
    assert seen(url, "analyst", statement) == [(15, True), (40, False), (None, True)]
    assert seen(url, "officer_slv", statement) == [(15, False), (40, False), (None, False)]


def test_a_score_tells_no_day_of_a_child_whose_own_age_is_not_known(
    engine: Engine, codebook: Codebook, url: str
) -> None:
    marts.refresh(engine, codebook)
    days = "SELECT interview_date, count(*) AS n FROM marts.rss_score WHERE method = 'iom_2018' GROUP BY 1 ORDER BY 1"
    assert seen(url, "officer_slv", days) == seen(url, "analyst", days) == [(MONTH, 2), (DAY, 1)]
