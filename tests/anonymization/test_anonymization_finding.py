"""Somebody who comes with their papers is found by them: in every field that could know them, and by tokens only."""

from __future__ import annotations

import json
from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy import create_engine, text

from anonymization.gate import Gate
from anonymization.keys import rotation
from anonymization.linkage import decisions, review
from anonymization.vault import audit, erasure
from anonymization.vault.finding import Answer, Asked, find
from anonymization.vault.vault import Vault
from codebook.errors import HomewardError
from sources.batches import TextBatch
from sources.models import Source

Rows = Callable[..., TextBatch]
Row = dict[str, str | None]
DUI = "04567890-3"


@pytest.fixture
def protection(similar: Source) -> Source:
    return similar.model_copy(update={"source": "slv/protection", "programme": "protection"})


@pytest.fixture
def opaque(make_source: Callable[..., Source]) -> Source:
    """A source that declares no scheme for its papers, and compares them by itself."""
    tables = """
  - name: main
    key: [CASE]
    person: {link: [PAPER, MAIL]}
    entities: {person: {}}
    columns:
      - {name: CASE, class: identifier, kind: case_number}
      - {name: PAPER, class: identifier, kind: document}
      - {name: MAIL, class: identifier, kind: email}
      - {name: PHONE, class: identifier, kind: phone}
"""
    return make_source("slv/shelters", "SLV", tables)


def came(source: Source, vault: Vault, batch: TextBatch) -> list[UUID]:
    return [UUID(bytes=token) for token in Gate(source, vault).pass_batch(batch).data["_person"].to_pylist()]


def asked(scheme: str = "slv_dui", country: str = "SLV", purpose: str = "erasure", officer: str = "Marta") -> Asked:
    return Asked(country, scheme, purpose, officer)


def tokens(answer: Answer) -> list[set[UUID]]:
    return [set(person.tokens) for person in answer.persons]


@pytest.mark.parametrize(
    ("scheme", "brought"),
    [
        ("slv_dui", DUI),
        ("slv_dui", " 4567890 3 "),
        ("slv_dui", "٠٤٥٦٧٨٩٠-٣"),
        ("phone", "7012 3456"),
        ("phone", "+503 70123456"),
        ("phone", "00503-7012-3456"),
    ],
)
def test_a_number_finds_its_person_however_it_is_written(
    register: Source, vault: Vault, rows: Rows, scheme: str, brought: str
) -> None:
    said: Row = {"DUI": "045678903", "PHONE": "7012-3456"}
    (token, _) = came(register, vault, rows(said, {"FILE": "F2", "DUI": "00016297-5", "PHONE": "7012-9999"}))
    assert tokens(find(vault, [register], asked(scheme), brought)) == [{token}]


def test_it_is_looked_for_in_every_programme_and_where_no_scheme_is_declared(
    similar: Source, protection: Source, opaque: Source, vault: Vault, rows: Rows
) -> None:
    blank = {"CASE": "C1", "PAPER": None, "MAIL": None, "PHONE": None}
    known = {
        "": came(similar, vault, rows({"DUI": DUI}))[0],
        "protection": came(protection, vault, rows({"DUI": DUI}))[0],
    }
    (paper,) = came(opaque, vault, rows({"PAPER": "045678903"}, blank=blank))
    answer = find(vault, [similar, protection, opaque], asked(), DUI)
    found = {(person.programme, person.by): person.tokens for person in answer.persons}
    assert found == {
        ("", ("slv_dui",)): (known[""],),
        ("protection", ("slv_dui",)): (known["protection"],),
        ("", ("document PAPER@slv/shelters",)): (paper,),
    }
    assert tokens(find(vault, [opaque], asked("document"), "04567890-3")) == [{paper}], "and by its kind"
    assert find(vault, [], asked(), DUI).persons == answer.persons, "sources that are no longer declared too"


def test_an_email_is_one_however_its_letters_are_and_a_case_number_is_that_of_who_has_nothing_else(
    opaque: Source, vault: Vault, rows: Rows
) -> None:
    blank = {"CASE": "C1", "PAPER": None, "MAIL": None, "PHONE": None}
    mail, case = came(opaque, vault, rows({"MAIL": "Rosa@Example.org"}, {"CASE": "C2"}, blank=blank))
    assert tokens(find(vault, [opaque], asked("email"), "rosa@example.ORG")) == [{mail}]
    answer = find(vault, [opaque], asked("case_number"), "C2")
    assert tokens(answer) == [{case}]
    assert answer.unlinked == ["slv/shelters main.CASE"], "who has a paper is not known by the case"
    assert find(vault, [opaque], asked("case_number"), "C1").persons == []


def test_all_tokens_that_count_as_one_are_told_together(similar: Source, vault: Vault, rows: Rows) -> None:
    pair = came(similar, vault, rows({"DUI": DUI}, {"FILE": "F2", "NAME": "Rosa Portillo"}))
    with vault.transaction() as cursor:
        cursor.execute(
            "INSERT INTO vault.decision (country, one, other, weight, model, state)"
            " SELECT 'SLV', min(person_id), max(person_id), 2, 'model', 'waiting' FROM vault.person"
        )
        decisions.seal_all(cursor, vault.keyring)
    review.settle(vault, review.pairs(vault)[0].decision_id, review.ACCEPTED, "Marta")
    assert tokens(find(vault, [similar], asked(), DUI)) == [set(pair)]
    assert set(erasure.find(vault, pair[0]).tokens) == set(pair), "an erasure by any of them takes all"


def test_it_is_found_after_a_rotation(register: Source, vault: Vault, rows: Rows) -> None:
    found = came(register, vault, rows({"DUI": DUI}))
    rotation.rotate(vault, None, None)
    assert tokens(find(vault, [register], asked(), DUI)) == [set(found)]


def test_nobody_is_an_answer_and_a_wrong_check_is_told(register: Source, vault: Vault, rows: Rows) -> None:
    came(register, vault, rows({"DUI": DUI}))
    answer = find(vault, [register], asked(), "00016297-5")
    assert (answer.persons, answer.doubtful) == ([], False)
    assert find(vault, [register], asked(), "04567890-4").doubtful


JUNK = ["", "   ", "00000000-0", "999999999", "no tiene", "12345678", "04567", "Xochitl Amaya", "\u200b", "1" * 500]


@pytest.mark.parametrize("value", JUNK)
def test_junk_looks_nobody_up_and_its_refusal_is_a_line_of_the_audit(
    register: Source, vault: Vault, rows: Rows, value: str
) -> None:
    came(register, vault, rows({"DUI": DUI}))
    with pytest.raises(HomewardError, match="by this nobody can be known") as raised:
        find(vault, [register], asked(), value)
    assert not value.strip() or value not in str(raised.value)
    (line,) = audit.lines(vault, 1)
    assert (line.action, line.officer, line.country) == (audit.REFUSED, "Marta", "SLV")
    assert line.facts == {"step": "find", "why": raised.value.what}


@pytest.mark.parametrize(
    ("refused", "why"),
    [
        (asked("04567890-3"), "nobody of SLV is known by such a number"),
        (asked("name"), "nobody of SLV is known by such a number"),
        (asked("birth_date"), "nobody of SLV is known by such a number"),
        (asked("email"), "nobody of SLV is known by such a number"),
        (asked(country="04567890-3"), "this is no country"),
        (asked(country="GTM"), "the vault knows nobody of this country"),
        (asked(purpose="04567890-3"), "nobody is looked up for that"),
        (asked(officer=" \u200b "), "nobody is named as the officer"),
    ],
)
def test_what_is_typed_in_the_wrong_place_is_said_nowhere(
    register: Source, vault: Vault, rows: Rows, refused: Asked, why: str
) -> None:
    came(register, vault, rows({"DUI": DUI}))
    with pytest.raises(HomewardError, match=why) as raised:
        find(vault, [register], refused, "70123456")
    assert "04567890" not in str(raised.value)
    assert "04567890" not in repr(audit.lines(vault, 99))


def test_numbers_of_cards_find_nobody(make_source: Callable[..., Source], vault: Vault, rows: Rows) -> None:
    source = make_source("eth/register", "ETH")
    tables = [table.model_copy(update={"columns": _with_scheme(table.columns, "eth_fan")}) for table in source.tables]
    cards = source.model_copy(update={"tables": tables})
    came(cards, vault, rows({"DUI": "1234567890123456"}))
    with pytest.raises(HomewardError, match="changes with the card"):
        find(vault, [cards], asked("eth_fan", "ETH"), "1234567890123456")


def _with_scheme(columns: list[object], scheme: str) -> list[object]:
    return [c.model_copy(update={"scheme": scheme}) if c.name == "DUI" else c for c in columns]  # type: ignore[attr-defined]


def test_the_audit_says_who_looked_and_how_many_were_found_and_no_more(
    register: Source, vault: Vault, vault_url: str, rows: Rows
) -> None:
    (token,) = came(register, vault, rows({"DUI": DUI}))
    find(vault, [register], asked(), DUI)
    (line,) = audit.lines(vault, 1)
    assert (line.action, line.officer, line.country) == ("find", "Marta", "SLV")
    assert line.facts == {"scheme": "slv_dui", "purpose": "erasure", "persons": 1}
    assert audit.verify(vault, []) is None, "sealed as every line"
    with create_engine(vault_url).connect() as connection:
        (index,) = connection.execute(text("SELECT idx::text FROM vault.blind_index LIMIT 1")).one()
        told = json.dumps([str(row) for row in connection.execute(text("SELECT * FROM vault.audit"))])
    assert not [one for one in (str(token), token.hex, index, "04567890") if one in told]


def test_columns_that_hold_such_numbers_and_find_nobody_are_named(
    register: Source, opaque: Source, vault: Vault, rows: Rows
) -> None:
    came(register, vault, rows({"DUI": DUI, "PHONE": "7012-3456"}))
    assert find(vault, [register, opaque], asked("phone"), "7012-3456").unlinked == ["slv/shelters main.PHONE"]
