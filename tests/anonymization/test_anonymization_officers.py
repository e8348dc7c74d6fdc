"""A login of the vault that is an officer's of one country sees and settles nothing of another."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from uuid import UUID

import pytest
from sqlalchemy import create_engine, make_url, text

from anonymization.gate import Gate
from anonymization.linkage import decisions, review
from anonymization.vault import audit, erasure, finding, requests
from anonymization.vault.vault import Vault
from codebook.errors import HomewardError
from sources.batches import TextBatch
from sources.models import Source

Rows = Callable[..., TextBatch]


@pytest.fixture
def officer(vault: Vault, vault_url: str) -> Iterator[Vault]:
    """The same vault under the login of an officer of Guatemala."""
    login = f"officer_{uuid.uuid4().hex[:8]}"
    engine = create_engine(vault_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for role in ("homeward_officer_gtm", "homeward_officer_slv"):
            if not connection.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :r"), {"r": role}):
                connection.execute(text(f"CREATE ROLE {role} NOLOGIN"))
        connection.execute(text(f"CREATE ROLE {login} LOGIN IN ROLE homeward_vault, homeward_officer_gtm"))
    yield Vault(make_url(vault_url).set(username=login).render_as_string(hide_password=False), vault.keyring)
    with engine.connect() as connection:
        connection.execute(text(f"DROP ROLE {login}"))


@pytest.fixture
def tokens(make_source: Callable[..., Source], vault: Vault, rows: Rows) -> dict[str, UUID]:
    found = {}
    for source, country in (("slv/register", "SLV"), ("gtm/register", "GTM")):
        data = Gate(make_source(source, country), vault).pass_batch(rows({}, {"FILE": "F2"})).data
        found[country] = UUID(bytes=data["_person"][0].as_py())
    with vault.transaction() as cursor:
        cursor.execute(
            "INSERT INTO vault.decision (country, one, other, weight, model, state)"
            " SELECT country, min(person_id), max(person_id), 9, 'model', 'waiting' FROM vault.person GROUP BY country"
        )
        decisions.seal_all(cursor, vault.keyring)
    return found


def test_pairs_and_requests_of_other_countries_are_not_listed(
    vault: Vault, officer: Vault, tokens: dict[str, UUID]
) -> None:
    for country, token in tokens.items():
        requests.ask(vault, token, f"of {country}", "Marta", 7)
    assert {pair.country for pair in review.pairs(vault)} == {"SLV", "GTM"}
    assert {pair.country for pair in review.pairs(officer)} == {"GTM"}
    assert review.pairs(officer, "SLV") == []
    assert {one.country for one in requests.requests(officer)} == {"GTM"}


def test_nothing_is_asked_settled_or_erased_in_another_country(
    vault: Vault, officer: Vault, tokens: dict[str, UUID]
) -> None:
    (pair,) = review.pairs(vault, "SLV")
    number = requests.ask(vault, tokens["SLV"], "tracing", "Marta", 7)
    for act in (
        lambda: review.settle(officer, pair.decision_id, review.ACCEPTED, "Jorge"),
        lambda: requests.approve(officer, number, "Jorge"),
        lambda: requests.reveal(officer, number, "Marta"),
        lambda: requests.ask(officer, tokens["SLV"], "tracing", "Jorge", 7),
        lambda: erasure.find(officer, tokens["SLV"]),
    ):
        with pytest.raises(HomewardError, match="this login sees people of GTM only"):
            act()
    assert requests.ask(officer, tokens["GTM"], "tracing", "Jorge", 7) > number


def test_nobody_of_another_country_is_looked_up_and_that_somebody_tried_is_in_the_audit(
    make_source: Callable[..., Source], officer: Vault, vault: Vault, rows: Rows
) -> None:
    """Whether somebody is known in another country is told to none of its officers."""
    brought = {"SLV": "04567890-3", "GTM": "00016297-5"}
    sources = [make_source(f"{country.lower()}/register", country) for country in brought]
    for source, number in zip(sources, brought.values(), strict=True):
        Gate(source, vault).pass_batch(rows({"DUI": number}))
    for number in brought.values():
        with pytest.raises(HomewardError, match="this login sees people of GTM only"):
            finding.find(officer, sources, finding.Asked("SLV", "slv_dui", "erasure", "Jorge"), number)
        (line,) = audit.lines(vault, 1)
        assert (line.action, line.country, line.officer) == (audit.REFUSED, "SLV", "Jorge")
    asked = finding.Asked("GTM", "slv_dui", "erasure", "Jorge")
    assert [len(finding.find(officer, sources, asked, number).persons) for number in brought.values()] == [0, 1]
