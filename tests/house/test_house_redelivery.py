"""Delivered again through the real command line: the same bytes, a corrected file, an old delivery, a dry run."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pyarrow.parquet as pq
import pytest

from examples.dgme_slv import FILE, make_slv

if TYPE_CHECKING:
    from homes import House

pytestmark = pytest.mark.slow

SOURCE = "slv/dgme_returns"
PROJECT = Path(__file__).resolve().parents[2]
Rows = list[dict[str, str]]


def deliver(
    house: House,
    change: Callable[[Rows], Rows] = lambda rows: rows,
    source: str = SOURCE,
    expect: int = 1,
    **more: str,
) -> dict[str, Any]:
    """Deliver the sample register, changed, and run it; what the run said about it."""
    house.samples.mkdir(parents=True, exist_ok=True)
    make_slv(house.samples)
    path = house.samples / FILE
    rows = list(csv.DictReader(io.StringIO(path.read_bytes().decode("cp1252"), newline=""), delimiter=";"))
    with path.open("w", encoding="cp1252", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=";", lineterminator="\r\n")
        writer.writeheader()
        writer.writerows(change(rows))
    house.homeward("deliver", str(path), "--source", source, **more)
    (told,) = house.ask("run", "--source", source, expect=expect, **more)
    assert isinstance(told, dict)
    return told


def corrected(rows: Rows) -> Rows:
    """One return came by air after all, one record is gone, one is new; the others are as they were."""
    rows = rows[:1] + rows[2:]
    rows[0] = rows[0] | {"VIA": "AÉREA" if rows[0]["VIA"] != "AÉREA" else "TERRESTRE"}
    return [*rows, rows[5] | {"EXPEDIENTE": "RET-2024-900001", "DUI": "", "FAMILIA": "F90001"}]


def events(house: House, key: str, table: str = "return_event") -> int:
    ((count,),) = house.sql(f"SELECT count(*) FROM core.{table} WHERE delivery_id = '{key}'")
    return int(count)


def test_a_corrected_redelivery_keeps_what_was_and_withdraws_what_is_gone(house: House) -> None:
    first = deliver(house)
    second = deliver(house, corrected)
    assert [told["state"] for told in (first, second)] == ["published", "published"]
    changed = house.sql(
        "SELECT h.delivery_id, c.delivery_id, h.valid_to = c.valid_from FROM core.return_event_history h"
        " JOIN core.return_event c USING (record_key)"
    )
    assert changed == [(first["delivery"], second["delivery"], True)], "the old version stands in the history"
    gone = house.sql(
        "SELECT h.delivery_id FROM core.return_event_history h"
        " LEFT JOIN core.return_event c USING (record_key) WHERE c.record_key IS NULL"
    )
    assert gone == [(first["delivery"],)], "what a snapshot no longer holds is withdrawn, not deleted"
    assert events(house, second["delivery"]) == 2, "only the changed and the new return carry the new delivery"
    assert events(house, first["delivery"]) == first["accepted"] - 2
    assert second["accepted"] + second["rejected"] == second["rows_in"] == first["rows_in"]
    assert house.sql("SELECT * FROM audit.count_mismatch") == []
    for told in (first, second):
        assert (house.home / "outbox" / SOURCE / told["delivery"] / "return.json").is_file()


def test_the_same_bytes_are_answered_as_already_received(house: House) -> None:
    first = deliver(house)
    before = house.sql("SELECT record_key, delivery_id, valid_from FROM core.person ORDER BY 1")
    half = house.home / "inbox" / SOURCE / ".draft-20261101T000000"
    half.mkdir()
    os.utime(half, (0, 0))
    again = deliver(house)
    assert (again["state"], again["delivery"]) == ("already_received", first["delivery"])
    assert house.sql("SELECT record_key, delivery_id, valid_from FROM core.person ORDER BY 1") == before
    assert [entry["delivery"] for entry in house.ask("status")] == [first["delivery"]]
    left = list((house.home / "inbox" / SOURCE).iterdir())
    assert left == [], "cleared, and an upload that was abandoned long ago is gone as well"


def test_what_was_received_before_is_answered_without_dagster_and_sealed_once(house: House) -> None:
    first = deliver(house)
    (sealed,) = (house.home / "vault" / "store").glob("*.sealed")
    inode = sealed.stat().st_ino
    house.homeward("deliver", str(house.samples / FILE), "--source", SOURCE)
    done = house.process("run", "--source", SOURCE, "--json", expect=1, PYTHONPROFILEIMPORTTIME="1")
    (told,) = json.loads(done.stdout)
    assert (told["state"], told["delivery"]) == ("already_received", first["delivery"])
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "warehouse.ledger" in imported, "imports are told"
    assert not imported & {"dagster", "pandas", "great_expectations"}
    assert sealed.stat().st_ino == inode
    said = house.sql("SELECT event FROM audit.delivery_event ORDER BY event_id")
    assert [event for (event,) in said].count("already_received") == 1
    sealed.unlink()
    house.homeward("deliver", str(house.samples / FILE), "--source", SOURCE)
    house.homeward("run", "--source", SOURCE, expect=1)
    assert sealed.is_file(), "a seal that was lost is made again"


def test_a_delivery_that_is_run_again_changes_nothing(house: House) -> None:
    first = deliver(house)
    everything = "SELECT to_jsonb(c)::text FROM core.{} AS c ORDER BY 1"
    entities = ("person", "household", "return_event", "return_event_history")
    before = {entity: house.sql(everything.format(entity)) for entity in entities}
    connections = "SELECT sessions FROM pg_stat_database WHERE datname = 'dagster'"
    ((opened,),) = house.sql(connections)
    (again,) = house.ask("run", "--source", SOURCE, "--delivery", first["delivery"], expect=1)
    assert again == first
    assert house.sql(connections)[0][0] - opened < 100, "Dagster's storage does not connect for each statement"
    assert {entity: house.sql(everything.format(entity)) for entity in entities} == before
    assert house.sql("SELECT * FROM audit.count_mismatch") == []


def contents(house: House) -> dict[str, int]:
    """Every file of the home but the servers' own, with its size."""
    files = house.files(house.home / "postgres")
    return {str(path.relative_to(house.home)): len(data) for path, data in files}


def test_a_dry_run_says_what_a_run_would_say_and_leaves_nothing(house: House, tmp_path: Path) -> None:
    make_slv(tmp_path)
    house.homeward("status")
    before = contents(house)
    out = tmp_path / "check"
    marked = house.ask("check", str(tmp_path / FILE), "--source", SOURCE, "--out", str(out), expect=1)
    assert contents(house) == before
    assert house.ask("status") == []
    left = "SELECT tablename FROM pg_tables WHERE schemaname = 'staging' AND tablename LIKE 'd2%'"
    assert house.sql(left) == []
    assert {path.name for path in out.iterdir()} == {"return.json", "return.html", "return.xlsx"}
    told = deliver(house)
    assert {name: marked["totals"][name] for name in ("rows_in", "accepted", "rejected")} == {
        name: told[name] for name in ("rows_in", "accepted", "rejected")
    }


def test_a_dry_run_that_is_refused_says_why_in_the_language_that_was_asked(house: House, tmp_path: Path) -> None:
    make_slv(tmp_path)
    lacking = tmp_path / "lacking.csv"
    lacking.write_bytes((tmp_path / FILE).read_bytes().replace(b"EXPEDIENTE", b"EXPED", 1))
    asked = ("check", str(lacking), "--source", SOURCE, "--language", "fr", "--out", str(tmp_path / "check"))
    told = house.homeward(*asked, expect=2).stdout
    assert "Refused (delivery.missing_column): Une colonne de l’accord est absente. (EXPEDIENTE, lacking.csv)" in told


def in_the_store(house: House, token: str) -> int:
    """Rows of the Parquet files that carry this person's token."""
    tables = [pq.read_table(path) for path in (house.home / "store").rglob("*.parquet")]
    wanted = uuid.UUID(token).bytes if isinstance(token, str) else token.bytes
    columns = [table[name] for table in tables for name in ("_person", "person_token") if name in table.column_names]
    return sum(column.to_pylist().count(wanted) for column in columns)


def in_the_vault(house: House, token: str) -> tuple[int, int, int]:
    """What the vault has of a person: records, what they are recognised by, indexes."""
    with psycopg.connect(f"postgresql://postgres@/vault?host={house.home / 'postgres'}") as connection:
        count = "(SELECT count(*) FROM vault.{} WHERE person_id = p.person_id)".format
        asked = f"SELECT {', '.join(map(count, ('identity', 'likeness', 'blind_index')))} FROM vault.person AS p"
        (found,) = connection.execute(f"{asked} WHERE p.token = %s", (token,)).fetchall()
    return tuple(found)


def test_consent_that_is_withdrawn_in_an_increment_takes_the_record_and_its_person_with_it(house: House) -> None:
    """An increment says nothing of whom it does not hold; whoever it holds without consent goes."""
    monthly = "slv/monthly"
    folder = house.home.parent / "sources" / monthly
    shutil.copytree(PROJECT / "sources" / SOURCE, folder)
    declared = (
        (folder / "source.yaml").read_text().replace("mode: snapshot", "mode: increment").replace(SOURCE, monthly)
    )
    consent = "    consent: {column: MISMA_COMUNIDAD, accept: [SÍ, NO]}\n    entities:"
    (folder / "source.yaml").write_text(declared.replace("    entities:", consent, 1))
    more = {"HOMEWARD_SOURCES": str(folder.parents[1])}
    first = deliver(house, source=monthly, **more)
    alone = "SELECT min(source_row) FROM core.return_event GROUP BY person_token HAVING count(*) = 1 ORDER BY 1 LIMIT 2"
    (gone,), (stays,) = house.sql(alone)
    ((token,),) = house.sql(f"SELECT person_token FROM core.return_event WHERE source_row = {gone}")

    def withdrawn(rows: Rows) -> Rows:
        return [rows[gone - 2] | {"MISMA_COMUNIDAD": "RETIRADO"}, rows[stays - 2]]

    # A letter of nothing but withdrawals is refused, as a file that lost its consents is: that it counts for nothing
    # was said nowhere.
    refused = deliver(house, lambda rows: withdrawn(rows)[:1], monthly, expect=2, **more)
    assert refused["state"] == "refused"
    assert "1 of them have no consent, and nothing of a refused delivery counts" in str(refused["fault"])
    assert house.sql(f"SELECT count(*) FROM core.return_event WHERE person_token = '{token}'") == [(1,)]

    second = deliver(house, withdrawn, monthly, **more)
    assert (second["state"], second["accepted"], second["rejected"]) == ("published", 1, 1)
    assert house.ask("status", "--source", monthly, **more)[0]["no_consent"] == 1
    assert house.sql(f"SELECT count(*) FROM core.return_event WHERE person_token = '{token}'") == [(0,)]
    assert house.sql(f"SELECT count(*) FROM core.person WHERE person_token = '{token}'") == [(0,)]
    for entity in ("return_event", "person"):
        assert house.sql(f"SELECT count(*) FROM core.{entity}_history") == [(0,)], "nor is there a closed version"
        assert house.sql(f"SELECT count(*) FROM marts.{entity}_ever WHERE person_token = '{token}'") == [(0,)]
    assert not in_the_store(house, token), "nor a row of the first delivery's Parquet"
    assert in_the_vault(house, token) == (0, 0, 1), "nor who it is; by what they are known again stays"
    house.homeward("run", "--source", monthly, "--delivery", first["delivery"], expect=1, **more)
    assert not in_the_store(house, token), "run again, the first delivery brings nothing back"
    assert in_the_vault(house, token) == (0, 0, 1)
    assert house.sql(f"SELECT count(*) FROM core.return_event WHERE person_token = '{token}'") == [(0,)]
    erased = house.ask("vault", "erase", "--token", str(token), "--reason", "asked for it", **more)
    assert sorted((one["delivery"], one["rows"], one["done"]) for one in erased["sealed_deliveries"]) == sorted(
        (told["delivery"], 1, "rows overwritten") for told in (first, refused, second)
    ), "the row that the gate held back is found as well"
    assert events(house, first["delivery"]) == first["accepted"] - 1, "nobody else was touched"
    assert house.sql("SELECT * FROM audit.count_mismatch") == []
