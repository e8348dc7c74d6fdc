"""`homeward leakcheck` on a deployment: clean, and gone without a trace; a deliberate leak in any sink is found."""

from __future__ import annotations

import gzip
import json
import marshal
import time
from collections.abc import Callable
from importlib.util import cache_from_source
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openpyxl
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from homes import empty_home

from anonymization.leaks.canaries import Canaries
from anonymization.leaks.search import LeakSearch
from anonymization.redaction import lexicon
from pipelines.leak_runs import Said
from pipelines.leak_services import SCHEMA, Shown
from pipelines.leak_sinks import Database, search_home
from pipelines.leakcheck import FOLDERS, OWN, heard, report

if TYPE_CHECKING:
    from homes import House

pytestmark = pytest.mark.slow

CANARIES = Canaries(seed=4)
SECRET = CANARIES.name("ethiopic")
Plant = Callable[["House", str], None]


def sql(house: House, database: str, *statements: str) -> None:
    with psycopg.connect(f"postgresql://postgres@/{database}?host={house.home / 'postgres'}") as connection:
        for statement in statements:
            connection.execute(statement)  # type: ignore[call-overload]


def asked(database: str, *statements: str) -> Plant:
    """Statements in which `{}` is the secret."""
    return lambda house, secret: sql(house, database, *(statement.format(secret) for statement in statements))


def written(place: str, content: str = "{}") -> Plant:
    """A file with the secret in its name or its content."""

    def plant(house: House, secret: str) -> None:
        path = house.home / place.format(secret)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.format(secret).encode())

    return plant


def parquet(house: House, secret: str) -> None:
    path = house.home / "store" / "x.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"a": [1]}).replace_schema_metadata({"k": secret}), path)


def workbook(house: House, secret: str) -> None:
    path = house.home / "outbox" / "return.xlsx"
    path.parent.mkdir(parents=True, exist_ok=True)
    book = openpyxl.Workbook()
    book.create_sheet(secret)
    book.save(path)


TABLE = ("CREATE TABLE planted (note text)", "INSERT INTO planted VALUES ('row 7: {}')")
BYTES = "CREATE TABLE bytes AS SELECT convert_to('{}', 'UTF8') AS note"
ANALYZED = ("CREATE TABLE counted AS SELECT '{}'::text AS note FROM generate_series(1, 2)",)
ANALYZED += ("ANALYZE counted", "DELETE FROM counted")
LEAKS: dict[str, tuple[str, Plant]] = {
    "a table": ("warehouse", asked("warehouse", *TABLE)),
    "bytes in a table": ("warehouse", asked("warehouse", BYTES)),
    "a comment": ("warehouse", asked("warehouse", "COMMENT ON DATABASE warehouse IS '{}'")),
    "a table's name": ("warehouse", asked("warehouse", 'CREATE TABLE "{}" (a int)')),
    "a view": ("warehouse", asked("warehouse", "CREATE VIEW shown AS SELECT '{}'::text")),
    "statistics": ("warehouse", asked("warehouse", *ANALYZED)),
    "Dagster's storage": ("Dagster's storage", asked("dagster", *TABLE)),
    "the vault in clear": ("vault, as it lies there", asked("vault", *TABLE)),
    "server log": (FOLDERS["postgres"], written("postgres/log")),
    "Dagster's home": (FOLDERS["dagster"], written("dagster/x.log")),
    "a footer": (FOLDERS["store"], parquet),
    "a return": (FOLDERS["outbox"], workbook),
    "a file name": (f"{FOLDERS['outbox']}: names", written("outbox/{}", "nothing")),
    "left in the inbox": (FOLDERS["inbox"], written("inbox/x.csv")),
    "the sealed store": (FOLDERS["vault"], written("vault/x.sealed")),
}  # fmt: skip
SECRETS = {leak: CANARIES.name("ethiopic", kind=leak) for leak in LEAKS}


@pytest.fixture(scope="module")
def told(server_folder: Path) -> dict[str, Any]:
    """What is said of a home into which all of these leaked, each with a name of its own."""
    search = LeakSearch(CANARIES)
    names = {"warehouse": "warehouse", "Dagster's storage": "dagster", "vault, as it lies there": "vault"}
    with empty_home(server_folder) as house:
        since = time.time() - 0.1  # clocks of file systems are coarse
        for leak, (_, plant) in LEAKS.items():
            plant(house, SECRETS[leak])
        for name, database in names.items():
            Database(name, f"postgresql://postgres@/{database}?host={house.home / 'postgres'}", OWN).search(search)
        search_home(search, house.home, since, FOLDERS)
    return report(search, len(CANARIES))


@pytest.mark.parametrize("leak", LEAKS)
def test_a_deliberate_leak_in_any_sink_is_found_and_told_without_its_value(told: dict[str, Any], leak: str) -> None:
    sink, _ = LEAKS[leak]
    assert sink in {found["sink"] for found in told["leaks"] if found["canary"] == f"{leak}, ethiopic"}
    assert not told["clean"]
    assert not any(word in str(told) for word in SECRETS[leak].split())


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


@pytest.mark.timeout(2400)  # of minutes, on a machine that has much else to do of many
def test_nothing_gets_out_of_a_deployment_and_nothing_of_the_check_stays(house: House) -> None:
    bytecode = Path(cache_from_source(lexicon.__file__))
    bytecode.unlink(missing_ok=True)  # as after an upgrade: who reads notes first would write it
    told = json.loads(house.process("leakcheck", "--json", PYTHONDONTWRITEBYTECODE="").stdout)
    marshal.loads(bytecode.read_bytes()[16:])  # a run without room for files had cut it off
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
