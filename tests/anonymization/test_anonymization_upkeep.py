import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from anonymization.gate import Gate
from anonymization.vault import line, upkeep
from anonymization.vault.vault import Vault
from sources.batches import TextBatch
from sources.models import Source

MANY = 4_000


TABLES = ("blind_index", "identity", "person")


def bring(register: Source, vault: Vault, rows: Callable[..., TextBatch], first: int) -> None:
    Gate(register, vault).pass_batch(rows(*({"FILE": f"F{first + number}"} for number in range(MANY))))


def only_by_us(vault: Vault) -> None:
    """The server does the same by itself, at a moment of its own."""
    with vault.transaction() as cursor:
        for table in TABLES:
            cursor.execute(f"ALTER TABLE vault.{table} SET (autovacuum_enabled = off)".encode())


def pages(vault: Vault) -> dict[str, tuple[int, int]]:
    """Of tables of persons: pages, and those that count for everybody without a look at their rows."""
    ask = (
        "SELECT relname, (pg_relation_size(oid) / 8192)::int, relallvisible FROM pg_class"
        " WHERE relnamespace = 'vault'::regnamespace AND relname = ANY (%s)"
    )
    with vault.transaction() as cursor:
        return {name: (now, visible) for name, now, visible in cursor.execute(ask, (list(TABLES),)).fetchall()}


def test_tables_that_grew_are_gone_through_once_so_that_an_answer_needs_the_index_only(
    register: Source, vault: Vault, rows: Callable[..., TextBatch], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "PAGES", 2)
    only_by_us(vault)
    bring(register, vault, rows, 0)
    assert all(now > 10 and visible == 0 for now, visible in pages(vault).values())
    assert set(TABLES) <= set(upkeep.keep_up(vault))
    assert all(now - visible < now * upkeep.SHARE for now, visible in pages(vault).values())
    assert upkeep.keep_up(vault) == []
    bring(register, vault, rows, MANY)
    assert set(TABLES) <= set(upkeep.keep_up(vault))


def test_a_vault_of_a_few_is_left_to_the_server(register: Source, vault: Vault, rows: Callable[..., TextBatch]) -> None:
    bring(register, vault, rows, 0)
    assert upkeep.keep_up(vault) == []


def analyzed(vault: Vault) -> set[str]:
    with vault.transaction() as cursor:
        ask = "SELECT DISTINCT tablename FROM pg_stats WHERE schemaname = 'vault'"
        return {name for (name,) in cursor.execute(ask).fetchall()}


def test_while_many_come_those_before_them_already_count_for_everybody(
    register: Source, vault: Vault, rows: Callable[..., TextBatch], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line, "LARGE", MANY)
    monkeypatch.setattr(upkeep, "STEP", 10)
    monkeypatch.setattr(upkeep, "PAGES", 2)
    only_by_us(vault)
    bring(register, vault, rows, 0)
    assert all(now > 10 and now - visible < now * upkeep.SHARE for now, visible in pages(vault).values()), pages(vault)
    assert not analyzed(vault) & set(TABLES)
    assert set(TABLES) <= set(upkeep.keep_up(vault))
    assert upkeep.keep_up(vault) == []


def test_pages_that_an_open_transaction_keeps_back_are_gone_through_once(
    register: Source, vault: Vault, rows: Callable[..., TextBatch], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line, "LARGE", MANY)
    monkeypatch.setattr(upkeep, "STEP", 1_000)
    only_by_us(vault)
    bring(register, vault, rows, 0)
    came = pages(vault)["person"][0]
    monkeypatch.setattr(upkeep, "STEP", came // 2)
    with Vault(vault._url, vault.keyring).transaction() as another:
        another.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        another.execute("SELECT pg_current_xact_id()")
        bring(register, vault, rows, MANY)
        with vault.transaction() as cursor:
            assert not upkeep.grown_to(cursor, vault._gone_through)
            assert upkeep.grown_to(cursor, 0)


def test_a_table_that_somebody_else_is_at_holds_up_no_batch(
    register: Source, vault: Vault, rows: Callable[..., TextBatch], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line, "LARGE", MANY)
    monkeypatch.setattr(upkeep, "STEP", 10)
    only_by_us(vault)
    with Vault(vault._url, vault.keyring).transaction() as another:
        another.execute("LOCK TABLE vault.identity IN SHARE UPDATE EXCLUSIVE MODE")
        bring(register, vault, rows, 0)
        visible = {name: seen for name, (_, seen) in pages(vault).items()}
    assert visible["identity"] == 0 < min(visible["person"], visible["blind_index"])


def index_files(vault: Vault) -> dict[str, int]:
    """The file that each index lies in: another one once it was built anew."""
    ask = (
        "SELECT relname, relfilenode::bigint FROM pg_class"
        " WHERE relnamespace = 'vault'::regnamespace AND relkind = 'i' AND relname LIKE '%\\_covering'"
    )
    with vault.transaction() as cursor:
        return dict(cursor.execute(ask).fetchall())


def test_large_indexes_are_built_anew_and_everybody_is_found_in_them(
    register: Source, vault: Vault, rows: Callable[..., TextBatch], monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = rows(*({"FILE": f"F{number}"} for number in range(20)))
    known = Gate(register, vault).pass_batch(batch).data
    before = index_files(vault)
    assert upkeep.put_in_order(vault) == []
    assert index_files(vault) == before
    monkeypatch.setattr(upkeep, "LARGE", 1)
    assert sorted(upkeep.put_in_order(vault)) == sorted(before)
    assert not set(index_files(vault).values()) & set(before.values())
    assert Gate(register, vault).pass_batch(batch).data.equals(known)


def test_what_was_put_in_order_counts_once_who_began_to_read_before_has_ended(
    register: Source, vault: Vault, rows: Callable[..., TextBatch], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "LARGE", 1)
    monkeypatch.setattr(upkeep, "PAGES", 2)
    only_by_us(vault)
    bring(register, vault, rows, 0)
    gone_through = "SELECT sum(vacuum_count) FROM pg_stat_user_tables WHERE schemaname = 'vault' AND relname = ANY (%s)"
    with ThreadPoolExecutor(1) as pool:
        with Vault(vault._url, vault.keyring).transaction() as reader:
            reader.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            reader.execute("SELECT pg_current_xact_id()")
            order = pool.submit(upkeep.put_in_order, vault)
            done, until = 0, time.monotonic() + 60
            while done < 2 and time.monotonic() < until:
                with vault.transaction() as cursor:
                    (done,) = cursor.execute(gone_through, (["blind_index", "person"],)).fetchone() or (0,)
            assert done >= 2
            assert pages(vault)["blind_index"][1] == 0
        order.result()
    assert all(now - visible < now * upkeep.SHARE for now, visible in pages(vault).values())
