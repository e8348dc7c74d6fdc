"""A backup on a clean machine: another home, another server, another login, and the vault goes on where it was."""

from __future__ import annotations

import csv
import io
import json
import os
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from test_house_erasure_cut_off import killed

from examples.dgme_slv import FILE, make_slv
from warehouse.embedded import EmbeddedServer

if TYPE_CHECKING:
    from homes import House

pytestmark = pytest.mark.slow

SOURCE = "slv/dgme_returns"
PASSPHRASE = {"HOMEWARD_BACKUP_PASSPHRASE": "correct horse battery staple"}


@dataclass(frozen=True)
class Elsewhere:
    """A machine that has never seen Homeward: an empty home, and two databases of a login that is no superuser."""

    home: Path
    login: str
    host: Path

    @property
    def environment(self) -> dict[str, str]:
        url = f"postgresql://{self.login}@/{{}}?host={self.host}"
        return {
            "HOMEWARD_HOME": str(self.home),
            "HOMEWARD_VAULT_URL": url.format("identities"),
            "HOMEWARD_WAREHOUSE_URL": url.format("figures"),
        }

    def tokens(self) -> dict[str, str]:
        with psycopg.connect(f"postgresql://postgres@/figures?host={self.host}") as connection:
            return dict(connection.execute(TOKENS).fetchall())


TOKENS = "SELECT record_key::text, person_token::text FROM core.return_event"


@pytest.fixture
def house(registered: House) -> House:
    """A home with somebody in it."""
    return registered


@pytest.fixture
def elsewhere(server_folder: Path) -> Iterator[Elsewhere]:
    folder = Path(tempfile.mkdtemp(dir=server_folder))
    folder.chmod(0o755)
    server = EmbeddedServer(folder / "server").start()
    login = f"keeper_{uuid.uuid4().hex[:6]}"
    with psycopg.connect(f"postgresql://postgres@/postgres?host={folder / 'server'}", autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {login} LOGIN CREATEROLE")
        for database in ("identities", "figures"):
            connection.execute(f"CREATE DATABASE {database} OWNER {login}")
    try:
        yield Elsewhere(folder / "home", login, folder / "server")
    finally:
        server.stop()


def deliver(house: House, extra: int = 0, **more: str) -> dict[str, object]:
    house.samples.mkdir(parents=True, exist_ok=True)
    make_slv(house.samples)
    path = house.samples / FILE
    rows = list(csv.DictReader(io.StringIO(path.read_bytes().decode("cp1252"), newline=""), delimiter=";"))
    rows += [rows[0] | {"EXPEDIENTE": f"RET-2024-9{n:05d}", "FAMILIA": f"F9{n:04d}"} for n in range(extra)]
    with path.open("w", encoding="cp1252", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=";", lineterminator="\r\n")
        writer.writeheader()
        writer.writerows(rows)
    house.homeward("deliver", str(path), "--source", SOURCE, **more)
    (told,) = house.ask("run", "--source", SOURCE, expect=1, **more)
    return dict(told)


def test_a_person_is_named_on_the_other_machine_and_the_next_delivery_knows_everybody(
    house: House, elsewhere: Elsewhere, tmp_path: Path
) -> None:
    house.homeward("vault", "rotate")
    before = dict(house.sql(f"{TOKENS} ORDER BY source_row"))
    archive = tmp_path / "vault.backup"
    made = house.ask("vault", "backup", str(archive), "--store", **PASSPHRASE)
    assert made["files"] == 1
    there = elsewhere.environment

    wrong = {"HOMEWARD_BACKUP_PASSPHRASE": "correct horse battery stable"}
    harmed = tmp_path / "harmed.backup"
    content = archive.read_bytes()
    for harm, secret, said in (
        (content, wrong, "the passphrase or key file is not the one of this backup"),
        (content[: len(content) // 2], PASSPHRASE, "damaged, cut short or was changed"),
        (content[:5000] + bytes([content[5000] ^ 1]) + content[5001:], PASSPHRASE, "damaged, cut short or was changed"),
        (b"no archive at all", PASSPHRASE, "no backup of a vault"),
    ):
        harmed.write_bytes(harm)
        refused = house.homeward("vault", "restore", str(harmed), expect=2, **there | secret)
        assert said in refused.stderr
        assert len(refused.stderr.strip().splitlines()) == 1
        assert not (elsewhere.home / "keys").exists()

    restored = house.homeward("vault", "restore", str(archive), "--json", **there | PASSPHRASE)
    held = json.loads(restored.stdout)
    assert "neither warehouse nor home tells whether anybody was erased after this backup" in restored.stderr
    assert (held["persons"], held["files"]) == (made["persons"], made["files"])
    assert house.ask("vault", "restore", str(archive), **there | PASSPHRASE) == held
    assert os.stat(elsewhere.home / "keys" / "root.key").st_mode & 0o777 == 0o600

    token = next(iter(before.values()))
    asked = house.ask("vault", "request", "--token", token, "--purpose", "tracing", "--as", "Marta", **there)
    over = house.homeward("vault", "restore", str(archive), expect=2, **there | PASSPHRASE)
    assert "the vault is not empty" in over.stderr
    assert len(over.stderr.strip().splitlines()) == 1
    number = str(asked["request"])
    house.homeward("vault", "reveal", number, "--as", "Marta", expect=2, **there)
    house.homeward("vault", "approve", number, "--as", "Jorge", **there)
    (said,) = house.ask("vault", "reveal", number, "--as", "Marta", **there)
    assert said["record"]["NOMBRES"]
    assert house.ask("vault", "audit", "--verify", **there)["broken"] is None

    told = deliver(house, extra=3, **there)
    assert told["state"] == "published"
    after = elsewhere.tokens()
    assert before.items() <= after.items()
    assert len(after) > len(before)


def test_who_was_erased_after_the_backup_is_erased_again_when_it_is_restored(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ((token,),) = house.sql("SELECT person_token::text FROM core.return_event WHERE source_row = 2")
    archive, certificates = tmp_path / "vault.backup", tmp_path / "certificates"
    made = house.ask("vault", "backup", str(archive), "--store", **PASSPHRASE)
    house.homeward("vault", "erase", "--token", token, "--reason", "asked for it")
    (house.home / "vault" / "certificates").rename(certificates)
    (house.home / "keys").rename(tmp_path / "lost keys")
    (house.home / "vault" / "store").rename(tmp_path / "lost store")
    with psycopg.connect(f"postgresql://postgres@/postgres?host={house.home / 'postgres'}", autocommit=True) as server:
        server.execute("DROP DATABASE vault WITH (FORCE)")
    begun_anew = house.homeward("vault", "keys", expect=2).stderr
    assert "the warehouse has people of a vault, and there are no keys" in begun_anew
    for name, given in PASSPHRASE.items():
        monkeypatch.setenv(name, given)
    killed(house, "assets.vault_audit:follow_restore", "vault", "restore", str(archive))
    house.homeward("vault", "audit", "--verify", expect=2)
    held = house.ask("vault", "restore", str(archive))
    assert house.ask("vault", "audit", "--verify")["broken"] is None
    assert "lines lost" in {line["action"] for line in house.ask("vault", "audit")}
    assert (held["persons"], held["erased_again"]) == (made["persons"], 1)
    request = ("vault", "request", "--token", token, "--purpose", "tracing", "--as", "Marta")
    assert "knows no person by this token" in house.homeward(*request, expect=2).stderr
    assert house.ask("vault", "erase", "--again", str(certificates), "--reason", "an old backup") == []
    house.homeward("deliver", str(house.samples / FILE), "--source", SOURCE)
    (told,) = house.ask("run", "--source", SOURCE, expect=None)
    assert told["state"] == "already_received"


def test_an_erasure_without_the_warehouse_says_which_files_it_did_not_search(
    house: House, elsewhere: Elsewhere, tmp_path: Path
) -> None:
    ((token,),) = house.sql("SELECT person_token::text FROM core.return_event WHERE source_row = 3")
    archive, there = tmp_path / "vault.backup", elsewhere.environment
    house.homeward("vault", "backup", str(archive), "--store", **PASSPHRASE)
    house.homeward("vault", "restore", str(archive), **there | PASSPHRASE)
    done = house.homeward("vault", "erase", "--token", token, "--reason", "asked for it", **there)
    assert "1 sealed files of no delivery that the warehouse knows, which were not searched" in done.stderr
    (certificate,) = (elsewhere.home / "vault" / "certificates").glob("*.json")
    assert "which were not searched" in certificate.read_text()
    whole = house.ask("vault", "erase", "--token", token, "--reason", "asked for it")
    assert not [one for one in whole["remains"] if "not searched" in one]


def test_a_restore_that_was_killed_says_who_is_erased_again_and_which_certificate_nobody_can_go_by(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first run erased her again and was killed before it said so; of him nothing is left but a damaged file."""
    tokens = house.sql("SELECT person_token::text FROM core.return_event WHERE source_row IN (2, 3) ORDER BY 1")
    archive, folder = tmp_path / "vault.backup", house.home / "vault" / "certificates"
    house.homeward("vault", "backup", str(archive), "--store", **PASSPHRASE)
    for (token,) in tokens:
        house.homeward("vault", "erase", "--token", token, "--reason", "asked for it")
    damaged, _ = sorted(folder.glob("*.json"))
    damaged.write_bytes(damaged.read_bytes()[:-100])
    address = f"postgresql://postgres@/{{}}?host={house.home / 'postgres'}"
    with psycopg.connect(address.format("warehouse")) as warehouse:
        warehouse.execute("DELETE FROM audit.erasure WHERE certificate = %s", (damaged.stem,))
    (house.home / "keys").rename(tmp_path / "lost keys")
    with psycopg.connect(address.format("postgres"), autocommit=True) as server:
        server.execute("DROP DATABASE vault WITH (FORCE)")
    for name, given in PASSPHRASE.items():
        monkeypatch.setenv(name, given)
    killed(house, "assets.lost_erasures:keep_head", "vault", "restore", str(archive))
    again = house.homeward("vault", "restore", str(archive), "--json")
    assert json.loads(again.stdout)["erased_again"] == 1
    warning = f"homeward: warning: the certificate {damaged.name} is damaged"
    assert again.stderr.count("homeward: warning") == again.stderr.count(warning) == 1
    resumed = house.homeward("vault", "erase", "--resume")
    assert warning in resumed.stderr
