import multiprocessing
import pickle
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import ProgrammingError

from anonymization.gate import Gate
from anonymization.keys.ring import Keyring
from anonymization.vault import identities
from anonymization.vault.vault import ROLE, Vault
from codebook.errors import HomewardError, Unavailable
from sources.batches import TextBatch
from sources.models import Source

Rows = Callable[..., TextBatch]
MakeSource = Callable[..., Source]


def tokens(source: Source, vault: Vault, batch: TextBatch) -> list[bytes]:
    return Gate(source, vault).pass_batch(batch).data["_person"].to_pylist()


def counts(url: str) -> dict[str, int]:
    tables = ("country", "person", "blind_index", "identity")
    with create_engine(url).connect() as connection:
        return {table: connection.scalar(text(f"SELECT count(*) FROM vault.{table}")) or 0 for table in tables}


def test_a_batch_run_again_gives_the_same_tokens_and_adds_nothing(
    register: Source, vault: Vault, vault_url: str, rows: Rows
) -> None:
    batch = rows({"FILE": "F1", "DUI": "04567890-3"}, {"FILE": "F2"}, {"FILE": "F3", "PHONE": "7123-4567"})
    first = tokens(register, vault, batch)
    before = counts(vault_url)
    assert tokens(register, vault, batch) == first
    assert counts(vault_url) == before == {"country": 1, "person": 3, "blind_index": 3, "identity": 3}
    assert len(set(first)) == 3


def test_one_person_is_one_token_within_a_batch_and_across_deliveries(
    register: Source, vault: Vault, rows: Rows
) -> None:
    batch = rows(
        {"FILE": "F1", "DUI": "04567890-3"}, {"FILE": "F2", "DUI": "4567890-3"}, {"FILE": "F3", "DUI": "01234568-1"}
    )
    one, same, other = tokens(register, vault, batch)
    assert one == same != other
    assert tokens(register, vault, rows({"FILE": "F9", "DUI": "٠٤٥٦٧٨٩٠٣"})) == [one]


def test_a_person_known_from_another_source_of_the_country_keeps_the_token(
    make_source: MakeSource, vault: Vault, rows: Rows
) -> None:
    batch = rows({"FILE": "F1", "DUI": "04567890-3"}, {"FILE": "F2"})
    here, there = (tokens(make_source(source=f"slv/{name}"), vault, batch) for name in ("a", "b"))
    assert here[0] == there[0]
    assert here[1] != there[1]  # without an identifier a row is known within its own source only


def test_countries_never_share_a_person_or_an_index(
    make_source: MakeSource, vault: Vault, vault_url: str, rows: Rows
) -> None:
    batch = rows({"FILE": "F1", "DUI": "04567890-3", "PHONE": "+50371234567"})
    here, there = (tokens(make_source(f"{c.lower()}/register", c), vault, batch) for c in ("SLV", "GTM"))
    assert here != there
    with create_engine(vault_url).connect() as connection:
        assert connection.scalar(text("SELECT count(*) - count(DISTINCT idx) FROM vault.blind_index")) == 0
        assert connection.scalar(text("SELECT count(*) FROM vault.blind_index")) == 4


def test_a_placeholder_does_not_make_two_people_one(register: Source, vault: Vault, rows: Rows) -> None:
    one, other = tokens(register, vault, rows({"FILE": "F1", "DUI": "000000000"}, {"FILE": "F2", "DUI": "000000000"}))
    assert one != other


def test_what_another_process_has_just_made_is_taken_over(
    register: Source, vault: Vault, vault_url: str, rows: Rows
) -> None:
    """Many writers with the same hundred people, in different orders: a hundred tokens."""
    people = [{"FILE": f"F{n}", "DUI": f"{n:08d}{dui_check(n)}"} for n in range(30_000_100, 30_000_200)]
    batches = [rows(*people), rows(*reversed(people)), rows(*people[50:], *people[:50])]
    pool = ProcessPoolExecutor(3, mp_context=multiprocessing.get_context("spawn"))
    with pool:
        list(pool.map(int, range(3)))  # the processes have started
        found = list(pool.map(tokens, [register] * 9, [vault] * 9, batches * 3))
    assert counts(vault_url)["person"] == 100
    assert found[0] == found[1][::-1] == found[2][50:] + found[2][:50]


def dui_check(number: int) -> int:
    return (10 - sum(w * int(d) for w, d in zip(range(9, 1, -1), f"{number:08d}", strict=True)) % 10) % 10


def test_first_runs_at_once_make_one_vault(vault_url: str, keyring: Keyring, register: Source, rows: Rows) -> None:
    def first_run(_: int) -> list[bytes]:
        vault = Vault(vault_url, keyring)
        vault.migrate()
        return tokens(register, vault, rows({"DUI": "04567890-3"}))

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(first_run, range(8)))
    assert len({token for (token,) in found}) == 1


def test_identities_can_be_opened_with_the_keys_and_only_with_them(
    register: Source, vault: Vault, vault_url: str, keyring: Keyring, rows: Rows
) -> None:
    tokens(register, vault, rows({"DUI": "04567890-3", "NAME": 'Ana "la Güera" Pérez\n', "FAMILY": None}))
    stored = """SELECT c.wrapped_key, p.token, p.wrapped_key, i.origin, i.sealed
                FROM vault.country c, vault.person p, vault.identity i"""
    with create_engine(vault_url).connect() as connection:
        country_key, token, person_key, origin, sealed = connection.execute(text(stored)).one()
    country = identities.open_country_key("SLV", country_key, keyring.derive("SLV", "country key", epoch=1))
    record = identities.open_record(sealed, origin, identities.open_person_key(token.bytes, person_key, country))
    assert len(record) % 64 == 0
    assert record.decode().rstrip() == '{"DUI":"04567890-3","NAME":"Ana \\"la Güera\\" Pérez\\n","FAMILY":null}'


def test_a_dump_of_the_vault_names_nobody(register: Source, vault: Vault, vault_url: str, rows: Rows) -> None:
    tokens(
        register,
        vault,
        rows({"FILE": "EXP-77", "DUI": "04567890-3", "NAME": "Xochitl", "PHONE": "7123-4567", "FAMILY": "FAM-9"}),
    )
    with create_engine(vault_url).connect() as connection:
        tables = connection.scalars(
            text("SELECT table_name FROM information_schema.tables WHERE table_schema = 'vault'")
        )
        dump = "".join(str(connection.execute(text(f"SELECT t::text FROM vault.{table} t")).all()) for table in tables)
    assert "slv_dui" in dump
    for secret in ("Xochitl", "04567890", "045678903", "71234567", "EXP-77", "FAM-9"):
        for form in (secret, secret.encode().hex(), secret.encode("utf-16-le").hex()):
            assert form not in dump


def test_what_a_source_says_last_replaces_what_it_said(
    register: Source, vault: Vault, vault_url: str, rows: Rows
) -> None:
    def sealed() -> bytes:
        with create_engine(vault_url).connect() as connection:
            return bytes(connection.scalar(text("SELECT sealed FROM vault.identity")) or b"")

    first = tokens(register, vault, rows({"DUI": "04567890-3", "NAME": "Ana"}))
    before = sealed()
    assert tokens(register, vault, rows({"DUI": "04567890-3", "NAME": "Ana"})) == first
    assert sealed() == before
    assert tokens(register, vault, rows({"DUI": "04567890-3", "NAME": "Ana María"})) == first
    assert sealed() != before


def test_nobody_but_the_vault_role_may_connect_or_read(vault: Vault, vault_url: str) -> None:
    engine = create_engine(vault_url)
    with engine.begin() as connection:
        connection.execute(text("DROP ROLE IF EXISTS curious"))
        connection.execute(text("CREATE ROLE curious"))
    with engine.connect() as connection:
        assert (
            connection.scalar(text("SELECT has_database_privilege('curious', current_database(), 'CONNECT')")) is False
        )
        owners = connection.scalars(text("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'vault'"))
        assert owners.all() == [ROLE]
        connection.execute(text("SET ROLE curious"))
        with pytest.raises(ProgrammingError, match="permission denied"):
            connection.execute(text("SELECT * FROM vault.person"))


@pytest.mark.parametrize("country", ["SLV", "GTM"])
def test_another_root_key_is_noticed_before_anything_is_written(
    make_source: MakeSource, vault_url: str, vault: Vault, tmp_path: Path, rows: Rows, country: str
) -> None:
    tokens(make_source(), vault, rows({}))
    before = counts(vault_url)
    other = Vault(vault_url, Keyring.open(tmp_path / "new keys"))
    with pytest.raises(HomewardError, match="made with another root key"):
        tokens(make_source(f"{country.lower()}/register", country), other, rows({"FILE": "F2"}))
    assert counts(vault_url) == before


def test_a_vault_that_is_down_is_one_line_without_a_value(keyring: Keyring, register: Source, rows: Rows) -> None:
    vault = Vault("postgresql+psycopg://nobody@127.0.0.1:1/vault", keyring)
    with pytest.raises(Unavailable, match="the database did not serve") as raised:
        tokens(register, vault, rows({"NAME": "Xochitl"}))
    assert "Xochitl" not in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_batch_that_breaks_leaves_nothing(
    register: Source, vault: Vault, vault_url: str, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens(register, vault, rows({}))
    before = counts(vault_url)

    def broken(*_: object) -> bytes:
        raise ValueError("Xochitl")

    monkeypatch.setattr(identities, "sealed_rows", broken)
    with pytest.raises(HomewardError) as raised:
        tokens(register, vault, rows({"FILE": "F2", "DUI": "04567890-3"}))
    assert "Xochitl" not in str(raised.value)
    assert counts(vault_url) == before


def test_a_vault_travels_to_another_process_as_url_and_key_folder(vault: Vault, register: Source, rows: Rows) -> None:
    first = tokens(register, vault, rows({"DUI": "04567890-3"}))
    assert tokens(register, pickle.loads(pickle.dumps(vault)), rows({"DUI": "04567890-3"})) == first


def test_two_people_with_one_phone_in_a_first_delivery_are_two_and_the_supplier_is_asked(
    register: Source, vault: Vault, rows: Rows
) -> None:
    batch = rows(
        {"FILE": "F1", "DUI": "04567890-3", "PHONE": "7123-4567", "NAME": "Ana López", "BORN": "01/02/1990"},
        {"FILE": "F2", "DUI": "01234568-1", "PHONE": "7123-4567", "NAME": "Berta Cruz", "BORN": "03/04/1975"},
    )
    passed = Gate(register, vault).pass_batch(batch)
    assert len(set(passed.data["_person"].to_pylist())) == 2
    asked = [(i["rule"], i["row"]) for i in passed.issues.to_pylist() if i["rule"] == "gate.identity_conflict"]
    assert asked == [("gate.identity_conflict", 3)]
    again = Gate(register, vault).pass_batch(batch)
    assert again.data["_person"].to_pylist() == passed.data["_person"].to_pylist()


def test_a_number_that_three_people_share_is_nobodys_and_the_supplier_is_asked(
    register: Source, vault: Vault, rows: Rows
) -> None:
    batch = rows(
        {"FILE": "F1", "DUI": "04567890-3", "NAME": "Ana López", "BORN": "01/02/1990"},
        {"FILE": "F2", "DUI": "04567890-3", "NAME": "Berta Cruz", "BORN": "03/04/1975"},
        {"FILE": "F3", "DUI": "04567890-3", "NAME": "Carlos Paz", "BORN": "05/06/1960"},
        {"FILE": "F4", "DUI": "01234568-1", "NAME": "Carlos Paz", "BORN": "05/06/1960"},
        {"FILE": "F5", "DUI": "01234568-1", "NAME": "Karlos Pas", "BORN": "05/06/1960"},
        {"FILE": "F6", "DUI": "01234568-1", "NAME": "Paz, Carlos A.", "BORN": "05/06/1961"},
    )
    passed = Gate(register, vault).pass_batch(batch)
    people = passed.data["_person"].to_pylist()
    assert len(set(people)) == 4
    assert len(set(people[3:])) == 1
    asked = [i["row"] for i in passed.issues.to_pylist() if i["rule"] == "gate.identity_conflict"]
    assert asked == [2, 3, 4]
    assert Gate(register, vault).pass_batch(batch).data["_person"].to_pylist() == people


def test_who_is_known_by_a_number_keeps_her_token_when_strangers_bring_it_with_her(
    register: Source, vault: Vault, rows: Rows
) -> None:
    """An office puts one number on four people of a batch: Ana, who has long been known by it, is still Ana."""
    ana = {"FILE": "F1", "DUI": "04567890-3", "NAME": "Ana López", "BORN": "01/02/1990"}
    (known,) = tokens(register, vault, rows(ana))
    strangers = [
        {"FILE": "F2", "DUI": "04567890-3", "NAME": "Berta López", "BORN": "03/04/1975"},
        {"FILE": "F3", "DUI": "04567890-3", "NAME": "Carlos Paz", "BORN": "05/06/1960"},
        {"FILE": "F4", "DUI": "04567890-3", "NAME": "Diego Ruiz", "BORN": "07/08/1982"},
    ]
    batch = rows(*strangers, ana | {"FILE": "F9", "NAME": "López de Cruz, Ana"})
    passed = Gate(register, vault).pass_batch(batch)
    *others, hers = passed.data["_person"].to_pylist()
    assert hers == known
    assert len({known, *others}) == 4
    asked = [i["row"] for i in passed.issues.to_pylist() if i["rule"] == "gate.identity_conflict"]
    assert asked == [2, 3, 4, 5]
    assert Gate(register, vault).pass_batch(batch).data["_person"].to_pylist() == [*others, hers]
    assert tokens(register, vault, rows(ana)) == [known]


def test_one_slip_in_name_or_date_is_no_contradiction(register: Source, vault: Vault, rows: Rows) -> None:
    batch = rows(
        {"FILE": "F1", "DUI": "04567890-3", "PHONE": "7123-4567", "NAME": "Ana López", "BORN": "01/02/1990"},
        {"FILE": "F2", "DUI": "01234568-1", "PHONE": "7123-4567", "NAME": "Anna Lopez de Cruz", "BORN": "01/02/1991"},
    )
    assert len(set(tokens(register, vault, batch))) == 1


@pytest.mark.parametrize(
    ("said", "persons"),
    [
        ([("70010001", "70010001")], [0]),
        ([("70010001", "70020002"), ("70020002", "70010001")], [0, 0]),
        ([("70010001", None), (None, "70010001"), ("70030003", None)], [0, 0, 1]),
    ],
    ids=["one row", "crosswise", "row below row"],
)
def test_two_columns_of_one_field_are_one_identifier(
    two_phones: Source, vault: Vault, rows: Rows, said: list[tuple[str | None, str | None]], persons: list[int]
) -> None:
    told = [{"FILE": f"F{at}", "PHONE": one, "MOBILE": other} for at, (one, other) in enumerate(said)]
    first = tokens(two_phones, vault, rows(*told))
    assert [list(dict.fromkeys(first)).index(token) for token in first] == persons
    assert tokens(two_phones, vault, rows(*told)) == first
