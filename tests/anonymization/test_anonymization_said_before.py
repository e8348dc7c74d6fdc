"""A row that says word for word what its table last said is looked up by one identifier, and comes out as if all had
been asked for."""

from collections.abc import Callable
from itertools import chain
from random import Random
from typing import Any
from uuid import UUID

import numpy as np
import pyarrow as pa
import pytest

from anonymization.gate import Gate
from anonymization.keys.pseudonyms import WIDTH, keyed_digests
from anonymization.vault import finding, wire
from anonymization.vault.enrolment import Claim, Statement
from anonymization.vault.vault import Vault
from sources.batches import KEY, TextBatch
from sources.models import Source

Rows = Callable[..., TextBatch]
Row = tuple[int | None, ...]
"""A number for each field, or None."""
FIELDS = ("first", "second", "third")
FORGET = (
    "UPDATE vault.identity SET digest = 0 WHERE person_id IN (SELECT person_id FROM vault.person WHERE country = %s)"
)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many identifiers each statement looked for."""
    numbers: list[int] = []
    answer = wire.answer

    def told(cursor: Any, statement: str, values: tuple[Any, ...], row: Any) -> Any:
        if "vault.blind_index" in statement:
            numbers.append(len(values[1].values))
        return answer(cursor, statement, values, row)

    monkeypatch.setattr(wire, "answer", told)
    return numbers


def tokens(source: Source, vault: Vault, batch: TextBatch) -> list[bytes]:
    return Gate(source, vault).pass_batch(batch).data["_person"].to_pylist()


def index(number: int) -> bytes:
    return keyed_digests([str(number).encode()], b"a key", WIDTH)


def statement(country: str, said: list[Row], shared: tuple[frozenset[int], ...], records: list[str]) -> Statement:
    """`shared`: by field the numbers that several people of the batch share."""
    claims = []
    for name, numbers, common in zip(FIELDS, zip(*said, strict=True), shared, strict=True):
        stated = pa.array([None if number is None else index(number) for number in numbers], KEY)
        claims.append(Claim(name, stated.dictionary_encode(), np.array([number in common for number in numbers])))
    return Statement(country, "a table", claims, pa.array(records))


def grouped(found: list[Any]) -> list[int]:
    """Which are the same, whatever they are called."""
    return [found.index(one) for one in found]


def owners(vault: Vault, country: str, numbers: range) -> list[list[UUID]]:
    """By field and number who is known by it."""
    with vault.transaction() as cursor:
        keys = vault.keys_of(cursor, country)
        ask = "SELECT field FROM vault.field WHERE country = %s ORDER BY name"
        fields = [field for (field,) in cursor.execute(ask, (country,)).fetchall()]
        stated = [pa.array([index(number)], KEY) for number in numbers]
        return [finding.who(cursor, keys, field, one) for field in fields for one in stated]


def test_what_was_said_before_is_asked_for_by_one_identifier(
    register: Source, vault: Vault, rows: Rows, asked: list[int]
) -> None:
    both = {"DUI": "04567890-3", "PHONE": "7123-4567"}
    batch = rows({"FILE": "F1"} | both, {"FILE": "F2", "DUI": "01234568-1", "PHONE": "7123-9999"})
    known = tokens(register, vault, batch)
    asked.clear()
    assert tokens(register, vault, batch) == known
    assert sum(asked) == 2
    asked.clear()
    moved = rows({"FILE": "F1"} | both, {"FILE": "F2", "DUI": "01234568-1", "PHONE": "7123-8888"})
    assert tokens(register, vault, moved) == known
    assert sum(asked) == 3
    assert tokens(register, vault, rows({"FILE": "F9", "PHONE": "7123-8888"})) == known[1:]


def test_an_identifier_of_somebody_else_is_a_conflict_each_time(vault: Vault) -> None:
    nobodys: tuple[frozenset[int], ...] = (frozenset(),) * 3
    said: list[Row] = [(1, 11, None), (2, 11, None)]
    records = ['{"A": "one"}', '{"A": "two"}']
    vault.link(statement("SLV", [(1, 11, None), (2, None, None)], nobodys, records))
    for _ in range(3):
        assert vault.link(statement("SLV", said, nobodys, records)).conflicts.tolist() == [False, True]


def test_the_same_text_with_other_identifiers_says_something_else(vault: Vault) -> None:
    nobodys: tuple[frozenset[int], ...] = (frozenset(),) * 3
    one, other = vault.link(statement("SLV", [(1, 11, 12), (2, 21, 22)], nobodys, ["{}"] * 2)).tokens.to_pylist()
    turned = vault.link(statement("SLV", [(1, 12, 11), (1, 13, 12), (2, 21, 23)], nobodys, ["{}"] * 3))
    assert turned.tokens.to_pylist() == [one, one, other]
    added: list[Row] = [(None, 12, None), (None, None, 11), (None, 13, None), (None, None, 23)]
    assert vault.link(statement("SLV", added, nobodys, ["{}"] * 4)).tokens.to_pylist() == [one, one, one, other]


def test_what_several_people_shared_is_taken_once_it_is_one_persons(vault: Vault) -> None:
    said: list[Row] = [(1, 11, None), (2, 11, None)]
    records = ['{"A": "one"}', '{"A": "two"}']
    shared = (frozenset[int](), frozenset({11}), frozenset[int]())
    one, _ = vault.link(statement("SLV", said, shared, records)).tokens.to_pylist()
    assert vault.link(statement("SLV", said[:1], (frozenset(),) * 3, records[:1])).tokens.to_pylist() == [one]
    assert vault.link(statement("SLV", [(None, 11, None)], (frozenset(),) * 3, ["{}"])).tokens.to_pylist() == [one]


def test_a_rotated_vault_asks_for_all_of_them_once(
    register: Source, vault: Vault, rows: Rows, asked: list[int]
) -> None:
    batch = rows({"FILE": "F1", "DUI": "04567890-3", "PHONE": "7123-4567"})
    known = tokens(register, vault, batch)
    with vault.transaction() as cursor:
        cursor.execute(FORGET, ("SLV",))  # as a rotation does
    for expected in (2, 1):
        asked.clear()
        assert tokens(register, vault, batch) == known
        assert sum(asked) == expected


@pytest.mark.parametrize("seed", range(6))
def test_whatever_is_delivered_comes_out_as_if_all_had_been_asked_for(vault: Vault, seed: int) -> None:
    """The same statements about two countries, of which one counts nothing as said: the same people, conflicts and
    owners. Rows come again whole, in part, with others' identifiers, and shared."""
    random, known = Random(seed), list[Row]()
    met: dict[str, list[Any]] = {"SLV": [], "GTM": []}
    for _ in range(12):
        said = [random.choice(known) for _ in range(5) if known] + [_row(random) for _ in range(3)]
        known += said
        shared = tuple(frozenset(random.sample(range(12), random.choice((0, 0, 2)))) for _ in FIELDS)
        records = [f'{{"A": "{row}{random.choice(("", "", "!"))}"}}' for row in said]
        conflicts = []
        for country, tokens_met in met.items():
            linked = vault.link(statement(country, said, shared, records))
            tokens_met.extend(linked.tokens.to_pylist())
            conflicts.append(linked.conflicts.tolist())
        assert conflicts[0] == conflicts[1]
        assert grouped(met["SLV"]) == grouped(met["GTM"])
        with vault.transaction() as cursor:
            cursor.execute(FORGET, ("GTM",))
    here, there = (owners(vault, country, range(12)) for country in met)
    assert [len(one) for one in here] == [len(one) for one in there]
    of_here, of_there = (grouped(list(chain.from_iterable(one))) for one in (here, there))
    assert of_here == of_there


def _row(random: Random) -> Row:
    """At least one number; the few numbers that there are meet in many rows."""
    row = tuple(random.choice((None, random.randrange(12), random.randrange(12))) for _ in FIELDS)
    return row if any(number is not None for number in row) else (random.randrange(12), None, None)
