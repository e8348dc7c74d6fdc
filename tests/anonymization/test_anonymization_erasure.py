from collections.abc import Callable, Sequence
from uuid import UUID

import pytest
from sqlalchemy import create_engine, text

from anonymization.gate import Gate
from anonymization.keys import rotation
from anonymization.linkage import decisions, recognition, review
from anonymization.vault import audit, erasure, retention, unlearning
from anonymization.vault.name_words import NameWords
from anonymization.vault.unfinished import Begun
from anonymization.vault.vault import Vault
from codebook.errors import HomewardError
from sources.batches import SafeBatch, TextBatch
from sources.models import Source

Rows = Callable[..., TextBatch]
Row = dict[str, str | None]


def passed(source: Source, vault: Vault, batch: TextBatch) -> SafeBatch:
    return Gate(source, vault).pass_batch(batch)


def erase(vault: Vault, batch: SafeBatch, row: int = 0) -> dict[str, int]:
    (gone,) = erase_all(vault, batch, [row])
    return gone


def erase_all(vault: Vault, batch: SafeBatch, rows: Sequence[int]) -> list[dict[str, int]]:
    people = []
    for row in rows:
        person = erasure.find(vault, UUID(bytes=batch.data["_person"][row].as_py()))
        key = batch.data["_key"][row].as_py()
        people.append(Begun(key.hex(), person.country, person.tokens, frozenset([key]), {}, {"officer": "Marta"}))
    erasure.mark(vault, people)
    erasure.shred(vault, "SLV", people)
    return [begun.done["vault"] for begun in people]


def rules(batch: SafeBatch) -> list[tuple[int, str]]:
    return sorted(set(zip(batch.issues["row"].to_pylist(), batch.issues["rule"].to_pylist(), strict=True)))


def test_nothing_of_an_erased_person_is_left_in_the_vault(
    register: Source, vault: Vault, vault_url: str, rows: Rows
) -> None:
    batch = passed(register, vault, rows({"DUI": "04567890-3"}, {"FILE": "F2"}))
    gone = erase(vault, batch)
    assert {table: count for table, count in gone.items() if count} == {"blind_index": 1, "identity": 1, "person": 1}
    assert known_words(vault, "ana") == {"ana"}, "the other one has the same name"
    with create_engine(vault_url).connect() as connection:
        for table in ("person", "identity", "blind_index"):
            assert connection.scalar(text(f"SELECT count(*) FROM vault.{table}")) == 1
    with pytest.raises(HomewardError, match="knows no person by this token"):
        erase(vault, batch)


def known_words(vault: Vault, *words: str) -> set[str]:
    return NameWords(vault, "SLV").among(words)


@pytest.mark.parametrize("rotated", [False, True])
def test_words_of_names_that_nobody_else_has_go_with_the_person(
    register: Source, vault: Vault, rows: Rows, rotated: bool
) -> None:
    batch = passed(register, vault, rows({"NAME": "XÓCHITL de Menjívar"}, {"FILE": "F2", "NAME": "Ana menjivar"}))
    if rotated:
        rotation.rotate(vault)
    assert known_words(vault, "xochitl", "menjivar", "ana") == {"xochitl", "menjivar", "ana"}
    assert erase(vault, batch)["name_word"] == 1
    assert known_words(vault, "xochitl", "menjivar", "ana") == {"menjivar", "ana"}


def test_words_of_a_family_of_columns_go_too_and_those_of_a_place_do_not_stay(
    make_source: Callable[..., Source], vault: Vault, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    register = make_source(tables=REGISTER_OF_NAMES)
    monkeypatch.setattr("anonymization.vault.origins.load_source", {register.source: register}.__getitem__)
    batch = passed(
        register,
        vault,
        rows({"NAME": "Xóchitl", "PLACE": "Suchitoto"}, {"FILE": "F2", "PLACE": "Xóchitl"}, blank=NAMED),
    )
    assert known_words(vault, "xochitl", "ana") == {"xochitl", "ana"}
    assert erase(vault, batch)["name_word"] == 1
    assert known_words(vault, "xochitl", "ana") == {"ana"}


def test_a_source_is_read_once_however_many_pages_its_records_fill(
    make_source: Callable[..., Source], vault: Vault, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    register = make_source(tables=REGISTER_OF_NAMES)

    def load(name: str) -> Source:
        read.append(name)
        return register

    monkeypatch.setattr("anonymization.vault.origins.load_source", load)
    monkeypatch.setattr("anonymization.vault.unlearning._PAGE", 1)
    passed(register, vault, rows(*({"FILE": f"F{at}", "NAME": "Ana Rosa"} for at in range(4)), blank=NAMED))
    with vault.transaction() as cursor:
        persons = [person for (person,) in cursor.execute("SELECT person_id FROM vault.person").fetchall()]
        said = unlearning.words_said(cursor, vault.keys_of(cursor, "SLV"), persons)
    assert (said, read) == ({"ana", "rosa"}, [register.source])


NAMED: Row = {"FILE": "F1", "CASE": None, "NAME": "Ana", "PLACE": None}
REGISTER_OF_NAMES = """
  - name: main
    key: [FILE]
    person: {link: [CASE]}
    entities: {person: {}}
    columns:
      - {name: FILE, class: technical}
      - {name: CASE, class: identifier, kind: case_number}
      - {name: PLACE, class: identifier, kind: address}
      - {name: NAM*, class: identifier, kind: name}
"""


def test_of_several_erased_at_once_words_go_that_only_they_said(register: Source, vault: Vault, rows: Rows) -> None:
    names = ("XÓCHITL Menjívar", "Xochitl Portillo", "Ana Menjívar")
    batch = passed(register, vault, rows(*({"FILE": f"F{at}", "NAME": name} for at, name in enumerate(names))))
    one, other = erase_all(vault, batch, [0, 1])
    assert (one["person"], one["name_word"], other["person"], other["name_word"]) == (1, 1, 1, 2)
    assert known_words(vault, "xochitl", "portillo", "menjivar", "ana") == {"menjivar", "ana"}
    assert [line.action for line in audit.lines(vault, 9)].count("erase") == 2


def test_who_was_joined_while_an_erasure_was_cut_off_stands_alone_when_it_ends(
    similar: Source, vault: Vault, rows: Rows
) -> None:
    """By what joined them gone and their group left, nobody of the group was named or erased any more."""
    names = ("Xochitl Amaya", "Rosa Portillo", "Berta Cruz")
    passed(similar, vault, rows(*({"FILE": f"F{at}", "NAME": name} for at, name in enumerate(names))))
    with vault.transaction() as cursor:
        (first, *others) = cursor.execute("SELECT token FROM vault.person ORDER BY person_id").fetchall()
    begun = Begun("first", "SLV", first, frozenset(), {}, {"officer": "Marta"})
    erasure.mark(vault, [begun])
    with vault.transaction() as cursor:
        cursor.execute(
            "INSERT INTO vault.decision (country, one, other, weight, model, state)"
            " SELECT 'SLV', (SELECT min(person_id) FROM vault.person), person_id, 2, 'model', 'waiting'"
            " FROM vault.person ORDER BY person_id OFFSET 1"
        )
        decisions.seal_all(cursor, vault.keyring)
    for pair in review.pairs(vault):
        review.settle(vault, pair.decision_id, review.ACCEPTED, "Marta")
    erasure.shred(vault, "SLV", [begun])
    assert [erasure.find(vault, token).tokens for (token,) in others] == others
    assert {(event.kind, event.token) for event in vault.token_events("SLV")} == {("split", one) for (one,) in others}


def counts(vault: Vault) -> bytes:
    with vault.transaction() as cursor:
        return recognition.frequencies_of(cursor, vault.keys_of(cursor, "SLV")).dumps()


def test_counts_of_names_are_as_if_the_person_had_never_been_counted(similar: Source, vault: Vault, rows: Rows) -> None:
    passed(similar, vault, rows({"NAME": "Ana Portillo"}))
    vault.recognise("SLV")
    before = counts(vault)
    second = passed(similar, vault, rows({"FILE": "F2", "NAME": "Xochitl Menjivar"}))
    vault.recognise("SLV")
    assert counts(vault) != before
    assert erase(vault, second)["frequency"] == 1
    assert counts(vault) == before


def test_who_was_never_counted_is_not_taken_out_of_the_counts(similar: Source, vault: Vault, rows: Rows) -> None:
    passed(similar, vault, rows({"NAME": "Ana Portillo"}))
    vault.recognise("SLV")
    before = counts(vault)
    assert erase(vault, passed(similar, vault, rows({"FILE": "F2", "NAME": "Ana Portillo Lopez"})))["frequency"] == 0
    assert counts(vault) == before


@pytest.mark.parametrize(
    "again", [{"DUI": "04567890-3"}, {"FILE": "F9", "DUI": "4567890-3"}, {"FILE": "F1", "DUI": None}]
)
@pytest.mark.parametrize("rotated", [False, True])
def test_an_erased_person_does_not_come_back(
    register: Source, vault: Vault, rows: Rows, again: dict[str, str | None], rotated: bool
) -> None:
    first = passed(register, vault, rows({"DUI": "04567890-3"}, {"FILE": "F2"}))
    if rotated:
        rotation.rotate(vault)
    erase(vault, first)
    if rotated:
        rotation.rotate(vault)
    second = passed(register, vault, rows(again, {"FILE": "F2"}))
    assert rules(second) == [(2, "gate.erased")]
    assert second.data["_person"].to_pylist() == first.data["_person"].to_pylist()[1:]


def test_another_country_is_not_touched(
    make_source: Callable[..., Source], register: Source, vault: Vault, rows: Rows
) -> None:
    there = make_source("gtm/register", "GTM")
    passed(there, vault, rows({"DUI": "04567890-3"}))
    erase(vault, passed(register, vault, rows({"DUI": "04567890-3"})))
    assert rules(passed(there, vault, rows({"DUI": "04567890-3"}))) == []


def test_what_a_source_may_no_longer_keep_is_forgotten_and_persons_stay(
    make_source: Callable[..., Source], vault: Vault, vault_url: str, rows: Rows
) -> None:
    one, other = make_source("slv/a"), make_source("slv/ab")
    first = passed(one, vault, rows({"DUI": "04567890-3"})).data["_person"].to_pylist()
    passed(other, vault, rows({"DUI": "04567890-3"}))
    assert retention.forget(vault, "slv/a", "SLV", dry_run=True) == 1
    assert retention.forget(vault, "slv/a", "SLV") == 1
    with create_engine(vault_url).connect() as connection:
        assert connection.scalars(text("SELECT name FROM vault.identity JOIN vault.origin USING (origin)")).all() == [
            "slv/ab main"
        ]
    assert passed(one, vault, rows({"DUI": "04567890-3"})).data["_person"].to_pylist() == first


def test_who_is_in_no_delivery_that_may_be_kept_is_forgotten_alone(
    similar: Source, vault: Vault, vault_url: str, rows: Rows
) -> None:
    first = (
        passed(similar, vault, rows({"NAME": "Xochitl"}, {"FILE": "F2", "NAME": "Rosa"})).data["_person"].to_pylist()
    )
    vault.recognise("SLV")
    keys = text("SELECT token, wrapped_key FROM vault.person")
    with create_engine(vault_url).connect() as connection:
        before = dict(map(tuple, connection.execute(keys)))
    assert retention.forget(vault, "slv/register", "SLV", kept=first[1:]) == 1
    assert retention.forget(vault, "slv/register", "SLV", kept=first[1:]) == 0
    with create_engine(vault_url).connect() as connection:
        after = connection.execute(keys).all()
        changed = [token for token, key in after if before[token] != key]
        assert changed == [UUID(bytes=first[0])], "no copy of what was said opens with the key that is there"
        kept = [UUID(bytes=first[1])]
        for table in ("identity", "likeness"):
            ask = f"SELECT token FROM vault.{table} JOIN vault.person USING (person_id)"
            assert connection.scalars(text(ask)).all() == kept
    assert known_words(vault, "xochitl", "rosa") == {"rosa"}


def test_once_somebody_was_erased_all_others_pass_as_before(
    similar: Source, vault: Vault, vault_url: str, other_url: str, rows: Rows
) -> None:
    """Identifiers are then read before rows are held back: those of a refused row must still not reach the vault."""
    batch = rows(
        {"FILE": "F1", "DUI": "04567890-3", "PHONE": "70010001"},
        {"FILE": "F2", "DUI": "01234568-1", "CONSENT": "no", "PHONE": "70020002"},
        {"FILE": "F3", "DUI": "01234568-9", "PHONE": "70010001", "BORN": "03/04/1971", "NAME": "Berta"},
        {"FILE": "F4", "DUI": None},
    )
    before = Vault(other_url, vault.keyring)
    before.migrate()
    erase(vault, passed(similar, vault, rows({"FILE": "F8", "DUI": "00016297-5"})))
    plain, after = passed(similar, before, batch), passed(similar, vault, batch)
    again = passed(similar, vault, rows({"FILE": "F8"}, {"FILE": "F9", "DUI": "00016297-5"}))
    assert rules(again) == [(2, "gate.erased"), (3, "gate.erased")]
    assert rules(plain) == rules(after)
    assert {rule for _, rule in rules(after)} >= {"gate.no_consent", "gate.check_digit"}
    assert groups(plain) == groups(after)
    for table in ("person", "identity", "blind_index", "likeness", "block"):
        assert counted(vault_url, table) == counted(other_url, table)


def groups(batch: SafeBatch) -> list[int]:
    tokens = batch.data["_person"].to_pylist()
    return [list(dict.fromkeys(tokens)).index(token) for token in tokens]


def counted(url: str, table: str) -> int | None:
    with create_engine(url).connect() as connection:
        return connection.scalar(text(f"SELECT count(*) FROM vault.{table}"))
