"""A supplier's database: its snapshot is a set of CSV files, in key order, and holds declared columns only."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from small_sources import rows, source, table

from codebook.errors import BadDefinition, Refused, Unavailable
from connectors import open_delivery, snapshot
from sources.batches import PlainFile
from sources.models import Source

CASES = table(
    "registry.cases",
    ["case_id", "opened", "amount", "active", "note", "registry.closures.reason"],
    key=["case_id"],
    joins=[{"table": "registry.closures", "on": ["case_id"]}],
)
ASSISTANCE = table("registry.assistance", ["case_id", "seq"], key=["case_id", "seq"])


def declared(*tables: dict[str, object]) -> Source:
    return source({"kind": "database", "url_env": "HOMEWARD_TEST_URL"}, *(tables or (CASES, ASSISTANCE)))


@pytest.fixture(scope="module")
def registry(postgres_url: str) -> Iterator[str]:
    engine = sa.create_engine(postgres_url)
    with engine.begin() as connection:
        for statement in (
            "CREATE SCHEMA registry",
            "CREATE TABLE registry.cases (case_id text PRIMARY KEY, opened date, amount numeric(10,2), active boolean,"
            " note text, photo bytea, secret text)",
            "CREATE TABLE registry.closures (case_id text, reason text, remark text)",
            "CREATE TABLE registry.assistance (case_id text, seq integer, PRIMARY KEY (case_id, seq))",
            "INSERT INTO registry.cases VALUES ('C2', '2024-02-29', 10.50, true, E'two\\nlines; \"x\"', 'p', 'hidden'),"
            " ('C1', NULL, 0.00, false, '', NULL, 'hidden'), ('C3', '2020-01-01', NULL, NULL, 'ñ', NULL, NULL)",
            "INSERT INTO registry.closures VALUES ('C3', 'left_area', 'hidden'), ('C1', 'died', NULL)",
            "INSERT INTO registry.assistance SELECT 'C' || (mod(g, 3) + 1), g FROM generate_series(1, 12000) g",
        ):
            connection.exec_driver_sql(statement)
    engine.dispose()
    yield postgres_url
    engine = sa.create_engine(postgres_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA registry CASCADE")
    engine.dispose()


def taken(source: Source, url: str, folder: Path) -> list[PlainFile]:
    files = []
    for name, content in snapshot(source, url):
        path = folder / name
        path.write_bytes(b"".join(content))
        files.append(PlainFile(path))
    return files


def test_a_snapshot_reads_as_tables_in_key_order_with_joins(registry: str, tmp_path: Path) -> None:
    opened = open_delivery(taken(declared(), registry, tmp_path), declared())
    assert rows(opened, "registry.cases") == [
        {
            "row": 1,
            "case_id": "C1",
            "opened": None,
            "amount": "0.00",
            "active": "false",
            "note": None,
            "registry.closures.reason": "died",
        },
        {
            "row": 2,
            "case_id": "C2",
            "opened": "2024-02-29",
            "amount": "10.50",
            "active": "true",
            "note": 'two\nlines; "x"',
            "registry.closures.reason": None,
        },
        {
            "row": 3,
            "case_id": "C3",
            "opened": "2020-01-01",
            "amount": None,
            "active": None,
            "note": "ñ",
            "registry.closures.reason": "left_area",
        },
    ]
    assert opened.undeclared["registry.cases"] == ["photo", "secret", "registry.closures.remark"]


def test_what_is_not_declared_never_leaves_the_server(registry: str, tmp_path: Path) -> None:
    files = taken(declared(), registry, tmp_path)
    assert [file.name for file in files] == [
        "registry.cases.csv",
        "registry.assistance.csv",
        "registry.closures.csv",
    ]
    assert not any(b"hidden" in file.path.read_bytes() for file in files)


def test_the_same_tables_make_the_same_bytes(registry: str) -> None:
    once, again = ([(name, b"".join(part)) for name, part in snapshot(declared(), registry)] for _ in range(2))
    assert once == again


def test_a_long_table_comes_in_pieces(registry: str) -> None:
    content = dict(snapshot(declared(), registry))
    pieces = {name: list(part) for name, part in content.items()}
    assert len(pieces["registry.assistance.csv"]) == 3
    assert b"".join(pieces["registry.assistance.csv"]).count(b"\n") == 12001


@pytest.mark.parametrize(
    ("tables", "rule", "says"),
    [
        ([table("registry.gone", ["a"], key=["a"])], "delivery.wrong_source", "no table registry.gone"),
        ([table("nowhere.cases", ["a"], key=["a"])], "delivery.wrong_source", "no table nowhere.cases"),
        ([table("registry.cases", ["case_id", "b"], key=["case_id"])], "delivery.missing_column", "missing: b"),
    ],
)
def test_a_missing_schema_table_or_column_is_refused(
    registry: str, tables: list[dict[str, object]], rule: str, says: str
) -> None:
    with pytest.raises(Refused, match=says) as caught:
        snapshot(declared(*tables), registry)
    assert caught.value.rule == rule


def test_tables_without_any_row_are_refused(registry: str, tmp_path: Path) -> None:
    (tmp_path / "registry.assistance.csv").write_text("case_id,seq\n")
    with pytest.raises(Refused) as caught:
        open_delivery([PlainFile(tmp_path / "registry.assistance.csv")], declared(ASSISTANCE))
    assert caught.value.rule == "delivery.empty"


def test_one_table_may_be_without_rows(registry: str, tmp_path: Path) -> None:
    files = taken(declared(), registry, tmp_path)
    (tmp_path / "registry.closures.csv").write_text("case_id,reason,remark\n")
    (tmp_path / "registry.assistance.csv").write_text("case_id,seq\n")
    opened = open_delivery(files, declared())
    assert [row["registry.closures.reason"] for row in rows(opened, "registry.cases")] == [None] * 3
    assert rows(opened, "registry.assistance") == []


def test_a_server_that_does_not_answer_is_unavailable_and_keeps_its_password(tmp_path: Path) -> None:
    url = "postgresql+psycopg://inm:s3cret-word@127.0.0.1:1/registry?connect_timeout=2"
    with pytest.raises(Unavailable) as caught:
        snapshot(declared(), url)
    assert "s3cret-word" not in str(caught.value)
    assert "HOMEWARD_TEST_URL" in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_server_that_goes_away_while_it_is_read_is_unavailable(registry: str) -> None:
    pieces = dict(snapshot(declared(), registry))["registry.assistance.csv"]
    next(pieces)
    assert open_transactions(registry, 1, "pg_terminate_backend(pid)") == [True]
    with pytest.raises(Unavailable, match="does not serve") as caught:
        list(pieces)
    assert "\n" not in str(caught.value)


def test_a_snapshot_that_is_not_read_to_its_end_holds_no_transaction(registry: str) -> None:
    pieces = dict(snapshot(declared(), registry))["registry.assistance.csv"]
    next(pieces)
    assert len(open_transactions(registry, 1)) == 1
    pieces.close()
    assert open_transactions(registry, 0) == []


@pytest.mark.parametrize("allowed", [0, 1, 3, 5, 9])
def test_a_snapshot_that_may_not_be_read_any_more_stops_and_hangs_up(registry: str, allowed: int) -> None:
    """Also between two tables, and before the first."""
    left, had = [None] * allowed, list[int]()

    def may_read() -> None:
        if not left:
            raise Refused("delivery.expired", "the agreement has expired", "slv/test")
        left.pop()

    with pytest.raises(Refused, match="has expired"):
        had.extend(len(piece.splitlines()) for _, all_ in snapshot(declared(), registry, may_read) for piece in all_)
    assert open_transactions(registry, 0) == []
    assert sum(had) == {0: 0, 1: 0, 3: 5, 5: 5_006, 9: 12_006}[allowed]


def open_transactions(url: str, many: int, what: str = "pid") -> list[object]:
    """`what` of every session that waits inside a transaction, of which there should be so `many`: one whose client
    hung up is listed until the server has noticed."""
    engine, give_up = sa.create_engine(url, poolclass=sa.NullPool), time.monotonic() + 240
    waiting = "FROM pg_stat_activity WHERE state = 'idle in transaction' AND datname = current_database()"
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        while connection.exec_driver_sql(f"SELECT count(*) {waiting}").scalar() > many and time.monotonic() < give_up:
            time.sleep(0.05)
        return list(connection.exec_driver_sql(f"SELECT {what} {waiting}").scalars())


def test_all_tables_show_the_same_moment(registry: str) -> None:
    """A row that is added while the snapshot is read is in none of its tables."""
    content = dict(snapshot(declared(), registry))
    before = b"".join(content["registry.cases.csv"])
    writer = sa.create_engine(registry)
    with writer.begin() as connection:
        connection.exec_driver_sql("INSERT INTO registry.assistance VALUES ('C9', 1)")
    assert b"C9" not in before + b"".join(content["registry.assistance.csv"])
    list(content["registry.closures.csv"])
    with writer.begin() as connection:
        connection.exec_driver_sql("DELETE FROM registry.assistance WHERE case_id = 'C9'")
    writer.dispose()


def test_a_url_that_is_none_is_a_bad_definition() -> None:
    with pytest.raises(BadDefinition, match="database URL cannot be used"):
        snapshot(declared(), "not a url s3cret-word")
