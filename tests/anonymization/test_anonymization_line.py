"""A large batch uses the server and its own processor at once, and gives what a small one gives."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from sqlalchemy import create_engine, text

from anonymization.gate import Gate
from anonymization.vault import line, wire
from anonymization.vault.line import Ask, Line
from anonymization.vault.vault import Vault
from codebook.errors import Unavailable
from sources.batches import TextBatch
from sources.models import Source

Rows = Callable[..., TextBatch]
COUNT = np.dtype([("count", ">i8")])
PERSONS = Ask("SELECT int8send(count(*)) FROM vault.person", (), COUNT)
IDENTITIES = Ask("SELECT int8send(count(*)) FROM vault.identity", (), COUNT)


def passed(source: Source, vault: Vault, batch: TextBatch) -> tuple[list[bytes], dict[str, int]]:
    """Tokens, and how many rows each table of the vault has."""
    tokens = Gate(source, vault).pass_batch(batch).data["_person"].to_pylist()
    with vault.transaction() as cursor:
        tables = ("person", "blind_index", "identity", "likeness")
        counts = [cursor.execute(f"SELECT count(*) FROM vault.{one}".encode()).fetchone() for one in tables]
    return tokens, dict(zip(tables, [number for (number,) in counts if number is not None], strict=True))


def people(first: int, end: int, **more: str) -> list[dict[str, str]]:
    return [{"FILE": f"F{number}", "PHONE": f"7123-{number:04}", "NAME": "Ana"} | more for number in range(first, end)]


@contextmanager
def open_line(vault: Vault) -> Iterator[Line]:
    with (
        vault.transaction() as cursor,
        vault.beside(True) as second,
        line.line(cursor, second, thread=True) as way,
    ):
        assert second is not None
        yield way


def counted(way: Line) -> list[int]:
    return [int(answer["count"][0]) for answer in way.ask([IDENTITIES, PERSONS, IDENTITIES, PERSONS])]


@pytest.mark.parametrize("sizes", [(1, 10**9), (10**9, 1)], ids=["large first", "small first"])
def test_a_large_batch_gives_the_tokens_and_the_rows_that_a_small_one_gives(
    similar: Source, vault: Vault, rows: Rows, monkeypatch: pytest.MonkeyPatch, sizes: tuple[int, int]
) -> None:
    monkeypatch.setattr(line, "LARGE", sizes[0])
    first, stored = passed(similar, vault, rows(*people(0, 60)))
    assert len(set(first)) == 60
    assert stored == {"person": 60, "blind_index": 60, "identity": 60, "likeness": 60}
    monkeypatch.setattr(line, "LARGE", sizes[1])
    again, stored = passed(similar, vault, rows(*people(30, 90), *people(0, 30, NAME="Berta")))
    assert again[:30] + again[60:] == first[30:] + first[:30]
    assert len(set(again)) == 90
    assert stored == {"person": 90, "blind_index": 90, "identity": 90, "likeness": 90}
    monkeypatch.setattr(line, "LARGE", sizes[0])
    assert passed(similar, vault, rows(*people(0, 90))) == (again[60:] + again[:60], stored)


def test_fields_in_another_order_than_their_numbers_find_their_people(
    make_source: Callable[..., Source], two_phones: Source, vault: Vault, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line, "LARGE", 1)
    both = [one | {"DUI": dui} for one, dui in zip(people(0, 2), ("04567890-3", "01234568-1"), strict=True)]
    known, stored = passed(two_phones, vault, rows(*both))
    turned = two_phones.model_copy(deep=True)
    assert turned.tables[0].person is not None
    turned.tables[0].person.link.reverse()
    assert passed(turned, Vault(vault._url, vault.keyring), rows(*reversed(both))) == (known[::-1], stored)


def test_large_batches_at_once_of_the_same_people_agree_on_every_token(
    register: Source, vault: Vault, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line, "LARGE", 1)
    starts = [10 * (number % 6) for number in range(12)]
    said = people(0, 60)
    with ThreadPoolExecutor(6) as pool:
        work = [rows(*said[start:], *said[:start]) for start in starts]
        found = [tokens for tokens, _ in pool.map(lambda batch: passed(register, vault, batch), work)]
    assert len(set(found[0])) == 60
    for start, tokens in zip(starts, found, strict=True):
        assert tokens == found[0][start:] + found[0][:start]


def test_what_the_server_refuses_of_what_was_sent_ends_the_batch(vault: Vault) -> None:
    twice = wire.rows([np.ones(2, np.int16), np.zeros((2, 16), np.uint8), np.ones(2, np.int64)])
    with pytest.raises(Unavailable), open_line(vault) as way:
        way.copy_in("vault.blind_index (field, idx, person_id)", twice)
    with vault.transaction() as cursor:
        assert cursor.execute("SELECT count(*) FROM vault.blind_index").fetchone() == (0,)


def test_one_batch_of_a_process_has_the_second_connection(vault: Vault) -> None:
    with vault.beside(True) as one, vault.beside(True) as other, vault.beside(False) as unwanted:
        assert one is not None
        assert other is unwanted is None


def test_the_second_connection_writes_nothing_and_is_the_vaults_role(vault: Vault) -> None:
    with vault.beside(True) as second:
        assert second is not None
        assert second.execute("SELECT current_user, current_setting('transaction_read_only')").fetchone() == (
            "homeward_vault",
            "on",
        )


def test_a_batch_whose_second_connection_ends_is_answered_by_its_first(
    register: Source, vault: Vault, vault_url: str, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    passed(register, vault, rows(*people(0, 3)))
    with vault.beside(True) as second:
        assert second is not None
        pid = second.connection.info.backend_pid
    with open_line(vault) as way, create_engine(vault_url).connect() as other:
        other.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
        assert counted(way) == [3, 3, 3, 3]
    with open_line(vault) as way:  # and the next batch has another
        assert counted(way) == [3, 3, 3, 3]
    monkeypatch.setitem(vault.__dict__, "_beside_engine", create_engine("postgresql+psycopg://nobody@/none?host=/none"))
    monkeypatch.setattr(line, "LARGE", 1)
    assert len(passed(register, vault, rows(*people(0, 3)))[0]) == 3


def test_a_batch_and_a_rebuilt_index_never_wait_for_each_other(
    register: Source, vault: Vault, vault_url: str, rows: Rows
) -> None:
    """Who waits to have a table alone waits for our first connection, and our second one would wait behind it."""
    passed(register, vault, rows(*people(0, 3)))

    def alone() -> Any:
        with create_engine(vault_url).begin() as connection:
            return connection.execute(text("LOCK TABLE vault.person, vault.identity IN ACCESS EXCLUSIVE MODE"))

    waits = text(
        "SELECT count(*) FROM pg_locks JOIN pg_database AS d ON d.oid = database"
        " WHERE d.datname = current_database() AND NOT granted AND mode = 'AccessExclusiveLock'"
    )
    with ThreadPoolExecutor(1) as pool:
        with open_line(vault) as way, create_engine(vault_url).connect() as other:
            way.cursor.execute("SELECT 1 FROM vault.person, vault.identity")
            waiting = pool.submit(alone)
            while not other.scalar(waits) and not waiting.done():
                time.sleep(0.01)
            assert counted(way) == [3, 3, 3, 3]
            assert not waiting.done()
        waiting.result()
