"""`homeward leakcheck` on a deployment: clean, and gone without a trace; a deliberate leak in any sink is found."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import openpyxl
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from anonymization.leaks.canaries import Canaries
from anonymization.leaks.search import LeakSearch
from pipelines.leak_runs import Said
from pipelines.leak_services import SCHEMA, Shown
from pipelines.leak_sinks import Database, search_home
from pipelines.leakcheck import FOLDERS, OWN, heard, report

if TYPE_CHECKING:
    from homes import House

pytestmark = pytest.mark.slow

CANARIES = Canaries(seed=4)
SECRET = CANARIES.name("ethiopic")


def sql(house: House, database: str, *statements: str) -> None:
    with psycopg.connect(f"postgresql://postgres@/{database}?host={house.home / 'postgres'}") as connection:
        for statement in statements:
            connection.execute(statement)  # type: ignore[call-overload]


def written(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def parquet(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"a": [1]}).replace_schema_metadata({"k": SECRET}), path)


def workbook(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    book = openpyxl.Workbook()
    book.create_sheet(SECRET)
    book.save(path)


TABLE = ("CREATE TABLE planted (note text)", f"INSERT INTO planted VALUES ('row 7: {SECRET}')")
ANALYZED = ("INSERT INTO planted SELECT note FROM planted", "ANALYZE planted", "DELETE FROM planted")
LEAKS: dict[str, tuple[str, Callable[[House], None]]] = {
    "a table": ("warehouse", lambda house: sql(house, "warehouse", *TABLE)),
    "bytes in a table": (
        "warehouse",
        lambda house: sql(house, "warehouse", f"CREATE TABLE planted AS SELECT convert_to('{SECRET}', 'UTF8') AS note"),
    ),
    "a comment": ("warehouse", lambda house: sql(house, "warehouse", f"COMMENT ON DATABASE warehouse IS '{SECRET}'")),
    "a table's name": ("warehouse", lambda house: sql(house, "warehouse", f'CREATE TABLE "{SECRET}" (a int)')),
    "a view": ("warehouse", lambda house: sql(house, "warehouse", f"CREATE VIEW planted AS SELECT '{SECRET}'::text")),
    "statistics": ("warehouse", lambda house: sql(house, "warehouse", *TABLE, *ANALYZED)),
    "Dagster's storage": ("Dagster's storage", lambda house: sql(house, "dagster", *TABLE)),
    "the vault in clear": ("vault, as it lies there", lambda house: sql(house, "vault", *TABLE)),
    "server log": (FOLDERS["postgres"], lambda house: written(house.home / "postgres" / "log", SECRET.encode())),
    "Dagster's home": (FOLDERS["dagster"], lambda house: written(house.home / "dagster" / "x.log", SECRET.encode())),
    "a footer": (FOLDERS["store"], lambda house: parquet(house.home / "store" / "x.parquet")),
    "a return": (FOLDERS["outbox"], lambda house: workbook(house.home / "outbox" / "return.xlsx")),
    "a file name": (f"{FOLDERS['outbox']}: names", lambda house: written(house.home / "outbox" / SECRET, b"")),
    "left in the inbox": (FOLDERS["inbox"], lambda house: written(house.home / "inbox" / "x.csv", SECRET.encode())),
    "the sealed store": (FOLDERS["vault"], lambda house: written(house.home / "vault" / "x.sealed", SECRET.encode())),
}  # fmt: skip


@pytest.mark.parametrize("leak", LEAKS)
def test_a_deliberate_leak_in_any_sink_is_found_and_told_without_its_value(house: House, leak: str) -> None:
    sink, plant = LEAKS[leak]
    search = LeakSearch(CANARIES)
    socket = house.home / "postgres"
    names = {"warehouse": "warehouse", "Dagster's storage": "dagster", "vault, as it lies there": "vault"}
    since = time.time() - 0.1  # clocks of file systems are coarse
    plant(house)
    for name, database in names.items():
        Database(name, f"postgresql://postgres@/{database}?host={socket}", OWN).search(search)
    search_home(search, house.home, since, FOLDERS)
    told = report(search, len(CANARIES))
    assert sink in {found["sink"] for found in told["leaks"]}
    assert not told["clean"]
    assert not any(word in str(told) for word in SECRET.split())


@pytest.mark.parametrize(
    ("sink", "leaking"),
    [
        ("stdout", {"out": SECRET.encode()}),
        ("stderr", {"err": json.dumps([SECRET]).encode()}),
        ("output of Dagster's services", {"services": f"dagster.daemon - {SECRET}".encode()}),
        ("Dagster's pages", {"page": gzip.compress(json.dumps({"events": [SECRET]}).encode())}),
    ],
)
def test_a_deliberate_leak_in_what_is_said_and_shown_is_found(sink: str, leaking: dict[str, bytes]) -> None:
    said = Said("run", 0, leaking.get("out", b""), leaking.get("err", b""))
    shown = Shown(leaking.get("services", b""), {"UI: run 0": leaking.get("page", b"{}")})
    search = LeakSearch(CANARIES)
    for where, place, content in heard([said], shown):
        search.look(content, where, place)
    assert {leak.sink for leak in search.leaks} == {sink}


def test_nothing_gets_out_of_a_deployment_and_nothing_of_the_check_stays(house: House) -> None:
    told = house.ask("leakcheck")
    assert told["leaks"] == []
    assert told["unread"] == []
    assert told["clean"]
    assert told["canaries"] > 1000
    assert set(told["sinks"]) >= {
        *("warehouse", "Dagster's storage", "stdout", "stderr", "temporary files", "overview"),
        *("output of Dagster's services", "Dagster's pages"),
        *(FOLDERS[name] for name in ("postgres", "dagster", "store", "outbox", "vault")),
    }
    assert told["sinks"]["Dagster's pages"]["streams"] == 5, "assets, runs, ticks, locations, the record of the run"
    with psycopg.connect(f"postgresql://postgres@/dagster?host={house.home / 'postgres'}") as dagster:
        assert dagster.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", (SCHEMA,)).fetchall() == []
    assert house.ask("status") == []
    assert house.sql("SELECT count(*) FROM core.person") == [(0,)]
    assert house.sql("SELECT count(*) FROM audit.finding") == [(0,)]
    assert [path for path in house.home.glob("*/qzz") if path.exists()] == []
    assert list((house.home / "vault" / "store").glob("*.sealed")) == []
    with psycopg.connect(f"postgresql://postgres@/vault?host={house.home / 'postgres'}") as vault:
        assert vault.execute("SELECT count(*) FROM vault.person").fetchall() == [(0,)]
        assert vault.execute("SELECT count(*) FROM vault.audit WHERE action = 'leakcheck'").fetchall() == [(1,)]
