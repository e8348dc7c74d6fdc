"""Officers' commands through the real command line: a person is named lawfully, erased everywhere, and stays away."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pyarrow.parquet as pq
import pytest

from anonymization.keys.ring import Keyring
from anonymization.vault.name_words import NameWords
from anonymization.vault.store import SealedFile
from anonymization.vault.vault import Vault
from assets.refused_uploads import REASON, REFUSED
from examples.dgme_slv import FILE, make_slv

if TYPE_CHECKING:
    from homes import House

pytestmark = pytest.mark.slow

SOURCE = "slv/dgme_returns"
Row = dict[str, str]


def deliver(house: House, extra: list[Row]) -> dict[str, Any]:
    path = house.samples / FILE
    rows = [*register(house), *extra]
    with path.open("w", encoding="cp1252", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=";", lineterminator="\r\n")
        writer.writeheader()
        writer.writerows(rows)
    house.homeward("deliver", str(path), "--source", SOURCE)
    (told,) = house.ask("run", "--source", SOURCE, expect=1)
    return dict(told)


def register(house: House) -> list[Row]:
    house.samples.mkdir(parents=True, exist_ok=True)
    make_slv(house.samples)
    content = (house.samples / FILE).read_bytes().decode("cp1252")
    return list(csv.DictReader(io.StringIO(content, newline=""), delimiter=";"))


def somebody(house: House, rows: list[Row]) -> tuple[str, Row]:
    """Token and row of a person whom an identifier names."""
    found = house.sql("SELECT person_token::text, source_row FROM core.return_event ORDER BY source_row")
    return next((token, rows[row - 2]) for token, row in found if rows[row - 2]["DUI"].strip())


def everything_in(house: House, database: str) -> str:
    """Every row of every table, as text."""
    with psycopg.connect(f"postgresql://postgres@/{database}?host={house.home / 'postgres'}") as connection:
        tables = connection.execute(
            "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables"
            " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        dump = [connection.execute(f"SELECT t::text FROM {table} AS t").fetchall() for (table,) in tables]
    return repr(dump)


def places(house: House, needles: list[str]) -> set[str]:
    """Where one of these 16-byte keys is found: in databases, Parquet, and files outside the sealed raw ones."""
    found = set()
    for database in ("warehouse", "vault", "dagster"):
        dump = everything_in(house, database)
        found |= {database for needle in needles if needle in dump or needle.replace("-", "") in dump}
    keys = {bytes.fromhex(needle.replace("-", "")) for needle in needles}
    for path, content in house.files(house.home / "postgres", house.home / "vault" / "store"):
        if path.suffix == ".parquet":
            cells = [cell for column in pq.read_table(io.BytesIO(content)).columns for cell in column.to_pylist()]
            found |= {"parquet" for cell in cells if isinstance(cell, bytes) and cell in keys}
        else:
            forms = [form for n in needles for form in (n.encode(), n.replace("-", "").encode())] + list(keys)
            found |= {path.name for form in forms if form in content}
    return found


def files_of_the_server(house: House, needles: list[bytes]) -> set[str]:
    """Files of the databases, their log included, in which one of these is found: freed room of pages counts."""
    with psycopg.connect(f"postgresql://postgres@/postgres?host={house.home / 'postgres'}", autocommit=True) as server:
        server.execute("CHECKPOINT")
    found = set()
    for path, content in house.files():
        if house.home / "postgres" in path.parents:
            found |= {path.parent.name for needle in needles if needle in content}
    return found


def in_the_vault(house: House, token: str) -> list[bytes]:
    """What only the vault has of a person: indexes and wrapped key."""
    with psycopg.connect(f"postgresql://postgres@/vault?host={house.home / 'postgres'}") as connection:
        indexes = connection.execute(
            "SELECT idx FROM vault.blind_index JOIN vault.person USING (person_id) WHERE token = %s", (token,)
        ).fetchall()
        keys = connection.execute("SELECT wrapped_key FROM vault.person WHERE token = %s", (token,)).fetchall()
    return [index.bytes for (index,) in indexes] + [bytes(key) for (key,) in keys]


def bring_what_is_refused(house: House, row: Row) -> list[Path]:
    """A delivery that was received and refused, and two uploads that were set aside. The person stands in all but the
    last, which is returned."""
    inner, outer = house.samples / "inner.zip", house.samples / "outer.zip"
    for path, name, content in ((inner, "a.csv", ";".join(row.values()).encode()), (outer, "b.zip", None)):
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(name, content if content is not None else inner.read_bytes())
    house.homeward("deliver", str(outer), "--source", SOURCE)
    (told,) = house.ask("run", "--source", SOURCE, expect=2)
    assert told["state"] == "refused"
    aside = house.home / "inbox" / SOURCE / REFUSED
    aside.mkdir()
    hers, anothers = aside / "1-x.csv", aside / "2-y.csv"
    hers.write_text(f"x;{row['DUI']}\n")
    hers.with_name(f"{hers.name}{REASON}").write_text("a link lies in the inbox\n")
    anothers.write_text("x;99999999-9\n")
    return [anothers]


def words_known(house: House, *words: str) -> set[str]:
    keyring = Keyring.open(house.home / "keys")
    vault = Vault(f"postgresql+psycopg://postgres@/vault?host={house.home / 'postgres'}", keyring)
    return NameWords(vault, "SLV").among(words)


def raw(house: House) -> list[bytes]:
    """The sealed deliveries, opened with the keys."""
    keyring, folder = Keyring.open(house.home / "keys"), house.home / "vault" / "store"
    return [SealedFile(path, keyring).open().read() for path in sorted(folder.glob("*.sealed"))]


def test_a_person_is_named_by_two_officers_then_erased_everywhere_and_stays_away(house: House) -> None:
    rows = register(house)
    first = deliver(house, [])
    token, row = somebody(house, rows)
    mine = " UNION ".join(
        f"SELECT record_key::text FROM core.{entity} WHERE person_token = '{token}'"
        for entity in ("return_event", "person")
    )
    keys = [key for (key,) in house.sql(mine)]
    assert places(house, [token, *keys]) == {"warehouse", "vault", "parquet"}, "the search finds what is there"
    bare = [*(bytes.fromhex(key.replace("-", "")) for key in (token, *keys)), *in_the_vault(house, token)]
    assert len(bare) >= 5
    assert {"pg_wal"} < files_of_the_server(house, bare)
    assert row["EXPEDIENTE"].encode() in raw(house)[0]

    spared = bring_what_is_refused(house, row)
    asked = house.ask("vault", "request", "--token", token, "--purpose", "family tracing", "--as", "Marta")
    number = str(asked["request"])
    assert "who asks cannot approve" in house.homeward("vault", "approve", number, "--as", "marta", expect=2).stderr
    house.homeward("vault", "approve", number, "--as", "Jorge")
    (said,) = house.ask("vault", "reveal", number, "--as", "Marta")
    assert said["record"]["NOMBRES"] == row["NOMBRES"]

    certificate = house.ask("vault", "erase", "--request", number, "--reason", "asked for it", "--as", "Marta")
    assert certificate["removed"]["vault"]["person"] == 1
    assert certificate["removed"]["warehouse"]["core.return_event"] >= 1
    assert certificate["removed"]["store"]["rows"] >= 2
    sealed = {one["delivery"]: (one["done"], one["rows"]) for one in certificate["sealed_deliveries"]}
    assert sealed.pop(first["delivery"]) == ("rows overwritten", 1)
    assert sealed.pop("a refused upload") == ("destroyed", 0)
    assert list(sealed.values()) == [("destroyed", 0)], "the archive that was received and refused"
    assert list((house.home / "inbox" / SOURCE / REFUSED).iterdir()) == spared
    assert certificate["overwritten"]["log"]
    assert not [one for one in certificate["remains"] if "VACUUM" in one]
    assert not any(value in json.dumps(certificate) for value in (token, row["DUI"], row["NOMBRES"], *keys))
    assert places(house, [token, *keys]) == set()
    assert files_of_the_server(house, bare) == set()
    assert not any(row[name].encode("cp1252") in content for content in raw(house) for name in ("EXPEDIENTE", "DUI"))
    gone = house.homeward("vault", "erase", "--token", token, "--reason", "again", expect=2)
    assert "knows no person by this token" in gone.stderr

    path = next((house.home / "vault" / "certificates").glob("*.json"))
    house.homeward("vault", "certificate", str(path))
    forged = house.samples / "forged.json"
    forged.write_text(path.read_text().replace("asked for it", "nobody asked"))
    assert "was changed" in house.homeward("vault", "certificate", str(forged), expect=2).stderr

    counted = house.sql("SELECT count(*) FROM core.return_event")
    house.homeward("run", "--source", SOURCE, "--delivery", first["delivery"], expect=1)
    assert house.sql("SELECT count(*) FROM core.return_event") == counted
    assert deliver(house, [])["state"] == "already_received", "the bytes as they first came"
    assert not any(row["EXPEDIENTE"].encode() in content for content in raw(house))

    again = deliver(house, [row | {"EXPEDIENTE": "RET-2024-900001"}])
    held = house.sql(
        f"SELECT count(DISTINCT source_row) FROM audit.finding WHERE rule = 'gate.erased'"
        f" AND delivery_id = '{again['delivery']}'"
    )
    assert held[0][0] == 2, "by the key of the row, and a new row by the identifier"
    assert places(house, [token, *keys]) == set()
    assert not any(row[name].encode("cp1252") in content for content in raw(house) for name in ("EXPEDIENTE", "DUI"))
    assert house.sql("SELECT * FROM audit.count_mismatch") == []
    verified = house.ask("vault", "audit", "--verify")
    assert verified["broken"] is None
    actions = [line["action"] for line in house.ask("vault", "audit")]
    assert [a for a in actions if a != "gate"] == ["request", "refused", "approve", "reveal", "erase"]


def test_a_rotated_home_answers_a_redelivery_with_the_same_persons(registered: House, tmp_path: Path) -> None:
    before = registered.sql("SELECT record_key, person_token FROM core.return_event ORDER BY 1")
    rotated = registered.ask("vault", "rotate", "--root")
    assert [one["country"] for one in rotated["countries"]] == ["SLV"]
    assert rotated["files"] == 1
    assert rotated["persons"] == rotated["countries"][0]["persons"] > 100
    old, new = (told := registered.ask("vault", "keys"))["epochs"]
    assert told["key_id"] == rotated["root"]
    assert (old["state"], old["needed_by"]) == ("can be retired", [])
    assert new["needed_by"][1:] == ["1 countries (SLV)", "1 sealed files"]
    refused = registered.homeward("vault", "keys", "--retire", "2", expect=2).stderr
    assert "epoch 2 is still needed: it is the newest, 1 countries (SLV), 1 sealed files" in " ".join(refused.split())
    registered.homeward("vault", "keys", "--retire", "1", "--as", "Keeper")
    assert (told := registered.ask("vault", "keys"))["retired"] == [1]
    assert [one["epoch"] for one in told["epochs"]] == [2]
    row = register(registered)[0] | {"EXPEDIENTE": "RET-2024-900002", "FAMILIA": "F90002"}
    deliver(registered, [row])
    after = dict(registered.sql("SELECT record_key, person_token FROM core.return_event ORDER BY 1"))
    assert {key: after[key] for key, _ in before} == dict(before)
    registered.homeward("vault", "audit", "--verify")


def test_a_cut_audit_is_noticed_by_the_command(registered: House) -> None:
    registered.homeward("vault", "rotate")
    with psycopg.connect(f"postgresql://postgres@/vault?host={registered.home / 'postgres'}") as connection:
        connection.execute("ALTER TABLE vault.audit DISABLE TRIGGER ALL")
        connection.execute("DELETE FROM vault.audit WHERE entry = (SELECT max(entry) FROM vault.audit)")
    refused = registered.homeward("vault", "audit", "--verify", expect=2)
    assert "the audit is broken at entry" in refused.stderr


def test_what_is_past_its_retention_is_removed_and_published_rows_stay(registered: House) -> None:
    (told,) = registered.ask("status")
    published = registered.sql("SELECT count(*) FROM core.return_event")
    assert registered.ask("vault", "retain", "--dry-run") == []
    with psycopg.connect(f"postgresql://postgres@/warehouse?host={registered.home / 'postgres'}") as connection:
        connection.execute("UPDATE audit.delivery SET received_at = received_at - interval '10 years'")
    (planned,) = registered.ask("vault", "retain", "--dry-run")
    assert (planned["raw_files"], planned["parquet_folders"], planned["returns"]) == (1, 1, 1)
    assert planned["identities"] > 100
    raw, store = registered.home / "vault" / "store", registered.home / "store" / SOURCE / told["delivery"]
    assert len(list(raw.glob("*.sealed"))) == 1
    assert registered.ask("vault", "retain") == [planned]
    assert list(raw.glob("*.sealed")) == []
    assert not store.exists()
    with psycopg.connect(f"postgresql://postgres@/vault?host={registered.home / 'postgres'}") as connection:
        assert connection.execute("SELECT count(*) FROM vault.identity").fetchall() == [(0,)]
    assert registered.ask("vault", "retain") == []
    assert registered.sql("SELECT count(*) FROM core.return_event") == published
    assert [line["action"] for line in registered.ask("vault", "audit")[-2:]] == ["retain", "pages overwritten"]
